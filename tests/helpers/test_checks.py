"""Exercises: what a reader hears for no answer, a right one and a wrong one."""

import numpy as np
import pytest

from helpers import checks
from helpers.checks import check, difference
from helpers.exercises import Key


@pytest.fixture(autouse=True)
def key(monkeypatch):
    even = Key(lambda answer: None if answer % 2 == 0 else "it is odd.", "Think of pairs.")
    found = {"01.1": Key(3, "Think."), "01.2": Key(1, "Near?", 0.05), "01.3": even}
    monkeypatch.setattr(checks, "KEY", found)


def test_no_answer_yet_is_said_and_passes_on(capsys):
    assert check("01.3", ...) is False
    assert capsys.readouterr().out.startswith("Not answered yet")


@pytest.mark.parametrize(("exercise", "answer"), [("01.1", 3), ("01.1", 3.0004), ("01.2", 1.04), ("01.3", 4)])
def test_a_right_answer_is_right(exercise, answer, capsys):
    assert check(exercise, answer) is True
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize(
    ("exercise", "answer", "said"),
    [
        ("01.1", 3.1, "your answer is 3.1"),
        ("01.1", float("nan"), "nan"),
        ("01.1", None, "None"),
        ("01.1", object(), "TypeError"),
        ("01.1", [3], "shape (1,), expected ()"),
        ("01.2", 1.06, "1.06"),
        ("01.3", 5, "it is odd"),
        ("01.3", "five", "TypeError"),
    ],
)
def test_a_wrong_answer_hears_why_and_raises_nothing(exercise, answer, said, capsys):
    assert check(exercise, answer) is False
    out = capsys.readouterr().out
    assert out.startswith("Not yet: ")
    assert said in out
    assert "Think" not in out


def test_a_hint_comes_when_asked_for_and_an_unknown_exercise_is_an_error(capsys):
    assert check("01.3", "hint") is False
    assert capsys.readouterr().out == "Think of pairs.\n"
    with pytest.raises(KeyError, match=r"01\.9"):
        check("01.9", 3)


def test_strings_lists_and_arrays_are_compared_as_such():
    assert difference("cat", "cat", 0) is None
    assert "'dog'" in difference("dog", "cat", 0)
    assert difference([1, 2, 3], (1, 2, 3), 0) is None
    assert "2 of 4" in difference(np.eye(2), np.ones((2, 2)), 0)
