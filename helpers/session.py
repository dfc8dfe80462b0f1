"""One call that makes a notebook reproducible. Importing this module starts TensorFlow, without its notes."""

import contextlib
import importlib.util
import logging
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import joblib

from helpers import plots
from helpers.data import profile

BFLOAT16 = ("avx512_bf16", "amx_bf16")  # without one of these TensorFlow takes many times as long
TOO_OLD = (
    "TensorFlow 2.20 or newer is needed, and {}. On Colab choose Runtime > Change runtime type, a CPU or GPU "
    "and the latest version, and run this cell again; elsewhere: pip install -r requirements.txt"
)


def start_tensorflow() -> None:
    """Import TensorFlow, unless the variable KERAS_BACKEND names another backend (keras.json does not count).

    ImportError if the backend is not here or TensorFlow older than 2.20, which says what to choose or to run.
    """
    backend = os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        if importlib.util.find_spec(backend) is None:
            raise ImportError(f"KERAS_BACKEND is {backend!r}, which is not installed: unset or correct it.")
        return
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(TOO_OLD.format("it is not here"))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # errors and less, for the time after the import
    with quietly():
        import tensorflow
    if tuple(map(int, tensorflow.__version__.split(".")[:2])) < (2, 20):
        raise ImportError(TOO_OLD.format(f"this is {tensorflow.__version__}"))


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drop warnings, and all that is written to standard error, past Python's logging too, as C++ does."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere, warnings.catch_warnings(action="ignore"):
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


start_tensorflow()

import keras  # noqa: E402 (TensorFlow has to come first, or Keras starts it with all its notes)


def undo_settings() -> None:
    """Set what a keras.json or an earlier cell may have changed, as the series needs it."""
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_dtype_policy("float32")


undo_settings()  # for commands, which have no cell to start in


def start(seed: int = 0) -> None:
    """Seed Python, NumPy and Keras (from 0 to 2**32 - 1), undo settings files, and say what this runs on."""
    undo_settings()
    keras.utils.set_random_seed(seed)
    logging.getLogger("tensorflow").setLevel("ERROR")  # no warning that a new model is traced anew
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
    return f"{joblib.cpu_count()} CPU cores"


def cpuinfo(file: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """Return what Linux says of a processor by name, like "model name" and "flags"; nothing elsewhere."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def processor_flags() -> list[str]:
    """Return the instructions that a run's speed depends on, as Linux names them; none elsewhere."""
    return [flag for flag in ("avx2", "avx512f", *BFLOAT16) if flag in cpuinfo().get("flags", "").split()]


def precision(wanted: str) -> str:
    """Return what to compute in: "bfloat16" if "auto" is wanted and this processor is fast at it."""
    on_cpu = keras.backend.backend() == "tensorflow" and accelerator().endswith("CPU cores")
    fast = wanted == "auto" and on_cpu and set(BFLOAT16) & set(processor_flags())
    return "bfloat16" if fast else "float32"


def processor() -> str:
    """Return the name of what Keras computes on: of the first graphics processor, where there is one."""
    if keras.backend.backend() == "jax" and not accelerator().endswith("CPU cores"):
        return sys.modules["jax"].devices()[0].device_kind
    if keras.backend.backend() == "tensorflow":
        config = sys.modules["tensorflow"].config
        for gpu in config.list_physical_devices("GPU"):
            return config.experimental.get_device_details(gpu)["device_name"]
    return cpuinfo().get("model name") or platform.processor() or platform.machine()


def machine() -> dict[str, str]:
    """Return what a recorded run says about where it ran: processor, accelerator, system."""
    system = f"{platform.system()} {platform.machine()}"
    return {"processor": processor(), "accelerator": accelerator(), "system": system}


def versions() -> dict[str, str]:
    """Return the versions that a result depends on: Python, Keras, its backend, NumPy."""
    found = {name: metadata.version(name) for name in ("keras", keras.backend.backend(), "numpy")}
    return {"python": platform.python_version()} | found
