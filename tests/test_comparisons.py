"""The studies that judge, made from any choice of strengths and rates."""

from itertools import pairwise

import pytest

from helpers import ladder, models
from helpers.comparisons import comparisons
from helpers.screening import NETWORKS, STRENGTH_GRIDS, arms
from helpers.study import Study

STRENGTHS = {group: start[0] for group, (_, start) in STRENGTH_GRIDS.items()}
RATES = {arm: 1e-3 * (1 + place) for place, arm in enumerate(arms(STRENGTHS))}
NETWORK_RATES = dict.fromkeys(NETWORKS, 2e-3)
STUDIES = {study.name: study for study in comparisons(STRENGTHS, RATES, NETWORK_RATES)}


def test_a_study_is_there_as_soon_as_all_that_it_needs_is_chosen():
    assert list(STUDIES) == ["networks", "techniques", "longer", "ladder", "ablation"]
    assert comparisons({}, {}, {}) == ()
    assert [study.name for study in comparisons({}, {}, NETWORK_RATES)] == ["networks"]
    first_rates = {arm: RATES[arm] for arm in arms({})}
    assert comparisons({}, first_rates, {}) == comparisons(STRENGTHS, first_rates, {}) == ()


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_every_study_validates_on_folds_and_ends_at_a_rate_of_zero(study):
    names, titles = ({getattr(v, part) for v in study.variants} for part in ("name", "title"))
    assert len(names) == len(titles) == len(study.variants)
    splits = [study.split(seed) for seed in range(study.seeds)]
    assert splits == [{"val_size": 10_000, "seed": 0, "fold": fold} for fold in range(study.seeds)]
    constant = {v.name for v in study.variants if v.recipe and v.recipe.schedule == "constant"}
    assert constant == ({"schedule"} if study.name == "ablation" else set())


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_every_network_can_be_built(study: Study):
    distinct = {repr((v.model, v.options)): v for v in study.variants if v.recipe}
    for variant in distinct.values():
        assert getattr(models, variant.model)(**variant.options).output_shape == (None, 10)


def test_each_arm_has_its_own_rate_and_the_same_budget():
    for variant in STUDIES["techniques"].variants:
        assert variant.recipe.learning_rate == RATES[variant.name]
        assert (variant.recipe.epochs, variant.recipe.batch_size) == (15, 128)
    assert {v.recipe.epochs for v in STUDIES["longer"].variants} == {40}


def test_dropout_of_a_tenth_is_one_arm_where_it_is_what_was_chosen():
    chosen = comparisons(STRENGTHS | {"dropout_augment": 0.1}, RATES, {})[0]
    assert len(chosen.variants) == len(STUDIES["techniques"].variants) - 1


def test_each_rung_is_the_one_below_with_one_change():
    for below, rung in pairwise(STUDIES["ladder"].variants):
        assert ladder.changes(below, rung)
        other_network = (below.model, below.options) != (rung.model, rung.options)
        assert other_network != (below.recipe != rung.recipe), rung.name


def test_each_ablation_is_the_top_of_the_ladder_without_one_idea():
    top, *others = STUDIES["ablation"].variants
    kept = STUDIES["ladder"]["crops"]
    assert (top.model, top.options, top.recipe) == (kept.model, kept.options, kept.recipe)
    for variant in others:
        changed = {key for key, value in vars(variant.recipe).items() if value != vars(top.recipe)[key]}
        options = {key for key in variant.options if variant.options[key] != top.options.get(key)}
        assert len(changed | options) == 1 or changed == {"epochs", "small_epochs"}, variant.name
