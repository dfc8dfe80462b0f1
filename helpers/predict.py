"""What a network sees in photos: `python -m helpers.predict PHOTO... [--model PATH]`."""

import argparse
import contextlib
import json
import os
import sys
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.special import softmax

from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT, place
from helpers.internal.network_file import ModelError, check_model_file, in_one_line, printable
from helpers.internal.photo_file import PICTURE, PhotoError, Source, open_photo

if TYPE_CHECKING:
    import keras

SIDE = 32  # pixels
UNSURE = 1.5  # logits: so near to another class is one in seven test images for the shipped network
FINAL_MODEL = ROOT / "data" / "models" / "final.keras"
Guess = namedtuple("Guess", "class_name probability")  # probability: 0 to 1


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as a network sees it, and a copy to look at."""

    name: str
    size: tuple[int, int]  # width and height in pixels, upright
    crop: tuple[int, int, int, int]  # the square that is used: left, top, right, bottom in pixels of `size`
    pixels: np.ndarray  # uint8 (32, 32, 3), 0 to 255
    copy: Image.Image  # the whole photo, at most 480 pixels wide and high


def load_photo(source: Source, name: str = "photo") -> Photo:
    """Return a photo's middle square, shrunk so that every pixel counts; errors as of `open_photo`."""
    picture = open_photo(source)
    size, crop = picture.size, middle_square(picture.size)
    small = picture.crop(crop).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    picture.thumbnail((480, 480))
    return Photo(name, size, crop, np.asarray(small), picture)


def middle_square(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the largest square in the middle of a picture."""
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def pictures_in(folder: str | os.PathLike) -> list[Path]:
    """Return the pictures in a folder, by their names' endings, sorted; hidden files and subfolders not."""
    found = place(folder).iterdir() if place(folder).is_dir() else ()
    return sorted(path for path in found if PICTURE.fullmatch(path.name) and path.is_file())


def load_model(path: str | os.PathLike = FINAL_MODEL) -> "keras.Model":
    """Return the network in a `.keras` file, (N, 32, 32, 3) pixels to (N, 10) logits, or raise ModelError.

    If the JSON beside the file tells a temperature, the network has it as `temperature`.
    """
    check_model_file(path)
    try:
        from helpers import session  # noqa: F401  it starts TensorFlow without its notes
        import keras
    except (ImportError, ValueError) as error:
        raise ModelError(f"Keras does not start: {' '.join(str(error).split())}") from None
    try:
        path = place(path)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:
        raise ModelError(f"Keras {keras.__version__} cannot load {path}: {in_one_line(error)}.") from None
    if shapes != ((None, SIDE, SIDE, 3), (None, len(CLASS_NAMES))):
        raise ModelError(f"{path} has shapes {shapes}, expected (None, 32, 32, 3) and (None, 10).")
    with contextlib.suppress(Exception):  # there need not be a JSON, and it may hold anything
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["about"]["temperature"]
        model.temperature = min(20.0, max(0.05, float(told)))  # NaN becomes 0.05
    return model


def over_views(ask: Callable[[np.ndarray], np.ndarray], images: np.ndarray, views: int | str) -> np.ndarray:
    """Return what a function says of images, float (N, classes), averaged over views of each image.

    Args:
        ask: takes images and returns their logits.
        images: (N, H, W, 3).
        views: 1, the image as it is; 2, also its mirror image; 6, also both of them moved by one
            pixel down and right, and up and left, where the moved ones count half; "adaptive", 6 for
            images whose two largest logits differ by less than `UNSURE`, 1 for the rest; else ValueError.
    """
    if views == "adaptive":
        logits = ask(images)
        second, first = np.sort(logits)[:, -2:].T
        if (unsure := first - second < UNSURE).any():
            logits[unsure] = over_views(ask, images[unsure], 6)
        return logits
    if views not in (1, 2, 6):
        raise ValueError(f'views is {views!r}, expected 1, 2, 6 or "adaptive".')
    weighted = [(1.0, images)]
    if views == 6:
        height, width = images.shape[1:3]
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        weighted += [(0.5, padded[:, start:, start:][:, :height, :width]) for start in (0, 2)]
    if views > 1:
        weighted += [(weight, view[:, :, ::-1]) for weight, view in weighted]
    total = sum(weight for weight, _ in weighted)
    return sum(weight / total * ask(view) for weight, view in weighted)


def probabilities(model: "keras.Model", images: np.ndarray, views: int | str = 1) -> np.ndarray:
    """Return the probability of each class: float64 (N, 10), from pixels 0 to 255, (N, 32, 32, 3).

    `views` are those of `over_views`. A model with a `temperature` (chapter 08) has its logits divided by it,
    which calibrates them. One that ends in a softmax is asked for no second one. ModelError if it ends in a
    sigmoid, does not run or its weights are damaged, ValueError for other shapes and pixels on another scale.
    """
    images = np.asarray(images)
    check_pixels(images)
    if "sigmoid" in last_activation(model):
        raise ModelError("The model ends in a sigmoid, expected logits or a softmax: train it anew with one.")

    def ask(view):
        try:
            return np.array(model(view, training=False), "float64")
        except Exception as error:  # one is too large for this machine, for example
            raise ModelError(f"The model does not run: {in_one_line(error)}.") from None

    logits = over_views(ask, images.astype("float32"), views)
    if not np.isfinite(logits).all():
        raise ModelError("The model gives numbers that are not finite: its weights are damaged.")
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        return logits  # it ends in a softmax of its own, as in many tutorials
    return softmax(logits / getattr(model, "temperature", 1), axis=1)


def check_pixels(images: np.ndarray) -> None:
    """Raise ValueError unless these are pictures, (N, 32, 32, 3), with pixels from 0 to 255."""
    low, high = images.min(initial=0), images.max(initial=0)
    dark = high == 0 or (len(images) == 1 and images.dtype.kind != "f")  # a photo taken at night
    if images.shape[1:] != (SIDE, SIDE, 3) or not (low >= 0 and (dark or high > 1) and high <= 255):
        found = f"{images.shape} with values from {low:.4g} to {high:.4g}"
        raise ValueError(f"The images are {found}, expected (N, 32, 32, 3) with pixels from 0 to 255.")


def last_activation(model: "keras.Model") -> str:
    """Return what a model ends in, in lower case: "softmax", "sigmoid", "linear" or the name of a layer."""
    while layers := getattr(model, "layers", None):
        model = layers[-1]
    return getattr(getattr(model, "activation", model), "__name__", type(model).__name__).lower()


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature, 0.1 to 10, by which to divide logits (N, 10) so that they fit labels (N,).

    It has the smallest cross-entropy (Guo et al. 2017, arXiv 1706.04599). No image of them was trained on.
    """
    candidates = np.geomspace(0.1, 10, 201)
    losses = []
    for temperature in candidates:
        chances = softmax(logits / temperature, axis=1)
        of_the_label = chances[np.arange(len(labels)), labels]
        losses.append(-np.log(of_the_label + 1e-12).mean())
    return float(candidates[np.argmin(losses)])


def guesses(model: "keras.Model", photos: Sequence[Photo]) -> list[list[Guess]]:
    """Return for each photo its ten classes, the most probable one first; unsure ones have six views."""
    table = probabilities(model, np.stack([photo.pixels for photo in photos]), "adaptive")
    return [[Guess(CLASS_NAMES[i], float(row[i])) for i in np.argsort(-row)] for row in table]


def in_words(guesses: Sequence[Guess]) -> str:
    """Return the three most probable classes in words: "cat 71.2%, dog 20.0%, deer 3.1%"."""
    return ", ".join(f"{guess.class_name} {guess.probability:.1%}" for guess in guesses[:3])


def answer(names: Sequence[str], model_path: Path, as_json: bool) -> int:
    """Print what the model sees in each photo; return the exit status, 1 if one photo could not be used."""
    model, status = None, 0
    for name in names:
        try:
            photo = load_photo(name)
            model = model or load_model(model_path)  # not before it is needed: it is slow
            found = guesses(model, [photo])[0]
            line, told, file = f"  {in_words(found)}", {"classes": dict(found)}, sys.stdout
        except PhotoError as error:
            line, told, file, status = f": {error}", {"error": str(error)}, sys.stderr, 1
        if as_json:
            print(json.dumps({"path": name} | told), flush=True)
        else:
            print(f"{printable(name)}{line}", file=file, flush=True)
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a message on standard error."""
    parser = argparse.ArgumentParser(prog="python -m helpers.predict", description="Say what is in photos.")
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="a file or a folder")
    parser.add_argument("--model", type=Path, default=FINAL_MODEL, help="a .keras file")
    parser.add_argument("--json", action="store_true", help="one JSON object per photo and line")
    options = parser.parse_args(arguments)
    sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal can show every name
    try:
        check_model_file(options.model)
        names = [str(name) for given in options.photos for name in pictures_in(given) or [given]]
        return answer(names, options.model, options.json)
    except ModelError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
