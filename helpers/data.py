"""CIFAR-10 with a train / validation / test split, from wherever it can be had, or the synthetic sample.

`load_cifar10` is what the notebooks call. It decodes the official files once, into memory-mapped files in
`data/cache/` (or the folder that `TUTORIAL_CACHE` names), and checks these at every load.
"""

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import cache, formats
from helpers.formats import Arrays, DataError
from helpers.session import profile

__all__ = ["CLASS_NAMES", "Cifar10", "DataError", "Split", "TrainingData", "load_cifar10", "split_indices"]

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SOURCES = ("auto", "official", "sample")
SAMPLE_SHARE = 10  # the sample has a tenth of CIFAR-10's images, so a tenth of them is held out


class Split:
    """Images with their labels, in the same order.

    Attributes:
        images: uint8 (N, 32, 32, 3), red, green and blue from 0 to 255. What `load_cifar10` returns is
            read-only (change a copy) and reads the disk on first use.
        labels: int64 (N,), from 0 to 9: positions in `CLASS_NAMES`.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, rows: np.ndarray | None = None):
        """Hold all of the images and labels or, if given, the rows of them that the indices `rows` name."""
        if len(images) != len(labels):
            raise ValueError(
                f"There are {len(images)} images and {len(labels)} labels: give as many of each."
            )
        self._source, self._rows = images, rows
        self.labels = labels if rows is None else read_only(labels[rows])

    @functools.cached_property
    def images(self) -> np.ndarray:
        return self._source if self._rows is None else read_only(self._source[self._rows])

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split({len(self):,} images)"


@dataclass(frozen=True)
class TrainingData:
    """What training code gets: there is no test split in it."""

    train: Split
    val: Split
    source: str  # "official" or "sample"


@dataclass(frozen=True)
class Cifar10:
    """The three splits; `source` is "official" for CIFAR-10 itself, "sample" for the synthetic stand-in."""

    train: Split
    val: Split
    test: Split
    source: str

    def for_training(self) -> TrainingData:
        """Return the data without its test split, so that nothing that trains can look at it."""
        return TrainingData(self.train, self.val, self.source)


def load_cifar10(
    source: str = "auto",
    *,
    val_size: int = 5000,
    seed: int = 0,
    fold: int = 0,
    data_dir: str | os.PathLike | None = None,
) -> Cifar10:
    """Load CIFAR-10, split into train, validation and test.

    The official files are looked for in `data_dir` or, without it, in the place that the environment
    variable `CIFAR10_DIR` names; then in the cache, in the caches of Keras and torchvision; at last they are
    downloaded. Whatever the place, the arrays are the same, to the last bit.

    Args:
        source: "official" (CIFAR-10 or an error), "sample" (the synthetic sample: no network, no cache) or
            "auto" (official, and the sample with a banner if that fails; under the smoke profile the sample).
        val_size: how many training images are held out for validation; `split_indices` states the rule.
            Of the sample, which is a tenth as large, a tenth of `val_size` is held out.
        seed: chooses the images that are held out. Nothing else depends on it.
        fold: which of the seed's folds is held out; no image is in two of them.
        data_dir: an official archive, the folder of its files, or a folder that holds one of these.

    Returns:
        The splits: 45,000 / 5,000 / 10,000 images; of the sample 4,500 / 500 / 1,000.

    Raises:
        DataError: if the source is "official" and the files cannot be had; it says why and what to do.
        ValueError: if `source`, `val_size`, `seed` or `fold` is out of its range.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}, expected one of {', '.join(map(repr, SOURCES))}.")
    check_whole(val_size=val_size, seed=seed, fold=fold)  # before something is downloaded
    if source == "auto" and profile() == "smoke":
        print("Smoke profile: the synthetic sample stands in for CIFAR-10.")
        source = "sample"
    if source == "sample":
        return from_arrays(sample_arrays(), round(val_size / SAMPLE_SHARE), seed, fold, "sample")
    try:
        return from_arrays(official_arrays(data_dir), val_size, seed, fold, "official")
    except DataError as error:
        if source == "official":
            raise
        print_banner(error)
        return from_arrays(sample_arrays(), round(val_size / SAMPLE_SHARE), seed, fold, "sample")


def split_indices(
    labels: np.ndarray, val_size: int, seed: int, fold: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Divide the training images into those to train on and those to validate on.

    The rule: each image draws a random number (the 64-bit output of PCG64, a stream that NumPy promises to
    keep), and of each class the `val_size / 10` images with the smallest numbers are held out. So the classes
    are equally frequent, a smaller validation split is part of a larger one, and only the seed decides. If
    10 does not divide `val_size`, the first classes give one image more. Fold 1 holds out as many with
    the next larger numbers, and so on: the folds of a seed share no image.

    Args:
        labels: int (N,), from 0 to 9.
        val_size: how many of the N images to hold out; 0 holds out none.
        seed: an integer from 0.
        fold: an integer from 0; with all N images in k folds, to k - 1.

    Returns:
        The indices to train on and those to validate on, each int64 and ascending.

    Raises:
        ValueError: if `val_size`, `seed` or `fold` is no integer of at least 0, or a class is too small.
    """
    check_whole(val_size=val_size, seed=seed, fold=fold)
    numbers = np.random.PCG64(seed).random_raw(len(labels))
    held_out = np.zeros(len(labels), bool)
    for label in range(len(CLASS_NAMES)):
        count = val_size // len(CLASS_NAMES) + (label < val_size % len(CLASS_NAMES))
        members = np.flatnonzero(labels == label)
        if count and count >= len(members):
            raise ValueError(f"val_size is {val_size:,}: too large for {len(labels):,} training images.")
        if (fold + 1) * count > len(members):
            raise ValueError(f"fold is {fold}: {len(labels):,} images have fewer folds of {val_size:,}.")
        held_out[members[np.argsort(numbers[members])[fold * count : (fold + 1) * count]]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def check_whole(**arguments: int) -> None:
    """Raise ValueError, with the argument's name, unless all are integers of at least 0."""
    for name, value in arguments.items():
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"{name} is {value!r}, expected an integer of at least 0.")


def from_arrays(arrays: Arrays, val_size: int, seed: int, fold: int, source: str) -> Cifar10:
    """Split the training arrays and put all three splits together."""
    images, labels = arrays["train_images"], arrays["train_labels"]
    train, val = (Split(images, labels, rows) for rows in split_indices(labels, val_size, seed, fold))
    return Cifar10(train, val, Split(arrays["test_images"], arrays["test_labels"]), source)


@functools.cache
def sample_arrays() -> Arrays:
    """Draw the synthetic sample, once per session."""
    from helpers.sample import make_sample

    return dict(zip(formats.FINGERPRINTS, map(read_only, make_sample()), strict=True))


def official_arrays(data_dir: str | os.PathLike | None) -> Arrays:
    """Return CIFAR-10's arrays, memory-mapped from the cache, which is filled first if need be."""
    place = named_place(data_dir)
    arrays = cache.load()
    if arrays is None:
        with cache.locked() as problem:
            arrays = (not problem and cache.load()) or find_official(place, problem)
            problem = problem or cache.store(arrays)
        if problem:
            print(f"CIFAR-10 is loaded, but cannot be kept for the next time. {problem}")
        else:
            arrays = cache.load() or arrays
    return {name: read_only(array) for name, array in arrays.items()}


def named_place(data_dir: str | os.PathLike | None) -> Path | None:
    """Return the place that the reader names, if any; raise DataError if there is no CIFAR-10."""
    named = data_dir or os.environ.get("CIFAR10_DIR")
    if not named:
        return None
    place = Path(named).expanduser()
    if not formats.candidates(place):
        origin = "data_dir" if data_dir else "CIFAR10_DIR"
        raise DataError(
            f"{origin} is {place}, and no CIFAR-10 is there. Expected {formats.EXPECTED}: "
            "correct the path, or leave it out to have CIFAR-10 downloaded."
        )
    return place


def find_official(place: Path | None, problem: str | None) -> Arrays:
    """Read the official files from the place that the reader names, or where other programs leave them.

    They are downloaded if they are nowhere and no `problem` with the cache folder stands against it.
    """
    if place:
        return formats.read_official(place)
    for usual in usual_places():
        try:
            return formats.read_official(usual)
        except DataError as error:
            print(f"Passed over: {error}")
    if problem:
        raise DataError(f"CIFAR-10 is not on this machine and cannot be downloaded. {problem}")
    from helpers import download  # takes a while to import, and is needed once

    return formats.read_official(download.fetch())


def usual_places() -> list[Path]:
    """Return where this package, Keras and torchvision leave official files, if there are any."""
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    places = (
        cache.folder(),
        keras / "cifar-10-batches-py-target",  # Keras 3: the folder, then the archive
        keras / "cifar-10-batches-py-target_archive",
        keras,  # Keras 2
        keras / "cifar-10-batches-py.tar.gz",
        Path("data"),  # torchvision, as its examples call it
    )
    return [place for place in places if formats.candidates(place)]


def read_only(array: np.ndarray) -> np.ndarray:
    """Return the array, protected against a change by mistake."""
    array.flags.writeable = False
    return array


def print_banner(error: DataError) -> None:
    """Say, in a way that nobody can miss, that what follows is not CIFAR-10."""
    bar = "!" * 100
    print(bar, "THIS IS NOT CIFAR-10: the small synthetic sample stands in for it.", sep="\n")
    print(
        "Numbers measured on it say nothing about CIFAR-10. The real data could not be had:",
        error,
        bar,
        sep="\n",
    )
