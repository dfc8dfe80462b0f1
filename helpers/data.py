"""CIFAR-10 with a train / validation / test split, from wherever it can be had, or the synthetic sample.

The official files are decoded once, into memory-mapped files in `data/cache/` (or the folder that
`TUTORIAL_CACHE` names), and these are checked at every load.
"""

import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from helpers.internal.official import VOTES, DataError, folder, official_arrays, settled, sha256_of
from helpers.internal.sample import make_sample

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SOURCES = ("auto", "official", "sample")
SAMPLE_SHARE = 25  # CIFAR-10 has 25 times as many training images, so as many times more are held out
sample_arrays = functools.cache(make_sample)  # drawn once per session


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images with their labels, in the same order. `load_cifar10` returns them read-only: change a copy."""

    images: np.ndarray  # uint8 (N, 32, 32, 3), red, green and blue from 0 to 255
    labels: np.ndarray  # int64 (N,), from 0 to 9: positions in `CLASS_NAMES`

    def __post_init__(self):
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images and {len(self.labels)} labels, expected as many.")

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


def profile() -> str:
    """Return the profile that `TUTORIAL_PROFILE` names: "standard" (the default) or "smoke", for tests.

    Under "smoke" `load_cifar10("auto")` gives the small synthetic sample and `train` stops after two epochs.
    A notebook never asks for the profile itself. ValueError if `TUTORIAL_PROFILE` names neither.
    """
    name = os.environ.get("TUTORIAL_PROFILE") or "standard"
    if name not in ("standard", "smoke"):
        raise ValueError(f"TUTORIAL_PROFILE is {name!r}, expected standard or smoke: unset or correct it.")
    return name


def load_cifar10(
    source: str = "auto",
    *,
    val_size: int = 5000,
    seed: int = 0,
    fold: int = 0,
    data_dir: str | os.PathLike | None = None,
) -> Cifar10:
    """Load 45,000 images to train on, 5,000 for validation, 10,000 to test; of the sample 1,800, 200, 1,000.

    The decoded copy is read or, if there is none, made: from the place that `data_dir` or the environment
    variable `CIFAR10_DIR` names; without one, from what Keras or torchvision left; at last from a download.
    Whatever the place, the arrays are the same, to the last bit.

    Args:
        source: "official" (CIFAR-10 or an error), "sample" (the synthetic sample: no network, no cache) or
            "auto" (official, and the sample with a banner if that fails; under the smoke profile the sample).
        val_size: how many training images are held out for validation; `split_indices` states the rule.
            Of the sample a 25th of `val_size` is held out.
        seed: chooses the images that are held out. Nothing else depends on it.
        fold: which images of a seed are held out, from 0; those of different folds are different images.
        data_dir: an official archive, the folder of its files, or a folder that holds one of these.

    Raises:
        DataError: if the source is "official" and the files cannot be had; it says why and what to do.
        ValueError: if `source`, `val_size`, `seed` or `fold` is out of its range.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}, expected one of {', '.join(map(repr, SOURCES))}.")
    for name, value in {"val_size": val_size, "seed": seed, "fold": fold}.items():
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"{name} is {value!r}, expected an integer of at least 0.")
    if source == "auto" and profile() == "smoke":
        print("Smoke profile: the synthetic sample stands in for CIFAR-10.")
        source = "sample"
    if source != "sample":
        try:
            return from_arrays(official_arrays(data_dir).values(), "official", val_size, seed, fold)
        except DataError as error:
            if source == "official":
                raise
            print_banner(error)
    return from_arrays(sample_arrays(), "sample", round(val_size / SAMPLE_SHARE), seed, fold)


def split_indices(
    labels: np.ndarray, val_size: int, seed: int, fold: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of images to train on and of those to validate on, each int64 and ascending.

    The rule: each image draws a random number (the 64-bit output of PCG64, a stream that NumPy promises to
    keep), and of each class the `val_size / 10` images with the smallest numbers are held out (fold 0), or
    the next as many (fold 1), and so on. So the classes are equally frequent, folds share no image, and a
    smaller fold 0 is part of a larger one. If 10 does not divide `val_size`, the first classes give one more.

    Args:
        labels: int (N,), from 0 to 9.
        val_size: how many images to hold out, 0 or more; ValueError if a class has too few for it and `fold`.
    """
    numbers = np.random.PCG64(seed).random_raw(len(labels))
    held_out = np.zeros(len(labels), bool)
    for label in range(len(CLASS_NAMES)):
        count = val_size // len(CLASS_NAMES) + (label < val_size % len(CLASS_NAMES))
        members = np.flatnonzero(labels == label)
        if count and count >= len(members):
            raise ValueError(f"val_size is {val_size:,}: too large for {len(labels):,} training images.")
        if (fold + 1) * count > len(members):
            last = len(members) // count - 1
            raise ValueError(f"fold is {fold}: with val_size {val_size:,} the last one is {last}.")
        ranked = members[np.argsort(numbers[members])]
        held_out[ranked[fold * count : (fold + 1) * count]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def from_arrays(arrays: Iterable[np.ndarray], source: str, *rule: int) -> Cifar10:
    """Split the training arrays by the rule of `split_indices` and put all three splits together."""
    images, labels, test_images, test_labels = arrays
    train, val = (read_only(images[rows], labels[rows]) for rows in split_indices(labels, *rule))
    return Cifar10(train, val, read_only(test_images, test_labels), source)


def read_only(images: np.ndarray, labels: np.ndarray) -> Split:
    """Return a split of these arrays, protected against a change by mistake."""
    images.flags.writeable = labels.flags.writeable = False
    return Split(images, labels)


def print_banner(error: DataError) -> None:
    """Say, in a way that nobody can miss, that what follows is not CIFAR-10."""
    print("!" * 100, "THIS IS NOT CIFAR-10: the small synthetic sample stands in for it.", sep="\n")
    print("Numbers measured on it say nothing about CIFAR-10. The real data could not be had:", error)
    print("!" * 100)


def load_votes(source: str = "official") -> np.ndarray | None:
    """Return how many people named each test image by each class, CIFAR-10H: int64 (10000, 10).

    From the folder that the environment variable `CIFAR10H_DIR` names, else from the cache folder, which a
    download fills once. None, and a line that says why, if it cannot be had and for the source "sample".
    """
    name, (_, sha256) = next(iter(VOTES.items()))
    named = os.environ.get("CIFAR10H_DIR")
    path = (settled(named) if named else folder()) / name
    try:
        if source == "sample":
            raise DataError("nobody was asked about the synthetic sample")
        if not named and not path.is_file():
            from helpers.internal import download  # slow to import, and needed once

            path.parent.mkdir(parents=True, exist_ok=True)
            download.fetch_from(download.PEOPLE, download.FLOOR)
        if sha256_of(path) != sha256:
            raise DataError(f"{path} is not the file of CIFAR-10H: delete it")
        return np.load(path)
    except (DataError, OSError) as error:
        print(f"No votes of people: {error}. (CIFAR10H_DIR may name a folder that holds {name}.)")
        return None
