"""A trained network in files: Keras' own with a JSON beside it, and other programs' formats, to run again."""

import hashlib
import os
import shutil
import tempfile
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.internal.files import place, write_json, written
from helpers.internal.network_file import for_older_keras, in_one_line
from helpers.predict import ModelError, load_model

if TYPE_CHECKING:
    import keras

FORMATS = {"keras": "model.keras", "savedmodel": "saved_model"}  # and what each is called on the disk
FORMATS |= {"litert": "model.tflite", "litert_int8": "model_int8.tflite", "onnx": "model.onnx"}
COLUMNS = ["problem", "path", "bytes", "largest difference", "agreement", "median ms"]
BATCH_SIZE = 100
REPEATS = 100  # so often an answer is timed
ROUNDING = 1e-4  # share of the largest logit by which float logits may differ
INT8_AGREEMENT = 0.9  # share of the images that have to keep their class


def save_model(model: "keras.Model", path: str | os.PathLike, about: dict | None = None) -> dict:
    """Write a network, without its optimizer, for everybody's Keras; return the JSON written beside it.

    The file is read back before it takes its place, so after a ModelError or any other the old pair is still
    there. The JSON comes first: after a kill between the two its SHA-256 is not that of the network.

    Args:
        model: Sequential or functional, from (N, 32, 32, 3) pixels to (N, 10) logits.
        path: ends in `.keras`; its folder is made if it is missing.
        about: what else the JSON is to tell, beside SHA-256, bytes, date (UTC) and versions.
    """
    from helpers.session import versions

    path = place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as beside:
        bare = type(model).from_config(model.get_config())
        bare.set_weights(model.get_weights())
        bare.save(beside)
        for_older_keras(beside)
        load_model(beside)
        content = beside.read_bytes()
        record = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "about": about or {}}
        record |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), "versions": versions()}
        write_json(path.with_suffix(".json"), record)
    return record


def export_all(
    model: "keras.Model",
    folder: str | os.PathLike,
    calibration_images: np.ndarray,
    check_images: np.ndarray,
) -> pd.DataFrame:
    """Write a network in several formats, run each, and keep those that answer as the Keras model does.

    Return a row per format: problem (why there is no such file, or ""), path, bytes, largest difference of
    logits, agreement (share of images with the same class, 0 to 1), median ms for one image.

    Args:
        model: from raw pixels, (N, 32, 32, 3), to logits, (N, 10).
        folder: is made if missing; exports in it are replaced.
        calibration_images: uint8 (N, 32, 32, 3), about 200 training images (test images would be a leak)
            with values from 0 to 255; they show int8 how large the numbers between the layers get.
        check_images: uint8 (N, 32, 32, 3), on which exports are compared with Keras; the first is timed.
    """
    from helpers.session import quietly

    expected = model.predict(check_images.astype("float32"), batch_size=BATCH_SIZE, verbose=0)
    folder, rows = place(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    for name in FORMATS:
        try:
            # Not in `folder`: TensorFlow reads no SavedModel whose path has a [ in it.
            with quietly(), tempfile.TemporaryDirectory() as work:
                made = Path(work, FORMATS[name])
                WRITERS[name](model, made, *([calibration_images] if name == "litert_int8" else []))
                run = runner(name, made)
                compared = compare_logits(name, expected, run(check_images))
                size = sum(file.stat().st_size for file in (made, *made.rglob("*")) if file.is_file())
                times = timeit.repeat(lambda: run(check_images[:1]), number=1, repeat=3 + REPEATS)  # noqa: B023
                row = "", str(folder / made.name), size, *compared, 1000 * np.median(times[3:])  # 3 warm up
                for part in sorted(Path(work).iterdir()):  # the JSON before the network
                    with written(folder / part.name) as beside:
                        shutil.move(part, beside)
                rows.append(dict(zip(COLUMNS, row, strict=True)))
        except Exception as error:  # converters and runtimes raise anything
            rows.append({"problem": f"{in_one_line(error)}."})
    return pd.DataFrame(rows, pd.Index(list(FORMATS), name="format"), COLUMNS)


def compare_logits(name: str, expected: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the largest difference of logits and the share of equal classes, or raise ModelError."""
    difference = float(np.abs(expected - found).max())
    agreement = float((expected.argmax(axis=1) == found.argmax(axis=1)).mean())
    most, least = ROUNDING * max(1.0, float(np.abs(expected).max())), 0.0
    if name == "litert_int8":
        most, least = np.inf, INT8_AGREEMENT
    if not (difference < most and agreement >= least):  # so written, NaN is refused too
        raise ModelError(f"not kept: logits differ by {difference:.1e}, {agreement:.1%} keep their class")
    return difference, agreement


def runner(format: str, path: str | os.PathLike) -> Callable[[np.ndarray], np.ndarray]:
    """Return what answers as a file of a format does: images, uint8 (N, 32, 32, 3), to logits, (N, 10)."""
    if format == "keras":
        answer = load_model(path).predict_on_batch  # `predict` takes long to get ready
    elif format == "savedmodel":
        import tensorflow as tf

        network = tf.saved_model.load(str(path))
        answer = lambda images: network.serve(images)  # noqa: E731
    elif format == "onnx":
        network = onnx_runtime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
        answer = lambda images: network.run(None, {"pixels": images})[0]  # noqa: E731
    else:
        answer = litert_runner(str(path))

    def run(images):
        batches = np.split(images.astype("float32"), range(BATCH_SIZE, len(images), BATCH_SIZE))
        return np.concatenate([np.asarray(answer(batch)) for batch in batches])

    return run


def litert_runner(path: str) -> Callable:
    """Return what answers as a LiteRT file does."""
    import tensorflow as tf

    network = tf.lite.Interpreter(path, num_threads=os.cpu_count())
    network.allocate_tensors()
    serve = network.get_signature_runner()
    [(name, pixels)] = serve.get_input_details().items()

    def answer(images):
        (logits,) = serve(**{name: images.astype(pixels["dtype"])}).values()
        return logits

    return answer


def write_litert(model: "keras.Model", path: Path, calibration: np.ndarray | None = None) -> None:
    """Write a LiteRT file, for telephones and the like; with `calibration` images in numbers of 8 bits."""
    import tensorflow as tf

    # Newer Keras exports LiteRT this way itself; the way of Keras 3.13 fails on some installations.
    with tempfile.TemporaryDirectory() as graph:
        model.export(graph, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(graph)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([i[None].astype("float32")] for i in calibration)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.float32
        path.write_bytes(converter.convert())


def write_onnx(model: "keras.Model", path: Path) -> None:
    """Write an ONNX file, which programs in many languages run."""
    import keras

    def plain(layer):
        # tf2onnx takes the constants of this layer for inputs
        if isinstance(layer, keras.layers.Normalization):
            mean, scale = np.ravel(layer.input_mean), 1 / np.sqrt(np.ravel(layer.input_variance))
            return keras.layers.Rescaling(scale.tolist(), (-mean * scale).tolist(), name=layer.name)
        return type(layer).from_config(layer.get_config())

    onnx_runtime()
    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    signature = [keras.InputSpec("float32", copy.input_shape, name="pixels")]
    copy.export(str(path), format="onnx", input_signature=signature, verbose=False)


def onnx_runtime() -> ModuleType:
    """Return the package that runs ONNX files; ModelError if that, or what writes them, is missing."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it calls its maker as soon as it is imported
    try:
        import onnxruntime
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ModelError(f"{in_one_line(error)}, ONNX takes pip install onnx tf2onnx onnxruntime") from None
    return onnxruntime


WRITERS = {"keras": save_model, "onnx": write_onnx}
WRITERS |= {"savedmodel": lambda model, path: model.export(str(path), verbose=False)}
WRITERS |= {"litert": write_litert, "litert_int8": write_litert}
