"""Tests of helpers.ladder: each rung is compared with the one below it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import ladder
from helpers.evaluation import accuracy_interval
from helpers.recipe import Recipe
from helpers.records import accuracy_columns
from helpers.studies import STUDIES, Study, Variant

LOW = Variant("low", "Low", "vgg", {"width": 8}, Recipe(epochs=2))
MIDDLE = replace(LOW, name="middle", title="+ schedule", recipe=Recipe(epochs=2, schedule="cosine"))
TOP = replace(MIDDLE, name="top", title="+ network", model="fast_net", options={"width": 16})
STUDY = Study("toy", "Does it climb?", (LOW, MIDDLE, TOP))


def runs() -> pd.DataFrame:
    """Return three seeds of each rung: the middle one is clearly above the low one, the top one is not."""
    rows = []
    for variant, accuracy in ((LOW, 0.5), (MIDDLE, 0.6), (TOP, 0.6)):
        for seed, luck in enumerate((0.0, 0.01, 0.02)):
            wobble = 0.005 * (-1) ** seed * (variant is TOP)
            history = [
                {"epoch": k + 1, "val_accuracy": accuracy - 0.1 * (1 - k), "seconds": 3.0} for k in (0, 1)
            ]
            row = {"title": variant.title, "variant": variant.name, "seed": seed, "seconds": 6.0}
            rows.append(
                row | {"val_accuracy": accuracy + luck + wobble, "parameters": 10, "history": history}
            )
    return pd.DataFrame(rows)


def test_a_change_of_the_recipe_is_named_with_both_values():
    assert ladder.changes(LOW, MIDDLE) == ["`schedule` constant → cosine"]


def test_another_network_is_told_as_a_whole():
    assert ladder.changes(MIDDLE, TOP) == ["`network` vgg(width=8) → fast_net(width=16)"]


def test_an_option_left_at_its_default_counts_as_set():
    plain = replace(TOP, options={"width": 16, "whitening": False})
    assert ladder.changes(plain, TOP) == ["`whitening` False → True"]


def test_what_the_optimizer_below_does_not_read_has_no_old_value():
    sgd = replace(MIDDLE, recipe=replace(MIDDLE.recipe, optimizer="sgd", momentum=0.8))
    assert ladder.changes(MIDDLE, sgd) == ["`optimizer` adam → sgd", "`momentum` 0.8"]


def test_each_rung_is_compared_with_the_one_below():
    table = ladder.ladder_table(runs())
    assert table.loc["+ schedule", "verdict"] == "helps"
    assert table.loc["+ network", "effect"] == pytest.approx(0.0, abs=0.5)
    assert table.loc["+ network", "verdict"].startswith("no evidence")


def test_the_words_on_a_rung_hold_verdict_change_and_cost():
    words = ladder.rung_in_words(STUDY, runs(), "middle")
    assert words.startswith("**+ schedule** helps: +10.0 points over 3 seeds")
    assert "`schedule` constant → cosine" in words
    assert "Seconds of training: 6 → 6" in words


@pytest.mark.parametrize("name", ["low", "nonsense"])
def test_a_name_that_is_no_upper_rung_is_refused(name):
    with pytest.raises(ValueError, match="middle, top"):
        ladder.rung_in_words(STUDY, runs(), name)


def test_the_seconds_to_an_accuracy_are_whole_epochs():
    top = runs().query("variant == 'top'")
    assert ladder.seconds_to(top, 50) == 3.0
    assert ladder.seconds_to(top, 60) == 6.0
    assert np.isnan(ladder.seconds_to(top, 99))


def test_the_evidence_is_counted_and_the_kept_rung_compared_with_the_lowest():
    words = ladder.evidence_in_words(runs(), "middle")
    assert words.startswith("Of 2 rungs, 1 differ")
    assert "+10.0 points" in words
    assert words.endswith("helps.")


def test_each_number_of_views_has_the_interval_of_the_images_judged(monkeypatch):
    def invented(name):
        study = STUDIES[name]
        images = 10_000 if study.final else 5000
        history = [{"epoch": 1, "seconds": 30.0}]
        accuracy = dict.fromkeys(accuracy_columns(study), 0.9)
        return pd.DataFrame([{"images": images, "history": history, **accuracy}])

    monkeypatch.setattr(ladder, "load_runs", invented)
    table = ladder.views_table(["quick", "final"])
    for study, images in (("quick", 5000), ("final", 10_000)):
        low, high = accuracy_interval(round(0.9 * images), images)
        row = table.loc[(study, 6)]
        assert (row["accuracy"], row["low"], row["high"]) == pytest.approx((90, 100 * low, 100 * high))
        assert (row["seeds"], row["minutes"]) == (1, 0.5)


def test_overfitting_is_told_study_by_study(monkeypatch):
    ends = {"one": [(0.90, 0.88), (0.91, 0.92)], "two": [(0.99, 0.92)]}

    def invented(name):
        ended = [{"accuracy": training, "val_accuracy": validation} for training, validation in ends[name]]
        return {"history": [[{"accuracy": 0.1, "val_accuracy": 0.1}, end] for end in ended]}

    monkeypatch.setattr(ladder, "load_runs", invented)
    words = ladder.overfitting_in_words("one", "two")
    assert words.endswith("lowest to highest run: one -1.0 to +2.0, two +7.0 to +7.0.")


def test_the_rungs_asked_for_become_a_list(monkeypatch):
    monkeypatch.setattr(ladder, "find_study", lambda name: STUDY)
    monkeypatch.setattr(ladder, "load_runs", lambda name: runs())
    listed = ladder.rungs_of("toy")("middle", "top").data.splitlines()
    assert listed == [f"- {ladder.rung_in_words(STUDY, runs(), name)}" for name in ("middle", "top")]


def test_the_race_counts_epochs_until_the_classic_accuracy(monkeypatch):
    history = [{"epoch": k + 1, "val_accuracy": a, "seconds": 10.0} for k, a in enumerate((0.7, 0.89, 0.91))]
    monkeypatch.setattr(
        ladder, "published_minutes", lambda result: {"classic": 50, "classic_keras": 100}[result.study]
    )
    monkeypatch.setattr(ladder, "load_runs", lambda name: pd.DataFrame({"history": [history]}))
    theirs, with_ours, quick = ladder.race_in_words("quick")
    assert "6,000 s" in theirs
    assert "3,000 s" in with_ours
    assert quick == "quick recipe: 20 s, 300 times as fast"
