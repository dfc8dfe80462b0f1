"""The official CIFAR-10 files as arrays: the binary or the Python layout, in a folder or in an archive.

Nothing that is read here is trusted. Only the expected files are read, by name and size; an archive is read
as a stream, up to a limit, and never unpacked to disk; a pickle can make nothing but plain data; and what
comes out must have the known SHA-256 sums.
"""

import gzip
import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]
Batch = tuple[np.ndarray, np.ndarray]  # images uint8 (N, 32, 32, 3), labels int64 (N,)
PIXELS = 3 * 32 * 32  # bytes of an image: 1,024 red, then green, then blue, row by row


class DataError(Exception):
    """The data cannot be had or is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Layout:
    """One of the two official layouts: its names, the size in bytes of each file, and what reads a file."""

    folder: str
    archive: str
    sizes: dict[str, int]
    decode: Callable[[bytes], Batch]


@dataclass(frozen=True)
class Fingerprint:
    """What a decoded array must be: its shape and type, and the sums of its bytes in C order."""

    shape: tuple[int, ...]
    dtype: str
    sha256: str
    crc32: int


class Inert:
    """Stands where a pickle names one of NumPy's builders: keeps what it is given and does nothing."""

    def __init__(self, *args):
        self.state = ()

    def __setstate__(self, state):
        self.state = state


class PlainUnpickler(pickle.Unpickler):
    """Admits bytes, numbers, lists, dicts and, as `Inert`, NumPy arrays; nothing that could run code."""

    ADMITTED = (("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"))

    def find_class(self, module: str, name: str) -> type:
        if (module, name) in self.ADMITTED:
            return Inert
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def to_batch(pixels: np.ndarray, labels: np.ndarray) -> Batch:
    """Turn uint8 (N, 3072) pixels, channel by channel, and N labels into a batch."""
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def decode_binary(content: bytes) -> Batch:
    """Decode a file of the binary layout: per image one byte of label, then the pixels."""
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return to_batch(rows[:, 1:], rows[:, 0])


def decode_python(content: bytes) -> Batch:
    """Decode a file of the Python layout: the pickle of a dict with the pixels and a list of labels.

    Raises:
        DataError: if the pickle holds anything but plain data, or lacks what an official file has.
    """
    try:
        batch = PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
        *_, pixels = batch[b"data"].state
        labels = np.array(batch[b"labels"], np.uint8)
        return to_batch(np.frombuffer(pixels, np.uint8).reshape(len(labels), PIXELS), labels)
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"not an official CIFAR-10 pickle: {error}") from None


TRAIN_FILES = tuple(f"data_batch_{i}" for i in range(1, 6))
BINARY = Layout(
    "cifar-10-batches-bin",
    "cifar-10-binary.tar.gz",
    {f"{name}.bin": 10_000 * (1 + PIXELS) for name in (*TRAIN_FILES, "test_batch")},
    decode_binary,
)
PYTHON = Layout(
    "cifar-10-batches-py",
    "cifar-10-python.tar.gz",
    {
        "data_batch_1": 31_035_704,
        "data_batch_2": 31_035_320,
        "data_batch_3": 31_035_999,
        "data_batch_4": 31_035_696,
        "data_batch_5": 31_035_623,
        "test_batch": 31_035_526,
    },
    decode_python,
)
LAYOUTS = (BINARY, PYTHON)
EXPECTED = " or ".join(f"{layout.folder} or {layout.archive}" for layout in LAYOUTS)
FINGERPRINTS = {
    name: Fingerprint(shape, dtype, sha256, crc32)
    for name, shape, dtype, sha256, crc32 in (
        ("train_images", (50_000, 32, 32, 3), "uint8",
         "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a", 0x680A9CE0),
        ("train_labels", (50_000,), "int64",
         "f5cfe00b0f00968c0cc5ff3b1d2de51b10e33efa277c2986f4e0fa63e58c9f4f", 0xAEA82229),
        ("test_images", (10_000, 32, 32, 3), "uint8",
         "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04", 0xAF4814F5),
        ("test_labels", (10_000,), "int64",
         "cbb7365de8ed11f05cc4c3a1e7f78144127c5e851efd83762fb18202461230bb", 0xC5306416),
    )
}  # fmt: skip
ARCHIVE_LIMIT = 200_000_000  # bytes that are unpacked at most; the official archives hold 184 and 186 MB


def candidates(place: Path) -> list[Path]:
    """Return the folders and archives at a place that look like the official files, the best first.

    Args:
        place: an archive, the folder of a layout, or a folder that holds one of these.
    """
    if is_file(place):
        return [place]
    folders = [place, *(place / layout.folder for layout in LAYOUTS)]
    archives = [place / layout.archive for layout in LAYOUTS]
    return [path for path in folders if layouts_in(path)] + [path for path in archives if is_file(path)]


def is_file(path: Path) -> bool:
    """Return whether there is such a file, as far as it can be seen."""
    try:
        return path.is_file()
    except OSError:  # a folder on the way may not be entered
        return False


def layouts_in(folder: Path) -> list[Layout]:
    """Return the layouts of which a folder has at least one file."""
    return [layout for layout in LAYOUTS if any(is_file(folder / name) for name in layout.sizes)]


def read_official(place: Path) -> Arrays:
    """Read CIFAR-10 from its official files.

    Args:
        place: as in `candidates`; the first candidate whose content is right is taken.

    Returns:
        The arrays of `FINGERPRINTS`, with exactly the content stated there.

    Raises:
        DataError: if there is none; the message says for each candidate what is wrong.
    """
    problems = []
    for path in candidates(place):
        try:
            return verified(assemble(read_files(path)))
        except (DataError, OSError, EOFError, tarfile.TarError, zlib.error) as error:
            problems.append(f"{path}: {error}")
    raise DataError("; ".join(problems) or f"{place} holds no CIFAR-10, expected {EXPECTED}.")


def read_files(path: Path) -> dict[str, Batch]:
    """Return the batches of a layout's folder or of an archive, by their names without an ending."""
    if path.is_dir():
        layout = layouts_in(path)[0]
        files = ((layout, name, read_file(path / name, size)) for name, size in layout.sizes.items())
    else:
        files = read_archive(path)
    return {Path(name).stem: layout.decode(content) for layout, name, content in files}


def read_file(path: Path, size: int) -> bytes:
    """Return a file's content; raise DataError if its size is not the expected one."""
    if not path.is_file():
        raise DataError(f"{path.name} is missing")
    if path.stat().st_size != size:
        raise DataError(f"{path.name} has {path.stat().st_size:,} bytes, expected {size:,}")
    return path.read_bytes()


class Limited(io.RawIOBase):
    """A stream that refuses to give more than `ARCHIVE_LIMIT` bytes."""

    def __init__(self, stream):
        self.stream, self.left = stream, ARCHIVE_LIMIT

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise DataError(f"it unpacks to more than {ARCHIVE_LIMIT / 1e6:.0f} MB")
        return content


def read_archive(path: Path) -> Iterator[tuple[Layout, str, bytes]]:
    """Yield the files of the first layout that an archive has, and read nothing after the last of them."""
    expected = {f"{layout.folder}/{name}": (layout, name) for layout in LAYOUTS for name in layout.sizes}
    with gzip.open(path) as unpacked, tarfile.open(fileobj=Limited(unpacked), mode="r|") as archive:
        seen = set()
        for member in archive:
            layout, name = expected.get(member.name, (None, None))
            if layout is None or name in seen:
                continue
            if not member.isreg() or member.size != layout.sizes[name]:
                raise DataError(f"{member.name} is no plain file of {layout.sizes[name]:,} bytes")
            seen.add(name)
            yield layout, name, archive.extractfile(member).read()
            if seen == set(layout.sizes):
                return
    raise DataError("it is no official CIFAR-10 archive, or not a whole one")


def assemble(batches: dict[str, Batch]) -> Arrays:
    """Join the five training batches, in their order, and name the arrays as `FINGERPRINTS` does."""
    images, labels = zip(*(batches[name] for name in TRAIN_FILES), strict=True)
    test_images, test_labels = batches["test_batch"]
    train = {"train_images": np.concatenate(images), "train_labels": np.concatenate(labels)}
    return train | {"test_images": test_images, "test_labels": test_labels}


def verified(arrays: Arrays) -> Arrays:
    """Return the arrays if their content is CIFAR-10's; raise DataError if not."""
    for name, expected in FINGERPRINTS.items():
        if hashlib.sha256(arrays[name]).hexdigest() != expected.sha256:
            raise DataError(f"the {name.replace('_', ' ')} are not those of CIFAR-10, so it is damaged")
    return arrays
