"""The key: every exercise has a hint that keeps the answer, and nonsense passes none of them."""

import keras
import numpy as np
import pytest

from helpers.checks import check
from helpers.exercises_from_09 import KEY  # all of them

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


def classifier(*stack):
    """Return a network of these layers from images to ten logits, trained for one step."""
    ends = [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((32, 32, 3)), *stack, *ends])
    model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.zeros((2, 32, 32, 3)), np.array([0, 1]), verbose=0)
    return model


def blocks(strides, filters=(16, 32, 64)):
    for count in filters:
        yield keras.layers.Conv2D(count, 3, padding="same", activation="relu")
        yield keras.layers.Conv2D(count, 3, strides=strides, padding="same", activation="relu")
        if strides == 1:
            yield keras.layers.MaxPooling2D()


@pytest.mark.parametrize(
    "kernel",
    [
        [[-1, 0, 1]] * 3,  # vertical edges
        np.zeros((3, 3)),
        [[1, 1, 0], [1, 0, -1], [0, -1, -1]],  # bright at the upper left
        [[0, 0, 0], [0, 0, 1], [0, 1, 1]],  # answers to flat areas, too
        [[-1, -1], [1, 1]],
        [[0, -1, -1], [1, 0, -1], [1, 1, 0]],  # the other diagonal
    ],
)
def test_a_kernel_for_that_diagonal_is_right_and_another_one_refused(kernel):
    assert not check("02.1", kernel)
    assert check("02.1", np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]))


@pytest.mark.slow
def test_a_trained_network_with_strides_and_without_pooling_is_right():
    strided = classifier(*blocks(2))
    assert check("02.2", strided)
    fresh = keras.models.clone_model(strided)
    narrow = classifier(*blocks(2, filters=(8, 16, 32)))
    assert not any(check("02.2", model) for model in (fresh, narrow, classifier(*blocks(1))))


@pytest.mark.slow
def test_a_network_that_knows_nothing_of_shuffled_pixels_is_refused():
    dense = classifier(keras.layers.Flatten())
    assert not any(check("02.3", model) for model in (dense, classifier(*blocks(2))))
