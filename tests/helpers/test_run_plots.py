"""Placing a new run among recorded ones: the range, the sentence and the picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.evaluation import summarize
from helpers.run_plots import place_run, placement_in_words, prediction_interval

RECORDED = [0.70, 0.71, 0.72]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_prediction_interval_contains_the_next_result_at_the_stated_rate(seeds):
    draws = np.random.default_rng(0).normal(0.7, 0.01, size=(4000, seeds + 1))
    ranges = [prediction_interval(row[:-1]) for row in draws]
    caught = np.mean([low <= row[-1] <= high for (low, high), row in zip(ranges, draws, strict=True)])
    assert caught == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors of a rate in 4,000 draws


def test_prediction_interval_is_wider_than_the_interval_of_the_mean():
    low, high = prediction_interval(RECORDED)
    mean = summarize(RECORDED).interval
    assert low < mean.low < mean.high < high


def test_prediction_interval_widens_with_confidence():
    assert prediction_interval(RECORDED, 0.99).low < prediction_interval(RECORDED, 0.95).low


def test_one_result_gives_no_range():
    with pytest.raises(ValueError, match="2 or more"):
        prediction_interval([0.7])


@pytest.mark.parametrize(("new", "word"), [(0.711, "inside"), (0.5, "below"), (0.9, "above")])
def test_sentence_says_where_a_run_falls(new, word):
    assert word in placement_in_words(RECORDED, new, "official")


def test_sentence_does_not_compare_the_sample_with_cifar10():
    sentence = placement_in_words(RECORDED, 0.711, "sample")
    assert "synthetic sample" in sentence
    assert "inside" not in sentence


def test_picture_has_every_run_the_range_and_a_labelled_axis():
    ax = place_run(RECORDED, 0.73, "my run")
    dots, bar, new = (line.get_xdata() for line in ax.lines[:3])
    assert list(dots) == pytest.approx([70, 71, 72])
    assert tuple(bar) == pytest.approx([100 * end for end in prediction_interval(RECORDED)])
    assert list(new) == pytest.approx([73])
    assert ax.get_xlabel() == "validation accuracy (%)"
    assert "my run" in [label.get_text() for label in ax.get_yticklabels()]


def test_picture_is_drawn_on_the_axes_that_are_given():
    ax = plt.subplots()[1]
    assert place_run(RECORDED, 0.73, ax=ax) is ax
