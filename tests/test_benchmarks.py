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


@pytest.mark.slow
def test_runs_of_two_workers_are_those_of_one_though_a_worker_and_the_asker_are_killed(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import many_runs

    ways = {name: many_runs.WAYS[name] for name in (many_runs.ONE_CORE, "2 workers")}
    monkeypatch.setattr(many_runs, "WAYS", ways)
    sizes = {"--runs": 3, "--epochs": 2, "--kills": 1, "--askers": 1}
    monkeypatch.setattr(sys, "argv", ["", *(str(word) for pair in sizes.items() for word in pair)])
    many_runs.main()
    assert "3 records, 3 the same; 0 kills left" in capsys.readouterr().out.splitlines()[-1]
