"""The benchmarks measure what they say."""

import argparse
import sys

import pytest

from helpers.internal.files import ROOT
from helpers.training import epoch_data
from tests.support.tiny import tiny_data


@pytest.mark.parametrize("augmented", [False, True])
def test_our_side_trains_on_whole_pictures_in_every_epoch_as_its_rivals_do(monkeypatch, augmented):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import training_step

    sys.modules.pop("training_step")
    split = tiny_data().train
    recipe = training_step.recipe_of(argparse.Namespace(epochs=30, batch=10), augmented)
    shapes = {epoch_data(split, recipe, 0, epoch)[0].shape for epoch in (0, 1, 5, 20)}
    assert shapes == {split.images.shape}
