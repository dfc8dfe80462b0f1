"""What the exercises of chapter 09 accept, and what they do not."""

import keras
import numpy as np
import tensorflow as tf

from helpers import models
from helpers.checks import check


def test_the_width_of_the_square_is_that_of_the_network():
    model = models.fast_net(4, identity=False)
    models.set_whitening(model, np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8))
    second = [i for i, layer in enumerate(model.layers) if "activation" in layer.name][4]
    pixels = tf.Variable(np.random.default_rng(1).uniform(0, 255, (200, 32, 32, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        found = pixels
        for layer in model.layers[: second + 1]:
            found = layer(found)
        middle = tf.reduce_sum(found[:, 3, 3])
    counts = np.abs(tape.gradient(middle, pixels)).sum(axis=(0, 2, 3)) > 0
    assert check("09.1", int(counts.sum()))
    assert not check("09.1", 9)


def test_auroc_counts_ties_half():
    def auroc(right, sure, tie=0.5):
        difference = sure[right][:, np.newaxis] - sure[~right]
        return (difference > 0).mean() + tie * (difference == 0).mean()

    assert check("09.2", auroc)
    assert not check("09.2", lambda right, sure: auroc(right, sure, tie=0))
    assert not check("09.2", lambda right, sure: 1 - auroc(right, sure))
    assert not check("09.2", lambda right, sure: ...)


def test_a_network_that_is_wrong_about_everything_stands_no_noise():
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
    assert not check("09.3", model)
    model.compile("sgd", "mse")
    model.optimizer.iterations.assign(90)
    assert not check("09.3", model)
