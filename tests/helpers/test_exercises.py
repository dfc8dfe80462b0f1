"""The key: every exercise has a hint that keeps the answer, and nonsense passes none of them."""

import keras
import numpy as np
import pytest

from helpers.checks import check
from helpers.exercises import KEY

NONSENSE = [None, True, -1, 0.5, 12345, "", "yes", [], [1, 2], {}, np.zeros((3, 3)), np.ones(10), object()]
NONSENSE += [lambda *arguments: None, lambda *arguments: 0, keras.Sequential(), float("nan"), int, [[]]]


@pytest.mark.parametrize("exercise", KEY)
def test_nonsense_is_refused(exercise, capsys):
    accepted = [answer for answer in NONSENSE if check(exercise, answer)]
    assert accepted == []


@pytest.mark.parametrize("exercise", KEY)
def test_a_hint_is_a_sentence_without_the_answer(exercise):
    hint, expected = KEY[exercise].hint, KEY[exercise].expected
    assert hint.endswith((".", "?"))
    assert isinstance(expected, int | float) is False or f"{expected:g}" not in hint.split()
