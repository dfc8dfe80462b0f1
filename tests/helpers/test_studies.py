"""The studies of the series: fair by their definition, and chosen as they say."""

import dataclasses
import inspect

import pytest

from helpers import models, studies
from helpers.studies import STUDIES, Variant
from helpers.training import CROP_SIDE

# Studies of a single recipe compare nothing: `full` comes before `final`, the classic one measures seconds.
SINGLE = {s.name: s.seeds for s in studies.FAST} | {"classic_keras": 1}
JUDGES = [s for s in STUDIES.values() if not (s.first_seed or s.name in SINGLE)]
CHOOSERS = [study for study in STUDIES.values() if study.first_seed]


def whole_epochs(variant: Variant) -> float:
    """Return a variant's epochs, those on crops counted by their share of the pixels."""
    if variant.recipe is None:
        return variant.options["passes"]
    small = variant.recipe.small_epochs
    return variant.recipe.epochs - small + small * (CROP_SIDE / 32) ** 2


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_a_study_compares_distinct_variants_at_one_equal_budget(study):
    names, titles = ([getattr(variant, part) for variant in study.variants] for part in ("name", "title"))
    assert len(set(names)) == len(set(titles)) == len(study.variants)
    assert (len(names) == 1) == (study.name in SINGLE)
    for variant in (v for v in study.variants if v.recipe):
        inspect.signature(getattr(models, variant.model)).bind(**variant.options)
    budgets = {whole_epochs(variant) for variant in study.variants}
    assert max(budgets) - min(budgets) < 0.5
    if not any(variant.recipe and variant.recipe.small_epochs for variant in study.variants):
        assert len(budgets) == 1


def test_studies_that_judge_have_seeds_enough_and_studies_that_choose_have_others():
    assert SINGLE["quick"] == SINGLE["final"] == 10
    judging = {seed for study in JUDGES for seed in range(study.seeds)}
    assert len(CHOOSERS) > 2 < min(study.seeds for study in JUDGES)
    assert not judging & {s.first_seed + i for s in CHOOSERS for i in range(s.seeds)}


def test_the_fast_recipes_are_the_top_rung_only_wider_and_longer_and_in_16_bits():
    kept, free = studies.TOP, ("epochs", "small_epochs", "precision", "schedule")
    for study in studies.FAST:
        (variant,) = study.variants
        others = {part: getattr(kept.recipe, part) for part in free}
        assert dataclasses.replace(variant.recipe, **others) == kept.recipe
        assert kept.options.keys() <= variant.options.keys() <= {"width", "multiples"}
    assert STUDIES["final"].variants == STUDIES["full"].variants
    assert {study.name for study in studies.FAST if study.final} == {"final", "final_2026-11-22", "long"}
