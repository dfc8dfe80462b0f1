"""One call that makes a notebook reproducible. Importing this module starts TensorFlow, without its notes."""

import contextlib
import importlib.util
import logging
import os
import platform
import re
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from helpers import plots
from helpers.data import profile

OLDEST = (2, 20)
TOO_OLD = (
    "TensorFlow 2.20 or newer is needed, and {}. On Colab choose Runtime > Change runtime type, a CPU or GPU "
    "and the latest version, and run this cell again; elsewhere: pip install -r requirements.txt"
)


def start_tensorflow() -> None:
    """Import TensorFlow, unless KERAS_BACKEND names another backend, and drop what it writes meanwhile.

    Its notes on processor features and missing graphics cards come from C++ and ignore Python's logging.
    A backend in a reader's keras.json does not count: only the environment chooses one.

    Raises:
        ImportError: if TensorFlow is not here or older than 2.20; it says what to choose or to run.
    """
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        return
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(TOO_OLD.format("it is not here"))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # errors and less, for the time after the import
    with quietly():
        import tensorflow
    if tuple(map(int, tensorflow.__version__.split(".")[:2])) < OLDEST:
        raise ImportError(TOO_OLD.format(f"this is {tensorflow.__version__}"))


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drop warnings, and all that this process writes to standard error, be it Python or not."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


start_tensorflow()

import keras  # noqa: E402 (TensorFlow has to come first, or Keras starts it with all its notes)


def start(seed: int = 0) -> None:
    """Seed Python, NumPy and Keras, undo what settings files changed, and say on what this session runs.

    TensorFlow's warning that a new model makes it trace its functions anew is silenced.

    Args:
        seed: any integer from 0 to 2**32 - 1.
    """
    keras.config.set_image_data_format("channels_last")  # these four may stand in a keras.json
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_epsilon(1e-7)
    keras.utils.set_random_seed(seed)
    logging.getLogger("tensorflow").setLevel("ERROR")
    plots.use_style()
    print(
        f"Python {platform.python_version()}, Keras {keras.__version__} on {keras.backend.backend()}, "
        f"{accelerator()}, seed {seed}, profile {profile()!r}"
    )


def accelerator() -> str:
    """Return the device that Keras computes on, in words: "2 CPU cores" or "1 GPU"."""
    devices = keras.distribution.list_devices()
    others = [device for device in devices if not device.lower().startswith("cpu")]
    if others:
        return f"{len(others)} {others[0].split(':')[0].upper()}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} CPU cores"


def machine() -> dict[str, str]:
    """Return what a recorded run says about where it ran: processor, accelerator, system."""
    system = f"{platform.system()} {platform.machine()}"
    return {"processor": _processor_name(), "accelerator": accelerator(), "system": system}


def versions() -> dict[str, str]:
    """Return the versions that a result depends on: Python, Keras, its backend, NumPy."""
    name = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        name: metadata.version(name),
        "numpy": np.__version__,
    }


def _processor_name() -> str:
    """Return the processor's name as the system gives it; Linux keeps it in a file of its own."""
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
