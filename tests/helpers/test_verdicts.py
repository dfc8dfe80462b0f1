"""Pictures of recorded runs show the runs' numbers; the changes between rungs are read off the variants."""

from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from helpers import plots, verdicts
from helpers.evaluation import prediction_interval
from helpers.recipe import Recipe
from helpers.records import load_runs, verdict_table
from helpers.studies import STUDIES, Variant
from tests.support.recorded import STUDY, record, use_study

LOW = Variant("low", "Low", "vgg", {"width": 8}, Recipe(epochs=2))
MIDDLE = replace(LOW, name="middle", title="+ schedule", recipe=Recipe(epochs=2, schedule="triangular"))
TOP = replace(MIDDLE, name="top", title="+ network", model="fast_net", options={"width": 16})
RECORDED = [0.70, 0.71, 0.72]
pytestmark = pytest.mark.usefixtures("style")


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Three variants of three seeds: the second is better than the first, the third as good as the second."""
    use_study(monkeypatch, tmp_path)
    for name, counts in {"base": (24, 25, 26), "step": (28, 30, 30), "wide": (29, 29, 30)}.items():
        for seed, correct in enumerate(counts):
            record(STUDY, name, seed, correct)
    return load_runs("tiny")


def words(ax, kind="x"):
    return [label.get_text() for label in getattr(ax, f"get_{kind}ticklabels")()]


def test_each_effect_is_drawn_with_its_interval_in_the_colour_of_its_verdict(runs):
    table = verdict_table(runs, baseline="Step 0.1")
    table.loc["Two seeds", ["effect", "verdict"]] = [1.0, "needs more seeds"]  # and no interval
    ax = verdicts.effect_plot(table)
    assert words(ax, "y") == ["Baseline", "Wide"]
    assert [text.get_text() for text in ax.texts] == ["-10.8", "+0.0"]
    interval, dot = ax.lines[1:3]
    assert tuple(interval.get_xdata()) == pytest.approx(tuple(table.loc["Baseline", ["low", "high"]]))
    assert dot.get_xdata()[0] == pytest.approx(table.loc["Baseline", "effect"])
    assert [line.get_color() for line in ax.lines[1::2]] == [plots.VERMILION, plots.GREY]


def test_a_new_run_is_drawn_below_the_recorded_ones_and_their_range():
    ax = plt.subplots()[1]
    assert verdicts.place_run(RECORDED, 0.73, "my run", ax=ax) is ax
    dots, bar, new = (line.get_xdata() for line in ax.lines[:3])
    assert list(dots) == pytest.approx([70, 71, 72])
    assert tuple(bar) == pytest.approx([100 * end for end in prediction_interval(RECORDED)])
    assert list(new) == pytest.approx([73])
    assert ax.get_xlabel() == "validation accuracy (%)"
    assert words(ax, "y") == ["recorded runs", "expected range", "my run"]


@pytest.mark.parametrize("final", [False, True])
def test_accuracy_against_minutes_has_our_curves_and_what_others_published(final):
    ax = verdicts.accuracy_against_minutes(final)
    labels = " ".join(text.get_text() for text in ax.texts)
    assert all(f"{result.accuracy:.2f}" in labels for result in verdicts.PUBLISHED[1:])
    assert ("on the test images" in labels) == final
    assert "DAWNBench" in labels
    quick = load_runs("quick")
    ends = [line for line in ax.lines if line.get_marker() == "P"]
    assert ends[0].get_ydata()[0] == pytest.approx(100 * quick["val_accuracy_6"].mean())
    assert ax.get_xscale() == "log"


def test_a_published_training_takes_its_epochs_at_the_pace_of_the_recorded_ones():
    epoch = min(epoch["seconds"] for epoch in load_runs("classic_keras")["history"].iloc[0])
    assert verdicts.published_minutes(verdicts.CLASSIC) == pytest.approx(400 * epoch / 60)


def test_text_is_as_large_as_the_pages_and_can_be_read_on_a_telephone():
    runs = load_runs("ladder")
    drawn = [verdicts.effect_plot(verdict_table(runs)), verdicts.place_run(RECORDED, 0.73)]
    drawn += [plots.learning_curves(runs["history"].iloc[0]), verdicts.accuracy_against_minutes()]
    for figure in (ax.figure for ax in drawn):
        texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        smallest = min(text.get_fontsize() for text in texts) * plots.CSS_DPI / 72
        assert smallest >= 14  # CSS pixels: the text of JupyterLab's page
        assert smallest * 366 / (plots.CSS_DPI * figure.get_figwidth()) >= 8  # on a screen of 390


def test_changes_name_both_values_another_network_as_a_whole_and_defaults_rung_by_rung():
    assert verdicts.changes(LOW, MIDDLE) == ["`schedule` constant → triangular"]
    assert verdicts.changes(MIDDLE, TOP) == ["`network` vgg(width=8) → fast_net(width=16)"]
    plain = replace(TOP, options={"width": 16, "whitening": False})
    assert verdicts.changes(plain, TOP) == ["`whitening` False → True"]
    sgd = replace(MIDDLE, recipe=replace(MIDDLE.recipe, optimizer="sgd", momentum=0.8))
    assert verdicts.changes(MIDDLE, sgd) == ["`optimizer` adam → sgd", "`momentum` 0.8"]  # adam has none
    assert all(verdicts.changes(*pair) for pair in pairwise(STUDIES["ladder"].variants))
