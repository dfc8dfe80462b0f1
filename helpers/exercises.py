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


# Chapter 02


# Chapter 03


# Chapter 04


# Chapter 05
KEY["05.1"] = Key(
    [162, 1 / 162],
    "Count the shifts in one direction, zero included; all versions are equally likely.",
    tolerance=1e-4,
)
KEY["05.4"] = Key(5, "The generator sees one number only, the sum.")


@judged("05.2", "Draw an array of shape (N, 1, 1, 1), add in a type that holds 300, and bring the sum back.")
def _brightness(function: Any) -> str | None:
    pixels = np.repeat(np.array([[[[5] * 3, [120] * 3, [250] * 3]]], np.uint8), 2_000, axis=0)
    result = np.asarray(function(pixels.copy(), 20, np.random.default_rng(0)))
    if result.shape != pixels.shape or result.dtype != np.uint8:
        return f"the result is {result.dtype} {result.shape}, expected uint8 {pixels.shape}."
    added = result[:, :, 1:2].astype(int) - 120  # by the pixel that stays away from 0 and 255
    if not (result == np.clip(pixels + added, 0, 255)).all():
        return "not every value of a picture changed by the same number, or some passed 0 or 255."
    every = set(added.ravel().tolist()) == set(range(-20, 21))
    return (
        None if every else "of 2,000 pictures, some should draw -20, some 20, and some each number between."
    )


@judged("05.3", "The layer's number is a share of a full turn, and it stands with the two other layers.")
def _rotation(network: Any) -> str | None:
    found = _layers(network)
    kinds = [type(layer).__name__ for layer in found]
    for kind in ("RandomFlip", "RandomTranslation", "RandomRotation", "Conv2D"):
        if kind not in kinds:
            return f"there is no layer {kind} in it."
    turn = kinds.index("RandomRotation")
    if turn > kinds.index("Conv2D"):
        return "the pictures are turned after the first convolution."
    if not np.allclose(np.abs(found[turn].factor), 15 / 360, atol=1e-3):
        return f"it turns by up to {360 * max(np.abs(found[turn].factor)):.0f} degrees."
    optimizer = getattr(network, "optimizer", None)  # none before `compile`
    return None if optimizer and int(optimizer.iterations) > 10 else "it is not trained yet."


def _layers(network: Any) -> list:
    """Return the layers of a Keras model in their order, those of a model within it in its place."""
    found = []
    for layer in network.layers:
        found += _layers(layer) if hasattr(layer, "layers") else [layer]
    return found


# Chapter 06


# Chapter 07


# Chapter 08


# Chapter A1
