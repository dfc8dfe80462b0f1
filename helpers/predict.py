"""What a network sees in photos: `python -m helpers.predict PHOTO... [--model PATH] [--top 3] [--json]`.

A photo may be damaged or hostile, so Pillow opens it within limits, and one line says whatever is wrong with
it. `helpers.internal.network_file` looks a model file through before Keras gets it.
"""

import argparse
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT
from helpers.internal.network_file import ModelError, check_model_file, in_one_line, printable, write_parts

if TYPE_CHECKING:
    import keras

SIDE = 32  # pixels
BATCH_SIZE = 32
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")  # all that Pillow may try
ENDINGS = {".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".bmp"}  # taken from a folder, and these to be
ENDINGS |= {".heic", ".heif", ".avif", ".tif", ".tiff"}  # told of, as they are not read
MAX_PHOTO_BYTES, MAX_SIDE, MAX_PIXELS = 32 * 2**20, 20_000, 50_000_000  # a telephone's 48 million pixels fit
FINAL_MODEL = ROOT / "data" / "models" / "final.keras"
Source = str | os.PathLike | bytes | memoryview | BinaryIO  # a path, a file's content, or an open file


class PhotoError(Exception):
    """A photo cannot be used; the message says why in one line, without the photo's name."""


class Guess(NamedTuple):
    """A class and its probability, 0 to 1."""

    class_name: str
    probability: float


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as a network sees it."""

    name: str  # its path, or what the caller called it
    size: tuple[int, int]  # width and height in pixels, upright
    crop: tuple[int, int, int, int]  # the square that is used: left, top, right, bottom in pixels of `size`
    pixels: np.ndarray  # uint8 (32, 32, 3), 0 to 255


def load_photo(source: Source, name: str | None = None) -> Photo:
    """Return a photo's middle square, shrunk so that every pixel counts; PhotoError as from `open_photo`."""
    picture = open_photo(source)
    crop = middle_square(picture.size)
    small = picture.crop(crop).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    name = name or (str(source) if isinstance(source, str | os.PathLike) else "photo")
    return Photo(name, picture.size, crop, np.asarray(small))


def middle_square(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the largest square in the middle of a picture."""
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def open_photo(source: Source) -> Image.Image:
    """Return a photo upright, in 8-bit RGB, on white where it was transparent, the first frame if it moves.

    Raises:
        PhotoError: if it cannot be read, is none of `FORMATS`, is damaged, or exceeds a limit.
    """
    try:
        file = io.BytesIO(content_of(source))
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
            if max(picture.size) > MAX_SIDE or picture.width * picture.height > MAX_PIXELS:
                raise PhotoError(f"it has {picture.width} x {picture.height} pixels: make it smaller first")
            picture.load()
            with contextlib.suppress(Exception):  # a photo with damaged notes is still a photo
                ImageOps.exif_transpose(picture, in_place=True)
            return on_white(picture)
    except PhotoError:
        raise
    except UnidentifiedImageError:
        others = "HEIC, AVIF and TIFF are not read: export it as JPEG"
        raise PhotoError(f"it is no JPEG, PNG, GIF, WebP or BMP picture ({others})") from None
    except Image.DecompressionBombError:
        raise PhotoError("it has far too many pixels: make it smaller first") from None
    except Exception as error:  # the decoders raise whatever a damaged file leads them to
        raise PhotoError(f"it cannot be read: {in_one_line(error)}") from None


def content_of(source: Source) -> bytes:
    """Return the content of a photo's file; raise PhotoError if it is none, or larger than allowed."""
    if isinstance(source, str | os.PathLike):
        if not Path(source).is_file():
            raise PhotoError("expected a file, or a folder with pictures in it")
        with Path(source).open("rb") as file:
            return content_of(file)
    content = source if isinstance(source, bytes | memoryview) else source.read(MAX_PHOTO_BYTES + 1)
    if len(content) > MAX_PHOTO_BYTES:
        raise PhotoError(f"it is larger than {MAX_PHOTO_BYTES // 2**20} MB: make it smaller first")
    return bytes(content)


def on_white(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, white where it was transparent."""
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would cut off at 255
        shades, unseen = np.asarray(picture), picture.info.get("transparency", -1)
        picture = Image.fromarray((np.where(shades == unseen, 65535, shades) >> 8).astype("uint8"))
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def pictures_in(folder: str | os.PathLike) -> list[Path]:
    """Return the pictures in a folder, by their names' endings, sorted; hidden files and subfolders not."""
    found = Path(folder).iterdir() if Path(folder).is_dir() else ()
    return sorted(p for p in found if p.suffix.lower() in ENDINGS and p.name[0] != "." and not p.is_dir())


def load_model(path: str | os.PathLike = FINAL_MODEL) -> "keras.Model":
    """Return the network in a `.keras` file, uncompiled.

    Raises:
        ModelError: if `check_model_file` refuses the file, Keras cannot load it, or it is no network from
            (N, 32, 32, 3) pixels to (N, 10) logits.
    """
    contents = check_model_file(path)
    from helpers import session  # noqa: F401  it starts TensorFlow without its notes
    import keras

    try:
        with tempfile.TemporaryDirectory() as folder:  # Keras gets what was looked at, and nothing else
            write_parts(copy := Path(folder, "model.keras"), contents)
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:
        found = re.search(rb'"keras_version": "([\d.]{1,12})"', contents["metadata.json"])
        versions = f"Keras {found[1].decode() if found else '?'} wrote it, this is {keras.__version__}"
        raise ModelError(f"{path} cannot be loaded ({versions}): {in_one_line(error)}.") from None
    if shapes != ((None, SIDE, SIDE, 3), (None, len(CLASS_NAMES))):
        goes = f"goes from {shapes[0]} to {shapes[1]}"
        raise ModelError(f"{path} {goes}, expected (None, 32, 32, 3) to (None, 10).")
    return model


def probabilities(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return the probability of each class: float64 (N, 10), from pixels 0 to 255, (N, 32, 32, 3).

    Raises:
        ModelError: if the model does not run, or gives numbers that are not finite.
        ValueError: if the pixels have been divided by 255.
    """
    from scipy.special import softmax

    if images.dtype.kind == "f" and 0 < images.max(initial=0) <= 1:
        raise ValueError("The images have values from 0 to 1, expected 0 to 255: multiply them by 255.")
    try:
        batches = [images[i : i + BATCH_SIZE].astype("float32") for i in range(0, len(images), BATCH_SIZE)]
        logits = [np.asarray(model(batch, training=False), "float64") for batch in batches]
    except Exception as error:  # one is too large for this machine, for example
        raise ModelError(f"The model does not run: {in_one_line(error)}.") from None
    table = np.concatenate([np.zeros((0, len(CLASS_NAMES))), *logits])
    if not np.isfinite(table).all():
        raise ModelError("The model gives numbers that are not finite: its weights are damaged.")
    if (table >= 0).all() and np.allclose(table.sum(axis=1), 1, atol=1e-3):
        return table  # it ends in a softmax of its own, as in many tutorials
    return softmax(table, axis=1)


def guesses(model: "keras.Model", photos: Sequence[Photo], top: int = 3) -> list[list[Guess]]:
    """Return for each photo its `top` most probable classes, the most probable one first."""
    pixels = np.array([photo.pixels for photo in photos]).reshape(-1, SIDE, SIDE, 3)
    table = probabilities(model, pixels)
    return [[Guess(CLASS_NAMES[i], float(row[i])) for i in np.argsort(-row)[:top]] for row in table]


def answer(names: Sequence[str], model_path: Path, top: int, as_json: bool) -> int:
    """Print what the model sees in each photo; return the exit status, 1 if one photo could not be used."""
    model, status = None, 0
    for name in names:
        told = {"path": name}
        try:
            photo = load_photo(sys.stdin.buffer if name == "-" else name, name)
            model = load_model(model_path) if model is None else model  # not before it is needed: it is slow
            (found,) = guesses(model, [photo], top)
            classes = [{"class": kind, "probability": share} for kind, share in found]
            told |= {"size": photo.size, "crop": photo.crop, "classes": classes}
            words = f"{printable(name)}  " + "  ".join(f"{kind} {share:.1%}" for kind, share in found)
            print(json.dumps(told) if as_json else words, flush=True)
        except PhotoError as error:
            if as_json:
                print(json.dumps(told | {"error": str(error)}), flush=True)
            print(f"{printable(name)}: {error}", file=sys.stderr, flush=True)
            status = 1
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a message on standard error, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m helpers.predict", description="Say what is in photos.")
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="file, folder, or - for standard input")
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
    except OSError as error:  # nobody reads on, as in `... | head`, or the disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(in_one_line(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
