"""The studies that judge: folds, equal budgets, one change at a time."""

from dataclasses import asdict
from itertools import pairwise

import pytest

from helpers import chosen, comparisons, screening
from helpers.screening import ARMS, BUDGET, STRENGTHS


@pytest.fixture(autouse=True)
def all_chosen(monkeypatch):
    monkeypatch.setattr(chosen, "STRENGTHS", {group: start[0] for group, (_, start) in STRENGTHS.items()})
    monkeypatch.setattr(chosen, "RATES", dict.fromkeys(ARMS, 0.003))
    monkeypatch.setattr(chosen, "NETWORK_RATES", dict.fromkeys(screening.NETWORKS, 0.001))


def test_the_seeds_of_a_study_are_folds_of_one_shuffle():
    for study in comparisons.comparisons():
        splits = [study.split(seed) for seed in range(study.seeds)]
        assert splits == [{"val_size": 10_000, "seed": 0, "fold": fold} for fold in range(study.seeds)]
        assert study.seeds >= (3 if study.name == "longer" else 5)


def test_all_arms_of_a_comparison_have_one_budget_and_a_rate_of_their_own(monkeypatch):
    monkeypatch.setitem(chosen.RATES, "bn", 0.01)
    monkeypatch.setitem(chosen.NETWORK_RATES, "mlp", 3e-4)
    techniques, networks = comparisons.techniques(), comparisons.networks()
    assert {v.recipe.epochs for v in techniques.variants} == {BUDGET.epochs}
    assert (techniques["bn"].recipe.learning_rate, techniques["l2"].recipe.learning_rate) == (0.01, 0.003)
    assert (networks["mlp"].recipe.learning_rate, networks["vgg3"].recipe.learning_rate) == (3e-4, 0.003)
    assert {v.recipe.epochs for v in comparisons.longer().variants} == {40}


def differences(one, other):
    """Return the names of the settings in which two variants differ; another network counts as one."""
    network = {"network"} if (one.model, one.options) != (other.model, other.options) else set()
    found = asdict(one.recipe), asdict(other.recipe)
    return network | {name for name in found[0] if found[0][name] != found[1][name]}


def test_each_rung_changes_one_thing_and_what_it_drags_along():
    changed = {rung.name: differences(below, rung) for below, rung in pairwise(comparisons.ladder().variants)}
    assert [name for name, what in changed.items() if len(what) > 1] == ["sgd", "batches", "crops"]
    assert changed["sgd"] == {"optimizer", "learning_rate", "momentum"}
    assert changed["batches"] == {"batch_size", "learning_rate"}
    assert changed["crops"] == {"epochs", "small_epochs"}


def test_an_ablation_takes_one_idea_from_the_top_of_the_ladder():
    top, *others = comparisons.ablation().variants
    kept = comparisons.ladder().variants[-1]
    assert (top.options, top.recipe) == (kept.options, kept.recipe)
    more = {v.name: differences(top, v) for v in others}
    assert all(more.values())
    assert [name for name, what in more.items() if len(what) > 1] == ["crops"]
