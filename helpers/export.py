"""A trained network in files: Keras' own with a JSON beside it, and other programs' formats, to run again.

`export_all` runs each export and compares it with the Keras model before it gets its place; one that answers
otherwise is not kept. All take raw pixels, 0 to 255, and give logits.
"""

import hashlib
import json
import os
import tempfile
import timeit
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pandas as pd

from helpers.internal.files import write_json, written
from helpers.internal.network_file import for_older_keras, forbidden_part, in_one_line, verify_model_file
from helpers.predict import ModelError, load_model
from helpers.session import quietly, versions

FORMATS = {"keras": "model.keras", "savedmodel": "saved_model"}  # and what each is called on the disk
FORMATS |= {"litert": "model.tflite", "litert_int8": "model_int8.tflite", "onnx": "model.onnx"}
FIGURES = ["path", "bytes", "largest difference", "agreement", "median ms", "p99 ms", "images per second"]
BATCH_SIZE = 100
__all__ = ["FORMATS", "export_all", "runner", "save_model", "verify_model_file"]
ROUNDING = 1e-4  # share of the largest logit by which float logits may differ
INT8_AGREEMENT = 0.9  # share of the images that have to keep their class


def save_model(model: keras.Model, path: str | os.PathLike, about: dict | None = None) -> dict:
    """Write a network for everybody's Keras: standard layers and weights, no optimizer, no compilation.

    The file is read back before it takes its place. The JSON beside it comes first: a kill between the two
    leaves the old network and the new JSON, which `verify_model_file` refuses.

    Args:
        model: Sequential or functional, from (N, 32, 32, 3) pixels to (N, 10) logits.
        path: ends in `.keras`; its folder is made if it is missing.
        about: what else the JSON is to tell, beside SHA-256, bytes, date (UTC) and versions.

    Raises:
        ModelError: if `load_model` would refuse the file. As after any error, the old pair is still there.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ModelError(f"{path} is no name for a model: give one that ends in .keras.")
    if reason := forbidden_part(json.loads(model.to_json())):
        raise ModelError(f"The model is not saved: {reason}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as beside:
        bare_copy(model).save(beside)
        for_older_keras(beside)
        load_model(beside)
        content = beside.read_bytes()
        record = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "about": about or {}}
        record |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), "versions": versions()}
        write_json(path.with_suffix(".json"), record)
    return record


def export_all(
    model: keras.Model,
    folder: str | os.PathLike,
    calibration_images: np.ndarray,
    check_images: np.ndarray,
    formats: Iterable[str] = FORMATS,
    repeats: int = 100,
) -> pd.DataFrame:
    """Write a network in several formats, run each, and keep those that answer as the Keras model does.

    Args:
        model: from raw pixels, (N, 32, 32, 3), to logits, (N, 10).
        folder: is made if missing; exports in it are replaced.
        calibration_images: uint8 (N, 32, 32, 3), about 200 training images; see `write_litert`.
        check_images: uint8 (N, 32, 32, 3), on which each of the `formats` is compared with Keras and timed,
            `repeats` of them one by one.

    Returns:
        A row per format: problem (why there is no such file, and then nothing else; or ""), path, bytes,
        largest difference of the logits, agreement (share of the images that get the same class, 0 to 1),
        median and 99th percentile of ms for a single image, images per second in batches.
    """
    expected = model.predict(check_images.astype("float32"), batch_size=BATCH_SIZE, verbose=0)
    folder, rows = Path(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    for name in formats:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as work:
            made = Path(work, FORMATS[name])
            try:
                WRITERS[name](model, made, *([calibration_images] if name == "litert_int8" else []))
                run = runner(name, made)
                compared = compare_logits(name, expected, run(check_images))
                size = sum(file.stat().st_size for file in (made, *made.rglob("*")) if file.is_file())
                figures = str(folder / made.name), size, *compared, *measure(run, check_images, repeats)
                move_parts(Path(work), folder)
                rows.append({"problem": "", **dict(zip(FIGURES, figures, strict=True))})
            except Exception as error:  # converters and runtimes raise anything
                kind = "" if isinstance(error, ModelError) else f"{type(error).__name__}: "
                rows.append({"problem": f"{kind}{in_one_line(error)}."})
    return pd.DataFrame(rows, pd.Index(list(formats), name="format"), ["problem", *FIGURES])


def compare_logits(name: str, expected: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the largest difference of an export's logits, (N, 10), and the share of equal classes.

    ModelError unless a float format gives Keras' logits but for rounding, and int8 gives the same classes.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise ModelError(f"It gives {found.shape}, expected finite logits of {expected.shape}: not kept")
    difference = float(np.abs(expected - found).max())
    agreement = float((expected.argmax(axis=1) == found.argmax(axis=1)).mean())
    limit = ROUNDING * max(1.0, float(np.abs(expected).max()))
    if name != "litert_int8" and difference > limit:
        raise ModelError(f"Its logits differ by {difference:.1e}, expected {limit:.1e} at most: not kept")
    if name == "litert_int8" and agreement < INT8_AGREEMENT:
        raise ModelError(f"{agreement:.1%} keep their class, expected {INT8_AGREEMENT:.0%}: not kept")
    return difference, agreement


def measure(run: Callable, images: np.ndarray, repeats: int) -> list[float]:
    """Return median and 99th percentile of the ms that a single image takes, and images per second."""
    singles = timeit.repeat(lambda: run(images[:1]), number=1, repeat=3 + repeats)[3:]  # 3 warm up
    speed = len(images) / timeit.timeit(lambda: run(images), number=1)
    return [*(1000 * np.percentile(singles, [50, 99])), speed]


def move_parts(work: Path, folder: Path) -> None:
    """Move what a folder holds to another one, in the place of what has the same name there."""
    for part in sorted(work.iterdir()):
        if part.is_dir() and (folder / part.name).exists():
            (folder / part.name).rename(work / "old")
        part.replace(folder / part.name)


def runner(format: str, path: str | os.PathLike) -> Callable[[np.ndarray], np.ndarray]:
    """Return what answers as a file of a format does: images, uint8 (N, 32, 32, 3), to logits, (N, 10)."""
    dtype = np.float32
    if format == "keras":
        answer = partial(load_model(path).predict, batch_size=BATCH_SIZE, verbose=0)
    elif format == "savedmodel":
        import tensorflow as tf

        network = tf.saved_model.load(str(path))
        answer = lambda images: network.serve(tf.constant(images))  # noqa: E731
    elif format == "onnx":
        network = onnx_runtime().InferenceSession(Path(path).read_bytes(), providers=["CPUExecutionProvider"])
        answer = lambda images: network.run(None, {"pixels": images})[0]  # noqa: E731
    else:
        answer, dtype = run_litert(path)

    def run(images):
        batches = np.split(images.astype(dtype), range(BATCH_SIZE, len(images), BATCH_SIZE))
        return np.concatenate([np.asarray(answer(batch)) for batch in batches])

    return run


def run_litert(path: str | os.PathLike) -> tuple[Callable, type]:
    """Return what answers as a LiteRT file does, by ai_edge_litert if installed, and the type it takes."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow.lite.python.interpreter import Interpreter
    with quietly():
        network = Interpreter(model_content=Path(path).read_bytes(), num_threads=os.cpu_count())
        network.allocate_tensors()
    pixels, logits = network.get_input_details()[0], network.get_output_details()[0]

    def answer(images):
        network.resize_tensor_input(pixels["index"], images.shape)
        network.allocate_tensors()  # nothing is done where the shape is as before
        network.set_tensor(pixels["index"], images)
        network.invoke()
        return network.get_tensor(logits["index"])

    return answer, pixels["dtype"]


def write_savedmodel(model: keras.Model, path: str | os.PathLike, format: str = "tf_saved_model") -> None:
    """Write a folder that TensorFlow runs without Keras: the network's graph and its weights."""
    signature = [keras.InputSpec(dtype="float32", shape=model.input_shape, name="pixels")]
    with quietly():
        model.export(str(path), format=format, input_signature=signature, verbose=False)


def write_litert(model: keras.Model, path: str | os.PathLike, calibration: np.ndarray | None = None) -> None:
    """Write a LiteRT file (`.tflite`), which telephones and other small devices run.

    With `calibration`, uint8 (N, 32, 32, 3), training images (test images would be a leak), weights and what
    goes from layer to layer become whole numbers of 8 bits; the images show how large it gets.
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
            converter.representative_dataset = lambda: ([i[None].astype("float32")] for i in calibration)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.float32
        Path(path).write_bytes(converter.convert())


def write_onnx(model: keras.Model, path: str | os.PathLike) -> None:
    """Write an ONNX file, which programs in many languages run; ModelError if packages are missing."""
    onnx_runtime()

    def plain(layer):
        # tf2onnx takes the constants of this layer for inputs
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is not None:
            mean, scale = np.ravel(layer.input_mean), 1 / np.sqrt(np.ravel(layer.input_variance))
            return keras.layers.Rescaling(scale.tolist(), (-mean * scale).tolist(), name=layer.name)
        return type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(bare_copy(model), clone_function=plain)
    copy.set_weights(model.get_weights())
    write_savedmodel(copy, path, format="onnx")


def bare_copy(model: keras.Model) -> keras.Model:
    """Return a network again with its weights, but without optimizer, loss and metrics."""
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def onnx_runtime() -> ModuleType:
    """Return the package that runs ONNX files; ModelError if that, or what writes them, is missing."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it calls its maker as soon as it is imported
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ModelError(f"{in_one_line(error)}. ONNX takes pip install onnx tf2onnx onnxruntime") from None
    return onnxruntime


WRITERS = {"keras": save_model, "savedmodel": write_savedmodel, "onnx": write_onnx}
WRITERS |= {"litert": write_litert, "litert_int8": write_litert}
