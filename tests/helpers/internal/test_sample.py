"""The synthetic sample: shaped like CIFAR-10, the same for ever, with flaws to be found."""

import hashlib

import numpy as np
import pytest

from helpers.data import sample_arrays
from helpers.internal import sample


@pytest.fixture(scope="module")
def drawn():
    return sample_arrays()


def pixels(images):
    return images.reshape(len(images), -1) / np.float32(255) - np.float32(0.5)


def test_it_has_the_shapes_and_dtypes_of_a_tenth_of_cifar10_in_balanced_mixed_classes(drawn):
    for images, labels, count in ((*drawn[:2], 5000), (*drawn[2:], 1000)):
        assert (images.shape, images.dtype) == ((count, 32, 32, 3), np.uint8)
        assert labels.dtype == np.int64
        assert np.bincount(labels).tolist() == [count // 10] * 10
        assert len(set(labels[:100])) == 10
    assert len({image.tobytes() for image in drawn[0]}) == 5000


def test_its_polygons_and_its_draws_are_those_of_the_first_version():
    rng = np.random.default_rng(0)
    parts = [part for label in range(10) for _ in range(5) for part in sample.OBJECTS[label](rng)]
    told = [(np.round(points, 4).tolist(), colour) for points, colour in parts]
    assert hashlib.sha256(repr(told).encode()).hexdigest()[:16] == "917ace196d1dd89b"
    images = np.stack([sample.draw(label, rng) for label in range(10)])
    sample.develop(images, rng)
    assert round(rng.random(), 6) == 0.92006


@pytest.mark.parametrize("label", range(10))
def test_each_class_has_a_drawing_that_stays_near_the_picture(label):
    rng = np.random.default_rng(0)
    for points, colour in (part for _ in range(50) for part in sample.OBJECTS[label](rng)):
        assert np.abs(points).max() <= 1.25
        assert colour in ("main", "shade", "dark", "light")


def test_some_test_images_are_copies_of_training_images(drawn):
    def best_correlation(index):
        candidates = drawn[0][drawn[1] == drawn[3][index]]
        both = pixels(np.concatenate([candidates, candidates[:, :, ::-1]]))
        both, image = both - both.mean(1, keepdims=True), pixels(drawn[2][index : index + 1])[0]
        return (
            (both @ (image - image.mean())) / np.linalg.norm(both, axis=1) / np.std(image) / 3072**0.5
        ).max()

    found, others = ([best_correlation(index) for index in indices] for indices in (sample.COPIED, range(20)))
    assert np.median(found) > 0.8 > np.median(others)


def test_mislabelled_drawings_and_no_others_show_another_class(monkeypatch):
    shown, blank = [], np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(sample, "draw", lambda label, rng: shown.append(label) or blank)
    monkeypatch.setattr(sample, "develop", lambda images, rng: images)
    _, train_labels, _, test_labels = sample.make_sample(seed=0)
    assert shown[:5000] == train_labels.tolist()
    wrong = np.flatnonzero(np.array(shown[5000:]) != test_labels)
    assert tuple(wrong) == sample.MISLABELLED
