"""Search a dataset's flaws: pictures that train and test share, and labels that people doubt."""

from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from helpers.internal import sample

NEIGHBOURS = 3  # candidates looked at per test image
CANDIDATES = 4000  # of those, the best this many are compared closely
REACH = 2  # pixels by which two copies may be shifted against each other

# Official test index to the class that most of five people saw, asked whether the picture shows its label,
# this class, both or neither (Northcutt, Athalye and Mueller 2021, arXiv 2103.14749; cleanlab/label-errors).
DOUBTED = {2405: 6, 2804: 5, 6877: 8, 8058: 7, 5468: 3, 5690: 4}


class Pair(NamedTuple):
    """A test image and the training image that resembles it most.

    `distance` is 0 for a perfect copy and 1 for pictures that share no edges; `mirrored` says that the
    training image shows the test image left to right.
    """

    test_index: int
    train_index: int
    distance: float
    mirrored: bool


def near_duplicates(train_images: np.ndarray, test_images: np.ndarray, count: int = 300) -> list[Pair]:
    """Return the `count` test images that have the best copy among the training images, best first.

    A nearest-neighbour search on fingerprints finds candidates, as they are and mirrored; comparing their
    edges, shifted by up to 2 pixels, ranks them. So copies in another light, or moved a little, are found
    too. Indices count from 0 in the arrays as given. All of CIFAR-10 takes some ten seconds on two cores.

    Args:
        train_images: uint8 (N, 32, 32, 3), N >= 3.
        test_images: uint8 (M, 32, 32, 3).
        count: how many pairs to return, at most M; each test image occurs at most once.
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
    """Shrink images to 8 x 8 and give each mean 0 and standard deviation 1, so that light does not count.

    Args:
        images: uint8 (N, 32, 32, 3).

    Returns:
        float32 (N, 192).
    """
    blocks = images.reshape(len(images), 8, 4, 8, 4, 3)
    small = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(images), -1)
    small -= small.mean(axis=1, keepdims=True)
    return small / (small.std(axis=1, keepdims=True) + 1e-6)


def edges(images: np.ndarray) -> np.ndarray:
    """Return how brightness changes to the right and downwards, float32 (N, 31, 31, 2).

    Args:
        images: uint8 (N, 32, 32, 3).
    """
    grey = images.mean(axis=-1, dtype=np.float32)
    here = grey[:, :-1, :-1]
    return np.stack([grey[:, :-1, 1:] - here, grey[:, 1:, :-1] - here], axis=-1)


def edge_distance(first: np.ndarray, second: np.ndarray, reach: int = REACH) -> np.ndarray:
    """Return 1 minus the best cosine similarity of two sets of edges over all shifts of up to `reach` pixels.

    Args:
        first, second: float32 (N, H, W, 2), compared one to one.

    Returns:
        float32 (N,): 0 for a copy, about 1 for unrelated pictures.
    """
    best = np.full(len(first), -1, np.float32)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            best = np.maximum(best, cosine(overlap(first, dy, dx), overlap(second, -dy, -dx)))
    return 1 - best


def overlap(maps: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """Return the part of (N, H, W, C) that is still covered by a copy shifted by (dy, dx) pixels."""
    height, width = maps.shape[1:3]
    return maps[:, max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the cosine of the angle between two sets of (N, ...) arrays, one to one; 0 where one is zero."""
    first, second = first.reshape(len(first), -1), second.reshape(len(second), -1)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / np.maximum(lengths, 1e-6)


def doubtful_labels(test_labels: np.ndarray, source: str) -> dict[int, int]:
    """Return test images whose label people doubt: test index to the class that they saw, both int.

    For the official data it is a choice from a published study (`DOUBTED`), for the sample the drawings that
    are mislabelled on purpose.

    Args:
        test_labels: int64 (M,), the whole test split.
        source: `data.source`, "official" or "sample".
    """
    if source == "official":
        return dict(DOUBTED)
    return {index: sample.shown_class(int(test_labels[index])) for index in sample.MISLABELLED}
