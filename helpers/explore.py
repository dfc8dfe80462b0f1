"""Search a dataset's flaws: pictures that train and test share, and labels that people doubt."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import paired_cosine_distances
from sklearn.neighbors import NearestNeighbors

from helpers.internal import sample

NEIGHBOURS = 3  # candidates looked at per test image
CANDIDATES = 4000  # of those, the best this many are compared closely
REACH = 2  # pixels by which two copies may be shifted against each other


class Doubt(NamedTuple):
    """What others saw in a test image whose label is doubted; classes are numbers from 0 to 9.

    `checkers`: what most of five people chose who were offered the label, another class that a model had
    proposed, both and neither (Northcutt, Athalye and Mueller 2021, arXiv 2103.14749; cleanlab/label-errors).
    `people`: what `votes` of `asked` people chose among all ten classes (CIFAR-10H: Peterson and others 2019,
    arXiv 1908.07086).
    """

    checkers: int
    people: int
    votes: int
    asked: int


# By official test index. In the first four most checkers and most people agree; there are no others.
DOUBTED = {
    2405: Doubt(6, 6, 51, 51),
    2804: Doubt(5, 5, 47, 49),
    5468: Doubt(3, 3, 37, 51),
    9227: Doubt(9, 9, 41, 52),
    5690: Doubt(4, 5, 35, 50),
    8058: Doubt(7, 4, 23, 50),
}


class Pair(NamedTuple):
    """A test image and the training image that resembles it most: indices from 0, and how it resembles."""

    test_index: int
    train_index: int
    distance: float  # 0 for a perfect copy, 1 for pictures that share no edges
    mirrored: bool  # whether the training image shows the test image left to right


def near_duplicates(train_images: np.ndarray, test_images: np.ndarray, count: int = 300) -> list[Pair]:
    """Return the `count` test images that have the best copy among the training images, best first.

    Images are uint8, (N, 32, 32, 3) with N >= 3 and (M, 32, 32, 3); each test image occurs at most once. A
    nearest-neighbour search on fingerprints finds candidates, as they are and mirrored; their edges, shifted
    by up to 2 pixels, rank them. So copies in another light, or moved a little, are found too. All of
    CIFAR-10 takes some ten seconds on two cores.
    """
    search = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(fingerprints(train_images))
    pairs = []
    for mirrored in (False, True):
        queries = test_images[:, :, ::-1] if mirrored else test_images
        distances, found = search.kneighbors(fingerprints(queries))
        best = np.argsort(distances, axis=None, kind="stable")[:CANDIDATES]
        test_index, train_index = best // NEIGHBOURS, found.ravel()[best]
        close = edge_distance(edges(queries[test_index]), edges(train_images[train_index]))
        pairs += [
            Pair(int(i), int(j), round(float(d), 4), mirrored)
            for i, j, d in zip(test_index, train_index, close, strict=True)
        ]
    pairs.sort(key=lambda pair: pair.distance)
    first_of_each = {pair.test_index: pair for pair in reversed(pairs)}
    return sorted(first_of_each.values(), key=lambda pair: pair.distance)[:count]


def fingerprints(images: np.ndarray) -> np.ndarray:
    """Shrink images uint8 (N, 32, 32, 3) to 8 x 8, each with mean 0 and deviation 1: float32 (N, 192)."""
    blocks = images.reshape(len(images), 8, 4, 8, 4, 3)
    small = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(images), -1)
    small -= small.mean(axis=1, keepdims=True)
    return small / (small.std(axis=1, keepdims=True) + 1e-6)


def edges(images: np.ndarray) -> np.ndarray:
    """Return how the brightness of images (N, 32, 32, 3) changes to the right and down: (N, 31, 31, 2)."""
    grey = images.mean(axis=-1, dtype=np.float32)
    here = grey[:, :-1, :-1]
    return np.stack([grey[:, :-1, 1:] - here, grey[:, 1:, :-1] - here], axis=-1)


def edge_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return 1 minus the cosine similarity of two sets of edges (N, H, W, 2), one to one: float32 (N,).

    The best of all shifts by up to `REACH` pixels counts: 0 for a copy, about 1 for unrelated pictures.
    """
    shifts = range(-REACH, REACH + 1)
    return np.min([shifted_distance(first, second, dy, dx) for dy in shifts for dx in shifts], axis=0)


def shifted_distance(first: np.ndarray, second: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """Return the same where the second ones are shifted by (dy, dx) pixels: of what both still cover."""
    count, height, width = first.shape[:3]
    here = first[:, max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
    there = second[:, max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
    return paired_cosine_distances(here.reshape(count, -1), there.reshape(count, -1))


def doubtful_labels(test_labels: np.ndarray, source: str) -> dict[int, Doubt]:
    """Return six test images whose label is doubted, by index; in the last two even the doubters differ.

    Of the whole test split, int64 (M,); of the source "official" from published studies, of the "sample" the
    drawings that are mislabelled on purpose, about which nobody was asked.
    """
    if source == "official":
        return dict(DOUBTED)
    shown = {index: sample.shown_class(int(test_labels[index])) for index in sample.MISLABELLED}
    return {index: Doubt(label, label, 0, 0) for index, label in shown.items()}
