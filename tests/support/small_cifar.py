"""A stand-in for the official files, 200 times smaller: 5 x 50 and 50 random images, in both layouts.

Used as a script it loads these in a process of its own: `python -m tests.support.small_cifar URL`.
"""

import gzip
import hashlib
import io
import pickle
import sys
import tarfile
import zlib
from pathlib import Path

import numpy as np

from helpers.internal import download, official

FOLDERS = official.FOLDERS[:2]
NAMES = tuple(official.FILES)[-6:]
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 50, 3072), np.uint8)
LABELS = np.arange(50, dtype=np.uint8) % 10
IMAGES = PIXELS.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy()
WIDE = np.tile(LABELS, 6).astype(np.int64)
ARRAYS = {
    f"{part}_{kind}": array[rows]
    for part, rows in (("train", slice(250)), ("test", slice(250, None)))
    for kind, array in (("images", IMAGES), ("labels", WIDE))
}
BINARY_FILES = [np.column_stack((LABELS, pixels)).tobytes() for pixels in PIXELS]
PYTHON_FILES = [pickle.dumps({b"data": pixels, b"labels": LABELS.tolist()}, 4) for pixels in PIXELS]
FILES = {
    FOLDERS[0]: dict(zip((f"{name}.bin" for name in NAMES), BINARY_FILES, strict=True)),
    FOLDERS[1]: dict(zip(NAMES, PYTHON_FILES, strict=True)),
}


def packed(folder: str) -> bytes:
    """Return an archive of a layout's files and another one."""
    with tarfile.open(fileobj=(written := io.BytesIO()), mode="w") as archive:
        for name, content in {"readme.html": b"else", **FILES[folder]}.items():
            member = tarfile.TarInfo(f"./{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(written.getvalue(), compresslevel=1, mtime=0)


ARCHIVES = dict(zip(official.ARCHIVES, map(packed, FOLDERS), strict=True))
BINARY, PYTHON = ARCHIVES


def put_folder(place: Path, folder: str) -> Path:
    """Write a layout's files into a new folder."""
    place.mkdir(parents=True)
    for name, content in FILES[folder].items():
        (place / name).write_bytes(content)
    return place


def sha256(content) -> str:
    return hashlib.sha256(content).hexdigest()


def checksum(array: np.ndarray) -> int:
    np.save(file := io.BytesIO(), array)
    return zlib.crc32(file.getvalue())


def install(setattr, *mirrors: str, window: float = 5) -> None:
    """Let the package take these files for the official ones, and these mirrors for the only ones."""
    files = FILES[FOLDERS[0]] | FILES[FOLDERS[1]]
    archives = {name: (len(content), sha256(content)) for name, content in ARCHIVES.items()}
    rates = {"FAST": 1e5 / window, "FLOOR": 1e4 / window}  # pieces of 100 and 10 kB
    for name, value in ({"MIRRORS": mirrors, "WINDOW": window, "ARCHIVES": archives} | rates).items():
        setattr(download, name, value)
    setattr(official, "FILES", {name: sha256(content) for name, content in files.items()})
    setattr(official, "DECODED", {name: checksum(array) for name, array in ARRAYS.items()})
    setattr(official, "ARCHIVES", archives)


if __name__ == "__main__":
    install(setattr, *sys.argv[1:])
    loaded = official.official_arrays()
    assert np.array_equal(loaded["test_images"], ARRAYS["test_images"])
