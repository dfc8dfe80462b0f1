"""What looks inside networks, on networks and pictures of which one knows what is to be found."""

import ast
from types import SimpleNamespace

import keras
import nbformat
import numpy as np
import pytest

from helpers import explain
from helpers.internal.files import ROOT
from tools.store import code_cells


def taught(name: str) -> SimpleNamespace:
    """Return what a chapter imports and which functions it defines; nothing else of it is run."""
    cells = code_cells(nbformat.read(ROOT / "notebooks" / name, as_version=4))[1:]  # without Setup
    nodes = [node for cell in cells for node in ast.parse(cell.source).body]
    kept = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)]
    exec(compile(ast.Module(kept, []), name, "exec"), found := {})
    return SimpleNamespace(**found)


CHAPTER = taught("09_look_inside.ipynb")
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (4, 32, 32, 3), np.uint8)


def where_it_looks(top: int, left: int) -> keras.Model:
    """Return a network whose logit of class 0 is the darkness of 8 x 8 pixels; all other logits are 0."""
    cut, dense = keras.layers.Cropping2D(((top, 24 - top), (left, 24 - left))), keras.layers.Dense(10)
    darkness, flat = keras.layers.Rescaling(-1 / 255, 1), keras.layers.Flatten()
    model = keras.Sequential([keras.Input((32, 32, 3)), darkness, cut, flat, dense])
    dense.kernel.assign(np.eye(1, 10) * np.full((8 * 8 * 3, 1), 0.05))
    return model


def test_an_honest_network_has_a_small_calibration_error_and_a_bold_one_a_large_one():
    logits = RNG.normal(0, 2, (20_000, 10))
    labels = (logits + RNG.gumbel(size=logits.shape)).argmax(axis=1)  # drawn by softmax
    assert explain.calibration_error(logits, labels) < 1.5
    assert explain.calibration_error(3 * logits, labels) > 10
    assert explain.calibration_table(logits, labels)["said"].is_monotonic_increasing


def test_occlusion_finds_the_place_that_a_network_looks_at_and_no_other():
    black = np.zeros((32, 32, 3), np.uint8)
    found = CHAPTER.occlusion_map(where_it_looks(4, 16), black, 0)
    assert found[4:12, 16:24].min() > 10 * abs(found[20:, :8]).max()
    other = CHAPTER.occlusion_map(where_it_looks(4, 16), black, 3)
    assert other.max() <= 1e-6  # what speaks for class 0 speaks against class 3


def test_grad_cam_is_the_map_that_a_class_hangs_on_wherever_it_is_above_zero():
    maps = keras.layers.Conv2D(2, 1, use_bias=False)
    dense = keras.layers.Dense(10, use_bias=False)
    before, pooling = keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((32, 32, 3)), before, maps, pooling, dense])
    maps.kernel.assign(np.eye(3, 2).reshape(1, 1, 3, 2))  # red, green
    dense.kernel.assign(np.outer((1, -1), np.eye(10)[3]) + np.outer((0, 2), np.eye(10)[5]))
    found = CHAPTER.grad_cam(model, PICTURES[:2], np.array([3, 5]), layer=-3)
    red, green = PICTURES[..., 0] / 255, PICTURES[..., 1] / 255
    expected = np.stack([(red - green)[0], 2 * green[1]]) / 32**2
    assert np.allclose(found, np.maximum(expected, 0), atol=1e-7)


def test_a_map_is_like_itself_unlike_its_opposite_and_a_flat_one_is_like_nothing():
    maps = RNG.normal(size=(3, 5, 5))
    others = np.stack([2 * maps[0] + 1, -maps[1], np.ones((5, 5))])
    assert np.allclose(explain.likeness(maps, others), (1, -1, 0))


def test_a_spotlight_leaves_colours_where_the_map_is_high_and_little_where_it_is_low():
    maps = np.repeat([3.0, -1.0], 16)[:, np.newaxis] * np.ones((4, 32, 32))
    shown = explain.spotlight(PICTURES, maps)
    assert np.allclose(shown[:, :16], PICTURES[:, :16])
    assert shown[:, 16:].min() >= 255 * 0.85 - 1e-9


@pytest.mark.parametrize("kind", explain.STRENGTHS)
def test_damage_grows_with_its_level_and_keeps_shape_and_type(kind):
    damaged = [CHAPTER.corrupt(PICTURES, kind, level) for level in range(1, 6)]
    assert {(found.dtype, found.shape) for found in damaged} == {(PICTURES.dtype, PICTURES.shape)}
    change = [np.abs(found.astype(float) - PICTURES).mean() for found in damaged]
    assert change == sorted(change)
    assert change[0] > 0.5


def test_damage_is_as_strong_as_defined():
    halves = np.full((2, 32, 32, 3), 128, np.uint8)
    halves[:, :16] = 28
    change = {kind: CHAPTER.corrupt(halves, kind, 5) - halves.astype(float) for kind in explain.STRENGTHS}
    assert change["noise"][:, 16:].std() == pytest.approx(25.5, abs=0.5)
    assert change["brightness"].mean() == pytest.approx(76.5, abs=1)
    assert (halves + change["contrast"]).std() == pytest.approx(0.15 * halves.std(), abs=0.5)
