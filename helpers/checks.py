"""Exercises that check themselves: `check("01.2", answer)` says whether an answer is right."""

from typing import Any

import numpy as np

from helpers.exercises_from_09 import KEY

NOTHING_YET = (
    'Not answered yet: put your answer in place of the three dots (or "hint") and run the cell again.'
)


def check(exercise: str, answer: Any) -> bool:
    """Say whether an answer is right, and return that: False for none, too. A wrong answer raises nothing.

    Args:
        exercise: chapter and number, like "01.2"; KeyError if there is none of that name.
        answer: the reader's; `...` means that there is none yet, "hint" asks for a hint.
    """
    expected, tolerance = KEY[exercise].expected, KEY[exercise].tolerance
    if answer is Ellipsis or (isinstance(answer, str) and answer == "hint"):
        print(NOTHING_YET if answer is Ellipsis else KEY[exercise].hint)
        return False
    try:
        problem = expected(answer) if callable(expected) else difference(answer, expected, tolerance)
    except Exception as error:  # a reader's answer may be anything: a wrong type is a wrong answer
        problem = f"checking it gave {type(error).__name__}: {error}."
    print("Right." if problem is None else f"Not yet: {problem}")
    return problem is None


def difference(answer: Any, expected: Any, tolerance: float) -> str | None:
    """Return in a few words how an answer differs from a string, a number, a list or an array; or None."""
    if isinstance(expected, str):
        return None if answer == expected else f"your answer is {answer!r}."
    answer, expected = np.asarray(answer), np.asarray(expected)
    if answer.shape != expected.shape:
        return f"your answer has the shape {answer.shape}, expected {expected.shape}."
    wrong = ~np.isclose(answer.astype(float), expected.astype(float), rtol=0, atol=tolerance)
    if not wrong.any():
        return None
    return f"{wrong.sum()} of {wrong.size} values are off." if wrong.size > 1 else f"your answer is {answer}."
