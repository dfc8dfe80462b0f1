"""A trained network in files: Keras' own with a JSON beside it, and other programs' formats, to run again.

`save_model` writes each of its two files whole or not at all, the JSON first. A kill leaves the old pair, the
new pair, or, between the two renames, the old network and the new JSON: `verify_model_file` refuses that.
"""

import hashlib
import importlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import session
from helpers.photos import in_one_line
from helpers.predict import ModelError, check_model_file, forbidden_part, load_model
from helpers.session import quietly

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 100
# Keras 3.15 writes these settings also where nobody has set them; Keras 3.13 does not know them.
UNSET = {"input_axes": None, "output_axes": None}  # of initializers
UNSET |= {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}  # of batch normalisation
ONNX_PACKAGES = "onnx tf2onnx onnxruntime"
Runner = Callable[[np.ndarray], np.ndarray]  # uint8 (N, 32, 32, 3), N >= 1 -> logits, float32 (N, 10)


def save_model(model: "keras.Model", path: str | os.PathLike, about: dict | None = None) -> dict:
    """Write a network for everybody's Keras: standard layers and weights, no optimizer, no compilation.

    The file is read back before it takes its place. The new JSON takes its own place first: after it,
    nothing but a rename is left, which needs no room on the disk.

    Args:
        model: Sequential or functional, from (N, 32, 32, 3) pixels to (N, 10) logits.
        path: ends in `.keras`; its folder is made if it is missing.
        about: what else to tell of the network: recipe, accuracy with interval, study, seed.

    Returns:
        What the JSON holds: sha256, bytes, date (UTC) and versions of the file, and about.

    Raises:
        ModelError: if `load_model` would refuse the file.
        OSError, TypeError, ValueError: if the disk is full, for example, or JSON does not know what
            `about` holds. The pair that was there is still there.
    """
    from helpers.internal.files import write_json

    path = Path(path)
    if path.suffix != ".keras":
        raise ModelError(f"{path} is no name for a model: give one that ends in .keras.")
    if part := forbidden_part(json.loads(model.to_json())):
        raise ModelError(f"The model is not saved: {part} is no part of this series' networks.")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp.keras")
    try:
        _bare_copy(model).save(beside)
        _leave_out_unset(beside)
        load_model(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
            record = {
                "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
                "bytes": beside.stat().st_size,
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "versions": session.versions(),
                "about": about or {},
            }
        write_json(path.with_suffix(".json"), record)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return record


def verify_model_file(path: str | os.PathLike) -> dict:
    """Make sure that a `.keras` file is the one that the JSON beside it describes; return what that says.

    Raises:
        ModelError: if `check_model_file` refuses the file, the JSON is missing or damaged, or it
            describes another file.
    """
    path = Path(path)
    check_model_file(path)
    beside = path.with_suffix(".json")
    try:
        record = json.loads(beside.read_text(encoding="utf-8"))
        expected, found = record["sha256"], hashlib.sha256(path.read_bytes()).hexdigest()
    except Exception as error:  # a damaged file leads json to several kinds of errors
        reason = getattr(error, "strerror", None) or in_one_line(error)
        raise ModelError(f"{path} cannot be verified by {beside.name}: {reason}. Get both anew.") from None
    if found != expected:
        raise ModelError(f"{path} is not the file that {beside.name} describes: get or save both anew.")
    return record


def write_savedmodel(model: "keras.Model", path: str | Path) -> None:
    """Write a folder that TensorFlow runs without Keras: the network's graph and its weights."""
    with quietly():
        model.export(str(path), format="tf_saved_model", input_signature=_pixels(model), verbose=False)


def write_litert(model: "keras.Model", path: str | Path, calibration: np.ndarray | None = None) -> None:
    """Write a LiteRT file (`.tflite`), which telephones and other small devices run.

    Args:
        calibration: None for float32 throughout. Else uint8 (N, 32, 32, 3), training images:
            weights and what goes from layer to layer become whole numbers of 8 bits, and these images
            show how large it gets. Pixels go in as uint8, logits come out as float32.

    Raises:
        ModelError: if those do not reach from 0 to 255.
    """
    import tensorflow as tf

    if calibration is not None and (calibration.min(), calibration.max()) != (0, 255):
        raise ModelError("The calibration images do not reach from 0 to 255: give more of them.")
    # Newer Keras exports LiteRT this way itself; the way of Keras 3.13 fails on some installations.
    with tempfile.TemporaryDirectory() as folder, quietly():
        write_savedmodel(model, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            floats = calibration.astype("float32")
            converter.representative_dataset = lambda: ([image[None]] for image in floats)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.float32
        Path(path).write_bytes(converter.convert())


def write_onnx(model: "keras.Model", path: str | Path) -> None:
    """Write an ONNX file, which programs in many languages run; ModelError if packages are missing."""
    import keras

    _require_onnx()

    def plain(layer):
        """Return a copy; tf2onnx takes the constants of a Normalization layer for inputs."""
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is not None:
            mean, scale = np.ravel(layer.input_mean), 1 / np.sqrt(np.ravel(layer.input_variance))
            return keras.layers.Rescaling(scale.tolist(), (-mean * scale).tolist(), name=layer.name)
        return type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(_bare_copy(model), clone_function=plain)
    copy.set_weights(model.get_weights())
    with quietly():
        copy.export(str(path), format="onnx", input_signature=_pixels(model), verbose=False)


def run_keras(model: "keras.Model | str | Path") -> Runner:
    """Return what a network, or the one in a `.keras` file, answers through `predict`."""
    model = load_model(model) if isinstance(model, str | Path) else model
    return _in_batches(lambda images: model.predict(images, batch_size=BATCH_SIZE, verbose=0))


def run_savedmodel(path: str | Path) -> Runner:
    """Return what a SavedModel answers."""
    import tensorflow as tf

    network = tf.saved_model.load(str(path))
    return _in_batches(lambda images: network.serve(tf.constant(images)))


def run_litert(path: str | Path) -> Runner:
    """Return what a LiteRT file answers on all cores, run by ai_edge_litert if installed, else TensorFlow."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with quietly():
        interpreter = Interpreter(model_content=Path(path).read_bytes(), num_threads=cores)
        interpreter.allocate_tensors()
    (pixels,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    room = 1  # images at a time that there is memory for

    def answer(images):
        nonlocal room
        if len(images) != room:
            interpreter.resize_tensor_input(pixels["index"], images.shape)
            interpreter.allocate_tensors()
            room = len(images)
        interpreter.set_tensor(pixels["index"], images)
        interpreter.invoke()
        return interpreter.get_tensor(logits["index"])

    return _in_batches(answer, pixels["dtype"])


def run_onnx(path: str | Path) -> Runner:
    """Return what an ONNX file answers; ModelError if packages are missing."""
    _require_onnx()
    import onnxruntime

    network = onnxruntime.InferenceSession(Path(path).read_bytes(), providers=["CPUExecutionProvider"])
    (pixels,) = network.get_inputs()
    return _in_batches(lambda images: network.run(None, {pixels.name: images})[0])


def _bare_copy(model: "keras.Model") -> "keras.Model":
    """Return a network again with its weights, but without optimizer, loss and metrics."""
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _leave_out_unset(path: Path) -> None:
    """Take the settings in `UNSET` out of a `.keras` file, so that Keras 3.13 can load it, too."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def known(settings):
        return {name: value for name, value in settings.items() if UNSET.get(name, ...) != value}

    parts["config.json"] = json.dumps(json.loads(parts["config.json"], object_hook=known))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _in_batches(answer: Callable, dtype: object = "float32") -> Runner:
    """Return a runner that hands on at most `BATCH_SIZE` images at a time, as numbers of that type."""

    def run(images):
        batches = np.split(images.astype(dtype), range(BATCH_SIZE, len(images), BATCH_SIZE))
        return np.concatenate([np.asarray(answer(batch)) for batch in batches])

    return run


def _pixels(model: "keras.Model") -> list:
    """Return what goes into an export: pixels of any number of images, float32."""
    import keras

    return [keras.InputSpec(dtype="float32", shape=model.input_shape, name="pixels")]


def _require_onnx() -> None:
    """Raise ModelError if one of the optional packages for ONNX cannot be imported."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime calls its maker as soon as imported
    try:
        for name in ONNX_PACKAGES.split():
            importlib.import_module(name)
    except ImportError as error:
        raise ModelError(f"ONNX: {in_one_line(error)}. It takes pip install {ONNX_PACKAGES}.") from None
