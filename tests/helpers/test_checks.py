"""Exercises: what a reader hears for no answer, a right one and a wrong one."""

import numpy as np
import pytest

from helpers.checks import check


def test_no_answer_yet_is_said_and_passes_on(capsys):
    assert check(..., lambda answer: True, hint="Think.") is False
    assert capsys.readouterr().out.startswith("Not answered yet")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3, 3),
        (3.0004, 3),
        ("cat", "cat"),
        ([1, 2, 3], (1, 2, 3)),
        (np.ones((2, 2)), np.ones((2, 2))),
        (4, lambda answer: answer % 2 == 0),
    ],
)
def test_a_right_answer_is_right(answer, expected, capsys):
    assert check(answer, expected, hint="Think.") is True
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3.1, 3),
        (float("nan"), 3),
        ("dog", "cat"),
        (3, "cat"),
        (None, 3),
        (np.zeros((2, 2)), np.ones((2, 2))),
        (object(), 3),
        (5, lambda answer: answer % 2 == 0),
    ],
)
def test_a_wrong_answer_gets_the_hint_and_raises_nothing(answer, expected, capsys):
    assert check(answer, expected, hint="Think of cats.") is False
    said = capsys.readouterr().out
    assert said.startswith("Not yet")
    assert "Think of cats." in said


def test_a_wrong_shape_is_named(capsys):
    check(np.zeros(3), np.zeros((2, 2)), hint="Think.")
    assert "shape (3,), expected (2, 2)" in capsys.readouterr().out


def test_the_tolerance_is_the_callers():
    assert check(1.04, 1, hint="", tolerance=0.05)
    assert not check(1.06, 1, hint="", tolerance=0.05)
