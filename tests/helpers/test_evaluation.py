"""Statistics: values of textbooks, corner cases, and what is said of wrong input."""

import math

import numpy as np
import pytest

from helpers.evaluation import (
    Comparison,
    Interval,
    accuracy_interval,
    compare,
    compare_predictions,
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


def test_the_wilson_interval_is_that_of_the_textbook():
    assert accuracy_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I
    assert accuracy_interval(81, 263, 0.8).low > 0.2553
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
    assert prediction_interval([0.70, 0.72], 0.8).low > prediction_interval([0.70, 0.72]).low


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
        ([0.8], [0.7]),
        ([0.81, 0.72], [0.80, 0.70]),
        ([0.81, 0.71, 0.61], [0.80, 0.70, 0.60]),  # differences equal but for rounding
        ([0.8, 0.7, 0.6], [0.8, 0.7, 0.6]),
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
    for gained in range(0, 60, 3):
        for lost in range(0, 60, 3):
            result = compare_counts(gained, lost)
            told_apart = result.verdict != NO_EVIDENCE
            assert told_apart == (result.p_value < 0.05) or 0.045 < result.p_value < 0.05, (gained, lost)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "helps"), (-0.2, -0.1, "hurts"), (-0.1, 0.2, NO_EVIDENCE), (0.0, 0.2, NO_EVIDENCE)],
)
def test_the_verdict_follows_from_the_interval(low, high, verdict):
    assert Comparison((low + high) / 2, Interval(low, high), 0.5).verdict == verdict


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10), (9.0, 3)])
def test_the_number_of_seeds_is_that_of_the_textbook(effect, seeds):
    """What G*Power 3 gives for a paired t test, two-sided, 5%, power 80% (Faul et al. 2007)."""
    assert seeds_needed(effect * 0.004, 0.004) == seeds


def test_the_number_of_images_is_that_of_connors_formula():
    expected = ((1.95996 * 0.1**0.5 + 0.84162 * (0.1 - 0.03**2) ** 0.5) / 0.03) ** 2
    assert images_needed(0.03, 0.1) == math.ceil(expected)


@pytest.mark.parametrize("count", [seeds_needed, images_needed])
def test_smaller_differences_and_more_certainty_need_more(count):
    assert count(0.005, 0.02) > count(0.01, 0.02) > count(0.02, 0.02) >= 2
    assert count(-0.01, 0.02) == count(0.01, 0.02)
    assert count(0.01, 0.02, power=0.9) > count(0.01, 0.02) > count(0.01, 0.02, confidence=0.9)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (accuracy_interval, (5, 0), "correct is 5 of 0, expected"),
        (accuracy_interval, (11, 10), "correct is 11 of 10, expected"),
        (summarize, ([],), "values must be a list of finite numbers"),
        (summarize, ([0.7, math.nan],), "values must be a list of finite numbers"),
        (prediction_interval, ([0.7],), "values has 1 result, expected 2 or more"),
        (compare, ([0.7, 0.8], [0.7, math.inf]), "baseline must be a list of finite numbers"),
        (compare, ([0.7, 0.8], [0.7]), "values has 2 seeds, baseline 1, expected the same"),
        (compare_predictions, ([True], [True, False]), "correct has shape"),
        (seeds_needed, (0, 0.01), "difference is 0, expected a number other than 0"),
        (seeds_needed, (0.01, 0), "std is 0, expected a number above 0"),
        (seeds_needed, (0.01, math.nan), "std is nan, expected"),
        (seeds_needed, (0.01, 0.01, 1), "power is 1, expected a number between 0 and 1"),
        (images_needed, (0.1, 0.05), "disagreement is 0.05, expected 0.1 (the difference) to 1"),
        (images_needed, (0.01, math.nan), "disagreement is nan, expected"),
        (images_needed, (0.01, 0.1, 0), "power is 0, expected"),
        (images_needed, (0.01, 0.1, 0.8, 1.5), "confidence is 1.5, expected a number between 0 and 1"),
    ],
)
def test_wrong_input_is_named_in_one_line(function, arguments, message):
    with pytest.raises(ValueError, match="expected|must") as error:
        function(*arguments)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
