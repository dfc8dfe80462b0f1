"""Augmentation changes pixels, draws for each image by itself, and draws evenly."""

import numpy as np
import pytest
from scipy import stats

from helpers.augment import Augmentation, random_cutout, random_flip, random_mixup, random_shift
from helpers.training import Recipe, epoch_data
from tests.support.tiny import tiny_data

EVERYTHING = Augmentation(flip=True, shift=3, cutout=8)
MIXED = Recipe(epochs=1, batch_size=50, augmentation=Augmentation(flip=True, mixup=0.4))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def images():
    """40 pictures without two equal rows, columns or pictures."""
    return rng(1).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)


def copies(count, image=None):
    """The same picture many times, so that a difference between results is a difference of draws."""
    image = rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8) if image is None else image
    return np.repeat(image[None], count, axis=0)


PARTS = (Augmentation(flip=True), Augmentation(shift=2), Augmentation(cutout=8))


@pytest.mark.parametrize("augmentation", PARTS)
def test_each_part_changes_pixels_and_gives_equal_pictures_different_draws(augmentation):
    pictures = copies(50)
    result = augmentation(pictures, rng())
    assert (result != pictures).any(axis=(1, 2, 3)).mean() > 0.3
    assert len(np.unique(result.reshape(50, -1), axis=0)) > 1


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_shape_dtype_and_input_stay_and_the_draws_depend_on_the_generator_alone(images, dtype):
    before, pictures = images.copy(), images.astype(dtype)
    pictures.flags.writeable = False
    result = EVERYTHING(pictures, rng(5))
    assert (result.dtype, result.shape) == (dtype, images.shape)
    np.testing.assert_array_equal(pictures, before)
    np.testing.assert_array_equal(result, EVERYTHING(images, rng(5)))
    assert not np.array_equal(result, EVERYTHING(images, rng(6)))


@pytest.mark.parametrize("nothing", [Augmentation(mixup=0.4), Augmentation(flip=True, alternate=True)])
def test_what_needs_more_than_images_is_left_out(nothing, images):
    generator = rng()
    np.testing.assert_array_equal(nothing(images, generator), images)
    assert generator.random() == rng().random()


def test_a_flipped_picture_is_the_mirror_image_and_half_of_them_are_flipped():
    pictures = copies(10_000)
    result = random_flip(pictures, rng())
    flipped = (result != pictures).any(axis=(1, 2, 3))
    np.testing.assert_array_equal(result[flipped], pictures[flipped, :, ::-1])
    assert stats.binomtest(int(flipped.sum()), 10_000).pvalue > 0.001


def test_every_shift_is_equally_frequent():
    """Each pixel of the picture holds its own position, so the centre tells the shift."""
    rows, columns = np.mgrid[:32, :32].astype("uint8")
    result = random_shift(copies(5_000, np.stack([rows, columns, rows * 0], axis=-1)), 2, rng())
    dy, dx = (result[:, 16, 16, axis].astype(int) - 16 for axis in (0, 1))
    assert set(dy) == set(dx) == {-2, -1, 0, 1, 2}
    counts = np.unique(5 * dy + dx, return_counts=True)[1]
    assert len(counts) == 25
    assert stats.chisquare(counts).pvalue > 0.001


def test_a_shifted_picture_is_moved_as_a_whole_with_a_reflection_of_its_inside_as_border(images):
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    crops = [padded[:, y : y + 32, x : x + 32] for y in range(3) for x in range(3)]
    result = random_shift(images, 1, rng())
    assert all(any(np.array_equal(picture, crop[i]) for crop in crops) for i, picture in enumerate(result))


@pytest.mark.parametrize("side", [7, 8])
def test_cutout_greys_a_square_that_may_reach_over_the_border(side):
    grey = (random_cutout(copies(2_000, np.zeros((32, 32, 3), "uint8")), side, rng()) == 128).all(axis=-1)
    area = grey.sum(axis=(1, 2))
    height, width = grey.any(axis=2).sum(axis=1), grey.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(area, height * width)  # a rectangle without holes
    assert area.max() == side**2
    assert area.min() >= (side // 2) ** 2


def test_the_centre_of_the_cutout_is_equally_frequent_everywhere():
    grey = random_cutout(copies(10_000, np.zeros((32, 32, 3), "uint8")), 1, rng())[..., 0] == 128
    counts = grey.sum(axis=0).reshape(8, 4, 8, 4).sum(axis=(1, 3))  # fields of 4 x 4 pixels
    assert stats.chisquare(counts.ravel()).pvalue > 0.001


WRONG = (
    *(("shift", -1), ("shift", 17), ("shift", 1.5), ("shift", True), ("cutout", 33), ("cutout", "8")),
    *(("flip", 1), ("alternate", True), ("mixup", -0.2), ("mixup", float("nan")), ("mixup", float("inf"))),
)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_argument_is_named_in_one_line(name, value):
    with pytest.raises(ValueError, match=f"^{name} is {value!r}, expected .*$"):
        Augmentation(**{name: value})


def label_rows(count):
    """Return one-hot rows of the labels 0, 1, ..., 9, 0, ...: an image and its neighbour always differ."""
    return np.eye(10, dtype="float32")[np.arange(count) % 10]


def shares(mixed_labels):
    """Return how much of itself each image kept, read from the labels that `label_rows` gave."""
    return mixed_labels[np.arange(len(mixed_labels)), np.arange(len(mixed_labels)) % 10]


@pytest.mark.parametrize(("dtype", "error"), [("uint8", 0.501), ("float32", 1e-3)])  # rounded, or not
def test_image_and_label_are_blended_with_a_neighbours_by_one_share(dtype, error):
    count = 50
    pixels = rng(1).integers(0, 256, (count, 4, 4, 3)).astype(dtype)
    labels = label_rows(count)
    pixels.flags.writeable = labels.flags.writeable = False
    mixed, mixed_labels = random_mixup(pixels, labels, 1.0, rng())
    assert mixed.dtype == dtype
    kept = shares(mixed_labels)[:, None]
    assert len(np.unique(kept)) == count, "each image draws its own share"
    expected = kept * labels + (1 - kept) * np.roll(labels, 1, axis=0)
    np.testing.assert_allclose(mixed_labels, expected, atol=1e-6)
    kept = kept[:, :, None, None]
    np.testing.assert_allclose(mixed, kept * pixels + (1 - kept) * np.roll(pixels, 1, axis=0), atol=error)


def test_the_shares_follow_the_beta_distribution():
    pixels = np.zeros((5_000, 1, 1, 3), "float32")
    kept = shares(random_mixup(pixels, label_rows(5_000), 0.2, rng())[1])
    assert stats.kstest(kept, stats.beta(0.2, 0.2).cdf).pvalue > 0.001


def test_mixup_refuses_whole_number_labels_in_one_line(images):
    with pytest.raises(ValueError, match=r"^labels has shape \(40,\), expected one row per image.*$"):
        random_mixup(images, np.arange(40) % 10, 0.4, rng())


def test_an_epoch_with_mixup_has_shares_of_two_classes():
    labels = epoch_data(tiny_data().train, MIXED, seed=3, epoch=2)[1]
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    assert ((labels > 0).sum(axis=1) == 2).mean() > 0.5  # most neighbours differ
