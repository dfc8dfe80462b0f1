"""The rule by which a setting is tried on a grid."""

import pytest

from helpers import experiments
from helpers.screening import RATES
from tools import tuning

GRID, START = (1, 2, 3, 4, 5, 6), (3, 4)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, [3, 4]),
        ({4: 0.5}, [3]),
        ({3: 0.5, 4: 0.6}, [5]),  # the best lies at the upper edge
        ({3: 0.6, 4: 0.5}, [2]),
        ({3: 0.5, 4: 0.6, 5: 0.55}, []),
        ({3: 0.5, 4: 0.6, 5: 0.7}, [6]),
        ({3: 0.5, 4: 0.6, 5: 0.7, 6: 0.8}, []),  # nothing beyond
        ({1: 0.9, 2: 0.8, 3: 0.7, 4: 0.6}, []),
        ({3: 0.5, 4: 0.6, 6: 0.7}, [5]),
    ],
)
def test_the_neighbours_of_the_best_are_tried_until_it_lies_between_two(found, expected):
    assert tuning.to_try(found, GRID, START) == expected


def test_a_study_is_run_until_its_best_lies_between_two(monkeypatch):
    found = {}

    def train(study, seeds, variants, source):  # the larger the rate the better, to 0.01
        assert (study.name, seeds, source) == ("rates_networks", 1, "official")
        for name in variants:
            rate = float(name.removeprefix("mlp_"))
            found[rate] = rate if rate <= 0.01 else 0.0

    monkeypatch.setattr(tuning, "GRIDS", {"rates_networks": {"mlp": RATES}})
    monkeypatch.setattr(tuning, "found_by", lambda study: {"mlp": found})
    monkeypatch.setattr(experiments, "run_study", train)
    tuning.run("rates_networks")
    assert list(found) == [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
    assert tuning.choices("rates_networks") == {"mlp": 1e-2}


def test_what_was_chosen_is_written_as_a_module(monkeypatch):
    written = {}
    monkeypatch.setattr(tuning, "choices", lambda study: {f"an_arm_of_{study}": 0.003})
    monkeypatch.setattr(tuning, "write_text", lambda path, text: written.update({path.name: text}))
    tuning.main(["write"])
    found = {}
    exec(written["chosen.py"], found)
    assert found["RATES"] == {"an_arm_of_rates": 0.003}
    assert found["STRENGTHS"] == {"an_arm_of_strengths": 0.003}
    assert found["__doc__"]
