"""What a network sees in photos: `python -m helpers.predict PHOTO... [--model PATH] [--top 3] [--json]`."""

import argparse
import contextlib
import io
import json
import os
import sys
import warnings
from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy.special import softmax

from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT
from helpers.internal.network_file import ModelError, check_model_file, in_one_line, printable

if TYPE_CHECKING:
    import keras

SIDE = 32  # pixels
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")  # all that Pillow may try
ENDINGS = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"}  # taken from a folder, and these, to be told of:
ENDINGS |= {".heic", ".avif", ".tif", ".tiff"}
MAX_PHOTO_BYTES, MAX_SIDE, MAX_PIXELS = 32 * 2**20, 20_000, 50_000_000  # a telephone's 48 million pixels fit
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
FINAL_MODEL = ROOT / "data" / "models" / "final.keras"
Source = str | os.PathLike | bytes  # a path, or a file's content
Guess = namedtuple("Guess", "class_name probability")  # probability: 0 to 1


class PhotoError(Exception):
    """A photo cannot be used; the message says why in one line, without the photo's name."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as a network sees it, and a copy to look at."""

    name: str
    size: tuple[int, int]  # width and height in pixels, upright
    crop: tuple[int, int, int, int]  # the square that is used: left, top, right, bottom in pixels of `size`
    pixels: np.ndarray  # uint8 (32, 32, 3), 0 to 255
    copy: Image.Image  # the whole photo, at most 480 pixels wide and high


def load_photo(source: Source, name: str = "photo") -> Photo:
    """Return a photo's middle square, shrunk so that every pixel counts; PhotoError as from `open_photo`."""
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


def open_photo(source: Source) -> Image.Image:
    """Return a photo upright, in 8-bit RGB, on white, its first frame; PhotoError if it cannot be read so."""
    try:
        content = content_of(source)
        try:
            return decoded(content)
        except OSError as error:
            if "truncated" not in str(error) or not content.startswith(JPEG_START):
                raise
            return without_end(content, error)
    except UnidentifiedImageError:
        raise PhotoError("it is no JPEG, PNG, GIF, WebP or BMP picture: export it as JPEG") from None
    except Exception as error:  # the decoders raise whatever a damaged or hostile file leads them to
        raise PhotoError(f"it cannot be read: {in_one_line(error)}") from None


def decoded(content: bytes) -> Image.Image:
    """Return the picture in a file's content as `open_photo` does; whatever error the decoders raise."""
    file = io.BytesIO(content)
    with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
        if max(picture.size) > MAX_SIDE or picture.width * picture.height > MAX_PIXELS:
            raise ValueError(f"it has {picture.width} x {picture.height} pixels, make it smaller first")
        picture.load()
        with contextlib.suppress(Exception):  # a photo with damaged notes is still a photo
            ImageOps.exif_transpose(picture, in_place=True)
        return on_white(picture)


def without_end(content: bytes, error: OSError) -> Image.Image:
    """Return a JPEG that lacks its end marker alone, as some webcams write it; else raise the error."""
    one, other = (decoded(content + filling + JPEG_END) for filling in (b"", 1000 * b"\x55"))
    if one != other:  # what was filled in is seen, so pixels were missing
        raise error
    return one


def content_of(source: Source) -> bytes:
    """Return what a photo's file holds; ValueError if it is no file, or larger than allowed."""
    if not isinstance(source, bytes):
        if not Path(source).is_file():
            raise ValueError("expected a file, or a folder with pictures in it")
        with Path(source).open("rb") as file:
            source = file.read(MAX_PHOTO_BYTES + 1)
    if len(source) > MAX_PHOTO_BYTES:
        raise ValueError(f"it is larger than {MAX_PHOTO_BYTES // 2**20} MB, make it smaller first")
    return source


def on_white(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, white where it was transparent."""
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would cut off at 255
        shades, clear = np.asarray(picture), picture.info.get("transparency", -1)
        picture = Image.fromarray(np.where(shades == clear, 255, shades >> 8).astype("uint8"))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def pictures_in(folder: str | os.PathLike) -> list[Path]:
    """Return the pictures in a folder, by their names' endings, sorted; hidden files and subfolders not."""
    found = Path(folder).iterdir() if Path(folder).is_dir() else ()
    return sorted(p for p in found if p.suffix.lower() in ENDINGS and p.name[0] != "." and p.is_file())


def load_model(path: str | os.PathLike = FINAL_MODEL) -> "keras.Model":
    """Return the network in a `.keras` file, (N, 32, 32, 3) pixels to (N, 10) logits, or raise ModelError.

    If the JSON beside the file tells a temperature, the network has it as `temperature`.
    """
    check_model_file(path)
    from helpers import session  # noqa: F401  it starts TensorFlow without its notes
    import keras

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:
        raise ModelError(f"Keras {keras.__version__} cannot load {path}: {in_one_line(error)}.") from None
    if shapes != ((None, SIDE, SIDE, 3), (None, len(CLASS_NAMES))):
        raise ModelError(f"{path} has shapes {shapes}, expected (None, 32, 32, 3) and (None, 10).")
    with contextlib.suppress(Exception):  # there need not be a JSON, and it may hold anything
        told = json.loads(Path(path).with_suffix(".json").read_text(encoding="utf-8"))["about"]["temperature"]
        model.temperature = min(20.0, max(0.05, float(told)))  # NaN becomes 0.05
    return model


def probabilities(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return the probability of each class: float64 (N, 10), from pixels 0 to 255, (N, 32, 32, 3).

    A model with a `temperature` (chapter 08) has its logits divided by it, which calibrates them.
    ModelError if the model does not run or its weights are damaged, ValueError for pixels from 0 to 1.
    """
    if images.dtype.kind == "f" and 0 < images.max() <= 1:
        raise ValueError("The images have values from 0 to 1, expected 0 to 255: multiply them by 255.")
    try:
        logits = np.asarray(model(images.astype("float32"), training=False), "float64")
    except Exception as error:  # one is too large for this machine, for example
        raise ModelError(f"The model does not run: {in_one_line(error)}.") from None
    if not np.isfinite(logits).all():
        raise ModelError("The model gives numbers that are not finite: its weights are damaged.")
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        return logits  # it ends in a softmax of its own, as in many tutorials
    return softmax(logits / getattr(model, "temperature", 1), axis=1)


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


def guesses(model: "keras.Model", photos: Sequence[Photo], top: int = 3) -> list[list[Guess]]:
    """Return for each photo its `top` most probable classes, the most probable one first."""
    table = probabilities(model, np.stack([photo.pixels for photo in photos]))
    return [[Guess(CLASS_NAMES[i], float(row[i])) for i in np.argsort(-row)[:top]] for row in table]


def answer(names: Sequence[str], model_path: Path, top: int, as_json: bool) -> int:
    """Print what the model sees in each photo; return the exit status, 1 if one photo could not be used."""
    model, status = None, 0
    for name in names:
        try:
            photo = load_photo(name)
            model = model or load_model(model_path)  # not before it is needed: it is slow
            found = guesses(model, [photo], top)[0]
            classes = [{"class": kind, "probability": share} for kind, share in found]
            told = {"size": photo.size, "crop": photo.crop, "classes": classes}
        except PhotoError as error:
            told, status = {"error": str(error)}, 1
        if as_json:
            print(json.dumps({"path": name} | told), flush=True)
        elif "error" in told:
            print(f"{printable(name)}: {told['error']}", file=sys.stderr, flush=True)
        else:
            print(printable(name), *(f"{kind} {share:.1%}" for kind, share in found), sep="  ", flush=True)
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a message on standard error, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m helpers.predict", description="Say what is in photos.")
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="a file or a folder")
    parser.add_argument("--model", type=Path, default=FINAL_MODEL, help="a .keras file")
    parser.add_argument("--top", type=int, default=3, choices=range(1, 11), metavar="N", help="classes")
    parser.add_argument("--json", action="store_true", help="one JSON object per photo and line")
    options = parser.parse_args(arguments)
    sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal can show every name
    try:
        check_model_file(options.model)
        names = [str(name) for given in options.photos for name in pictures_in(given) or [given]]
        return answer(names, options.model, options.top, options.json)
    except ModelError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # nobody reads on, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
