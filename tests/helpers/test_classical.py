"""HOG features see edges and not colours, and the SVM on them is recorded like a network."""

import json

import numpy as np
import pytest

from helpers.classical import hog_features, train_hog_svm
from helpers.training import describe
from tests.support.tiny import tiny_data


@pytest.fixture(scope="module")
def edges():
    """20 pictures, dark on one side and light on the other: upright edges first, then level ones."""
    pictures = np.full((20, 32, 32, 3), 40, np.uint8)
    for i in range(10):
        pictures[i, :, 11 + i :] = 200
        pictures[10 + i, 11 + i :] = 200
    return pictures


def test_features_are_one_row_of_1764_numbers_per_image_whatever_the_light(edges):
    features = hog_features(edges)
    assert features.shape == (20, 1764)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[[3, 17]], hog_features(edges[[3, 17]]))  # in the images' order
    np.testing.assert_allclose(hog_features(edges // 2), features, atol=1e-4)


def test_features_tell_the_direction_of_edges(edges):
    directions = hog_features(edges).reshape(20, 7, 7, 2, 2, 9).sum(axis=(1, 2, 3, 4)).argmax(axis=1)
    assert len(set(directions[:10])) == len(set(directions[10:])) == 1
    assert directions[0] != directions[-1]


def test_a_trained_svm_is_recorded_like_a_network(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    run = train_hog_svm(tiny_data(), seed=2, passes=5, alpha=1e-5)
    assert (run.recipe["epochs"], run.recipe["alpha"], run.seed, run.history) == (5, 1e-5, 2, [])
    assert run.parameters == 10 * (1764 + 1)
    assert run.val_accuracy == run.val_correct.count("1") / 40
    assert json.loads(json.dumps(vars(run), allow_nan=False)) == vars(run)
    assert run.data == describe(tiny_data())
    assert train_hog_svm(tiny_data(), seed=2, passes=5, alpha=1e-5).val_correct == run.val_correct
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert train_hog_svm(tiny_data(), seed=0, passes=15, alpha=1e-5).recipe["epochs"] == 2
