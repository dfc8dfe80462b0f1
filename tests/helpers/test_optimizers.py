"""Tests of helpers.optimizers: steps in all directions, shifts that move faster, and files that hold them."""

import keras
import numpy as np
import pytest

from helpers import models
from helpers.optimizers import Muon, ShiftRateSGD, Triangular, compile_model, orthogonalize, with_input
from helpers.recipe import Recipe
from helpers.training import encode

RNG = np.random.default_rng(0)


def matrix(values: list[float], rows: int = 16, columns: int = 72) -> np.ndarray:
    """Return a random matrix, float32 (rows, columns), with these singular values."""
    left = np.linalg.qr(RNG.normal(size=(rows, rows)))[0][:, : len(values)]
    right = np.linalg.qr(RNG.normal(size=(columns, rows)))[0][:, : len(values)]
    return ((left * values) @ right.T).astype("float32")


def test_orthogonalised_directions_have_nearly_the_same_length():
    start = matrix(list(np.linspace(1, 0.1, 16)))
    found = keras.ops.convert_to_numpy(orthogonalize(start))
    lengths = np.linalg.svd(found, compute_uv=False)
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3
    # The directions themselves stay: both matrices are diagonal in the same bases.
    left, _, right = np.linalg.svd(start, full_matrices=False)
    middle = left.T @ found @ right.T
    assert np.allclose(middle - np.diag(np.diag(middle)), 0, atol=1e-4)


def test_the_size_of_a_gradient_does_not_matter_and_zeros_stay_zeros():
    start = matrix([1.0, 0.5, 0.3])
    small, large = (keras.ops.convert_to_numpy(orthogonalize(factor * start)) for factor in (1e-2, 1e3))
    assert np.allclose(small, large, atol=1e-3)
    assert not np.any(keras.ops.convert_to_numpy(orthogonalize(np.zeros((4, 9), "float32"))))


def kernel_and_its_optimizer(momentum: float = 0.0, **options) -> tuple[keras.Variable, Muon]:
    kernel = keras.Variable(RNG.normal(size=(3, 3, 8, 16)).astype("float32"), name="kernel")
    optimizer = Muon(learning_rate=0.5, momentum=momentum, nesterov=True, **options)
    optimizer.build([kernel])
    return kernel, optimizer


def test_a_kernel_keeps_its_length_and_takes_a_step_of_the_set_size():
    kernel, optimizer = kernel_and_its_optimizer(kernel_factor=0.1)
    before = keras.ops.convert_to_numpy(kernel.value)
    before = before * 4 / np.linalg.norm(before)  # 16 filters: length 4
    gradient = RNG.normal(size=kernel.shape).astype("float32")
    optimizer.apply([gradient])
    step = keras.ops.convert_to_numpy(kernel.value) - before
    # 0.5 times 0.1 times sixteen directions of length about 1.
    assert np.linalg.norm(step) == pytest.approx(0.05 * 4, rel=0.25)
    assert np.sum(step * gradient) < 0


def test_a_step_takes_the_directions_of_nesterovs_momentum():
    kernel, optimizer = kernel_and_its_optimizer(momentum=0.9)
    first, second = RNG.normal(size=(2, *kernel.shape)).astype("float32")
    optimizer.apply([first])
    middle = keras.ops.convert_to_numpy(kernel.value).copy()
    optimizer.apply([second])
    moved = keras.ops.convert_to_numpy(kernel.value) - middle * 4 / np.linalg.norm(middle)
    ahead = second + 0.9 * (0.9 * first + second)
    expected = -np.asarray(orthogonalize(ahead.reshape(-1, 16).T)).T.reshape(kernel.shape)
    np.testing.assert_allclose(moved, 0.5 * expected, atol=1e-4)


def test_other_weights_take_the_steps_of_sgd():
    start, gradient = RNG.normal(size=(2, 5, 3)).astype("float32")
    ends = []
    for optimizer in (Muon(0.5, momentum=0.9, nesterov=True), keras.optimizers.SGD(0.5, 0.9, nesterov=True)):
        weights = keras.Variable(start)
        optimizer.build([weights])
        for _ in range(2):
            optimizer.apply([gradient])
        ends.append(keras.ops.convert_to_numpy(weights.value))
    assert np.allclose(*ends, atol=1e-6)


@pytest.mark.parametrize(
    "made", [ShiftRateSGD(0.1, shift_rate=64.0), Muon(0.1, kernel_factor=0.3), Triangular(0.5, 40)]
)
def test_optimizers_and_schedules_can_be_made_again_from_their_settings(made):
    assert type(made).from_config(made.get_config()).get_config() == made.get_config()


def numpy(variables):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


def test_the_triangular_schedule_rises_for_a_twentieth_of_the_steps_and_falls_to_zero():
    model = models.softmax_regression()
    recipe = Recipe(optimizer="sgd", learning_rate=2.0, schedule="triangular", epochs=2)
    compile_model(model, recipe, steps_per_epoch=500)
    rates = []
    for step in (0, 25, 50, 525, 999):
        model.optimizer.iterations.assign(step)
        rates.append(float(model.optimizer.learning_rate))
    assert rates == pytest.approx([0, 1, 2, 1, 0], abs=0.03)
    assert all(rate > 0 for rate in rates)


def applied(recipe: Recipe, weight: float | None, gradient: float) -> dict[str, np.ndarray]:
    """Return by how much each weight of a small network moves in one step."""
    model = models.vgg(1, width=2, dense_units=4, batch_norm=True)
    compile_model(model, recipe, steps_per_epoch=1)
    variables = model.trainable_variables
    for variable in variables if weight else []:
        variable.assign(np.full(variable.shape, weight))
    before = numpy(variables)
    model.optimizer.apply([np.full(v.shape, gradient, "float32") for v in variables], variables)
    return {v.path: b - a for v, b, a in zip(variables, before, numpy(variables), strict=True)}


def test_shifts_of_batch_normalisation_can_have_a_rate_of_their_own():
    moved = applied(Recipe(optimizer="sgd", learning_rate=0.1, momentum=0.0, shift_rate=64.0), None, 1.0)
    for path, by in moved.items():
        np.testing.assert_allclose(by, 6.4 if path.endswith("/beta") else 0.1, rtol=1e-4, err_msg=path)
    assert sum(path.endswith("/beta") for path in moved) == 3


@pytest.mark.parametrize(("optimizer", "decay"), [("adam", 0.5), ("sgd", 0.5), ("adam", 0.0)])
def test_weight_decay_shrinks_kernels_by_its_share_and_leaves_biases_and_scales_alone(optimizer, decay):
    moved = applied(Recipe(optimizer=optimizer, learning_rate=0.1, weight_decay=decay), 1.0, 0.0)
    for path, by in moved.items():
        np.testing.assert_allclose(by, 0.1 * decay * path.endswith("kernel"), atol=1e-6, err_msg=path)


def test_label_smoothing_spreads_its_share_over_all_classes():
    recipe = Recipe(label_smoothing=0.2)
    model = models.softmax_regression()
    compile_model(model, recipe, steps_per_epoch=1)
    logits = 2 * np.eye(10, dtype="float32")[[4]]
    target = 0.02 + 0.8 * np.eye(10)[4]
    expected = -(target * (logits[0] - np.log(np.exp(logits[0]).sum()))).sum()
    assert float(model.loss(encode(np.array([4]), recipe), logits)) == pytest.approx(expected, rel=1e-5)


def test_the_recipe_sets_the_rates_of_muon_and_the_same_optimizer_serves_images_of_another_size():
    model = models.fast_net(4)
    recipe = Recipe(optimizer="muon", learning_rate=0.7, kernel_rate=0.07, shift_rate=3.0)
    compile_model(model, recipe, steps_per_epoch=1)
    assert (model.optimizer.kernel_factor, model.optimizer.shift_rate) == (pytest.approx(0.1), 3.0)
    other = with_input(model, 24)
    assert other.input_shape == (None, 24, 24, 3)
    assert other.optimizer is model.optimizer
    assert all(a is b for a, b in zip(model.trainable_variables, other.trainable_variables, strict=True))
