"""The rule by which a setting is tried on a grid, and the studies that follow it."""

import pytest

from helpers import chosen, tuning
from helpers.screening import GRIDS, RATES, arms, tried
from helpers.studies import STUDIES

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

    def train(study, variants):  # the larger the rate the better, to 0.01
        assert study is STUDIES["rates_networks"]
        for name in variants:
            rate = float(name.removeprefix("mlp_"))
            found[rate] = rate if rate <= 0.01 else 0.0

    monkeypatch.setattr(tuning, "GRIDS", {"rates_networks": {"mlp": RATES}})
    monkeypatch.setattr(tuning, "found_by", lambda study, group: found)
    monkeypatch.setattr(tuning, "run_study", train)
    tuning.run("rates_networks")
    assert list(found) == [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
    assert tuning.choices("rates_networks") == {"mlp": 1e-2}


@pytest.mark.parametrize("study", GRIDS)
def test_every_value_of_a_grid_has_a_variant_and_it_starts_inside(study):
    names = {variant.name for variant in STUDIES[study].variants}
    for group, (grid, start) in GRIDS[study].items():
        assert list(grid) == sorted(set(grid))
        assert set(start) < set(grid)
        assert {tried(group, value) for value in grid} <= names


def test_a_strength_reaches_the_arm_that_uses_it():
    values = {group: grid[1] for group, (grid, _) in GRIDS["strengths"].items()}
    found = arms(values)
    for group, arm in (
        ("dropout_alone", "dropout"),
        ("decay_alone", "decay"),
        ("last_augment_bn", "last_dropout"),
    ):
        _, options, recipe = found[arm]
        screened = STUDIES["strengths"][tried(group, values[group])]
        assert (options, recipe.weight_decay) == (screened.options, screened.recipe.weight_decay)
    assert found["all"][1] == {
        "batch_norm": True,
        "dropout": values["dropout_augment_bn"],
        "weight_decay": values["l2_augment_bn"],
    }
    assert found["mixup"][2].augmentation.mixup == values["mixup_augment"]
    assert found["mixup"][2].augmentation.flip
    assert "dropout" not in arms({})


def test_what_is_chosen_is_what_the_recorded_runs_say():
    for name, study in (("STRENGTHS", "strengths"), ("RATES", "rates"), ("NETWORK_RATES", "rates_networks")):
        assert getattr(chosen, name) == tuning.choices(study)
