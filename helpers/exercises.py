"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from helpers.recipe import Run


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

KEY["03.1"] = Key(20_000, "The width shrinks with the square root of the number of images.", 400)
KEY["03.3"] = Key(1 - 0.95**10, "First find the chance that all of them stay quiet.", 5e-3)


@judged("03.2", "`wide` has a column for each model: subtract, then `.mean()` and `.std()`.")
def in_pairs(answer: Any) -> str | None:
    """Judge mean and standard deviation of the differences of two blocks from three, in points."""
    from helpers import records

    runs = records.load_runs("baseline")
    wide = 100 * runs.pivot(index="seed", columns="title", values="val_accuracy")
    differences = wide["VGG, 2 blocks"] - wide["VGG, 3 blocks"]
    if np.shape(answer) != (2,):
        return f"your answer has the shape {np.shape(answer)}, expected a list of two numbers."
    off = np.abs(np.asarray(answer, float) - (differences.mean(), differences.std()))
    wrong = [name for name, size in zip(("mean", "standard deviation"), off, strict=True) if not size < 0.02]
    return f"the {' and the '.join(wrong)} should be another." if wrong else None


@judged("03.4", "`train` returns the model and its run: put the second into a list, seed by seed.")
def own_seeds(runs: Any) -> str | None:
    """Judge three records of one network, not TensorFlow's own, trained alike but for their seeds."""
    if not isinstance(runs, list | tuple) or len(runs) != 3 or not all(isinstance(run, Run) for run in runs):
        return "your answer is no list of three runs."
    if sorted(run.seed for run in runs) != [0, 1, 2]:
        return f"the seeds are {[run.seed for run in runs]}."
    alike = [(run.recipe, run.data, run.parameters) for run in runs]
    if alike != [alike[0]] * 3:
        return "recipe, data and network have to be the same in all three."
    return "this is TensorFlow's network, unchanged." if runs[0].parameters == 122_570 else None


# Chapter 04


# Chapter 05


# Chapter 06


# Chapter 07


# Chapter 08


# Chapter A1
