"""Tests of helpers.final_plots: what chapter 07 prints follows from the runs, whichever way they come out."""

import numpy as np
import pandas as pd
import pytest

from helpers import final_plots
from helpers.studies import STUDIES

ACCURACY = {"baseline": 0.70, "improvements": 0.80, "quick": 0.90, "full": 0.93, "final": 0.94}


def runs(name: str) -> pd.DataFrame:
    """Return invented runs of a study: three seeds, `full` has one; each variant better than the last."""
    study, rows = STUDIES[name], []
    for place, variant in enumerate(study.variants):
        for seed in range(study.seeds):
            accuracy = ACCURACY[name] + 0.001 * place + 0.002 * seed
            columns = {c: accuracy + 0.01 * (c[-2:] == "_6") for c in final_plots.accuracy_columns(study)}
            images = 10_000 if study.final else 5000
            history = [{"epoch": 1, "seconds": 30.0}, {"epoch": 2, "seconds": 40.0}]
            row = {"variant": variant.name, "title": variant.title, "seed": seed, "images": images}
            rows.append(row | {"history": history} | columns)
    return pd.DataFrame(rows)


@pytest.fixture
def table(monkeypatch) -> pd.DataFrame:
    monkeypatch.setattr(final_plots, "load_runs", runs)
    return final_plots.final_table()


def test_the_table_leads_from_the_first_network_to_the_final_one(table):
    models = list(dict.fromkeys(table.index.get_level_values("model")))
    assert models[0] == "VGG, 3 blocks"
    assert models[-1] == "Full recipe, all 50,000 images"
    assert [views for model, views in table.index if model == models[-1]] == [1, 6]


def test_of_chapters_03_to_05_the_best_variant_is_shown(table):
    best = STUDIES["improvements"].variants[-1]
    assert best.title in table.index.get_level_values("model")
    assert len(table) == 8


def test_only_the_final_study_is_judged_on_test_images(table):
    assert list(table["judged", "on"]) == ["validation"] * 6 + ["test"] * 2
    assert list(table["judged", "images"]) == [5000] * 6 + [10_000] * 2


def test_one_seed_has_no_interval_over_seeds_but_one_over_images(table):
    row = table.loc[("Full recipe", 1)]
    assert np.isnan(row["other seeds", "low"]) == (STUDIES["full"].seeds == 1)
    assert row["other images", "low"] < row["accuracy", "mean"] < row["other images", "high"]


def test_minutes_are_epochs_times_the_fastest(table):
    assert table["trained", "minutes"].unique() == pytest.approx(1.0)


def test_the_plot_has_a_row_for_each_result_and_tells_both_intervals_apart(table):
    ax = final_plots.final_plot(table)
    assert len(ax.get_yticklabels()) == len(table)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        f"{split}, other {what}" for split in ("validation", "test") for what in ("images", "seeds")
    }


@pytest.mark.parametrize(("count", "words"), [(940, "exactly as many"), (942, "2 more"), (939, "1 fewer")])
def test_the_live_answer_is_compared_with_the_record_image_by_image(count, words):
    right = np.arange(1000) < count
    assert words in final_plots.live_in_words(right, 0.94, "official")
    assert final_plots.off_by(right, 0.94, "official") == count - 940


def test_the_sample_has_no_record_to_be_compared_with():
    right = np.arange(1000) < 100
    assert final_plots.off_by(right, 0.94, "sample") == 0
    assert "no accuracy on CIFAR-10" in final_plots.live_in_words(right, 0.94, "sample")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.1, 0.9, "kinder"), (-0.9, -0.1, "too kind"), (-0.2, 0.4, "cannot be told apart")],
)
def test_the_verdict_on_validation_follows_the_interval(low, high, words):
    assert words in final_plots.flattery_in_words(1, (low + high) / 2, low, high)


def test_the_export_plot_has_three_labelled_panels():
    table = pd.DataFrame(
        {"bytes": [8e6, 2e6], "median ms": [40.0, 2.0], "accuracy": [94.0, 93.8], "low": 92.0, "high": 95.0},
        index=["keras", "litert_int8"],
    )
    fig = final_plots.export_plot(table)
    assert [ax.get_xlabel() != "" for ax in fig.axes] == [True] * 3
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == list(table.index)


def test_int8_is_compared_with_keras_on_the_same_images():
    keras = np.arange(1000) < 940
    words = final_plots.int8_in_words({"keras": keras, "litert_int8": np.arange(1000) < 935}, "official")
    assert "-0.5 points" in words
    assert "1,000 test images" in words
    assert "synthetic" in final_plots.int8_in_words({"keras": keras, "litert_int8": keras}, "sample")


def test_without_an_int8_file_the_sentence_says_so():
    assert "no int8 file" in final_plots.int8_in_words({"keras": np.ones(3, bool)}, "official")
