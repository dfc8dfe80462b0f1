"""The studies of the series: fair by their definition, and chosen as they say."""

import dataclasses
from itertools import pairwise

import pytest

from helpers import ladder, models, records, studies
from helpers.recipe import Recipe
from helpers.studies import ARMS, CHOSEN_RATES, LEARNING_RATES, STUDIES, Study, Variant, screened
from helpers.training import CROP_SIDE, train
from tests.tiny import build, tiny_data

# Studies of a single recipe compare nothing: `full` comes before `final`, the classic ones measure seconds.
SINGLE = {"quick": 3, "full": 1, "final": 3, "classic": 1, "classic_keras": 1}
JUDGES = [
    study
    for study in STUDIES.values()
    if study.first_seed == 0 and not study.milestones and study.name not in SINGLE
]
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
    budgets = {whole_epochs(variant) for variant in study.variants}
    assert max(budgets) - min(budgets) < 0.5
    if not any(variant.recipe and variant.recipe.small_epochs for variant in study.variants):
        assert len(budgets) == 1


def test_studies_that_judge_have_seeds_enough_and_studies_that_choose_have_others():
    assert all(study.seeds >= 3 for study in JUDGES)
    assert {study.name for study in JUDGES} >= {"baseline", "improvements", "fast"}
    assert {name: STUDIES[name].seeds for name in SINGLE} == SINGLE
    judging = {seed for study in JUDGES for seed in range(study.seeds)}
    assert CHOOSERS
    assert not judging & {s.first_seed + i for s in CHOOSERS for i in range(s.seeds)}


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(v, id=f"{s.name}-{v.name}")
        for s in STUDIES.values()
        if s.name not in ("screening", "rates", "rates_networks")  # their networks are those of others
        for v in s.variants
        if v.recipe
    ],
)
def test_every_network_of_a_study_can_be_built(variant):
    model = getattr(models, variant.model)(**variant.options)
    assert (model.input_shape, model.output_shape) == ((None, 32, 32, 3), (None, 10))


def test_each_arm_has_the_learning_rate_that_the_screening_chose():
    screening = records.load_runs("screening").set_index("variant")["val_accuracy"]
    judged = records.load_runs("improvements")["variant"].unique()
    for arm in judged:
        tried = {rate: screening[screened(arm, rate)] for rate in LEARNING_RATES}
        assert tried[CHOSEN_RATES[arm]] == max(tried.values()), (arm, tried)
    assert "baseline" in judged


def test_the_screening_tries_every_arm_with_every_rate_for_a_third_of_the_budget():
    variants = {variant.name: variant for variant in studies.SCREENING.variants}
    assert set(variants) == {screened(arm, rate) for arm in ARMS for rate in LEARNING_RATES}
    for arm in ARMS:
        judged = studies.IMPROVEMENTS[arm]
        for rate in LEARNING_RATES:
            tried = variants[screened(arm, rate)]
            assert tried.options == judged.options
            third = judged.recipe.epochs // 3
            assert tried.recipe == dataclasses.replace(judged.recipe, epochs=third, learning_rate=rate)


@pytest.mark.parametrize(
    ("arm", "tried"),
    [
        ("dropout", ("dropout_20", "dropout_40", "dropout_depth")),
        ("decay", ("l2_1e-4", "l2_1e-3", "adamw_5e-2", "adamw_5e-1")),
    ],
)
def test_dropout_and_decay_of_the_arms_are_those_that_did_best_on_validation(arm, tried):
    study = studies.REGULARIZATION
    accuracies = records.load_runs("regularization").set_index("variant")["val_accuracy"]
    best = study[accuracies[list(tried)].idxmax()]
    judged = studies.IMPROVEMENTS[arm]
    assert (best.options, best.recipe.weight_decay) == (judged.options, judged.recipe.weight_decay)


def test_each_rung_of_the_ladder_is_the_one_below_with_one_change_named_in_its_title():
    rungs = studies.FAST.variants
    assert (rungs[0].options, rungs[0].model) == (studies.IMPROVEMENTS["augment_bn"].options, "vgg")
    for below, rung in pairwise(rungs):
        assert rung.title.startswith("+ ")
        assert ladder.changes(below, rung)
        other_network = (below.model, below.options) != (rung.model, rung.options)
        assert other_network != (below.recipe != rung.recipe), rung.name


def test_the_full_recipe_is_the_rung_that_was_kept_only_wider_and_longer():
    kept = studies.FAST[studies.TOP]
    for name in ("quick", "full", "final"):
        (variant,) = STUDIES[name].variants
        short = {part: getattr(kept.recipe, part) for part in ("epochs", "small_epochs")}
        assert dataclasses.replace(variant.recipe, **short) == kept.recipe
        assert variant.options.keys() == kept.options.keys() == {"width"}
    assert STUDIES["final"].variants == STUDIES["full"].variants
    assert STUDIES["final"].final


def test_a_long_run_begins_as_a_short_one(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    data, recipe = tiny_data(), Recipe(epochs=4, batch_size=50)
    short, long = (
        train(build, data, dataclasses.replace(recipe, epochs=epochs), seed=3, progress=False)[1].history
        for epochs in (2, 4)
    )
    measures = ("loss", "accuracy", "val_loss", "val_accuracy")
    assert [[e[m] for m in measures] for e in short] == [[e[m] for m in measures] for e in long[:2]]


def test_seeds_that_share_a_shuffle_validate_on_folds_of_their_own():
    study = dataclasses.replace(studies.IMPROVEMENTS, folds=5, val_size=10_000)
    assert [study.split(seed) for seed in (0, 4, 5)] == [
        {"val_size": 10_000, "seed": 0, "fold": 0},
        {"val_size": 10_000, "seed": 0, "fold": 4},
        {"val_size": 10_000, "seed": 1, "fold": 0},
    ]
    assert studies.IMPROVEMENTS.split(2) == {"val_size": 5000, "seed": 2, "fold": 0}
    assert studies.FINAL.split(2)["val_size"] == 0


@pytest.mark.parametrize("change", [{"schedule": "cosine"}, {"averaging": 2}])
def test_milestones_are_refused_where_a_long_run_begins_differently(change):
    variant = Variant("one", "One", "mlp", {}, Recipe(epochs=4, **change))
    with pytest.raises(ValueError, match="a long run does not begin as a short one"):
        Study("longer", "Why?", (variant,), milestones=(2, 4))
