"""What Keras' optimizers lack for chapter 07: a triangular schedule, fast shifts, orthogonalised steps."""

from collections.abc import Callable

import keras

from helpers.recipe import Recipe

RISE = 0.05  # share of the steps in which a triangular schedule rises
# Of the polynomial a x + b x^3 + c x^5, which drives numbers from 0 to 1 towards 1.
# Source: K. Jordan and others, 2024, https://kellerjordan.github.io/posts/muon
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 3
TINY = 1e-7  # keeps a kernel or a gradient of zeros from a division by zero


@keras.saving.register_keras_serializable("helpers")
class Triangular(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0 to `peak`, then falls linearly to 0 at the last step."""

    def __init__(self, peak: float, steps: int, rise: float = RISE):
        self.peak, self.steps, self.rise = peak, steps, rise

    def __call__(self, step):
        done = (keras.ops.cast(step, "float32") + 0.5) / self.steps
        return self.peak * keras.ops.clip(keras.ops.minimum(done / self.rise, (1 - done) / (1 - self.rise)), 0, 1)

    def get_config(self) -> dict:
        return {"peak": self.peak, "steps": self.steps, "rise": self.rise}


@keras.saving.register_keras_serializable("helpers")
class ShiftRateSGD(keras.optimizers.SGD):
    """SGD whose learning rate is `shift_rate` times as large for the shifts of batch normalisation."""

    def __init__(self, *args, shift_rate: float = 1.0, **options):
        super().__init__(*args, **options)
        self.shift_rate = shift_rate

    def update_step(self, gradient, variable, learning_rate):
        # On TensorFlow this is its own variable, whose name is the path and ":0".
        is_shift = variable.name.removesuffix(":0").split("/")[-1] == "beta"
        factor = self.shift_rate if is_shift else 1.0
        super().update_step(gradient, variable, factor * learning_rate)

    def get_config(self) -> dict:
        return super().get_config() | {"shift_rate": self.shift_rate}


@keras.saving.register_keras_serializable("helpers")
class Muon(ShiftRateSGD):
    """Steps that go equally far in all directions for convolution kernels, `ShiftRateSGD` for the rest.

    A kernel (height, width, channels, filters) is brought to the length sqrt(filters) before each step, which
    changes nothing where batch normalisation follows; so weight decay has no effect on it. The step is the
    orthogonalised Nesterov momentum times `kernel_factor` times the learning rate (K. Jordan and others, as
    above). Keras' own `Muon` takes matrices only, and leaves kernels of convolutions to AdamW.
    """

    def __init__(self, *args, kernel_factor: float = 1.0, kernel_momentum: float = 0.0, **options):
        super().__init__(*args, **options)
        self.kernel_factor = kernel_factor
        self.kernel_momentum = kernel_momentum or self.momentum

    def update_step(self, gradient, variable, learning_rate):
        if len(variable.shape) != 4:
            super().update_step(gradient, variable, learning_rate)
            return
        if self.momentum:
            momentum = self.momentums[self._get_variable_index(variable)]
            self.assign(momentum, self.kernel_momentum * momentum + gradient)
            gradient = gradient + self.kernel_momentum * momentum
        filters = variable.shape[-1]
        rows = keras.ops.transpose(keras.ops.reshape(gradient, (-1, filters)))
        step = keras.ops.reshape(keras.ops.transpose(orthogonalize(rows)), variable.shape)
        length = keras.ops.sqrt(keras.ops.sum(keras.ops.square(variable)))
        kernel = variable * (filters**0.5 / (length + TINY))
        rate = self.kernel_factor * keras.ops.cast(learning_rate, kernel.dtype)
        self.assign(variable, kernel - rate * step)

    def get_config(self) -> dict:
        return super().get_config() | {"kernel_factor": self.kernel_factor}


def orthogonalize(matrix):
    """Return a matrix (rows, columns) with the same singular vectors, and all singular values near 1.

    A Newton-Schulz iteration: nothing but products of matrices, fast wherever those are. Values come out
    between about 0.7 and 1.2, those below a fiftieth of the matrix' length lower, which is near enough for a
    step. It takes least time with fewer rows than columns.
    """
    a, b, c = COEFFICIENTS
    matrix = matrix / (keras.ops.norm(matrix) + TINY)  # then no singular value is above 1
    for _ in range(ITERATIONS):
        square = keras.ops.matmul(matrix, keras.ops.transpose(matrix))
        matrix = a * matrix + keras.ops.matmul(b * square + c * keras.ops.matmul(square, square), matrix)
    return matrix


def compile_model(model: keras.Model, recipe: Recipe, steps_per_epoch: int) -> None:
    """Give the model the recipe's optimizer and loss, and accuracy as its metric."""
    rate = recipe.learning_rate
    if recipe.schedule != "constant":
        rise = RISE if recipe.schedule == "triangular" else 1e-6
        rate = Triangular(rate, recipe.epochs * steps_per_epoch, rise)
    options = {"learning_rate": rate, "weight_decay": recipe.weight_decay or None}
    if recipe.optimizer != "adam":
        options |= {"momentum": recipe.momentum, "nesterov": True, "shift_rate": recipe.shift_rate}
    if recipe.optimizer == "muon":
        options["kernel_factor"] = recipe.kernel_rate / recipe.learning_rate
        options["kernel_momentum"] = recipe.kernel_momentum
    kinds = {"adam": keras.optimizers.Adam, "sgd": ShiftRateSGD, "muon": Muon}
    optimizer = kinds[recipe.optimizer](**options)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if recipe.soft_labels:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])


def build_in(precision: str, build: Callable[[], keras.Model]) -> keras.Model:
    """Return a new model whose layers compute in "float32" or "bfloat16", on weights in float32."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else precision)
    try:
        return build()
    finally:
        keras.config.set_dtype_policy(usual)


def with_input(model: keras.Model, side: int) -> keras.Model:
    """Return the same layers, weights and optimizer as a compiled model for images of `side` x `side` pixels.

    ValueError if a weight depends on the size, as that of a dense layer after `Flatten` does.
    """
    other = keras.Sequential([keras.Input((side, side, 3)), *model.layers])
    other.compile(model.optimizer, model.loss, metrics=["accuracy"])
    return other
