"""Flaws of a dataset: copies between train and test are found, doubted labels are named."""

import numpy as np
import pytest

from helpers import explore
from helpers.data import load_cifar10, sample_arrays
from helpers.internal import sample


@pytest.fixture(scope="module")
def drawn():
    return sample_arrays()


@pytest.fixture(scope="module")
def pairs(drawn):
    return explore.near_duplicates(drawn[0], drawn[2], count=100)


@pytest.mark.slow
def test_the_copies_in_the_sample_lead_a_ranked_list_that_has_each_test_image_once(pairs):
    assert len({pair.test_index for pair in pairs[:20]} & set(sample.COPIED)) >= 18
    distances = [pair.distance for pair in pairs]
    assert distances == sorted(distances)
    assert len({pair.test_index for pair in pairs}) == len(pairs) == 100


@pytest.mark.parametrize(
    ("change", "mirrored"),
    [
        (lambda image: image, False),
        (lambda image: image[:, ::-1], True),
        (lambda image: np.roll(image, (2, -1), axis=(0, 1)), False),
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


def test_plain_pictures_harm_nothing(drawn):
    plain = np.full((1, 32, 32, 3), 9, np.uint8)
    assert np.isfinite(explore.near_duplicates(drawn[0][:9], plain, count=1)[0].distance)


def test_doubtful_labels_of_the_sample_are_its_mislabelled_drawings(drawn):
    doubts = explore.doubtful_labels(drawn[3], "sample")
    assert tuple(doubts) == sample.MISLABELLED
    assert all(doubt.people == doubt.checkers != drawn[3][index] for index, doubt in doubts.items())


def test_doubted_labels_are_six_of_which_the_first_four_are_agreed_on():
    doubts = list(explore.doubtful_labels(np.zeros(10_000, int), "official").values())
    assert [doubt.checkers == doubt.people for doubt in doubts] == [True] * 4 + [False] * 2
    assert all(2 * doubt.votes > doubt.asked for doubt in doubts[:4])
    assert len(sample.MISLABELLED) == len(doubts)


@pytest.mark.slow
def test_published_duplicates_of_cifar10_are_found_and_doubted_labels_are_not_the_official_ones(official_dir):
    data = load_cifar10("official", val_size=0)
    doubts = explore.doubtful_labels(data.test.labels, "official")
    assert all(doubt.checkers != data.test.labels[index] for index, doubt in doubts.items())
    pairs = explore.near_duplicates(data.train.images, data.test.images)
    found = {(pair.test_index, pair.train_index) for pair in pairs}
    # from Barz and Denzler's list (2020): github.com/cvjena/cifair, meta/duplicates_cifar10.csv
    assert {(7294, 16453), (673, 34116), (6080, 9148), (8299, 35398), (6009, 11040)} <= found
