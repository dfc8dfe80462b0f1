"""TensorFlow without the notes that it writes for its developers at every start."""

import os


def hush_tensorflow() -> None:
    """Import TensorFlow, if Keras is to compute with it, and drop what it writes to stderr meanwhile.

    Its notes on processor features and missing graphics cards come from C++ and ignore Python's
    logging. An error of the import is still raised. Call it before anything imports Keras.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # errors and less, for the time after the import
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
