"""Flaws of a dataset: copies between train and test are found, doubted labels are named."""

import subprocess
import sys

import numpy as np
import pytest

from helpers import explore
from helpers.data import load_cifar10, sample_arrays
from helpers.internal import sample
from helpers.internal.files import ROOT


@pytest.fixture(scope="module")
def drawn():
    return sample_arrays()


@pytest.fixture(scope="module")
def pairs(drawn):
    return explore.near_duplicates(drawn[0], drawn[2], count=100)


def scenes(drawn, count=8):
    return drawn[0][:count]


def test_the_copies_in_the_sample_lead_the_list(pairs):
    found = {pair.test_index for pair in pairs[:20]} & set(sample.COPIED)
    assert len(found) >= 18


def test_the_list_is_ranked_and_has_each_test_image_once(pairs):
    distances = [pair.distance for pair in pairs]
    assert distances == sorted(distances)
    assert len({pair.test_index for pair in pairs}) == len(pairs) == 100


def test_pairs_hold_plain_numbers(pairs):
    assert [type(value) for value in pairs[0]] == [int, int, float, bool]


@pytest.mark.parametrize(
    ("change", "mirrored"),
    [
        (lambda image: image, False),
        (lambda image: image[:, ::-1], True),
        (lambda image: np.roll(image, (1, -1), axis=(0, 1)), False),
        (lambda image: (image * 0.6 + 30).astype(np.uint8), False),
    ],
    ids=["same", "mirrored", "shifted", "other light"],
)
def test_a_changed_copy_is_found_under_the_right_indices(drawn, change, mirrored):
    train = drawn[0][:500]
    test = np.stack([drawn[2][1], change(train[123])])
    best = explore.near_duplicates(train, test, count=1)[0]
    assert (best.test_index, best.train_index, best.mirrored) == (1, 123, mirrored)
    assert best.distance < 0.1


def test_fingerprints_ignore_light(drawn):
    images = scenes(drawn)
    darker = (images * 0.5).astype(np.uint8)
    np.testing.assert_allclose(explore.fingerprints(images), explore.fingerprints(darker), atol=0.1)


def test_fingerprints_of_a_plain_image_are_finite():
    assert np.isfinite(explore.fingerprints(np.full((1, 32, 32, 3), 9, np.uint8))).all()


def test_edges_are_the_steps_to_the_right_and_downwards():
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 10:, 20:] = 90
    steps = explore.edges(image)
    assert steps.shape == (1, 31, 31, 2)
    assert steps[0, 15, 19].tolist() == [90, 0]
    assert steps[0, 9, 25].tolist() == [0, 90]
    assert np.count_nonzero(steps) == 21 + 11


def test_edge_distance_is_zero_for_copies_and_about_one_for_noise(drawn):
    edges = explore.edges(scenes(drawn))
    np.testing.assert_allclose(explore.edge_distance(edges, edges), 0, atol=1e-5)
    noise = np.random.default_rng(0).normal(size=edges.shape).astype(np.float32)
    assert explore.edge_distance(edges, noise).min() > 0.8


def test_edge_distance_forgives_shifts_within_its_reach(drawn):
    edges = explore.edges(scenes(drawn))
    shifted = np.roll(edges, (2, -1), axis=(1, 2))
    np.testing.assert_allclose(explore.edge_distance(edges, shifted), 0, atol=1e-5)
    assert explore.edge_distance(edges, shifted, reach=0).min() > 0.2


def test_doubtful_labels_of_the_sample_are_its_mislabelled_drawings(drawn):
    doubts = explore.doubtful_labels(drawn[3], "sample")
    assert tuple(doubts) == sample.MISLABELLED
    assert all(0 <= seen <= 9 and seen != drawn[3][index] for index, seen in doubts.items())


@pytest.mark.slow
def test_doubtful_labels_of_cifar10_contradict_the_official_ones(official_dir):
    labels = load_cifar10("official", data_dir=official_dir).test.labels
    assert all(seen != labels[index] for index, seen in explore.doubtful_labels(labels, "official").items())


@pytest.mark.slow
def test_published_duplicates_of_cifar10_are_in_the_list(official_dir):
    data = load_cifar10("official", val_size=0, data_dir=official_dir)
    pairs = explore.near_duplicates(data.train.images, data.test.images)
    found = {(pair.test_index, pair.train_index) for pair in pairs}
    # from Barz and Denzler's list (2020): github.com/cvjena/cifair, meta/duplicates_cifar10.csv
    assert {(7294, 16453), (673, 34116), (6080, 9148), (8299, 35398), (6009, 11040)} <= found


def test_importing_it_does_not_start_tensorflow():
    program = "import sys; from helpers import checks, data, explore; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
