"""One call that makes a notebook reproducible, and the profile it runs under."""

import logging
import os
import platform
from importlib import metadata
from pathlib import Path

PROFILES = ("standard", "smoke")


def profile() -> str:
    """Return the profile named by `TUTORIAL_PROFILE`: "standard" (the default) or "smoke".

    Under "smoke", which the tests use, `load_cifar10("auto")` gives the small synthetic sample
    and `train` stops after two epochs. A notebook never asks for the profile itself.

    Raises:
        ValueError: if `TUTORIAL_PROFILE` names neither.
    """
    name = os.environ.get("TUTORIAL_PROFILE") or "standard"
    if name not in PROFILES:
        raise ValueError(
            f"TUTORIAL_PROFILE is {name!r}, expected one of {', '.join(PROFILES)}: unset it or correct it."
        )
    return name


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
