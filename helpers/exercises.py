"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

import math
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

KEY["04.1"] = Key(1.5, "What comes out is 0 or 3 / 0.8: how often each, and how far from their mean?", 0.05)
SHAPE = "One random number decides about a whole map: which axes of the draw must have length 1?"
KEY["04.3"] = Key(
    math.log(0.5) / math.log(1 - 0.001 * 0.5) / 352,
    "How often must 1 - 0.001 x 0.5 be multiplied by itself until a half is left? Ask the logarithm.",
    tolerance=0.05,
)


@judged("04.2", SHAPE)
def not_whole_maps(spatial_dropout: Callable) -> str | None:
    """Judge whether maps are dropped whole, some of each image, and the others scaled."""
    result = np.asarray(spatial_dropout(np.ones((50, 4, 4, 20)), 0.25, np.random.default_rng(0)))
    if result.shape != (50, 4, 4, 20):
        return f"what comes out has the shape {result.shape}, expected (50, 4, 4, 20)."
    if not np.isclose(result[..., None], (0, 4 / 3)).any(axis=-1).all():
        return "at a rate of 0.25, what comes out should be 0 or 4/3 of what came in."
    if (result != result[:, :1, :1]).any():
        return "a part of a map is dropped and another part is not."
    dropped = result[:, 0, 0] == 0  # images, channels
    drawn = 0.2 < dropped.mean() < 0.3 and not dropped.all(axis=0).any() and not dropped.all(axis=1).any()
    return None if drawn else "a quarter of the maps should be dropped, other ones of each image."


@judged("04.4", "Write `build_network` anew: which of its `Dropout` lines stay?")
def not_one_dropout_at_the_end(network: Any) -> str | None:
    """Judge whether a network has the standard CNN's layers and one dropout at its end, and was trained."""
    from keras import Model, layers

    if not isinstance(network, Model):
        return f"your answer is a {type(network).__name__}, expected the trained network."
    stack = [layer for layer in network.layers if getattr(layer, "rate", None) != 0]
    rates = [(stack.index(layer), layer.rate) for layer in stack if isinstance(layer, layers.Dropout)]
    if rates != [(len(stack) - 2, 0.5)]:
        return f"it has dropout at these places, with these rates: {rates}; expected one, of rate 0.5."
    if sum(isinstance(layer, layers.Conv2D) for layer in stack) != 6 or network.output_shape != (None, 10):
        return "expected six convolutions, and ten logits at the end."
    history = getattr(getattr(network, "history", None), "history", {})
    if len(history.get("val_accuracy", [])) < 12:
        return "expected `fit` for 12 epochs with `validation_data`."
    return None if history["loss"][-1] < history["loss"][0] else "its loss did not fall in training."


# Chapter 05


# Chapter 06


# Chapter 07


# Chapter 08


# Chapter A1
