"""The page's files: the weights lie where they are said to, and nothing in them leads to another machine."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from helpers.export import save_model
from helpers.models import fast_net
from helpers.predict import ModelError
from tools import page


@pytest.fixture(scope="module")
def network():
    """A tiny network of the shipped one's kind, each number of it drawn at random."""
    network, rng = fast_net(width=3), np.random.default_rng(0)
    for weight in network.weights[3:]:  # after what standardises pixels
        weight.assign(rng.uniform(0.1, 1, weight.shape))
    return network


@pytest.mark.parametrize("bits", [8, 16])
def test_weights_lie_where_they_are_said_to_and_are_as_exact_as_their_bits_allow(network, bits):
    weights, rng = bytearray(), np.random.default_rng(1)
    for layer in network.layers:
        told = page.described(layer, bits, weights)
        arrays = {}
        for name in told.keys() & {"kernel", "scales", "scale", "shift"}:
            start, length = told[name]
            assert start % 4 == 0, "JavaScript reads whole words"
            kind = f"<i{bits // 8}" if name == "kernel" else "<f4"
            arrays[name] = np.frombuffer(bytes(weights), kind, length, start)
        if "kernel" in arrays:
            rows = arrays["kernel"].reshape(len(arrays["scales"]), -1) * arrays["scales"][:, None]
            kernel = np.moveaxis(np.asarray(layer.kernel), -1, 0).reshape(rows.shape)
            np.testing.assert_allclose(rows, kernel, atol=0.51 * kernel.max() / (2 ** (bits - 1) - 1))
        elif "scale" in arrays:
            values = rng.uniform(0, 255, (1, *layer.input.shape[1:])).astype("float32")
            expected = values * arrays["scale"] + arrays["shift"]
            np.testing.assert_allclose(layer(values), expected, rtol=1e-5, atol=1e-4)


STRIDES, GELU, OTHER = layers.Conv2D(2, 3, strides=2), layers.Activation("gelu"), layers.LayerNormalization()


@pytest.mark.parametrize(("layer", "reason"), [(STRIDES, "strides"), (GELU, "activation"), (OTHER, "Layer")])
def test_a_layer_that_the_page_cannot_run_is_told(layer, reason):
    keras.Sequential([keras.Input((32, 32, 3)), layer])
    with pytest.raises(ModelError, match=f"cannot run the layer {layer.name}: .*{reason}"):
        page.described(layer, 16, bytearray())


def test_the_page_is_whole_in_one_file_and_names_no_other_machine(network, tmp_path):
    save_model(network, tmp_path / "tiny.keras", {"temperature": 0.5})
    page.main(["--model", str(tmp_path / "tiny.keras"), "--out", str(tmp_path / "page")])
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall(r'https?:|fetch\(|XMLHttp|@import|url\(|(?:src|href)="(?!data:)', text) == []
    assert text.count("data:image/") == page.EXAMPLES
    assert '"temperature": 0.5' in text
