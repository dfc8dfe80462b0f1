"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Key(NamedTuple):
    """What an exercise expects."""

    expected: Any  # a value; or a function that takes the answer and returns what is wrong with it, or None
    hint: str  # what to think of, one sentence
    tolerance: float = 1e-3  # the largest difference that still counts as right, for each number


KEY: dict[str, Key] = {}


def judged(exercise: str, hint: str) -> Callable:
    """Register a function that takes an answer and returns what is wrong with it, or None."""

    def register(problem: Callable[[Any], str | None]) -> Callable:
        KEY[exercise] = Key(problem, hint)
        return problem

    return register


KEY["00.1"] = Key(10, "Look at the class balance.")  # of the template
KEY["00.2"] = Key("frog", "`CLASS_NAMES` is a list: what is at place 6?")
KEY["00.3"] = Key(0.1, "Divide the number of cats by the number of images.")

# Chapter 01

KEY["01.1"] = Key(0.6, "How many of the ten classes are animals? All classes are equally large.")


@judged("01.2", "Average over rows, columns and channels; `np.argmax` tells where the largest number stands.")
def brightest_image(answer: Any) -> str | None:
    """Take the index of the brightest image of the training split: of CIFAR-10, or of the sample."""
    found = isinstance(answer, int | np.integer) and answer in (5265, 1180)
    return None if found else f"image {answer!r} is not the brightest."


@judged("01.3", "Weigh the channels `image[..., 0]`, `image[..., 1]` and `image[..., 2]`, then add them up.")
def grey_function(answer: Any) -> str | None:
    """Take a function from an image (32, 32, 3) to its brightness (32, 32)."""
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    grey = np.asarray(answer(image), float)
    if grey.shape != (32, 32):
        return f"of an image (32, 32, 3) it makes the shape {grey.shape}, expected (32, 32)."
    expected = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    return None if np.allclose(grey, expected, atol=0.01) else "some pixels have another brightness."


@judged("01.4", "`row.mean(axis=1, keepdims=True)` gives one number per row that can be subtracted from it.")
def better_neighbours(answer: Any) -> str | None:
    """Take the accuracy, 0 to 1, of one neighbour on standardised thumbnails: CIFAR-10's, the sample's."""
    found = any(abs(answer - accuracy) <= 0.003 for accuracy in (0.44, 0.382))
    return None if found else f"with one neighbour and all training images it is not {answer}."


# Chapter 02


# Chapter 03


# Chapter 04


# Chapter 05


# Chapter 06


# Chapter 07


# Chapter 08


# Chapter A1
