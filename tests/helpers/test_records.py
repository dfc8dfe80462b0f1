"""Recorded runs: what does not belong together is refused, and every table follows the files."""

import contextlib
import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from helpers import records
from helpers.evaluation import crossed_interval
from helpers.records import StudyError, load_runs, summary_table, verdict_table
from tests.support.recorded import BASE, STUDY, record, use_study

CORRECT = {"base": (24, 25, 26), "step": (28, 30, 30), "wide": (18, 18, 19)}  # of 40 images, seed by seed


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Three variants with three seeds each: the second is better than the first, the third is worse."""
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    folder = use_study(monkeypatch, tmp_path)
    for name, counts in CORRECT.items():
        for seed, correct in enumerate(counts):
            record(STUDY, name, seed, correct)
    return folder


def test_runs_come_in_the_studys_order_with_one_truth_value_per_image():
    runs = load_runs("tiny")
    assert list(runs["variant"]) == ["base"] * 3 + ["step"] * 3 + ["wide"] * 3
    assert list(runs["seed"]) == [0, 1, 2] * 3
    assert list(runs.query("variant == 'step'")["val_accuracy"]) == [0.7, 0.75, 0.75]
    assert [correct.mean() for correct in runs["val_correct"]] == list(runs["val_accuracy"])
    assert set(runs["images"]) == {40}


SAMPLE = {"source": "sample", "sha256": "", "train": 1, "val": 40}
REFUSED = {
    "is damaged (ValueError('an accuracy or time is out of range'))": [{"val_accuracy": 7}],
    "is damaged (ValueError('the accuracy is not that of the answers'))": [{"val_accuracy": 0.123}],
    "is damaged (ValueError('epochs or answers are missing'))": [{"history": []}, {"val_correct": "10"}],
    "is damaged (KeyError('history')): delete it and run the study again": [{"history": ...}],
    "is damaged": [{"recipe": [1]}, {"parameters": "many"}, {"data": {"val": 0, "train": 0}}],
    "was made with another recipe than tiny has today: move it": [{"recipe": {"epochs": 2, "batch_size": 7}}],
    "was made with another model": [{"model": "vgg"}],
    "was made with another options": [{"options": {"units": 3}}],
    "holds the run base-seed1 of tiny on 'official' data: move it away": [{"seed": 1}],
    "holds the run base-seed0 of other": [{"study": "other"}],
    "holds the run base-seed0 of tiny on 'sample' data": [{"data": SAMPLE}],
}


@pytest.mark.parametrize(("message", "changes"), [(m, change) for m in REFUSED for change in REFUSED[m]])
def test_a_record_that_is_damaged_or_of_another_run_is_refused(folder, changes, message):
    path = folder / "base-seed0.json"
    run = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in run.items() if value is not ...}))
    with pytest.raises(StudyError) as error:
        load_runs("tiny")
    assert str(error.value).startswith(f"{path} {message}")
    assert "\n" not in str(error.value)


def test_runs_on_other_data_or_of_other_versions_are_not_put_into_one_table():
    record(STUDY, "wide", 1, 18, data=SAMPLE | {"source": "official"})
    with pytest.raises(StudyError, match=r"wide-seed1\.json was trained on other data than the other runs"):
        load_runs("tiny")
    record(STUDY, "wide", 1, 18, versions={"keras": "3.13.2"})
    with pytest.raises(StudyError, match=r"wide-seed1\.json was made with keras 3\.13\.2, not None as the"):
        load_runs("tiny")


def test_a_run_of_the_sample_lies_apart_and_may_be_shortened_in_the_smoke_profile(monkeypatch):
    shortened = {"recipe": {"epochs": 1}, "history": [{"epoch": 1, "val_accuracy": 0.25, "seconds": 4.0}]}
    record(STUDY, "base", 0, 10, "sample", **shortened)
    with pytest.raises(StudyError, match="made with another recipe"):
        load_runs("tiny", "sample")
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert list(load_runs("tiny", "sample")["val_accuracy"]) == [0.25]
    assert len(load_runs("tiny")) == 9


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"momentum": ..., "shift_rate": ..., "augmentation": {"flip": False}}, True),  # older than these
        ({"cutting": 0, "augmentation": {"blur": False}}, True),  # settings that are gone were off
        ({"cutting": 8}, False),
        ({"augmentation": {"blur": True}}, False),
    ],
)
def test_an_old_record_is_read_if_its_recipe_says_the_same(changes, same):
    recipe = dataclasses.asdict(BASE.recipe) | changes
    recipe = {name: value for name, value in recipe.items() if value is not ...}
    record(STUDY, "base", 0, 24, recipe=recipe, date="2026-11-26", commit="0" * 40, taken_from="other/a")
    with contextlib.nullcontext() if same else pytest.raises(StudyError, match="made with another recipe"):
        assert len(load_runs("tiny")) == 9


def test_a_final_study_has_an_accuracy_on_test_images_for_each_number_of_views(monkeypatch, tmp_path):
    study = dataclasses.replace(STUDY, name="last", views=(1, 6), final=True)
    use_study(monkeypatch, tmp_path, study)
    record(study, "base", 0, 30)
    run = load_runs("last").iloc[0]
    assert run["val_accuracy"] is None
    assert (run["test_accuracy_1"], run["test_accuracy_6"], run["images"]) == (0.75, 0.75, 40)
    assert run["test_correct_6"].mean() == 0.75
    record(study, "base", 1, 34)
    row = summary_table(load_runs("last"), "test_accuracy_6").iloc[0]
    correct = np.stack(load_runs("last")["test_correct_6"])
    assert row[["low", "high"]].to_list() == pytest.approx([100 * end for end in crossed_interval(correct)])
    use_study(monkeypatch, tmp_path, dataclasses.replace(study, views=(1, 2, 6)))
    with pytest.raises(StudyError, match=r"is damaged \(KeyError\('2'\)\)"):
        load_runs("last")


def test_the_summary_has_mean_spread_interval_and_times():
    row = summary_table(load_runs("tiny")).loc["Baseline"]
    # 60, 62.5 and 65%; the others have 70, 75, 75 and 45, 45, 47.5; 40 images judge what 400 trained.
    # Pooled with correlations of 1/2, the variances have 3 * 2 / (1 + 2 * 0.25) = 4 degrees of freedom.
    pooled = np.sqrt((2.5**2 + 25 / 3 + 25 / 12) / 3)
    margin = 2.7764 * pooled * np.sqrt(1 / 3 + 1 / 10)
    assert list(row[["seeds", "mean", "std"]]) == pytest.approx([3, 62.5, 2.5])
    assert list(row[["low", "high"]]) == pytest.approx([62.5 - margin, 62.5 + margin], abs=1e-3)
    assert list(row[["seconds", "epoch_seconds", "parameters"]]) == [9, 3, 5]
    for seed in range(3):  # on one core beside another run
        record(STUDY, "base", seed, 25, machine={"cores": 1})
    assert list(summary_table(load_runs("tiny")).loc["Baseline", ["seconds", "epoch_seconds"]]) == [4.5, 1.5]


def test_the_fastest_epoch_counts_for_images_of_its_size():
    history = [{"epoch": 1, "side": 24, "seconds": 5.0}, {"epoch": 2, "seconds": 9.0}]
    faster = [{"epoch": 1, "side": 24, "seconds": 6.0}, {"epoch": 2, "seconds": 7.0}]
    record(STUDY, "base", 0, 24, history=history)
    record(STUDY, "base", 1, 24, history=faster)
    runs = load_runs("tiny").iloc[:2]
    without = runs.assign(history=[[], []])  # as a run of a linear SVM
    assert np.isnan(summary_table(without).loc["Baseline", "epoch_seconds"])
    assert records.fastest_seconds(runs["history"]) == [5, 7]
    assert records.minutes_of(runs) == 0.2


def test_the_table_gives_effect_interval_p_and_verdict_of_each_variant():
    table = verdict_table(load_runs("tiny"))
    assert list(table.index) == ["Baseline", "Step 0.1", "Wide"]
    assert list(table["verdict"]) == ["", "helps", "hurts"]
    # The differences are 10, 12.5, 10 and -15, -17.5, -17.5 points: both vary by 2.0833, with 2 * 4 / 2.5
    # degrees of freedom, since both have the baseline in them; two comparisons share the 5%.
    step, error = table.loc["Step 0.1"], np.sqrt(2.0833 * (1 / 3 + 1 / 10))
    margin = error * stats.t.ppf((1 + np.sqrt(0.95)) / 2, 3.2)
    alone = 2 * stats.t.sf(65 / 6 / error, 3.2)
    assert list(step[["seeds", "accuracy", "effect"]]) == pytest.approx([3, 220 / 3, 65 / 6])
    assert list(step[["low", "high"]]) == pytest.approx([65 / 6 - margin, 65 / 6 + margin], abs=1e-3)
    assert step["p"] == pytest.approx(1 - (1 - alone) ** 2, abs=1e-5)
    assert table.loc["Baseline", ["effect", "low", "high", "p"]].isna().all()
    assert table.attrs == pytest.approx({"std": 1.4434, "freedom": 3.2, "p_equal": 1}, abs=1e-3)


def test_variants_and_baseline_can_be_chosen_and_on_a_ladder_each_has_the_one_above():
    table = verdict_table(load_runs("tiny"), ["Wide", "Baseline"], baseline="Step 0.1")
    assert list(table.index) == ["Wide", "Baseline"]
    assert table.loc["Baseline", "effect"] == pytest.approx(-65 / 6)
    assert table.equals(verdict_table(load_runs("tiny"), baseline="Step 0.1").loc[["Wide", "Baseline"]])
    ladder = verdict_table(load_runs("tiny"), ladder=True)
    assert ladder.loc["Wide", "effect"] == pytest.approx(45.8333 - 73.3333, abs=1e-3)
    assert list(ladder["seconds"]) == [6, 6, 6]


def test_histories_are_averaged_over_the_seeds():
    runs = load_runs("tiny")
    history = records.mean_history(runs, "Baseline")
    assert [row["val_accuracy"] for row in history] == pytest.approx([0.525, 0.575])


def test_another_column_gives_another_verdict():
    runs = load_runs("tiny").assign(val_accuracy_6=[0.6, 0.6, 0.6, 0.6, 0.61, 0.6, 0.5, 0.51, 0.52])
    table = verdict_table(runs, column="val_accuracy_6")
    assert list(table["verdict"]) == ["", "no evidence", "hurts"]
    words = [records.in_words(column) for column in ("val_accuracy", "test_accuracy_1", "val_accuracy_6")]
    assert words == ["validation accuracy", "test accuracy, 1 view", "validation accuracy, 6 views"]


def test_only_common_seeds_are_compared_and_fewer_than_three_give_no_verdict():
    runs = load_runs("tiny").query("variant != 'base' or seed < 2")
    row = verdict_table(runs).loc["Step 0.1"]
    assert (row["seeds"], row["verdict"]) == (3, "needs more seeds")
    assert row["effect"] == pytest.approx(11.25)
    assert row[["low", "high", "p"]].isna().all()


def test_every_recorded_run_of_the_series_is_read(monkeypatch):
    monkeypatch.undo()
    files = list(records.RUNS.glob("*/*.json"))
    assert sum(len(load_runs(name)) for name in {path.parent.name for path in files}) == len(files) >= 135


def test_the_list_of_pilots_has_the_accuracy_of_each(monkeypatch):
    monkeypatch.undo()
    listed = (records.RUNS / "PILOTS.md").read_text(encoding="utf-8")
    pilots = [json.loads(path.read_text("utf-8")) for path in (records.RUNS / "pilots").rglob("*.json")]
    accuracies = {f"{100 * records.share_of_ones(run['judged']['correct']['6']):.2f}" for run in pilots}
    assert [accuracy for accuracy in accuracies if accuracy not in listed] == []
    assert len(pilots) >= 133
