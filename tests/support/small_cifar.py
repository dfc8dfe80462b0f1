"""A stand-in for the official files, 200 times smaller: 5 x 50 and 50 random images, in both layouts.

Used as a script it loads these in a process of its own: `python -m tests.support.small_cifar URL`.
"""

import dataclasses
import functools
import gzip
import hashlib
import io
import struct
import sys
import tarfile
import zlib
from pathlib import Path

import numpy as np

from helpers import data
from helpers.internal import download, formats

ROWS = 50  # images of a file
NAMES = (*formats.TRAIN_FILES, "test_batch")
QUICK = download.Patience(
    connect=5, silence=1, window=0.4, fast=300_000, floor=20_000, progress=10_000, pause=0.01
)

FETCH = download.fetch

rng = np.random.default_rng(0)
PIXELS = {name: rng.integers(0, 256, (ROWS, formats.PIXELS), np.uint8) for name in NAMES}
LABELS = {name: np.arange(ROWS, dtype=np.uint8) % 10 for name in NAMES}
ARRAYS = formats.assemble({name: formats.to_batch(PIXELS[name], LABELS[name]) for name in NAMES})


def binary_file(name: str) -> bytes:
    return np.column_stack((LABELS[name], PIXELS[name])).tobytes()


def python_file(name: str) -> bytes:
    """Return the batch as Python 2 pickled it."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K" + bytes([ROWS]) + b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<I", PIXELS[name].size) + PIXELS[name].tobytes() + b"tb"
    )  # fmt: skip
    labels = b"](" + b"".join(b"K" + bytes([label]) for label in LABELS[name]) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + labels + b"u."


FILES = {
    "cifar-10-batches-bin": {f"{name}.bin": binary_file(name) for name in NAMES},
    "cifar-10-batches-py": {name: python_file(name) for name in NAMES},
}


def archive(folder: str) -> bytes:
    """Return a layout as a `.tar.gz`."""
    members = [(f"{folder}/readme.html", b"something else")]
    return tar_gz(members + [(f"{folder}/{name}", content) for name, content in FILES[folder].items()])


def tar_gz(members: list[tuple[str, bytes]]) -> bytes:
    """Return an archive with these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)  # the same bytes in every process


ARCHIVES = {folder: archive(folder) for folder in FILES}


def put_folder(place: Path, folder: str) -> Path:
    """Write a layout's files into a new folder."""
    place.mkdir(parents=True)
    for name, content in FILES[folder].items():
        (place / name).write_bytes(content)
    return place


def describe(name: str, content: bytes) -> download.Archive:
    return download.Archive(name, len(content), hashlib.sha256(content).hexdigest())


BINARY = describe("cifar-10-binary.tar.gz", ARCHIVES["cifar-10-batches-bin"])
PYTHON = describe("cifar-10-python.tar.gz", ARCHIVES["cifar-10-batches-py"])


def install(setattr, *mirrors: tuple[download.Archive, str]) -> None:
    """Let the package take these files for the official ones, and these mirrors for the only ones."""
    layouts = [
        dataclasses.replace(
            layout, sizes={name: len(content) for name, content in FILES[layout.folder].items()}
        )
        for layout in formats.LAYOUTS
    ]
    fingerprints = {
        name: formats.Fingerprint(
            array.shape, str(array.dtype), hashlib.sha256(array).hexdigest(), zlib.crc32(array)
        )
        for name, array in ARRAYS.items()
    }
    setattr(formats, "LAYOUTS", layouts)
    setattr(formats, "FINGERPRINTS", fingerprints)
    setattr(download, "fetch", functools.partial(FETCH, mirrors, QUICK))


if __name__ == "__main__":
    install(setattr, (BINARY, sys.argv[1]))
    try:
        loaded = data.load_cifar10("official", val_size=10)
    except data.DataError as error:
        sys.exit(f"DataError: {error}")
    assert np.array_equal(loaded.test.images, ARRAYS["test_images"])
