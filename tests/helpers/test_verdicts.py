"""What is said of a technique is computed from its recorded runs, and changes with them."""

import json

import matplotlib.pyplot as plt
import pytest

from helpers import records, verdicts
from helpers.studies import STUDIES, Study, Variant
from tests.support.tiny import STUDY, use_study


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A study of three variants with invented runs: one better, one worse, one as good as the baseline."""
    variants = tuple(Variant(name, name.title(), "mlp", {}, STUDY.variants[0].recipe) for name in NAMES)
    use_study(monkeypatch, tmp_path, Study("tiny", "Does it help?", variants))
    folder = tmp_path / "runs" / "tiny"
    folder.mkdir(parents=True)
    for name, accuracies in NAMES.items():
        for seed, accuracy in enumerate(accuracies):
            write(folder, name, seed, accuracy)
    return folder


NAMES = {
    "plain": (0.60, 0.61, 0.62),
    "good": (0.64, 0.655, 0.66),
    "bad": (0.57, 0.58, 0.585),
    "same": (0.61, 0.60, 0.62),
}


def write(folder, name, seed, accuracy):
    """Write a run by the baseline's recipe with this accuracy."""
    recipe = records._as_json(STUDY.variants[0].recipe)
    run = {
        "study": "tiny", "variant": name, "model": "mlp", "options": {}, "recipe": recipe, "seed": seed,
        "data": {"source": "official", "sha256": f"split {seed}"}, "parameters": 5, "seconds": 9.0,
        "history": [{"epoch": n, "val_accuracy": accuracy - 0.1 / n, "seconds": 3.0} for n in (1, 2)],
        "val_accuracy": accuracy, "val_correct": "1", "machine": {}, "versions": {},
    }  # fmt: skip
    (folder / f"{name}-seed{seed}.json").write_text(json.dumps(run), encoding="utf-8")


def test_the_table_gives_effect_interval_and_verdict_of_each_variant(folder):
    table = verdicts.verdict_table(records.load_runs("tiny"))
    assert list(table.index) == ["Plain", "Good", "Bad", "Same"]
    assert list(table["verdict"]) == ["", "helps", "hurts", "no evidence at this budget"]
    # The differences are 4, 4.5 and 4 points.
    assert table.loc["Good", "effect"] == pytest.approx(25 / 6)
    assert table.loc["Good", "low"] < 25 / 6 < table.loc["Good", "high"]
    assert table.loc["Plain", "accuracy"] == pytest.approx(61)


def test_variants_and_baseline_can_be_chosen(folder):
    table = verdicts.verdict_table(records.load_runs("tiny"), ["Same", "Plain"], baseline="Good")
    assert list(table.index) == ["Same", "Plain"]
    assert table.loc["Plain", "effect"] == pytest.approx(-25 / 6)


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("Good", "Good helps: +4.2 points over 3 seeds (95% interval +3.4 to +4.9)."),
        ("Bad", "Bad hurts: -3.2 points over 3 seeds (95% interval -3.9 to -2.4)."),
        (
            "Same",
            "Same shows no evidence of an effect at this budget: +0.0 points over 3 seeds "
            "(95% interval -2.5 to +2.5).",
        ),
    ],
)
def test_the_sentence_says_verdict_effect_and_interval(folder, title, sentence):
    assert verdicts.verdict_in_words(records.load_runs("tiny"), title) == sentence


def test_another_run_file_gives_another_sentence(folder):
    def said():
        return verdicts.verdict_in_words(records.load_runs("tiny"), "Good")

    assert said().startswith("Good helps")
    write(folder, "good", 2, 0.50)
    assert said().startswith("Good shows no evidence of an effect at this budget: -1.2 points")
    for seed in range(3):
        write(folder, "good", seed, 0.50 + seed / 100)
    assert said().startswith("Good hurts: -10.0 points")


def test_one_seed_gives_no_verdict(folder):
    for seed in (1, 2):
        (folder / f"good-seed{seed}.json").unlink()
    runs = records.load_runs("tiny")
    assert verdicts.verdict_table(runs).loc["Good", "verdict"] == "needs more seeds"
    assert "nothing can be said yet" in verdicts.verdict_in_words(runs, "Good")
    only = runs[runs["seed"] == 0]
    assert list(verdicts.verdict_table(only)["verdict"]) == ["", *["needs more seeds"] * 3]


def test_the_sentence_counts_the_seeds_that_both_have(folder):
    (folder / "plain-seed1.json").unlink()
    assert "points over 2 seeds" in verdicts.verdict_in_words(records.load_runs("tiny"), "Good")


def test_the_picture_shows_each_effect_with_its_interval(folder):
    ax = verdicts.effect_plot(verdicts.verdict_table(records.load_runs("tiny")))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Good", "Bad", "Same"]
    assert [text.get_text() for text in ax.texts] == ["+4.2", "-3.2", "+0.0"]
    plt.close(ax.figure)


def test_milestones_are_means_after_so_many_epochs(folder):
    table = records.milestone_table(records.load_runs("tiny"), (1, 2))
    assert table.loc["Plain"].to_list() == pytest.approx([51, 56])


def test_every_recorded_arm_of_the_series_is_judged_by_all_its_seeds():
    runs = records.load_runs("improvements")
    table = verdicts.verdict_table(runs)
    assert (table["seeds"] >= STUDIES["improvements"].seeds).all()
    assert set(table["verdict"].iloc[1:]) <= {"helps", "hurts", "no evidence at this budget"}
    for title in table.index[1:]:
        assert verdicts.verdict_in_words(runs, title).startswith(title)
