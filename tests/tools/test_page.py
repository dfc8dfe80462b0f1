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
    """A tiny network of the shipped one's kind, every number of it drawn at random, variances included."""
    network, rng = fast_net(width=3), np.random.default_rng(0)
    for variable in network.variables:
        if "standardize" not in variable.path:
            variable.assign(rng.uniform(0.1, 1, variable.shape))
    return network


@pytest.mark.parametrize("bits", [8, 16])
def test_weights_lie_where_they_are_said_to_and_are_as_exact_as_their_bits_allow(network, bits):
    weights = bytearray()
    told = [page.described(layer, bits, weights) for layer in network.layers]

    def array(place, kind="<f4"):
        assert place[0] % 4 == 0, "JavaScript reads whole words"
        return np.frombuffer(weights, kind, count=place[1], offset=place[0])

    for layer, known in zip(network.layers, told, strict=True):
        if "kernel" in known:
            kernel = np.moveaxis(np.asarray(layer.kernel), -1, 0)
            rows = array(known["kernel"], f"i{bits // 8}").reshape(kernel.shape)
            scales = array(known["scales"]).reshape(-1, *[1] * (kernel.ndim - 1))
            assert np.abs(rows * scales - kernel).max() <= 0.51 * kernel.max() / (2 ** (bits - 1) - 1)
        if "scale" in known:
            values = np.random.default_rng(1).uniform(0, 255, (1, *layer.input.shape[1:])).astype("float32")
            expected = values * array(known["scale"]) + array(known["shift"])
            np.testing.assert_allclose(layer(values), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layers.Conv2D(2, 3, strides=2), "Conv2D strides"),
        (layers.Activation("gelu"), "Activation activation"),
        (layers.LayerNormalization(), "LayerNormalization"),
    ],
)
def test_a_layer_that_the_page_cannot_run_is_told(layer, words):
    keras.Sequential([keras.Input((32, 32, 3)), layer])
    with pytest.raises(ModelError, match=words):
        page.described(layer, 16, bytearray())


def test_the_page_asks_for_nothing_and_is_whole_in_one_file(network, tmp_path):
    save_model(network, tmp_path / "tiny.keras", {"temperature": 0.5})
    page.main(["--model", str(tmp_path / "tiny.keras"), "--out", str(tmp_path / "page")])
    folder, single = tmp_path / "page", (tmp_path / "page.html").read_text(encoding="utf-8")
    for text in [single, *(path.read_text(encoding="utf-8") for path in folder.iterdir())]:
        assert not re.search(r"https?:|ftp:|fetch\(|XMLHttp|@import|url\(|import\(", text)
    assert not re.search(r'(src|href)="(?!data:)', single)
    assert '"temperature": 0.5' in single
    assert single.count("data:image/") == page.EXAMPLES
