"""Batch normalisation with the fused operation gives what Keras' own gives."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from helpers.internal.normalization import batch_normalization

OPTIONS = [{}, {"scale": False, "momentum": 0.6}, {"center": False, "epsilon": 0.1}]


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(3, 2, (7, 5, 4, 6)).astype("float32")


def pair(options, shape):
    """Return our layer and Keras' own, with equal weights that are not the initial ones."""
    pair = [batch_normalization(**options), layers.BatchNormalization(**options)]
    for layer in pair:
        layer.build(shape)
        layer.set_weights([np.linspace(0.5, 1.5, w.shape[0]) for w in layer.get_weights()])
    return pair


def gradients(layer, images):
    import tensorflow as tf

    weights = np.random.default_rng(1).normal(size=images.shape).astype("float32")
    with tf.GradientTape() as tape:
        x = tf.constant(images)
        tape.watch(x)
        loss = ops.sum(weights * layer(x, training=True) ** 2)
    variables = [weight.value for weight in layer.trainable_weights]
    return [np.asarray(value) for value in tape.gradient(loss, [x, *variables])]


@pytest.mark.parametrize("options", OPTIONS)
def test_training_gives_the_same_outputs_moving_averages_and_gradients(options, images):
    ours, keras_own = pair(options, images.shape)
    outputs = [ops.convert_to_numpy(layer(images, training=True)) for layer in (ours, keras_own)]
    np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-5)
    for a, b in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(gradients(ours, images), gradients(keras_own, images), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def test_images_go_through_the_fused_operation(images):
    import tensorflow as tf

    layer = batch_normalization()
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(images).graph
    assert "FusedBatchNormV3" in {operation.type for operation in graph.get_operations()}


@pytest.mark.parametrize(("shape", "options"), [((16, 6), {}), ((7, 5, 4, 6), {"dtype": "mixed_bfloat16"})])
def test_input_of_another_rank_or_half_precision_is_normalised_by_keras(shape, options):
    x = np.random.default_rng(2).normal(size=shape).astype("float32")
    ours, keras_own = (ops.cast(layer(x, training=True), "float32") for layer in pair(options, shape))
    np.testing.assert_array_equal(ours, keras_own)


def test_prediction_and_a_frozen_layer_use_the_moving_averages(images):
    ours, keras_own = pair({}, images.shape)
    np.testing.assert_array_equal(ours(images), keras_own(images))
    ours.trainable = keras_own.trainable = False
    before = ours.get_weights()
    np.testing.assert_array_equal(ours(images, training=True), keras_own(images, training=True))
    np.testing.assert_array_equal(ours.get_weights(), before)


def test_it_is_saved_and_loaded_as_a_layer_of_keras(tmp_path, images):
    model = keras.Sequential([keras.Input(images.shape[1:]), batch_normalization()])
    model(images, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is layers.BatchNormalization
    np.testing.assert_array_equal(loaded(images), model(images))
