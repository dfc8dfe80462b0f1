"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Key(NamedTuple):
    """What an exercise expects."""

    expected: Any  # a value; or a function that takes the answer and returns what is wrong with it, or None
    hint: str  # what to think of, one sentence
    tolerance: float = 1e-3  # the largest difference that still counts as right, for each number


NO_BODY = "the function still returns three dots; write there what it should return."
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

KEY["07.1"] = Key(
    2 * (3 * 3 * 64 * 256) * (15 * 15) / 1e6,
    "How many weights has the kernel, at how many places is each used, and for how many operations?",
    tolerance=0.05,
)


@judged("07.2", "`np.where(condition, a, b)` joins two pieces; which share of the fall is over at `done`?")
def judge_warm_cosine(answer: Any) -> str | None:
    done = np.array([0.0, 0.05, 0.1, 0.325, 0.55, 0.775, 1.0])
    falling = (1 + np.cos(np.pi * (done - 0.1) / 0.9)) / 2
    expected = np.where(done < 0.1, done / 0.1, falling)
    found = answer(done)
    if found is ...:
        return NO_BODY
    found = np.asarray(found, float)
    if found.shape != done.shape:
        return f"for {len(done)} shares your function returns the shape {found.shape}."
    wrong = np.flatnonzero(~np.isclose(found, expected, atol=1e-3))
    return f"at {done[wrong[0]]:g} your schedule is {found[wrong[0]]:.3g}." if len(wrong) else None


KEY["07.3"] = Key(
    [290 / 312, 290 / 312 / 2.59],
    "A PFLOP is 1,000 TFLOP; which share of the published seconds would the peak need?",
    tolerance=0.01,
)


@judged("07.4", "`keras.Sequential([...])` takes the layers; a star puts those of a block into the list.")
def judge_two_blocks(answer: Any) -> str | None:
    problem = lacks_training(answer, steps=30)
    if problem:
        return problem
    kernels = [tuple(w.shape) for w in answer.trainable_weights if len(w.shape) == 4]
    expected = [(3, 3, 3, 16), (3, 3, 16, 16), (3, 3, 16, 64), (3, 3, 64, 64)]
    return None if kernels == expected else f"its kernels have the shapes {kernels}."


def lacks_training(model: Any, steps: int) -> str | None:
    """Return why this is no Keras model of images and ten logits, trained for so many steps; or None."""
    import keras  # here, since it takes seconds

    if not isinstance(model, keras.Model):
        return f"your answer is a {type(model).__name__}, expected a keras.Model."
    if (model.input_shape, model.output_shape) != ((None, 32, 32, 3), (None, 10)):
        return f"it leads from {model.input_shape} to {model.output_shape}."
    if not getattr(model, "optimizer", None):
        return "it has not been compiled."
    done = int(model.optimizer.iterations)
    return None if done >= steps else f"it was trained for {done} steps, expected {steps} or more."


# Chapter 08


# Chapter A1


@judged("A1.1", "Which directions and variances does `np.linalg.eigh` find, and what is left to divide by?")
def judge_whiten(answer: Any) -> str | None:
    mixed = np.random.default_rng(0).normal(size=(500, 3)) @ [[3, 1, 0], [0, 1, 2], [1, 0, 1]] + 5
    found = answer(mixed.copy())
    if found is ...:
        return NO_BODY
    found = np.asarray(found, float)
    if found.shape != mixed.shape:
        return f"for the shape {mixed.shape} your function returns {found.shape}."
    if not np.allclose(np.cov(found.T), np.eye(3), atol=0.02):
        return "the covariances of what it returns are not those of whitened numbers."
    kept = np.linalg.lstsq(np.c_[mixed, np.ones(500)], found, rcond=None)[1]
    return (
        None
        if kept.size and kept.max() < 1e-6
        else "it returns other numbers, not the same in new directions."
    )


KEY["A1.2"] = Key(2.0, "How does the grey line depend on the decay: is it a factor, a square, a root?", 0.01)


@judged("A1.3", "`dataclasses.replace(recipe, setting=value)` gives a recipe with one change.")
def judge_one_change(answer: Any) -> str | None:
    from helpers.recipe import Run

    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return "expected a list of two runs."
    if not all(isinstance(run, Run) for run in answer):
        return "expected the records that `train` returns, its second value."
    first, second = answer
    if (first.seed, first.data["sha256"]) != (second.seed, second.data["sha256"]):
        return "the two runs differ in their seed or images, too."
    changed = [name for name in first.recipe if first.recipe[name] != second.recipe[name]]
    same_network = first.parameters == second.parameters
    if len(changed) + (not same_network) != 1:
        return f"they differ in {changed or 'nothing'}{'' if same_network else ' and the network'}."
    return None if len(first.history) >= 2 else "train for two epochs or more."
