"""What is in a photo's file: turned upright, on white, and within limits of time and memory."""

import contextlib
import io
import os
import re
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers.internal.files import place
from helpers.internal.network_file import in_one_line

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")  # all that Pillow may try
PICTURE = re.compile(  # what is taken from a folder: of these formats, and of others, which are told
    r"(?is)[^.].*\.(jpe?g?|jfif|png|gif|webp|bmp|hei[cf]|avif|tiff?|jp2|jxl|dng|cr[23]|nef|arw|psd|svg)"
)
MAX_PHOTO_BYTES, MAX_SIDE, MAX_PIXELS = 32 * 2**20, 20_000, 50_000_000  # a telephone's 48 million pixels fit
MAX_PARTS, MAX_SCANS, MAX_NOTES = 5_000, 100, 2**16  # a scan takes as long as a whole JPEG; bytes of Exif
JPEG_START, JPEG_SCAN, JPEG_END, EXIF = b"\xff\xd8", b"\xff\xda", b"\xff\xd9", b"Exif\0\0"
Source = str | os.PathLike | bytes  # a path, or a file's content


class PhotoError(Exception):
    """A photo cannot be used; the message says why in one line, without the photo's name."""


class InParts(io.BytesIO):
    """A file's content that is read in so many parts at most: a small file may consist of millions."""

    left = MAX_PARTS

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; ValueError when too many parts were read."""
        self.left -= 1
        if self.left < 0:
            raise ValueError("it consists of too many parts, export it anew")
        return super().read(size)


def open_photo(source: Source) -> Image.Image:
    """Return a photo upright, in 8-bit RGB, on white, its first frame.

    PhotoError if it cannot be read so, TypeError if the source is neither a path nor bytes.
    """
    if not isinstance(source, Source):
        raise TypeError(f"A photo is given by its path or its file's bytes, not as {type(source).__name__}.")
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
    if content.startswith(JPEG_START):
        if content.count(JPEG_SCAN) > MAX_SCANS + len(content) // 2**15:  # by chance one in 64 kB of a film
            raise ValueError("it is a JPEG of too many scans, export it anew")
        before, exif, rest = content.partition(EXIF)  # several such notes are joined, and can fill the memory
        content = before + exif + rest.replace(EXIF, b"none\0\0")
    file = InParts(content)
    with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
        most = MAX_PIXELS if picture.format in ("JPEG", "MPO") else MAX_PIXELS // 2  # others take more memory
        if max(picture.size) > MAX_SIDE or picture.width * picture.height > most:
            raise ValueError(f"it has {picture.width} x {picture.height} pixels, make it smaller first")
        file.left = 10 * MAX_PARTS
        picture.load()
        notes = [picture.info.get(name) or "" for name in ("exif", "Raw profile type exif")]
        with contextlib.suppress(Exception):  # a photo with damaged notes is still a photo
            if max(map(len, notes)) <= MAX_NOTES:
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
        if not place(source).is_file():
            raise ValueError("expected a file, or a folder with pictures in it")
        with place(source).open("rb") as file:
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
        picture, clear = Image.new("RGB", picture.size, "white"), picture.convert("RGBA")
        picture.paste(clear, mask=clear)
    return picture.convert("RGB")
