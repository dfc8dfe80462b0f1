"""CIFAR-10's official files: found or downloaded, checked, decoded, and kept decoded in the cache folder.

Nothing is decoded before its SHA-256 is known, so plain readers will do, even pickle's.
"""

import hashlib
import os
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from helpers.internal.files import ROOT, place, written

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
    "cifar-10-binary.tar.gz": (170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    "cifar-10-python.tar.gz": (170498071, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
}
VOTES = {  # what people named the test images, of CIFAR-10H (arXiv 1908.07086): bytes, SHA-256
    "cifar10h-counts.npy": (800128, "9b36b4550349af56c79083356312eb4af856cc5fd3caf1f669d40b9d0bbb69ff"),
}
DECODED = {  # the files of the decoded copy: CRC-32
    "train_images": 0x51987C8E,
    "train_labels": 0xAD4F1940,
    "test_images": 0x4788E40F,
    "test_labels": 0x9C4FF109,
}
FOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py", "cifar-10-python/cifar-10-batches-py")
UNPACKED = ("cifar-10-binary.tar", "cifar-10-python.tar")  # what some browsers make of an archive
LARGEST = 40_000_000  # bytes of a file that are looked at; the official ones have 31 million


class DataError(Exception):
    """The data cannot be had or is not what it should be; the message says what to do."""


def official_arrays(data_dir: str | os.PathLike | None = None) -> Arrays:
    """Return CIFAR-10's arrays, mapped from the cache. If need be it is filled, by one kernel at a time."""
    if arrays := load():
        return arrays
    from filelock import FileLock  # slow to import, and needed once

    print(f"Preparing CIFAR-10 in {folder()}, once. (If another program does so, it is waited for.)")
    lock = FileLock(folder() / "lock")
    with suppress(OSError, NotImplementedError):  # where nothing can be locked or written, go on without
        folder().mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        return load() or store(find(named_place(data_dir)))
    finally:
        lock.release()


def named_place(data_dir: str | os.PathLike | None) -> Path | None:
    """Return the place that `data_dir` or `CIFAR10_DIR` names, if any."""
    if data_dir:
        return place(data_dir).absolute()
    named = os.environ.get("CIFAR10_DIR")
    return settled(named) if named else None


def settled(setting: str) -> Path:
    """Return an absolute path: "~" is the home, and a relative setting counts from the repository."""
    return ROOT / place(setting)


def folder() -> Path:
    """Return where the decoded copy and the downloaded archive lie: `TUTORIAL_CACHE`, else `data/cache`."""
    return settled(os.environ.get("TUTORIAL_CACHE") or "data/cache")


def candidates(named: Path | None) -> list[Path]:
    """Return what looks official: at, or in, the named place or, without one, the usual places."""
    places = [named] if named else usual_places()
    paths = [path / name for path in places for name in ("", *FOLDERS, *ARCHIVES, *UNPACKED)]
    return [path for path in paths if path.is_file() or any((path / name).is_file() for name in FILES)]


def usual_places() -> list[Path]:
    """Return where this package, Keras and torchvision leave CIFAR-10."""
    keras = settled(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"
    return [folder(), *keras.glob("cifar-10-batches-py*"), keras, Path.cwd() / "data"]


def find(named: Path | None) -> Arrays:
    """Read the first right candidate at the named place or, without one, at the usual ones; else download."""
    for path in candidates(named):
        try:
            return decoded(path)
        except (DataError, OSError, tarfile.TarError) as error:
            print(f"Passed over {path}: {error}")
    if named:
        expected = " or ".join((*FOLDERS[:2], *ARCHIVES))
        raise DataError(f"No whole {expected} in {named}: correct data_dir or CIFAR10_DIR, or leave it out.")
    from helpers.internal import download  # slow to import, and needed once

    return decoded(download.fetch())


def decoded(path: Path) -> Arrays:
    """Decode a folder or an archive; raise DataError if a file is missing or not the official one."""
    names = tuple(FILES)[-6:]
    batches = {}
    for name, content in contents(path):
        if hashlib.sha256(content).hexdigest() == FILES[name]:
            batches[Path(name).stem] = decode(name, content)
    if missing := [name for name in names if name not in batches]:
        raise DataError(f"{', '.join(missing)} missing, damaged or not official")
    images, labels = zip(*(batches[name] for name in names), strict=True)
    joined = np.concatenate(images[:5]), np.concatenate(labels[:5]), images[5], labels[5]
    return dict(zip(DECODED, joined, strict=True))


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what calls itself an official file, in a folder or an archive."""
    if path.is_dir():
        for file in (path / name for name in FILES if (path / name).is_file()):
            with file.open("rb") as opened:
                yield file.name, opened.read(LARGEST)
    elif path.suffix == ".tar" or sha256_of(path) in [sha256 for _, sha256 in ARCHIVES.values()]:
        with tarfile.open(path, "r:" if path.suffix == ".tar" else "r:gz") as archive:
            for member in archive:
                if (name := Path(member.name).name) in FILES and member.isreg():
                    yield name, archive.extractfile(member).read(LARGEST)


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
    files = {name: folder() / f"{name}.npy" for name in DECODED}
    with suppress(OSError, ValueError):  # there is none, or nothing in it
        if all(zlib.crc32(np.memmap(files[name], mode="r")) == crc for name, crc in DECODED.items()):
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
