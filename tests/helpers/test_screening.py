"""The studies that choose: grids that start inside, and arms that use what was chosen for their company."""

from dataclasses import asdict

import pytest

from helpers import chosen
from helpers.screening import ARMS, BUDGET, GRIDS, SCREENINGS, STRENGTHS, arm, tried

STUDIES = {study.name: study for study in SCREENINGS}


@pytest.mark.parametrize("study", GRIDS)
def test_every_value_of_a_grid_has_a_variant_and_it_starts_inside(study):
    names = {variant.name for variant in STUDIES[study].variants}
    for group, (grid, start) in GRIDS[study].items():
        assert list(grid) == sorted(set(grid))
        assert set(start) < set(grid)
        assert {tried(group, value) for value in grid} <= names


def test_rates_are_tried_for_half_of_the_budget_and_end_at_zero_everywhere():
    epochs = {name: {v.recipe.epochs for v in study.variants} for name, study in STUDIES.items()}
    half = {BUDGET.epochs / 2}
    assert epochs == {
        "strengths": {BUDGET.epochs},
        "rates": half,
        "rates_networks": half,
        "batch_sizes": half,
    }
    assert {v.recipe.schedule for study in SCREENINGS for v in study.variants} == {"triangular"}


def test_a_strength_reaches_the_arm_that_uses_it_as_it_was_tried(monkeypatch):
    values = {group: grid[1] for group, (grid, _) in STRENGTHS.items()}
    monkeypatch.setattr(chosen, "STRENGTHS", values)
    arms = {name: arm(name, 0.001) for name in ARMS}
    for group, name in (("dropout_alone", "dropout"), ("decay_alone", "decay"), ("mixup_augment", "mixup")):
        variant = STUDIES["strengths"][tried(group, values[group])]
        _, model, options, recipe = arms[name]
        assert (variant.model, variant.options) == (model, options)
        assert asdict(variant.recipe) | {"learning_rate": 0} == asdict(recipe) | {"learning_rate": 0}
    both = {"dropout": values["dropout_augment_bn"], "l2": values["l2_augment_bn"]}
    assert arms["all"][2] == {"batch_norm": True} | both
