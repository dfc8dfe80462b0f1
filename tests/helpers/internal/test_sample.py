"""The synthetic sample: shaped like CIFAR-10, the same for a seed, neither trivial nor hopeless to learn."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from helpers.internal import sample
from helpers.internal.drawings import OBJECTS

FITTED_ON = 4500  # the sample's training part without its validation split


@pytest.fixture(scope="module")
def drawn():
    return sample.make_sample(seed=0)


@pytest.fixture(scope="module")
def linear_accuracy(drawn):
    train_images, train_labels, test_images, test_labels = drawn
    model = LogisticRegression(C=0.01, max_iter=25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(pixels(train_images[:FITTED_ON]), train_labels[:FITTED_ON])
    return model.score(pixels(test_images), test_labels)


def pixels(images):
    return images.reshape(len(images), -1) / np.float32(255) - np.float32(0.5)


def test_it_has_the_shapes_and_dtypes_of_a_tenth_of_cifar10(drawn):
    train_images, train_labels, test_images, test_labels = drawn
    assert train_images.shape == (5000, 32, 32, 3)
    assert test_images.shape == (1000, 32, 32, 3)
    assert train_images.dtype == test_images.dtype == np.uint8
    assert train_labels.shape == (5000,)
    assert test_labels.shape == (1000,)
    assert train_labels.dtype == test_labels.dtype == np.int64


def test_its_classes_are_balanced_and_mixed(drawn):
    _, train_labels, _, test_labels = drawn
    assert np.bincount(train_labels).tolist() == [500] * 10
    assert np.bincount(test_labels).tolist() == [100] * 10
    assert len(set(train_labels[:100])) == 10


def test_the_same_seed_draws_the_same_images(drawn):
    for first, again in zip(drawn, sample.make_sample(seed=0), strict=True):
        np.testing.assert_array_equal(first, again)


def test_another_seed_draws_another_image():
    first, second = (sample.draw(label=3, rng=np.random.default_rng(seed)) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_no_two_training_images_are_equal(drawn):
    assert len({image.tobytes() for image in drawn[0]}) == 5000


@pytest.mark.parametrize("label", range(10))
def test_each_class_has_a_drawing_that_stays_near_the_picture(label):
    rng = np.random.default_rng(0)
    for _ in range(50):
        for points, colour in OBJECTS[label](rng):
            assert np.abs(points).max() <= 1.25
            assert colour in ("main", "shade", "dark", "light")


def test_a_linear_model_learns_something_but_not_all(linear_accuracy):
    assert 0.30 <= linear_accuracy <= 0.70


def test_a_small_network_beats_the_linear_model_and_leaves_room(drawn, linear_accuracy):
    train_images, train_labels, test_images, test_labels = drawn
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Input((32, 32, 3)), keras.layers.Rescaling(1 / 127.5, -1)]
    for filters in (16, 32, 64):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu"),
            keras.layers.MaxPool2D(),
        ]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    history = model.fit(
        train_images[:FITTED_ON],
        train_labels[:FITTED_ON],
        batch_size=128,
        epochs=5,
        validation_data=(test_images, test_labels),
        verbose=0,
    ).history["val_accuracy"]
    assert history[1] > 0.30, "clearly above chance after two epochs"
    assert history[-1] >= linear_accuracy + 0.10
    assert history[-1] <= 0.92


def test_some_test_images_are_copies_of_training_images(drawn):
    train_images, train_labels, test_images, test_labels = drawn
    copied = list(sample.COPIED)
    found = [
        best_correlation(image, train_images[train_labels == label])
        for image, label in zip(test_images[copied], test_labels[copied], strict=True)
    ]
    others = [
        best_correlation(image, train_images[train_labels == label])
        for image, label in zip(test_images[:20], test_labels[:20], strict=True)
    ]
    assert np.median(found) > 0.8 > np.median(others)


def best_correlation(image, candidates):
    """Return the highest correlation of an image's pixels with a candidate, as it is or mirrored."""
    both = np.concatenate([candidates, candidates[:, :, ::-1]]).reshape(2 * len(candidates), -1)
    return max(np.corrcoef(image.ravel(), other)[0, 1] for other in both)


def test_mislabelled_drawings_and_no_others_show_another_class(monkeypatch):
    shown = []
    blank = np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(sample, "draw", lambda label, rng: shown.append(label) or blank)
    _, train_labels, _, test_labels = sample.make_sample(seed=0)
    assert shown[:5000] == train_labels.tolist()
    wrong = np.flatnonzero(np.array(shown[5000:]) != test_labels)
    assert tuple(wrong) == sample.MISLABELLED
