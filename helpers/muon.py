"""SGD whose steps for convolution kernels are orthogonalised: Muon.

Source: K. Jordan and others, 2024, Muon: an optimizer for hidden layers in neural networks,
https://kellerjordan.github.io/posts/muon. Keras' own `Muon` takes matrices only, and the kernel of a
convolution has four dimensions.
"""

import keras
from keras import ops

# Of the polynomial a x + b x^3 + c x^5, which drives numbers from 0 to 1 towards 1 (source: as above).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 3


def orthogonalize(matrix):
    """Return a matrix (rows, columns) with its singular vectors, and all singular values near 1.

    Newton-Schulz iteration: multiplies only, so it is fast where matrix products are. Singular values
    come out between about 0.3 and 1.2, which is near enough for a step.

    Args:
        matrix: with no more rows than columns, or it takes longer than it must.
    """
    a, b, c = COEFFICIENTS
    matrix = matrix / (ops.norm(matrix) + 1e-7)  # then no singular value is above 1
    for _ in range(ITERATIONS):
        square = ops.matmul(matrix, ops.transpose(matrix))
        matrix = a * matrix + ops.matmul(b * square + c * ops.matmul(square, square), matrix)
    return matrix


@keras.saving.register_keras_serializable("helpers")
class Muon(keras.optimizers.SGD):
    """SGD with Nesterov momentum, but convolution kernels take orthogonalised steps of a fixed length.

    A kernel (height, width, channels, filters) is kept at length sqrt(filters), which changes nothing
    where batch normalisation follows, and each step is `kernel_rate` times as long as a rotation of
    all filters by one radian would be, times the schedule's share of the learning rate.
    """

    def __init__(self, *args, kernel_factor: float = 1.0, shift_rate: float = 1.0, **options):
        super().__init__(*args, **options)
        self.kernel_factor, self.shift_rate = kernel_factor, shift_rate

    def update_step(self, gradient, variable, learning_rate):
        if len(variable.shape) != 4:
            is_shift = variable.name.removesuffix(":0").split("/")[-1] == "beta"
            return super().update_step(gradient, variable, learning_rate * (self.shift_rate if is_shift else 1.0))
        momentum = self.momentums[self._get_variable_index(variable)]
        self.assign(momentum, self.momentum * momentum + gradient)
        step = gradient + self.momentum * momentum
        filters = variable.shape[-1]
        rows = ops.transpose(ops.reshape(step, (-1, filters)))
        step = ops.reshape(ops.transpose(orthogonalize(rows)), variable.shape)
        kernel = variable * (filters**0.5 / (ops.norm(variable) + 1e-7))
        self.assign(variable, kernel - self.kernel_factor * learning_rate * step)
