"""Photos from anywhere, opened with care, as the 32 x 32 pictures that the networks take.

A file of unknown origin may be damaged, or made to fill the memory or to keep the processor busy. So nothing
is decoded before its kind, its size and the work it asks for are known to be within the limits below.
"""

import io
import os
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# What Pillow may try (each further format is a risk more), and the bytes of memory that decoding takes for a
# pixel, as measured: a progressive JPEG needs two for each of its colours.
FORMATS = {"JPEG": 6, "PNG": 10, "GIF": 10, "WEBP": 16, "BMP": 10}
SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".bmp")  # what is taken from a folder
SIDE = 32  # pixels
KEPT = 512  # pixels: the shorter side of an opened picture; plenty to look at and to make 32 from
MAX_BYTES = 32 * 2**20  # of a file
MAX_MEMORY = 300_000_000  # bytes: JPEG of 50 million pixels, PNG of 30, WebP of 18; TensorFlow takes 700 MB
MAX_WORK = 500_000_000  # pixels times scans: a progressive JPEG of 10,000 scans is small and takes minutes
MAX_READS = 200_000  # pieces of a file: more than any real photo has
MAX_SEGMENTS = 10_000  # of a JPEG before its pixels
MAX_EXIF = 16 * 2**10  # bytes; the orientation comes first, previews and makers' notes later
TOO_LARGE = "it has too many pixels, so decoding it takes too much memory: make it smaller first"
ORIENTATION = 0x0112  # the Exif tag
# The segments that a JPEG may have before its pixels: frame, tables, notes. All of them tell their length.
HEADER_MARKERS = {*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDB, 0xF0), 0xFE}
NOTES = {*range(0xE1, 0xEE), 0xEF, 0xFE}  # Exif, colour profile, previews, comments

Source = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO


class PhotoError(Exception):
    """A photo cannot be used; the message says why in one line, without the photo's name."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as a network sees it.

    Attributes:
        name: its path, or what the caller called it.
        size: width and height in pixels, upright.
        crop: the square in the middle that is used: left, top, right and bottom in pixels of `size`.
        pixels: uint8 (32, 32, 3), red, green and blue from 0 to 255.
    """

    name: str
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    pixels: np.ndarray


def load_photo(source: Source, name: str | None = None) -> Photo:
    """Return a photo's middle square, shrunk to 32 x 32 pixels so that every pixel in it counts.

    Args:
        source: a path, the content of a file (bytes), or an open binary file.
        name: what to call it; the path by default.

    Raises:
        PhotoError: see `open_picture`.
    """
    picture, (width, height) = open_picture(source)
    square = picture.crop(middle_square(picture.size))
    pixels = np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    if name is None:
        name = os.fspath(source) if isinstance(source, str | os.PathLike) else "photo"
    return Photo(name, (width, height), middle_square((width, height)), pixels)


def middle_square(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the largest square in the middle of a picture."""
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def open_picture(source: Source) -> tuple[Image.Image, tuple[int, int]]:
    """Return a picture to look at, and the width and height that it had.

    It is upright (Exif orientation), in 8-bit RGB, on white where it was transparent, the first frame where
    it moved. A shorter side of more than 512 pixels is shrunk to that. Colour profiles are ignored.

    Args:
        source: a path, the content of a file (bytes), or an open binary file.

    Raises:
        PhotoError: if it cannot be read, is none of `FORMATS`, is damaged, or exceeds a limit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's notes on oddities that it can bear
            return decode(read(source))
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError("this is no JPEG, PNG, GIF, WebP or BMP picture, or a damaged one") from None
    except Image.DecompressionBombError:  # from far too many pixels on, Pillow itself says no
        raise PhotoError(TOO_LARGE) from None
    except Exception as error:  # the decoders raise whatever a damaged file leads them to
        raise PhotoError(f"the picture is damaged or cut off ({in_one_line(error)})") from None


def read(source: Source) -> bytes:
    """Return the content of a source; raise PhotoError if there is none, or more than `MAX_BYTES`."""
    try:
        if isinstance(source, bytes | bytearray | memoryview):
            data = bytes(source)
        elif isinstance(source, str | os.PathLike):
            data = read_file(Path(source))
        else:
            data = source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in a path
        raise PhotoError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not data:
        raise PhotoError("it is empty")
    if len(data) > MAX_BYTES:
        raise PhotoError(f"it is larger than {MAX_BYTES // 2**20} MB: make it smaller first")
    return data


def read_file(path: Path) -> bytes:
    """Return the content of a file, up to a little more than allowed; refuse what would never end."""
    if path.is_dir():
        raise PhotoError(f"expected a picture, or a folder with pictures in it ({', '.join(SUFFIXES)})")
    if path.exists() and not path.is_file():
        raise PhotoError("this is a pipe or a device, expected a file (for standard input write -)")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def decode(data: bytes) -> tuple[Image.Image, tuple[int, int]]:
    """Return a picture as `open_picture` does; damaged data raises anything."""
    if data[4:8] == b"ftyp":
        raise PhotoError("this is HEIC, AVIF or a video: export it as JPEG first")
    scans, exif = 1, b""
    if data.startswith(b"\xff\xd8"):
        data, exif, scans = lean_jpeg(data)
    with Image.open(PatientFile(data), formats=tuple(FORMATS)) as file:
        size, pixels = file.size, file.width * file.height
        if pixels * (8 if file.mode == "CMYK" else FORMATS[file.format]) > MAX_MEMORY:
            raise PhotoError(TOO_LARGE)
        if pixels * scans > MAX_WORK:
            raise PhotoError(f"a JPEG of {scans:,} scans takes too long at this size: make it smaller first")
        held = orientation(exif or file.info.get("exif", b""))
        file.draft(None, (KEPT, KEPT))  # a JPEG can be decoded at a half, a quarter or an eighth
        file.load()
        picture = shrunk_on_white(file)
    picture.info = {}  # a copy of the file's, Exif included
    picture.getexif()[ORIENTATION] = held
    return ImageOps.exif_transpose(picture), size[::-1] if held in (5, 6, 7, 8) else size


def shrunk_on_white(image: Image.Image) -> Image.Image:
    """Return a picture in RGB with a shorter side of `KEPT` pixels or less, transparent parts on white."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would cut off at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if min(image.size) > KEPT:
        shrunk = [round(side * KEPT / min(image.size)) for side in image.size]
        image = image.resize(shrunk, Image.Resampling.BICUBIC, reducing_gap=3)
    if mode == "RGB":
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def orientation(exif: bytes) -> int:
    """Return how a camera was held, 1 to 8 as Exif counts; 1, upright, where nothing readable says so."""
    notes = Image.Exif()
    try:
        notes.load(exif[:MAX_EXIF])
        return int(notes.get(ORIENTATION, 1))
    except Exception:  # a photo with damaged notes is still a photo
        return 1


def lean_jpeg(data: bytes) -> tuple[bytes, bytes, int]:
    """Return a JPEG without its notes and previews, the first Exif block in them, and its number of scans.

    Pillow parses these notes while it opens a file, and some bytes of them can take it minutes or fill the
    memory. What the colours depend on stays: segments JFIF (APP0) and Adobe (APP14).
    """
    kept, exif, at = [data[:2]], b"", 2
    for _ in range(MAX_SEGMENTS):
        if data[at : at + 2] == b"\xff\xda":  # the first scan
            scans, end, _ = data[at:].partition(b"\xff\xd9")
            return b"".join([*kept, scans, end]), exif, scans.count(b"\xff\xda")
        if data[at : at + 2] == b"\xff\xff":  # a fill byte
            at += 1
            continue
        segment = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
        if len(segment) < 4 or segment[0] != 0xFF or segment[1] not in HEADER_MARKERS:
            break
        if segment[1] == 0xE1 and segment[4:10] == b"Exif\0\0":
            exif = exif or segment[4:]
        if segment[1] not in NOTES:
            kept.append(segment)
        at += len(segment)
    raise PhotoError("the picture is damaged or cut off (its header does not lead to its pixels)")


class PatientFile(io.BytesIO):
    """A file in memory that loses patience with a reader who takes it in very many small pieces."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise PhotoError("it consists of too many pieces, which would take too long")
        return super().read(size)


def pictures_in(folder: str | os.PathLike) -> list[Path]:
    """Return the pictures in a folder, by their names' endings, sorted; hidden files and subfolders not.

    Where there is no folder, or it cannot be read, that is an empty list.
    """
    try:
        paths = [path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES]
        return sorted(path for path in paths if not path.name.startswith(".") and not path.is_dir())
    except (OSError, ValueError):
        return []


def in_one_line(error: Exception) -> str:
    """Return what an error says, or else its kind, in at most 100 characters."""
    first = (str(error).strip().splitlines() or [""])[0]
    words = textwrap.shorten(first, 100, placeholder="").rstrip(" .:")
    return printable(words) or type(error).__name__


def printable(text: str) -> str:
    """Return a text that is safe to show: a file's name may hold line feeds and commands to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
