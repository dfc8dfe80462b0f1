"""Statistics: values of textbooks, corner cases, and what is said of wrong input."""

import itertools
import math
import re

import numpy as np
import pytest

from helpers.evaluation import (
    Comparison,
    Interval,
    accuracy_interval,
    compare,
    compare_predictions,
    fit_temperature,
    images_needed,
    prediction_interval,
    seeds_needed,
    summarize,
)

NO_EVIDENCE, NEEDS_SEEDS = "no evidence at this budget", "needs more seeds"


def compare_counts(gained, lost, images=1000):
    """Compare two models that differ on `gained` and `lost` of the images; the other images do not matter."""
    correct, baseline = np.zeros((2, images), bool)
    correct[:gained] = True
    baseline[gained : gained + lost] = True
    return compare_predictions(correct, baseline)


@pytest.mark.parametrize("needed", [0.4, 1, 3])
def test_the_fitted_temperature_is_that_by_which_the_labels_were_drawn(needed):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4000, 10))
    labels = (logits / needed + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(needed, rel=0.07)


def test_the_wilson_interval_is_that_of_the_textbook():
    assert accuracy_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I
    assert accuracy_interval(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)


def test_a_summary_is_that_of_the_textbook():
    seeds, mean, std, interval = summarize([0.70, 0.72, 0.74])
    assert (seeds, mean, std) == (3, pytest.approx(0.72), pytest.approx(0.02))
    margin = 4.3027 * 0.02 / 3**0.5  # Student's t with 2 degrees of freedom
    assert interval == pytest.approx((0.72 - margin, 0.72 + margin), abs=1e-5)


def test_a_single_seed_says_nothing_about_the_spread():
    seeds, mean, std, interval = summarize([0.7])
    assert (seeds, mean) == (1, 0.7)
    assert all(map(math.isnan, (std, *interval)))
    assert summarize([0.7, 0.7]).interval == Interval(0.7, 0.7)


def test_the_next_result_falls_in_a_wider_interval_than_the_mean():
    margin = 4.3027 * 0.02 * (1 + 1 / 3) ** 0.5  # Hahn and Meeker 1991, Statistical Intervals, 4.2
    assert prediction_interval([0.70, 0.72, 0.74]) == pytest.approx((0.72 - margin, 0.72 + margin), abs=1e-5)


def test_a_paired_comparison_cancels_what_the_seeds_share():
    result = compare([0.71, 0.62, 0.83], [0.70, 0.60, 0.82])
    assert result.difference == pytest.approx(0.04 / 3)
    assert result.p_value == pytest.approx(0.0572, abs=1e-4)  # t is 4, with 2 degrees of freedom
    assert result.interval == pytest.approx((0.04 / 3 - 4.3027 / 300, 0.04 / 3 + 4.3027 / 300), abs=1e-6)
    assert result.verdict == NO_EVIDENCE
    assert compare([0.71, 0.611, 0.829], [0.70, 0.60, 0.82]).verdict == "helps"
    assert compare([0.70, 0.60, 0.82], [0.71, 0.611, 0.829]).verdict == "hurts"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "baseline"),
    [
        ([0.81, 0.72], [0.80, 0.70]),
        ([0.81, 0.71, 0.61], [0.80, 0.70, 0.60]),  # differences equal but for rounding
    ],
)
def test_too_few_seeds_or_no_spread_give_no_verdict(values, baseline):
    result = compare(values, baseline)
    assert result.difference == pytest.approx(np.mean(values) - np.mean(baseline))
    assert all(map(math.isnan, (result.p_value, *result.interval)))
    assert result.verdict == NEEDS_SEEDS


def test_mcnemars_test_counts_the_images_that_one_model_alone_gets_right():
    result = compare_counts(12, 2)
    assert result.p_value == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert (result.difference, result.verdict) == (0.01, "helps")
    assert compare_counts(2, 12).verdict == "hurts"
    assert compare_counts(0, 0) == Comparison(0.0, Interval(-0.001, 0.001), 1.0)


def test_the_verdict_on_two_models_agrees_with_the_exact_test():
    for gained, lost in itertools.product(range(0, 60, 5), repeat=2):
        result = compare_counts(gained, lost)
        told_apart = result.verdict != NO_EVIDENCE
        assert told_apart == (result.p_value < 0.05) or 0.045 < result.p_value < 0.05, (gained, lost)


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.8, 15), (9.0, 3)])
def test_the_number_of_seeds_is_that_of_the_textbook(effect, seeds):
    """What G*Power 3 gives for a paired t test, two-sided, 5%, power 80% (Faul et al. 2007)."""
    assert seeds_needed(effect * 0.004, 0.004) == seeds_needed(-effect, 1) == seeds


def test_the_number_of_images_is_that_of_connors_formula():
    expected = ((1.95996 * 0.1**0.5 + 0.84162 * (0.1 - 0.03**2) ** 0.5) / 0.03) ** 2
    assert images_needed(0.03, 0.1) == images_needed(-0.03, 0.1) == math.ceil(expected)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (accuracy_interval, (11, 10), "k (11) must not be greater than n (10)"),
        (summarize, ([],), "expected one finite number or more"),
        (summarize, ([0.7, math.nan],), "values are [0.7 nan], expected one finite number or more"),
        (prediction_interval, ([0.7],), "There is 1 value, expected 2 or more"),
        (compare, ([0.7, 0.8], [0.7]), "shorter than argument 1"),
        (compare_predictions, ([True], [True, False]), "must have the same shape"),
        (seeds_needed, (0, 0.01), "difference is 0 and std 0.01, expected not 0, and above 0"),
        (seeds_needed, (0.01, math.nan), "std nan, expected"),
        (images_needed, (0.1, 0.05), "disagreement is 0.05, expected 0.1 (the difference, not 0) to 1"),
        (images_needed, (0, 0.1), "expected 0 (the difference, not 0) to 1"),
    ],
)
def test_wrong_input_is_named(function, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        function(*arguments)
