"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw


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


# Chapter 02


# Chapter 03


# Chapter 04


# Chapter 05


# Chapter 06


# Chapter 07


# Chapter 08


def draw_shape(kind, rng):
    """Return a picture of a shape, 64 x 64 pixels; colours, place, size by chance."""
    corners = {"circle": 40, "diamond": 4, "square": 4, "triangle": 3}[kind]
    x, y, radius = rng.integers((28, 28, 18), (36, 36, 28)).tolist()
    picture = Image.new("RGB", (64, 64), f"hsl({rng.integers(360)}, 60%, 25%)")
    turn, fill = 45 * (kind == "diamond"), f"hsl({rng.integers(360)}, 80%, 70%)"
    ImageDraw.Draw(picture).regular_polygon((x, y, radius), corners, turn, fill)
    return picture


@judged("08.1", "Draw the four kinds into a new folder, read it, and give the new last layer four outputs.")
def names_four_shapes(network: Any) -> str | None:
    """Show the network new pictures: by chance a quarter of the answers is right."""
    rng, kinds = np.random.default_rng(8), ("circle", "diamond", "square", "triangle")
    pictures = [np.asarray(draw_shape(kind, rng).resize((32, 32))) for kind in kinds for _ in range(25)]
    logits = np.asarray(network(np.stack(pictures).astype("float32"), training=False))
    if logits.shape != (100, 4):
        return f"for 100 pictures it gives {logits.shape}, expected (100, 4)."
    right = (logits.argmax(axis=1) == np.repeat(range(4), 25)).mean()
    return None if right >= 0.7 else f"it is right on {right:.0%} of 100 new pictures, expected 70% or more."


@judged("08.2", "Try many temperatures: how does the mean of the largest probabilities change with them?")
def matches_accuracy(function: Callable) -> str | None:
    """Try the function on three made-up networks that need different temperatures."""
    from scipy.special import softmax

    for needed in (0.5, 1.2, 2.5):
        rng = np.random.default_rng(8)
        logits = rng.normal(0, 3, (4000, 10))
        labels = (logits / needed + rng.gumbel(size=logits.shape)).argmax(axis=1)  # drawn by softmax
        right = (logits.argmax(axis=1) == labels).mean()
        temperature = function(logits, labels)
        if temperature is Ellipsis:
            return "the function returns nothing yet: put your answer in place of the three dots."
        if not temperature > 0:
            return f"your temperature is {temperature}, expected a number above 0."
        said = softmax(logits / float(temperature), axis=1).max(axis=1).mean()
        if not abs(said - right) < 0.01:
            return f"a network that is right on {right:.1%} says {said:.1%} with your temperature."
    return None


KEY["08.3"] = Key(0.36, "The best of ten: draw ten binomial numbers, take the largest, and repeat.", 0.02)

# Chapter A1
