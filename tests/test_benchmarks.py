"""The benchmarks measure what they say."""

import sys

import pytest

from helpers.training import epoch_data
from tests.support.tiny import tiny_data
from tools.chapters import ROOT


@pytest.fixture
def keras_net(monkeypatch):
    """The TensorFlow side of training_step.py."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import keras_net

    yield keras_net
    for name in ("keras_net", "turns"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("augmented", [False, True])
def test_our_side_trains_on_whole_pictures_in_every_epoch_as_its_rivals_do(keras_net, augmented):
    split = tiny_data().train
    recipe = keras_net.recipe_of(batch_size=10, augmented=augmented)
    shapes = {epoch_data(split, recipe, 0, epoch)[0].shape for epoch in (0, 1, 5, 20)}
    assert shapes == {split.images.shape}
