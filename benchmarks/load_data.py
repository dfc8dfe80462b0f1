"""Compare `load_cifar10()` with `keras.datasets.cifar10.load_data()`: time and memory, when nothing is to be
downloaded any more.

Run with the official Python layout at hand: CIFAR10_DIR=... python benchmarks/load_data.py
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
REPEATS = 5
OFFICIAL = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def ours(_: str):
    """Load with the tutorial's loader."""
    from helpers.data import load_cifar10

    def load():
        data = load_cifar10("official")
        return lambda: [split.images.sum() for split in (data.train, data.val, data.test)]

    return load


def keras(sha256: str):
    """Load with Keras, which checks the archive's hash, unpacks it to disk and unpickles the files."""
    from keras.src.datasets import cifar10

    get_file = cifar10.get_file
    cifar10.get_file = lambda **arguments: get_file(**arguments | {"file_hash": sha256})

    def load():
        (train, _), (test, _) = cifar10.load_data()
        return lambda: [images.sum() for images in (train, test)]

    return load


def measure(name: str, sha256: str) -> None:
    """Load once in this process, after the imports, and print seconds and megabytes as JSON."""
    load = {"ours": ours, "keras": keras}[name](sha256)
    before, start = memory(), time.perf_counter()
    touch = load()
    loaded, after = time.perf_counter(), memory()
    touch()
    result = {"seconds": loaded - start, "touched": time.perf_counter() - start}
    print(json.dumps(result | {"grown": after - before, "process": after}))


def memory() -> float:
    """Return the memory of this process in MB."""
    return psutil.Process().memory_info().rss / 1e6


def in_new_process(name: str, sha256: str, environment: dict[str, str]) -> dict[str, float]:
    """Return what `measure` prints in a process of its own."""
    command = [sys.executable, __file__, name, sha256]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def python_layout() -> Path:
    """Return the folder of the official Python layout, from CIFAR10_DIR."""
    place = Path(os.environ.get("CIFAR10_DIR", "."))
    for folder in (place, place / "cifar-10-batches-py"):
        if (folder / "data_batch_1").is_file():
            return folder
    print("Skipped: Keras needs the official Python layout; CIFAR10_DIR names no such folder.")
    sys.exit(0)


def pack(folder: Path, archive: Path) -> str:
    """Pack the folder where Keras keeps its download; return the SHA-256."""
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        tar.add(folder, "cifar-10-batches-py")
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Print medians over fresh processes that take turns."""
    folder = python_layout()
    with tempfile.TemporaryDirectory() as temporary:
        sha256 = pack(folder, Path(temporary, "keras/datasets/cifar-10-batches-py-target_archive"))
        environment = {
            "KERAS_HOME": f"{temporary}/keras",
            "TUTORIAL_CACHE": f"{temporary}/cache",
            "CIFAR10_DIR": str(folder),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        first = in_new_process("ours", sha256, environment)["seconds"]  # decodes, and fills the cache
        runs = {"ours": [], "keras": []}
        for _ in range(REPEATS):
            for name, results in runs.items():
                results.append(in_new_process(name, sha256, environment))
    median = {
        name: {key: statistics.median(run[key] for run in results) for key in results[0]}
        for name, results in runs.items()
    }
    print(f"Median of {REPEATS} fresh processes each, imports not counted:")
    labels = {"keras": "keras.datasets.cifar10.load_data()", "ours": 'load_cifar10("official")'}
    for name, label in labels.items():
        row = median[name]
        print(
            f"  {label:36} {row['seconds']:6.3f} s, {row['touched']:6.3f} s with every pixel read, "
            f"memory +{row['grown']:.0f} MB to {row['process']:.0f} MB before pixels are touched"
        )
    print(f"  the first load_cifar10, which decodes: {first:.2f} s")
    ratio = median["ours"]["seconds"] / median["keras"]["seconds"]
    print(f"Ratio of the times: {ratio:.3f} (goal: at most 0.05). Keras' process holds TensorFlow too.")
    if sha256 != OFFICIAL:
        print("Keras unpacked an archive made here from the official files: its hash was told to Keras.")


if __name__ == "__main__":
    measure(*sys.argv[1:]) if len(sys.argv) > 1 else main()
