"""TensorFlow without the notes that it writes for its developers."""

import contextlib
import os
import warnings
from collections.abc import Iterator


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
