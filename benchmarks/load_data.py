"""Compare `load_cifar10()` with `keras.datasets.cifar10.load_data()`, when nothing is to be downloaded.

Keras is spared the check of its archive's hash, as that is packed here. Our pixels are read when used.

Run with the official Python layout at hand: CIFAR10_DIR=... python benchmarks/load_data.py
"""

import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import race


def ours(_) -> float:
    """Load with the tutorial's loader; its first turn decodes, and fills the cache."""
    from helpers.data import load_cifar10

    began = time.perf_counter()
    load_cifar10("official")
    return time.perf_counter() - began


def keras(_) -> float:
    """Load with Keras."""
    from keras.src.datasets import cifar10

    get_file = cifar10.get_file
    cifar10.get_file = lambda **arguments: get_file(**arguments | {"file_hash": None})
    began = time.perf_counter()
    cifar10.load_data()
    return time.perf_counter() - began


CONTENDERS = {'load_cifar10("official")': ours, "keras.datasets.cifar10.load_data()": keras}


def main() -> None:
    """Pack the files where Keras keeps its download, and compare."""
    options = race.options(__doc__, CONTENDERS, repeats=5)
    place = Path(os.environ.get("CIFAR10_DIR", "."))
    found = [
        folder for folder in (place, place / "cifar-10-batches-py") if (folder / "data_batch_1").is_file()
    ]
    if not found:
        sys.exit("Skipped, with no ratio: Keras needs the official Python layout; CIFAR10_DIR names none.")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KERAS_HOME": f"{folder}/keras", "TUTORIAL_CACHE": f"{folder}/cache"}
        archive = Path(folder, "keras/datasets/cifar-10-batches-py-target_archive")
        archive.parent.mkdir(parents=True)
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(found[0], "cifar-10-batches-py")
        race.compare({name: race.command(name) for name in CONTENDERS}, options, "at most 0.05")


if __name__ == "__main__":
    main()
