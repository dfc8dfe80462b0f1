"""The decoded copy of CIFAR-10: four `.npy` files, mapped into memory when they are used.

Every load compares the CRC-32 of each file with a known constant. That takes some hundredths of a second,
finds every accidental damage, and needs no record of earlier checks that could be wrong itself; the costlier
SHA-256 is checked once, when the official files are decoded.
"""

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from helpers.internal import formats
from helpers.internal.formats import Arrays, Fingerprint

ROOT = Path(__file__).resolve().parent.parent
READ_AT_ONCE = 1 << 17  # bytes


def folder() -> Path:
    """Return where the decoded copy and the downloaded archive lie: `TUTORIAL_CACHE`, else `data/cache`."""
    return Path(os.environ.get("TUTORIAL_CACHE") or ROOT / "data" / "cache").expanduser().absolute()


def path_of(name: str) -> Path:
    """Return where an array's file is, or would be."""
    return folder() / f"{name}.npy"


def load() -> Arrays | None:
    """Return the arrays, memory-mapped and read-only; None if one is not there or damaged."""
    with suppress(OSError, ValueError):
        return {name: load_array(name, expected) for name, expected in formats.FINGERPRINTS.items()}
    return None


def load_array(name: str, expected: Fingerprint) -> np.ndarray:
    """Map an array's file; raise OSError or ValueError if it is not there or not what it should be."""
    if checksum(path_of(name), bytes_of(expected)) != expected.crc32:
        raise ValueError("wrong content")
    try:
        array = np.load(path_of(name), mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header can raise anything
        raise ValueError("wrong header") from error
    if array.shape != expected.shape or array.dtype != expected.dtype or not array.flags.c_contiguous:
        raise ValueError("wrong header")
    return np.asarray(array)  # a plain array over the same mapped bytes


def bytes_of(expected: Fingerprint) -> int:
    """Return how many bytes an array's content takes."""
    return int(np.prod(expected.shape)) * np.dtype(expected.dtype).itemsize


def checksum(path: Path, count: int) -> int:
    """Return the CRC-32 of a file's last `count` bytes, the array without its header."""
    crc = 0
    with path.open("rb", buffering=0) as file:
        file.seek(-count, os.SEEK_END)
        while piece := file.read(READ_AT_ONCE):
            crc = zlib.crc32(piece, crc)
    return crc


def store(arrays: Arrays) -> str | None:
    """Write the arrays, each beside its place first and then renamed.

    Returns:
        None, or what stood against it, in words; nothing half-written stays then.
    """
    for name, array in arrays.items():
        beside = path_of(name).with_suffix(".tmp")
        try:
            with beside.open("wb") as file:
                np.save(file, array)
            beside.replace(path_of(name))
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            return unusable(error)
    return None


@contextmanager
def locked() -> Iterator[str | None]:
    """Hold the folder alone, so that two kernels that start together download once.

    Gives what stands against it, if the folder cannot be written; None if it is held.
    """
    with ExitStack() as stack:
        problem = None
        try:
            folder().mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder() / "lock")
            try:
                stack.enter_context(lock.acquire(timeout=0))
            except Timeout:
                print("Another program is preparing CIFAR-10: waiting for it.")
                stack.enter_context(lock.acquire())
        except OSError as error:
            problem = unusable(error)
        yield problem


def unusable(error: OSError) -> str:
    """Return in words that nothing can be kept in the folder, why, and what to do."""
    return (
        f"The cache folder {folder()} cannot be written ({error.strerror or error}). Make it writable or "
        "free some space (it takes 360 MB), or set TUTORIAL_CACHE to another folder."
    )
