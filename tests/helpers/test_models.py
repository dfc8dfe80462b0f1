"""Every network takes raw pixels and gives ten logits; its size and its options are what they say."""

import math

import keras
import numpy as np
import pytest

from helpers import models

NETWORKS = {
    "softmax_regression": models.softmax_regression,
    "mlp": models.mlp,
    "tutorial_cnn": models.tutorial_cnn,
    "classic_cnn": models.classic_cnn,
    "vgg1": lambda: models.vgg(1),
    "fast_net": lambda: models.fast_net(4),
    "fast_net_without": lambda: models.fast_net(4, whitening=False, identity=False),
    "vgg5_with_everything": lambda: models.vgg(5, width=2, dropout=0.2, l2=1e-4, batch_norm=True),
}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)


def logits(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_turns_raw_pixels_of_any_dtype_into_ten_float32_logits(name, images):
    model = NETWORKS[name]()
    assert not model.compiled
    result = logits(model, images)
    assert result.shape == (7, 10)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, logits(model, images.astype("float64")))


def test_pixels_are_standardised_inside_the_model():
    mean = 255 * np.array(models.CHANNEL_MEAN, "float32")
    std = 255 * np.array(models.CHANNEL_STD, "float32")
    pixels = np.stack([np.broadcast_to(mean + k * std, (32, 32, 3)) for k in (-1, 0, 2)])
    result = keras.ops.convert_to_numpy(models.standardize()(pixels))
    np.testing.assert_allclose(result.mean(axis=(1, 2)), [[-1] * 3, [0] * 3, [2] * 3], atol=1e-5)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (models.softmax_regression, 3072 * 10 + 10),
        (models.mlp, 3073 * 512 + 513 * 256 + 257 * 10),
        (models.tutorial_cnn, 122_570),  # what TensorFlow's tutorial prints
        (models.classic_cnn, 550_570 + 2 * 2 * (32 + 64 + 128) + 2 * 128),  # VGG-3, and two per channel
        (models.vgg, (448 + 2_320) + (4_640 + 9_248) + (18_496 + 36_928) + 1025 * 128 + 129 * 10),
    ],
)
def test_the_number_of_weights_is_what_the_layers_make(model, parameters):
    assert sum(math.prod(w.shape) for w in model().trainable_weights) == parameters


@pytest.mark.parametrize(("given", "used"), [(0.25, [0.25] * 3), ((0.1, 0, 0.5), [0.1, 0.5])])
def test_dropout_can_be_set_for_all_blocks_or_each_and_a_rate_of_zero_adds_no_layer(given, used):
    model = models.vgg(2, width=4, dropout=given)
    assert [layer.rate for layer in layers_of(model, keras.layers.Dropout)] == used


def test_l2_adds_the_squared_kernels_to_the_loss():
    model = models.vgg(1, width=4, l2=0.01)
    decayed = layers_of(model, (keras.layers.Conv2D, keras.layers.Dense))[:-1]  # all but the logits
    expected = sum(0.01 * (keras.ops.convert_to_numpy(layer.kernel) ** 2).sum() for layer in decayed)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)
    assert models.vgg(1).losses == []


def test_batch_normalisation_follows_every_layer_but_the_logits_and_replaces_its_bias():
    model = models.vgg(2, batch_norm=True)
    assert len(layers_of(model, keras.layers.BatchNormalization)) == 5
    weighted = layers_of(model, (keras.layers.Conv2D, keras.layers.Dense))
    assert [layer.use_bias for layer in weighted] == [False] * 5 + [True]


WRONG = (("blocks", 0), ("blocks", 6), ("dropout", 1.0), ("dropout", (0.1, 0.2)), ("l2", -1e-4))


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_argument_is_named_in_one_line(name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*$"):
        models.vgg(**{name: value})


def test_whitening_takes_apart_what_neighbouring_pixels_share():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 32, 32, 1)) // 2 + rng.integers(0, 128, (50, 1, 1, 3))
    model = models.fast_net(4)
    models.set_whitening(model, images.astype("uint8"))
    upto = keras.Sequential(model.layers[:2])
    maps = logits(upto, images.astype("uint8")).reshape(-1, 24)
    np.testing.assert_allclose(maps[:, 12:], -maps[:, :12], rtol=1e-4, atol=1e-4)
    spread = np.cov(maps[:, :12], rowvar=False)
    loud = np.diag(spread) > 0.5  # directions in which the images differ by more than the regulariser
    assert loud.sum() >= 6
    np.testing.assert_allclose(spread[np.ix_(loud, loud)], np.eye(loud.sum()), atol=0.05)


def test_whitening_is_not_trained_and_other_networks_are_left_alone(images):
    assert not any("whitening" in w.path for w in models.fast_net(4).trainable_weights)
    plain = models.vgg(1)
    before = plain.get_weights()
    models.set_whitening(plain, images)
    assert all(np.array_equal(a, b) for a, b in zip(before, plain.get_weights(), strict=True))


def test_convolutions_start_by_passing_on_their_channels():
    layer = layers_of(models.fast_net(4), keras.layers.Conv2D)[2]  # 4 channels in, 4 filters
    maps = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    np.testing.assert_allclose(logits(layer, maps), maps, rtol=1e-6)


def test_flops_count_a_product_and_a_sum_per_weight_and_place():
    strided = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)  # 16 x 16 places
    stack = [keras.layers.Conv2D(4, 1), strided, keras.layers.Flatten(), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((32, 32, 3)), *stack])
    expected = [32 * 32 * 3 * 4, 16 * 16 * 3 * 3 * 4 * 8, 0, 16 * 16 * 8 * 10]
    assert [models.flops(layer) / 2 for layer in model.layers] == expected


def test_dropout_draws_by_seed_epoch_and_layer_alone():
    def states(seed, epoch):
        model = models.vgg(1, width=2, dense_units=4, dropout=0.3)
        models.reseed_dropout(model, seed, epoch)
        random = [v for v in model.variables if v.path.endswith("seed_generator_state")]
        return [tuple(keras.ops.convert_to_numpy(v).tolist()) for v in random]

    assert states(0, 5) == states(0, 5)
    assert len({*states(0, 5), *states(0, 6), *states(1, 5)}) == 6  # two dropout layers each
