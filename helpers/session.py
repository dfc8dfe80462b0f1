"""One call that makes a notebook reproducible. Importing this module starts TensorFlow, without its notes."""

import contextlib
import logging
import os
import platform
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from helpers.data import profile


def hush_tensorflow() -> None:
    """Import TensorFlow, if Keras is to compute with it, and drop what it writes to stderr meanwhile.

    Its notes on processor features and missing graphics cards come from C++ and ignore Python's
    logging. An error of the import is still raised. Call it before anything imports Keras.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # errors and less, for the time after the import
    with no_standard_error():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drop warnings, and what TensorFlow's converters write to standard error past Python."""
    with no_standard_error(), warnings.catch_warnings(action="ignore"):
        yield


@contextlib.contextmanager
def no_standard_error() -> Iterator[None]:
    """Drop all that this process writes to standard error, be it Python or not."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


hush_tensorflow()


def start(seed: int = 0) -> None:
    """Seed Python, NumPy and Keras, set the figures' style, and say on what this session runs.

    TensorFlow's warning that a new model makes it trace its functions anew is silenced: a chapter
    trains several models, and that is as it should be.

    Args:
        seed: any integer from 0 to 2**32 - 1.
    """
    import keras

    from helpers import plots

    keras.utils.set_random_seed(seed)
    logging.getLogger("tensorflow").setLevel("ERROR")
    plots.use_style()
    print(
        f"Python {platform.python_version()}, Keras {keras.__version__} on {keras.backend.backend()}, "
        f"{accelerator()}, seed {seed}, profile {profile()!r}"
    )


def accelerator() -> str:
    """Return the device that Keras computes on, in words: "2 CPU cores" or "1 GPU"."""
    import keras

    devices = keras.distribution.list_devices()
    others = [device for device in devices if not device.lower().startswith("cpu")]
    if others:
        return f"{len(others)} {others[0].split(':')[0].upper()}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} CPU cores"


def machine() -> dict[str, str]:
    """Return what a recorded run says about where it ran: processor, accelerator, system."""
    return {
        "processor": _processor_name(),
        "accelerator": accelerator(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Return the versions that a result depends on: Python, Keras, its backend, NumPy."""
    import keras
    import numpy as np

    name = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        name: metadata.version(name),
        "numpy": np.__version__,
    }


def _processor_name() -> str:
    """Return the processor's name as the system gives it; Linux keeps it in a file of its own."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
