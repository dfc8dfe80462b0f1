"""CIFAR-10's official files: found or downloaded, checked, decoded, and kept decoded in the cache folder.

Nothing is decoded before its SHA-256 is known, so plain readers will do, even pickle's.
"""

import gzip
import hashlib
import os
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from helpers.internal.files import ROOT, written

Arrays = dict[str, np.ndarray]
FILES = {  # the binary layout, the Python layout: SHA-256
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
    "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
    "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
    "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
    "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
    "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
}
ARCHIVES = {  # bytes, SHA-256
    "cifar-10-binary.tar.gz": (
        170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    "cifar-10-python.tar.gz": (
        170_498_071,
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
}
FINGERPRINTS = {  # of the decoded arrays: SHA-256 of their bytes, CRC-32 of their .npy file
    "train_images": ("47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a", 0x51987C8E),
    "train_labels": ("f5cfe00b0f00968c0cc5ff3b1d2de51b10e33efa277c2986f4e0fa63e58c9f4f", 0xAD4F1940),
    "test_images": ("f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04", 0x4788E40F),
    "test_labels": ("cbb7365de8ed11f05cc4c3a1e7f78144127c5e851efd83762fb18202461230bb", 0x9C4FF109),
}
FOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py", "cifar-10-python/cifar-10-batches-py")
UNPACKED = ("cifar-10-binary.tar", "cifar-10-python.tar")  # what some browsers make of an archive
LARGEST = 200_000_000  # bytes that are looked at; an unpacked archive has 186 million


class DataError(Exception):
    """The data cannot be had or is not what it should be; the message says what to do."""


def official_arrays(data_dir: str | os.PathLike | None) -> Arrays:
    """Return CIFAR-10's arrays, mapped from the cache, which is filled first if need be."""
    place = named_place(data_dir)
    arrays = load()
    return prepared(place) if arrays is None else arrays


def prepared(place: Path | None) -> Arrays:
    """Fill the cache and return the arrays. A lock lets two kernels that start together do it once."""
    from filelock import FileLock, Timeout  # slow to import, and needed once

    lock = FileLock(folder() / "lock")
    with suppress(OSError):  # where it cannot be locked, or not be written at all, go on without
        folder().mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print("Another program is preparing CIFAR-10: waiting for it.")
            lock.acquire()
    try:
        return load() or store(find(place))
    finally:
        lock.release()


def named_place(data_dir: str | os.PathLike | None) -> Path | None:
    """Return the place that the reader names, if any; raise DataError if there is no CIFAR-10."""
    named = data_dir or os.environ.get("CIFAR10_DIR")
    if not named:
        return None
    place = settled(named, Path.cwd() if data_dir else ROOT)
    if not candidates(place):
        raise DataError(
            f"{'data_dir' if data_dir else 'CIFAR10_DIR'} is {place}, and no CIFAR-10 is there. Expected "
            f"{' or '.join((*FOLDERS[:2], *ARCHIVES))}: correct the path, or leave it out for a download."
        )
    return place


def settled(path: str | os.PathLike, base: Path = ROOT) -> Path:
    """Return an absolute path: "~" is the home, and a relative setting counts from the repository."""
    with suppress(RuntimeError):  # there is no home
        path = Path(path).expanduser()
    return base / path


def folder() -> Path:
    """Return where the decoded copy and the downloaded archive lie: `TUTORIAL_CACHE`, else `data/cache`."""
    return settled(os.environ.get("TUTORIAL_CACHE") or "data/cache")


def candidates(place: Path) -> list[Path]:
    """Return the archives and folders at a place that look official, a place being one or holding some."""
    paths = (place, *(place / name for name in (*FOLDERS, *ARCHIVES, *UNPACKED)))
    return [path for path in paths if is_file(path) or any(is_file(path / name) for name in FILES)]


def is_file(path: Path) -> bool:
    """Return whether there is such a file; a folder that may not be entered has none."""
    with suppress(OSError):
        return path.is_file()
    return False


def usual_candidates() -> list[Path]:
    """Return what looks official where this package, Keras and torchvision leave it."""
    keras = settled(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"
    kept = [keras / f"cifar-10-batches-py{end}" for end in ("-target", "-target_archive", ".tar.gz")]
    return [path for place in (folder(), *kept, keras, Path.cwd() / "data") for path in candidates(place)]


def find(place: Path | None) -> Arrays:
    """Read the first right candidate at the named place or, without one, at the usual ones; else download."""
    problems = []
    for path in candidates(place) if place else usual_candidates():
        try:
            return decoded(path)
        except (DataError, OSError) as error:
            problems.append(f"{path}: {error}")
    if place:
        raise DataError("; ".join(problems))
    if problems:
        print("Passed over:", *problems, sep="\n  ")
    from helpers.internal import download  # slow to import, and needed once

    return decoded(download.fetch())


def decoded(path: Path) -> Arrays:
    """Decode a folder or an archive; raise DataError if a file is missing or not the official one."""
    batches = {}
    for name, content in contents(path):
        if hashlib.sha256(content).hexdigest() == FILES[name]:
            batches[Path(name).stem] = decode(name, content)
    names = tuple(FILES)[-6:]
    if missing := [name for name in names if name not in batches]:
        raise DataError(f"{', '.join(missing)} missing, damaged or not official")
    images, labels = zip(*(batches[name] for name in names), strict=True)
    joined = np.concatenate(images[:5]), np.concatenate(labels[:5]), images[5], labels[5]
    arrays = dict(zip(FINGERPRINTS, joined, strict=True))
    for name, (sha256, _) in FINGERPRINTS.items():
        if hashlib.sha256(arrays[name]).hexdigest() != sha256:
            raise DataError(f"the {name.replace('_', ' ')} are not those of CIFAR-10")
    return arrays


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what calls itself an official file, in a folder or an archive."""
    if path.is_dir():
        for file in (path / name for name in FILES if is_file(path / name)):
            with file.open("rb") as opened:
                yield file.name, opened.read(LARGEST)
    elif (size := path.stat().st_size) <= LARGEST:
        packed = (size, sha256_of(path)) in ARCHIVES.values()
        with gzip.open(path) if packed else path.open("rb") as opened:
            yield from members(opened)


def members(archive) -> Iterator[tuple[str, bytes]]:
    """Yield the same from an open tar archive, of which only the plain headers are believed."""
    with suppress(tarfile.HeaderError):  # the end, or no archive
        while (header := tarfile.TarInfo.frombuf(archive.read(512), "utf-8", "replace")).size >= 0:
            start, name = archive.tell(), Path(header.name).name
            if name in FILES:
                yield name, archive.read(min(header.size, LARGEST))
            archive.seek(start - header.size // -512 * 512)


def decode(name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (N, 32, 32, 3) and labels int64 (N,) of an official file, whose bytes are known."""
    if name.endswith(".bin"):  # per image a byte of label, then 1,024 red, green and blue ones
        rows = np.frombuffer(content, np.uint8).reshape(-1, 3073)
        labels, pixels = rows[:, 0], rows[:, 1:]
    else:
        batch = pickle.loads(content, encoding="bytes")
        labels, pixels = np.array(batch[b"labels"]), batch[b"data"]
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def load() -> Arrays | None:
    """Return the decoded arrays, mapped and read-only; None if one is not there or damaged."""
    files = {name: folder() / f"{name}.npy" for name in FINGERPRINTS}
    with suppress(OSError, ValueError):  # there is none, or nothing in it
        if all(
            zlib.crc32(np.memmap(files[name], mode="r")) == crc for name, (_, crc) in FINGERPRINTS.items()
        ):
            return {name: np.asarray(np.load(file, mmap_mode="r")) for name, file in files.items()}
    return None


def store(arrays: Arrays) -> Arrays:
    """Write the arrays into the cache, if that can be, and return them."""
    try:
        for name, array in arrays.items():
            with written(folder() / f"{name}.npy") as beside:
                np.save(beside, array)
    except OSError as error:
        print(f"CIFAR-10 is loaded, but cannot be kept for the next time. {unusable(error)}")
    return load() or arrays


def unusable(error: OSError) -> str:
    """Return in words that nothing can be kept in the folder, why, and what to do."""
    return (
        f"The cache folder {folder()} cannot be written ({error.strerror or error}). Make it writable or "
        "free some space (it takes 360 MB), or set TUTORIAL_CACHE to another folder."
    )


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
