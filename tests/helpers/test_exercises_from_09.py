"""What the exercises of chapters 09 and 10 accept, and what they do not."""

import numpy as np
import tensorflow as tf

from helpers import models
from helpers.checks import check


def test_the_width_of_the_square_is_that_of_the_network():
    model = models.fast_net(4, identity=False)
    pixels = tf.Variable(np.random.default_rng(0).uniform(0, 255, (200, 32, 32, 3)).astype("float32"))
    models.set_whitening(model, pixels.numpy())
    with tf.GradientTape() as tape:
        found = pixels
        for layer in model.layers[:15]:  # to the second block's last convolution
            found = layer(found)
        middle = tf.reduce_sum(found[:, 3, 3])
    felt = np.abs(tape.gradient(middle, pixels)).sum(axis=(0, 2, 3)) > 0
    assert check("09.1", felt.sum())


def test_auroc_counts_ties_half():
    def auroc(right, sure, tie=0.5):
        difference = sure[right][:, np.newaxis] - sure[~right]
        return (difference > 0).mean() + tie * (difference == 0).mean()

    assert check("09.2", auroc)
    assert not check("09.2", lambda right, sure: auroc(right, sure, tie=0))
    assert not check("09.2", lambda right, sure: 1 - auroc(right, sure))


def test_a_batch_is_dealt_out_whole_and_evenly():
    assert check("10.2", lambda batch, number, workers: batch[number::workers])
    assert not check("10.2", lambda batch, number, workers: batch[: len(batch) // workers])
    assert not check("10.2", lambda batch, number, workers: ...)


def test_the_rate_grows_with_the_batch():
    def trained(steps, rate):
        model = models.softmax_regression()
        model.compile("sgd", "mse")
        model.optimizer.learning_rate = rate
        model.optimizer.iterations.assign(steps)
        return model

    small = trained(64, 0.01)
    assert check("10.4", [small, trained(8, 0.08)])
    for other in (trained(8, 0.01), trained(64, 0.08), trained(0, 0.08)):
        assert not check("10.4", [small, other])
