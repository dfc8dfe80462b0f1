"""The series' networks: functions that return an uncompiled `keras.Model`.

Every model takes raw pixels, (N, 32, 32, 3) with values 0 to 255 in uint8 or float, and gives
logits, float32 (N, 10). Preprocessing is part of the model, so what is saved is what is served.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from helpers.internal.normalization import batch_normalization

IMAGE_SHAPE = (32, 32, 3)
CLASSES = 10
PATCH_VALUES = 2 * 2 * 3  # numbers in a patch of the whitening layer
# Mean and standard deviation of the 50,000 official training images per channel, in units of 0 to 1.
CHANNEL_MEAN = (0.49139968, 0.48215841, 0.44653091)
CHANNEL_STD = (0.24703223, 0.24348513, 0.26158784)


def standardize() -> layers.Layer:
    """Return the layer that turns 0-255 pixels into values of mean 0 and standard deviation 1 per channel."""
    mean, variance = [255 * m for m in CHANNEL_MEAN], [(255 * s) ** 2 for s in CHANNEL_STD]
    return layers.Normalization(mean=mean, variance=variance, name="standardize", dtype="float32")


def network(name: str, *stack: layers.Layer) -> keras.Sequential:
    """Return the layers as a network from images of 32 x 32 pixels to ten logits."""
    logits = layers.Dense(CLASSES, name="logits", dtype="float32")
    return keras.Sequential([keras.Input(IMAGE_SHAPE), *stack, logits], name=name)


def softmax_regression() -> keras.Model:
    """Return multinomial logistic regression on pixels: one linear layer, no hidden units."""
    return network("softmax_regression", standardize(), layers.Flatten())


def mlp(units: Sequence[int] = (512, 256)) -> keras.Model:
    """Return a dense network (multilayer perceptron) with ReLU hidden layers of the given sizes."""
    hidden = [layers.Dense(n, activation="relu", kernel_initializer="he_uniform") for n in units]
    return network("mlp", standardize(), layers.Flatten(), *hidden)


def tutorial_cnn() -> keras.Model:
    """Return the network of TensorFlow's own tutorial: convolutions of 32, 64 and 64 filters, dense 64.

    Source: https://www.tensorflow.org/tutorials/images/cnn. It divides pixels by 255, as there.
    """
    return network(
        "tutorial_cnn",
        layers.Rescaling(1 / 255),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    )


def classic_cnn() -> keras.Model:
    """Return the last network of a widely read tutorial as it stands there, in Keras' own layers.

    Source: https://machinelearningmastery.com/how-to-develop-a-cnn-from-scratch-for-cifar-10-photo-classification/.
    Batch normalisation comes after each ReLU; pixels are divided by 255.
    """
    like = {"activation": "relu", "kernel_initializer": "he_uniform"}
    stack = [layers.Rescaling(1 / 255)]
    for filters, rate in ((32, 0.2), (64, 0.3), (128, 0.4)):
        for _ in range(2):
            stack += [layers.Conv2D(filters, 3, padding="same", **like), layers.BatchNormalization()]
        stack += [layers.MaxPooling2D(), layers.Dropout(rate)]
    stack += [layers.Flatten(), layers.Dense(128, **like), layers.BatchNormalization(), layers.Dropout(0.5)]
    return network("classic_cnn", *stack)


def vgg(
    blocks: int = 3,
    *,
    width: int = 16,
    dense_units: int = 128,
    dropout: float | Sequence[float] = 0.0,
    l2: float = 0.0,
    batch_norm: bool = False,
) -> keras.Model:
    """Return the series' standard CNN: VGG blocks, then one dense layer (Simonyan & Zisserman 2015).

    A block is two 3 x 3 convolutions and a 2 x 2 max pooling; each has twice the filters of the one before.
    ValueError for an argument out of its range.

    Args:
        blocks: 1 to 5 (each halves height and width: 32, 16, 8, 4, 2, 1).
        width: filters of the first block.
        dense_units: units of the dense layer before the logits.
        dropout: share of values set to zero in training, 0 to below 1: one rate used after every
            block and after the dense layer, or `blocks + 1` rates in that order.
        l2: factor of the L2 penalty on the kernels, 0 or more. (Decoupled weight decay is the
            optimizer's: `Recipe.weight_decay`.)
        batch_norm: whether batch normalisation follows each convolution and the dense layer.
    """
    if blocks not in range(1, 6):
        raise ValueError(f"blocks is {blocks!r}, expected 1 to 5: a 32 x 32 image can be halved five times.")
    rates = [dropout] * (blocks + 1) if isinstance(dropout, int | float) else list(dropout)
    if len(rates) != blocks + 1 or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(f"dropout is {dropout}, expected one rate or {blocks + 1}, each from 0 to below 1.")
    if not l2 >= 0:
        raise ValueError(f"l2 is {l2}, expected 0 or more.")
    options = {"kernel_initializer": "he_uniform", "use_bias": not batch_norm}  # it adds a shift of its own
    if l2:
        options["kernel_regularizer"] = keras.regularizers.L2(l2)

    def activated(layer):
        return [layer, *([batch_normalization()] if batch_norm else []), layers.ReLU()]

    def maybe_dropout(rate):
        return [layers.Dropout(rate)] if rate else []

    stack = [standardize()]
    for block in range(blocks):
        for _ in range(2):
            stack += activated(layers.Conv2D(width * 2**block, 3, padding="same", **options))
        stack += [layers.MaxPooling2D(), *maybe_dropout(rates[block])]
    stack += [layers.Flatten(), *activated(layers.Dense(dense_units, **options)), *maybe_dropout(rates[-1])]
    return network(f"vgg{blocks}", *stack)


def fast_net(
    width: int = 64,
    *,
    multiples: tuple = (1, 4, 4),
    activation: str = "silu",
    whitening: bool = True,
    identity: bool = True,
) -> keras.Model:
    """Return the network of chapter 07: few layers, wide, and quick to learn (arXiv 2404.00498).

    A max pooling over the whole map ends it, so the same weights serve images of other sizes.

    Args:
        width: filters of the first block, 1 or more.
        multiples: how many times as many each block has, as it is published; the recipes have (1, 3, 5).
        activation: name of a Keras activation.
        whitening: whether fixed filters of 2 x 2 pixels come first, which `set_whitening` computes.
        identity: whether each 3 x 3 convolution starts as the identity on its first filters.
    """
    stack = [keras.Input((32, 32, 3)), standardize()]
    if whitening:
        fixed = {"use_bias": False, "trainable": False, "kernel_initializer": "zeros"}
        first = layers.Conv2D(24, 2, name="whitening", **fixed)
        stack += [first, layers.Activation(activation)]
    for multiple in multiples:
        stack += fast_block(multiple * width, activation)
    stack += [layers.GlobalMaxPooling2D()]
    stack += [layers.Dense(10, use_bias=False, name="dense", dtype="float32")]
    stack += [layers.Rescaling(1 / 9, name="logits", dtype="float32")]
    model = keras.Sequential(stack, name="fast_net")
    if identity:
        start_as_identity(model)
    return model


def fast_block(filters: int, activation: str = "silu") -> list[layers.Layer]:
    """Return a block of `fast_net`: two 3 x 3 convolutions; height and width are halved after the first."""

    def convolution():
        return layers.Conv2D(filters, 3, padding="same", use_bias=False)

    def normalized():
        normalization = batch_normalization(momentum=0.8, scale=False)
        return [normalization, layers.Activation(activation)]

    return [convolution(), layers.MaxPooling2D(), *normalized(), convolution(), *normalized()]


def start_as_identity(model: keras.Model) -> None:
    """Set the first filters of all trainable convolutions so that filter i returns channel i unchanged."""
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D) and layer.trainable:
            kernel = keras.ops.convert_to_numpy(layer.kernel).copy()
            same = np.arange(min(kernel.shape[2:]))  # of (3, 3, channels, filters)
            kernel[:, :, :, same] = 0
            kernel[1, 1, same, same] = 1
            layer.kernel.assign(kernel)


def flops(layer: layers.Layer) -> int:
    """Return how many floating-point operations a built layer does for one image, forward.

    A convolution or dense layer does a product and a sum per weight and place; all others count as 0.
    """
    if not isinstance(layer, layers.Conv2D | layers.Dense):
        return 0
    places = np.prod(layer.output.shape[1:-1])
    return 2 * int(np.prod(layer.kernel.shape) * places)


def set_whitening(model: keras.Model, images: np.ndarray, count: int = 5000) -> None:
    """Compute the filters of a layer named "whitening", if there is one, from the first `count` images.

    They are the principal components of all 2 x 2 patches, each divided by its standard deviation, and their
    negatives: what comes out has equal variance and no correlation (arXiv 2404.00498, section 3.2).
    The model's first layer standardises pixels; the images, uint8 (N, 32, 32, 3), are for training.
    """
    if "whitening" not in [layer.name for layer in model.layers]:
        return
    pixels = model.layers[0](images[:count].astype("float32"))
    pixels = keras.ops.convert_to_numpy(pixels)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (2, 2), axis=(1, 2))
    windows = np.moveaxis(windows, 3, -1)  # (N, 31, 31, 2, 2, 3)
    rows = windows.reshape(-1, PATCH_VALUES).astype("float64")
    variances, components = np.linalg.eigh(np.cov(rows, rowvar=False))
    filters = components / np.sqrt(variances + 5e-4)
    filters = filters.reshape(2, 2, 3, PATCH_VALUES)
    kernel = np.concatenate([filters, -filters], axis=-1)
    model.get_layer("whitening").kernel.assign(kernel)


def reseed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Set every random layer's generator to a state that depends on (seed, epoch, layer) alone."""
    states = [v for v in model.variables if v.path.endswith("seed_generator_state")]
    for layer, state in enumerate(states):
        words = np.random.SeedSequence([seed, epoch, layer]).generate_state(2, np.uint32)
        state.assign(words.astype(state.dtype))
