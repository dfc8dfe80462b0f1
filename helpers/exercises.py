"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

from collections.abc import Callable
from types import SimpleNamespace
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


# Chapter 06

KEY["06.1"] = Key([256, 128], "What does the summary say of 16 channels: all parameters, trainable ones?")


@judged("06.2", "At prediction, by what is each unit multiplied, and what does it give if all inputs are 0?")
def folding(fold: Callable) -> str | None:
    """Say what is wrong with a function that folds a batch normalisation into a dense layer's kernel."""
    rng = np.random.default_rng(6)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    norm = SimpleNamespace(**dict(zip(names, rng.uniform(1, 3, (4, 3)), strict=True)), epsilon=0.05)
    inputs, kernel = rng.normal(size=(8, 5)), rng.normal(size=(5, 3))
    answer = fold(kernel, norm)
    if answer is Ellipsis:
        return "the function still returns `...`."
    folded, bias = answer
    factor = norm.gamma / np.sqrt(norm.moving_variance + norm.epsilon)
    if not np.allclose(folded, kernel * factor):
        return "the kernel is another one."
    expected = (inputs @ kernel - norm.moving_mean) * factor + norm.beta
    return None if np.allclose(inputs @ folded + bias, expected) else "the kernel is right, the bias is not."


@judged("06.3", "Which layer stands in front of each batch normalisation now, and which one should?")
def behind_the_relu(model: Any) -> str | None:
    """Say what is wrong with a trained network whose batch normalisations stand behind their ReLUs."""
    kinds = [type(layer).__name__ for layer in model.layers]
    places = [place for place, kind in enumerate(kinds) if kind == "BatchNormalization"]
    if len(places) != 7 or model.output_shape != (None, 10):
        return f"it has {len(places)} batch normalisations, expected 7 in a network with ten logits."
    for place in places:
        before = model.layers[place - 1]
        activation = getattr(getattr(before, "activation", None), "__name__", None)
        if kinds[place - 1] != "ReLU" and activation != "relu":
            return f"layer {place} is a batch normalisation behind a {kinds[place - 1]} without ReLU."
    steps = int(model.optimizer.iterations) if model.optimizer else 0
    return None if steps >= 10 else f"it was trained for {steps} steps; train it for an epoch or more."


# Chapter 07


# Chapter 08


# Chapter A1
