"""Exercises that check themselves: `check` says whether an answer is right, and never stops the notebook."""

from collections.abc import Callable
from typing import Any

import numpy as np


def check(answer: Any, expected: Any, hint: str, tolerance: float = 1e-3) -> bool:
    """Say whether an answer is right, and return that: False for none, too. Nothing is raised.

    Args:
        answer: the reader's answer; `...` means that there is none yet.
        expected: the right value (a number, a string, a list, an array), or a function that takes the answer
            and returns whether it is right. Numbers and arrays must have the same shape.
        hint: what to think of when the answer is wrong, one sentence.
        tolerance: the largest difference that still counts as right, for each number.
    """
    if answer is Ellipsis:
        print("Not answered yet: put your answer in place of the three dots and run the cell again.")
        return False
    try:
        problem = complaint(answer, expected, tolerance)
    except Exception as error:  # a reader's answer may be anything: a wrong type is a wrong answer
        problem = f"checking it gave {type(error).__name__}: {error}."
    print("Right." if problem is None else f"Not yet: {problem} Hint: {hint}")
    return problem is None


def complaint(answer: Any, expected: Any | Callable, tolerance: float) -> str | None:
    """Return what is wrong with an answer in a few words, or None."""
    if callable(expected):
        return None if bool(expected(answer)) else "the answer does not fit."
    if isinstance(expected, str):
        return None if answer == expected else f"your answer is {answer!r}."
    answer, expected = np.asarray(answer), np.asarray(expected)
    if answer.shape != expected.shape:
        return f"your answer has the shape {answer.shape}, expected {expected.shape}."
    wrong = ~np.isclose(answer.astype(float), expected.astype(float), rtol=0, atol=tolerance)
    if not wrong.any():
        return None
    return f"{wrong.sum()} of {wrong.size} values are off." if wrong.size > 1 else f"your answer is {answer}."
