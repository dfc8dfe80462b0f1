"""Augmentation changes pixels, draws for each image by itself, and draws evenly."""

import numpy as np
import pytest
from scipy import stats

from helpers.augment import Augmentation, random_cutout, random_flip, random_shift

EVERYTHING = Augmentation(flip=True, shift=3, cutout=8)


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


@pytest.mark.parametrize(
    "augmentation", [Augmentation(flip=True), Augmentation(shift=2), Augmentation(cutout=8)]
)
def test_each_part_changes_pixels_and_gives_equal_pictures_different_draws(augmentation):
    pictures = copies(50)
    result = augmentation(pictures, rng())
    assert (result != pictures).any(axis=(1, 2, 3)).mean() > 0.3
    assert len(np.unique(result.reshape(50, -1), axis=0)) > 1


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_shape_and_dtype_stay_and_the_result_is_the_same_for_every_dtype(images, dtype):
    result = EVERYTHING(images.astype(dtype), rng())
    assert result.dtype == dtype
    assert result.shape == images.shape
    np.testing.assert_array_equal(result, EVERYTHING(images, rng()))


def test_the_input_is_not_changed_even_if_it_is_read_only(images):
    before = images.copy()
    images.flags.writeable = False
    EVERYTHING(images, rng())
    np.testing.assert_array_equal(images, before)


def test_the_draws_depend_on_the_generator_alone(images):
    np.testing.assert_array_equal(EVERYTHING(images, rng(5)), EVERYTHING(images, rng(5)))
    assert not np.array_equal(EVERYTHING(images, rng(5)), EVERYTHING(images, rng(6)))


def test_by_default_nothing_happens_and_nothing_is_drawn(images):
    generator = rng()
    np.testing.assert_array_equal(Augmentation()(images, generator), images)
    assert generator.random() == rng().random()


def test_a_flipped_picture_is_the_mirror_image_and_two_flips_undo_each_other(images):
    result = random_flip(images, rng(3))
    mirrored = (result != images).any(axis=(1, 2, 3))
    np.testing.assert_array_equal(result[mirrored], images[mirrored, :, ::-1])
    np.testing.assert_array_equal(random_flip(result, rng(3)), images)


def test_half_of_the_pictures_are_flipped():
    result = random_flip(copies(10_000), rng())
    flips = int((result != copies(1)).any(axis=(1, 2, 3)).sum())
    assert stats.binomtest(flips, 10_000).pvalue > 0.001


def test_every_shift_is_equally_frequent_and_moves_the_whole_picture():
    """Each pixel of the picture holds its own position, so the centre tells the shift."""
    rows, columns = np.mgrid[:32, :32].astype("uint8")
    result = random_shift(copies(5_000, np.stack([rows, columns, rows * 0], axis=-1)), 2, rng())
    dy, dx = (result[:, 16, 16, axis].astype(int) - 16 for axis in (0, 1))
    for pixels in (dy, dx):
        assert pixels.min() == -2
        assert pixels.max() == 2
    counts = np.unique(5 * dy + dx, return_counts=True)[1]
    assert len(counts) == 25
    assert stats.chisquare(counts).pvalue > 0.001
    inner = result[:, 2:-2, 2:-2]
    assert (inner[..., 0] == rows[2:-2, 2:-2] + dy[:, None, None]).all()
    assert (inner[..., 1] == columns[2:-2, 2:-2] + dx[:, None, None]).all()


def test_the_border_of_a_shifted_picture_is_a_reflection_of_its_inside(images):
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    crops = [padded[:, y : y + 32, x : x + 32] for y in range(3) for x in range(3)]
    result = random_shift(images, 1, rng())
    assert all(any(np.array_equal(picture, crop[i]) for crop in crops) for i, picture in enumerate(result))


@pytest.mark.parametrize("count", [0, 1, 1_201])
def test_any_number_of_pictures_can_be_shifted(count):
    assert random_shift(copies(count), 4, rng()).shape == (count, 32, 32, 3)


@pytest.mark.parametrize("side", [1, 7, 8, 32])
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


@pytest.mark.parametrize(
    "arguments",
    [
        {"shift": -1},
        {"shift": 17},
        {"shift": 1.5},
        {"shift": True},
        {"cutout": 33},
        {"cutout": "8"},
        {"flip": "yes"},
        {"flip": 1},
    ],
)
def test_a_wrong_argument_is_named_in_one_line(arguments):
    with pytest.raises(ValueError, match=f"^{next(iter(arguments))} is ") as error:
        Augmentation(**arguments)
    assert "\n" not in str(error.value)
