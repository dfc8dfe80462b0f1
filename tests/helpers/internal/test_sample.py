"""The synthetic sample: shaped like CIFAR-10, the same for ever, with flaws to be found."""

import hashlib

import numpy as np
import pytest

from helpers.data import sample_arrays
from helpers.internal import sample


@pytest.fixture(scope="module")
def drawn():
    return sample_arrays()


def test_it_has_the_shapes_and_dtypes_of_cifar10_in_balanced_mixed_classes(drawn):
    for images, labels, count in ((*drawn[:2], 2000), (*drawn[2:], 1000)):
        assert (images.shape, images.dtype) == ((count, 32, 32, 3), np.uint8)
        assert labels.dtype == np.int64
        assert np.bincount(labels).tolist() == [count // 10] * 10
        assert len(set(labels[:100])) == 10
    assert len({image.tobytes() for image in drawn[0]}) == 2000


def test_its_polygons_and_its_draws_are_those_of_the_first_version():
    rng = np.random.default_rng(0)
    parts = [part for label in range(10) for _ in range(5) for part in sample.OBJECTS[label](rng)]
    told = [(np.round(points, 4).tolist(), colour) for points, colour in parts]
    assert hashlib.sha256(repr(told).encode()).hexdigest()[:16] == "917ace196d1dd89b"
    images = np.stack([sample.draw(label, rng) for label in range(10)])
    sample.develop(images, rng)
    assert round(rng.random(), 6) == 0.92006


def test_its_copies_are_training_images_of_the_right_class_every_second_one_mirrored(drawn):
    images, labels = drawn[0][:2000], np.concatenate([drawn[1], drawn[3]])
    copies = sample.copies(images, labels, np.random.default_rng(0))
    copies[::2] = copies[::2, :, ::-1]
    found = [np.flatnonzero((images == copy).all((1, 2, 3)))[0] for copy in copies]
    assert labels[found].tolist() == drawn[3][list(sample.COPIED)].tolist()


def test_mislabelled_drawings_and_no_others_show_another_class(monkeypatch):
    shown, blank = [], np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(sample, "draw", lambda label, rng: shown.append(label) or blank)
    monkeypatch.setattr(sample, "develop", lambda images, rng: images)
    _, train_labels, _, test_labels = sample.make_sample(seed=0)
    assert shown[:2000] == train_labels.tolist()
    wrong = np.flatnonzero(np.array(shown[2000:]) != test_labels)
    assert tuple(wrong) == sample.MISLABELLED
