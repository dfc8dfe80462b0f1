"""What a network sees in photos: `python -m helpers.predict PHOTO... [--model PATH] [--top 3] [--json]`.

A model file can carry code, and more than one way round Keras' safe mode has been found. So a file is looked
through before Keras gets it: it may be made of the kinds of parts in `ALLOWED` and of nothing else.
"""

import argparse
import json
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers import console
from helpers.data import CLASS_NAMES
from helpers.photos import Photo, PhotoError, in_one_line, load_photo, pictures_in, printable

if TYPE_CHECKING:
    import keras

DEFAULT_MODEL = Path(__file__).resolve().parent.parent / "data" / "models" / "final.keras"
BATCH_SIZE = 32
MAX_BYTES = 64 * 2**20  # of a model file, packed and unpacked; those of the series have 10 MB at most
MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]  # what Keras puts into a file, sorted
ALLOWED = {  # module in `config.json`: what may be made from it
    "keras": "DTypePolicy Sequential",
    "keras.src.models.functional": "Functional",
    "keras.layers": "Activation Add Average AveragePooling2D BatchNormalization Concatenate Conv2D Dense "
    "DepthwiseConv2D Dropout Flatten GaussianNoise GlobalAveragePooling2D GlobalMaxPooling2D Identity "
    "GroupNormalization InputLayer LayerNormalization LeakyReLU MaxPooling2D Multiply Normalization ReLU "
    "Rescaling Reshape SeparableConv2D Softmax SpatialDropout2D ZeroPadding2D",
    "keras.initializers": "Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform "
    "Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros",
    "keras.regularizers": "L1 L1L2 L2",
    "keras.random": "SeedGenerator",
    "None": "__keras_tensor__",  # a connection in a functional model
}


class ModelError(Exception):
    """A model cannot be used; the message says why in one line."""


class Guess(NamedTuple):
    """A class and its probability, 0 to 1."""

    class_name: str
    probability: float


def load_model(path: str | os.PathLike = DEFAULT_MODEL) -> "keras.Model":
    """Return the network in a `.keras` file, uncompiled, after the file has been checked.

    Raises:
        ModelError: if `check_model_file` refuses the file, Keras cannot load it, or it is no network from
            (N, 32, 32, 3) pixels to (N, 10) logits.
    """
    check_model_file(path)
    import keras

    from helpers.models import CLASSES, IMAGE_SHAPE

    try:
        model = keras.saving.load_model(Path(path), compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:
        reason = newer_keras(path, keras.__version__) or in_one_line(error)
        raise ModelError(f"{path} cannot be loaded: {reason}.") from None
    expected = (None, *IMAGE_SHAPE), (None, CLASSES)
    if shapes != expected:
        raise ModelError(
            f"{path} goes from {shapes[0]} to {shapes[1]}, expected {expected[0]} to {expected[1]}."
        )
    return model


def check_model_file(path: str | os.PathLike) -> None:
    """Make sure, without Keras, that a file is a whole `.keras` file and made of `ALLOWED` parts alone.

    Raises:
        ModelError: if it is missing, unreadable, of another kind, too large, damaged, or has other parts.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise ModelError(f"There is no model at {path}: name one that is there.")
        if path.suffix != ".keras" or not path.is_file():
            raise ModelError(f"{path} is no .keras file, and no other kind of model is loaded.")
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path} is larger than {MAX_BYTES // 2**20} MB, so it is not loaded.")
        part = forbidden_part(read_config(path))
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or in_one_line(error)}.") from None
    except Exception as error:  # a damaged archive leads zipfile and json to many kinds of errors
        raise ModelError(f"{path} is damaged or cut off: {in_one_line(error)}.") from None
    if part is not None:
        raise ModelError(f"{path} is not loaded: {part} is no part of this series' networks.")


def read_config(path: Path) -> dict:
    """Return what a `.keras` file says of its network; raise anything if the file is not whole."""
    with zipfile.ZipFile(path) as archive:
        if sorted(archive.namelist()) != MEMBERS:
            raise ModelError(f"{path} is not loaded: expected {', '.join(MEMBERS)} in it and nothing else.")
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ModelError(f"{path} is not loaded: it unpacks to more than {MAX_BYTES // 2**20} MB.")
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"wrong checksum of {damaged}")
        config = json.loads(archive.read("config.json"))
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError("config.json describes no network")
    return config


def newer_keras(path: str | os.PathLike, version: str) -> str | None:
    """Return a sentence if a Keras newer than this version has written a whole `.keras` file."""
    from packaging.version import Version  # a requirement of Keras

    with zipfile.ZipFile(path) as archive:
        found = re.search(rb'"keras_version": "(\d{1,4}\.\d{1,4})', archive.read("metadata.json"))
    if found and Version(found[1].decode()) > Version(version):
        return (
            f"Keras {found[1].decode()} wrote it, this is {version}. `save_model` writes for older ones, too"
        )
    return None


def forbidden_part(config: dict) -> str | None:
    """Return the first kind of part in a network's description that is not in `ALLOWED`, if there is one."""
    waiting = [{key: value for key, value in config.items() if key != "compile_config"}]  # is not loaded
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            module, kind = str(part.get("module")), part.get("class_name")
            if "class_name" in part and kind not in ALLOWED.get(module, "").split():
                return printable(f"{kind} ({module})")[:80]
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return None


def probabilities(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return the probability of each class: float64 (N, 10), from pixels 0 to 255, (N, 32, 32, 3).

    Raises:
        ModelError: if the model does not run, or gives numbers that are not finite.
    """
    from scipy.special import softmax

    logits = np.zeros((len(images), len(CLASS_NAMES)))
    try:
        for start in range(0, len(images), BATCH_SIZE):
            batch = np.asarray(images[start : start + BATCH_SIZE], "float32")
            logits[start : start + BATCH_SIZE] = model(batch, training=False)
    except Exception as error:  # one is too large for this machine, for example
        raise ModelError(f"The model does not run: {in_one_line(error)}.") from None
    if not np.isfinite(logits).all():
        raise ModelError("The model gives numbers that are not finite: its weights are damaged.")
    return softmax(logits, axis=1)


def predict_photos(model: "keras.Model", photos: Sequence[Photo], top: int = 3) -> list[list[Guess]]:
    """Return for each photo its `top` most probable classes, the most probable one first."""
    if not photos:
        return []
    table = probabilities(model, np.stack([photo.pixels for photo in photos]))
    order = np.argsort(-table, axis=1, kind="stable")[:, :top]
    return [
        [Guess(CLASS_NAMES[label], float(shares[label])) for label in labels]
        for shares, labels in zip(table, order, strict=True)
    ]


def answer(names: Sequence[str], model_path: Path, top: int, as_json: bool) -> int:
    """Print what the model sees in each photo; return the exit status, 1 if one photo could not be used.

    Keras is started when there is a good photo, so nobody waits for it to hear of a typing error.
    """
    model, status, width = None, 0, min(40, max(len(printable(name)) for name in names))
    for start in range(0, len(names), BATCH_SIZE):
        outcomes = [attempt(name) for name in names[start : start + BATCH_SIZE]]
        photos = [outcome for outcome in outcomes if isinstance(outcome, Photo)]
        if photos and model is None:
            model = load_model(model_path)
            if not as_json:
                print(f"{'photo':<{width}}  {'size':>13}  {'square':>13}  most likely")
        guesses = iter(predict_photos(model, photos, top))
        for name, outcome in zip(names[start:], outcomes, strict=False):
            if isinstance(outcome, Photo):
                found = next(guesses)
                print(json_line(outcome, found) if as_json else table_line(outcome, found, width), flush=True)
                continue
            status = 1
            if as_json:
                print(json.dumps({"path": name, "error": str(outcome)}), flush=True)
            print(f"{printable(name)}: {outcome}", file=sys.stderr, flush=True)
    return status


def attempt(name: str) -> Photo | PhotoError:
    """Return the photo of that name, `-` for standard input, or what is wrong with it."""
    try:
        return load_photo(sys.stdin.buffer if name == "-" else name, name)
    except PhotoError as error:
        return error


def json_line(photo: Photo, guesses: list[Guess]) -> str:
    """Return an answer for programs."""
    classes = [{"class": guess.class_name, "probability": guess.probability} for guess in guesses]
    return json.dumps({"path": photo.name, "size": photo.size, "crop": photo.crop, "classes": classes})


def table_line(photo: Photo, guesses: list[Guess], width: int) -> str:
    """Return an answer for people, the photo's name in a column of that width."""
    side = min(photo.size)
    sizes = f"{f'{photo.size[0]} x {photo.size[1]}':>13}  {f'{side} x {side}':>13}"
    shown = "  ".join(f"{guess.class_name:>10} {guess.probability:>6.1%}" for guess in guesses)
    return f"{printable(photo.name):<{width}}  {sizes}  {shown}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a message on standard error, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.predict",
        description="Say what is in photos. Of each, the middle square is seen, as 32 x 32 pixels.",
        epilog="A network of ten classes finds one of them in any picture, also in one that shows none.",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="file, folder, or - for standard input")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a .keras file")
    parser.add_argument(
        "--top", type=int, default=3, choices=range(1, 11), metavar="N", help="how many classes"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per photo and line")
    options = parser.parse_args(arguments)

    def work() -> int:
        try:
            check_model_file(options.model)
            names = [str(name) for given in options.photos for name in pictures_in(given) or [given]]
            return answer(names, options.model, options.top, options.json)
        except ModelError as error:
            print(printable(str(error)), file=sys.stderr)
            return 1

    return console.run(work)


if __name__ == "__main__":
    sys.exit(main())
