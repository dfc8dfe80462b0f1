"""What looks inside networks, on networks and pictures of which one knows what is to be found."""

import keras
import numpy as np
import pytest

from helpers import explain

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (4, 32, 32, 3), np.uint8)


def where_it_looks(top: int, left: int) -> keras.Model:
    """Return a network whose logit of class 0 is the darkness of 8 x 8 pixels; all other logits are 0."""
    sum_up = keras.layers.Conv2D(10, 8, padding="valid", use_bias=False)
    cut = keras.layers.Cropping2D(((top, 24 - top), (left, 24 - left)))
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(-1 / 255, 1), cut, sum_up])
    model.add(keras.layers.Flatten())
    kernel = np.zeros(sum_up.kernel.shape)
    kernel[..., 0] = 0.05
    sum_up.kernel.assign(kernel)
    return model


def test_an_honest_network_has_a_small_calibration_error_and_a_bold_one_a_large_one():
    logits = RNG.normal(0, 2, (20_000, 10))
    labels = (logits + RNG.gumbel(size=logits.shape)).argmax(axis=1)  # drawn by softmax
    assert explain.calibration_error(logits, labels) < 1.5
    assert explain.calibration_error(3 * logits, labels) > 10
    table = explain.calibration_table(logits, labels)
    assert len(table) == 10
    assert table["said"].is_monotonic_increasing


def test_occlusion_finds_the_place_that_a_network_looks_at_and_no_other():
    black = np.zeros((32, 32, 3), np.uint8)
    found = explain.occlusion_map(where_it_looks(4, 16), black, 0)
    assert found.shape == (32, 32)
    assert np.unravel_index(found.argmax(), found.shape)[0] in range(4, 12)
    assert np.unravel_index(found.argmax(), found.shape)[1] in range(16, 24)
    assert found[20:, :8].max() == pytest.approx(0, abs=1e-6)
    other = explain.occlusion_map(where_it_looks(4, 16), black, 3)
    assert other.max() <= 1e-6  # what speaks for class 0 speaks against class 3


def test_grad_cam_is_the_map_that_a_class_hangs_on_wherever_it_is_above_zero():
    maps = keras.layers.Conv2D(2, 1, use_bias=False)
    dense = keras.layers.Dense(10, use_bias=False)
    before, pooling = keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((32, 32, 3)), before, maps, pooling, dense])
    maps.kernel.assign(np.array([[1, 0], [0, 1], [0, 0]], float).reshape(1, 1, 3, 2))  # red, green
    weights = np.zeros((2, 10))
    weights[:, 3] = (1, -1)
    weights[1, 5] = 2
    dense.kernel.assign(weights)
    found = explain.grad_cam(model, PICTURES, np.array([3, 5, 3, 5]), layer=-3)
    red, green = PICTURES[..., 0] / 255, PICTURES[..., 1] / 255
    expected = np.stack([(red - green)[0], 2 * green[1], (red - green)[2], 2 * green[3]]) / 32**2
    assert np.allclose(found, np.maximum(expected, 0), atol=1e-7)


def test_maps_are_like_themselves_unlike_their_opposites_and_flat_ones_like_nothing():
    maps = RNG.normal(size=(3, 5, 5))
    assert np.allclose(explain.likeness(maps, 2 * maps + 1), 1)
    assert np.allclose(explain.likeness(maps, -maps), -1)
    assert (explain.likeness(maps, np.ones((3, 5, 5))) == 0).all()


def test_a_spotlight_leaves_colours_where_the_map_is_high_and_little_where_it_is_low():
    maps = np.zeros((4, 32, 32))
    maps[:, :16] = 3
    shown = explain.spotlight(PICTURES, maps)
    assert np.allclose(shown[:, :16], PICTURES[:, :16])
    assert shown[:, 16:].min() >= 255 * 0.85 - 1e-9
    assert explain.spotlight(PICTURES, np.full((4, 3, 3), -1.0)).min() >= 255 * 0.85 - 1e-9


@pytest.mark.parametrize("kind", explain.STRENGTHS)
def test_damage_grows_with_its_level_and_keeps_shape_and_type(kind):
    smooth = np.repeat(np.linspace(20, 200, 32)[None, :, None, None], 32, axis=2) * np.ones(3)
    pictures = np.uint8(smooth + RNG.normal(0, 10, (8, 32, 32, 3)).clip(-20, 20))
    damaged = [explain.corrupt(pictures, kind, level) for level in range(1, 6)]
    assert {(found.dtype, found.shape) for found in damaged} == {(pictures.dtype, pictures.shape)}
    change = [np.abs(found.astype(float) - pictures).mean() for found in damaged]
    assert change == sorted(change)
    assert change[0] > 0.5


def test_damage_is_as_strong_as_defined():
    grey = np.full((2, 32, 32, 3), 128, np.uint8)
    assert explain.corrupt(grey, "noise", 5).std() == pytest.approx(25.5, abs=0.5)
    assert explain.corrupt(grey, "brightness", 5).mean() == pytest.approx(128 + 76.5, abs=1)
    assert (explain.corrupt(grey, "contrast", 5) - 128.0).max() <= 0
    halves = grey.copy()
    halves[:, :16] = 28
    spread = explain.corrupt(halves, "contrast", 2).std()
    assert spread == pytest.approx(0.5 * halves.std(), abs=1)
    assert np.array_equal(explain.corrupt(halves, "noise", 3), explain.corrupt(halves, "noise", 3))
    with pytest.raises(KeyError):
        explain.corrupt(grey, "fog", 1)
