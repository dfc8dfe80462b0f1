"""Statistics: values of textbooks, corner cases, and what is said of wrong input."""

import itertools
import math
import re

import numpy as np
import pytest
from scipy import stats

from helpers.evaluation import (
    Comparison,
    Interval,
    accuracy_interval,
    compare,
    compare_all,
    compare_predictions,
    crossed_interval,
    images_needed,
    prediction_interval,
    seeds_needed,
    summarize,
    summarize_all,
)

NO_EVIDENCE, NEEDS_SEEDS = "no evidence", "needs more seeds"


def compare_counts(gained, lost, images=1000):
    """Compare two models that differ on `gained` and `lost` of the images; the other images do not matter."""
    correct, baseline = np.zeros((2, images), bool)
    correct[:gained] = True
    baseline[gained : gained + lost] = True
    return compare_predictions(correct, baseline)


def test_the_wilson_interval_is_that_of_the_textbook():
    assert accuracy_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I
    assert accuracy_interval(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)


def test_a_summary_is_that_of_the_textbook():
    seeds, mean, std, interval = summarize([0.70, 0.72, 0.74])
    assert (seeds, mean, std) == (3, pytest.approx(0.72), pytest.approx(0.02))
    margin = 4.3027 * 0.02 / 3**0.5  # Student's t with 2 degrees of freedom
    assert interval == pytest.approx((0.72 - margin, 0.72 + margin), abs=1e-5)
    assert summarize([0.7, 0.7]).interval == Interval(0.7, 0.7)


def test_overlapping_training_sets_widen_an_interval():
    alone, overlap = summarize([0.70, 0.72, 0.74]), summarize([0.70, 0.72, 0.74], overlap=1 / 9)
    assert np.ptp(overlap.interval) / np.ptp(alone.interval) == pytest.approx(np.sqrt(1 + 3 / 9))
    widths = [np.ptp(compare([0.71, 0.62, 0.83], [0.70, 0.60, 0.82], n).interval) for n in (0, 1 / 9)]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(1 + 3 / 9))


def test_arms_of_a_study_share_their_spread_and_one_of_a_single_seed_has_none():
    wide, narrow, single = summarize_all([[0.6, 0.7, 0.8], [0.70, 0.70, 0.73], [0.5]])
    assert (wide.std, narrow.std) == pytest.approx((0.1, np.sqrt(3e-4)))
    assert np.ptp(wide.interval) == pytest.approx(np.ptp(narrow.interval))
    assert (single.seeds, single.mean) == (1, 0.5)
    assert all(map(math.isnan, (single.std, *single.interval)))


def test_an_interval_over_runs_and_images_has_the_variance_of_both():
    rng = np.random.default_rng(0)
    images = rng.random(4000) < 0.9
    alike = np.stack([images] * 3)  # the luck of the images alone
    by_images = np.ptp(accuracy_interval(images.sum(), 4000))
    assert np.ptp(crossed_interval(alike)) == pytest.approx(by_images, rel=0.01)
    apart = np.stack([np.arange(400) < right for right in (300, 320, 340)])  # runs that differ by 5 points
    assert np.ptp(crossed_interval(apart)) > 2 * np.ptp(accuracy_interval(320, 400))


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
@pytest.mark.parametrize("seeds", [2, 3])
def test_too_few_seeds_or_no_spread_give_no_verdict(seeds):
    result = compare([0.81, 0.71, 0.61][:seeds], [0.80, 0.70, 0.60][:seeds])  # equal but for rounding
    assert result.difference == pytest.approx(0.01)
    assert all(map(math.isnan, (result.p_value, *result.interval)))
    assert result.verdict == NEEDS_SEEDS


def test_several_comparisons_share_one_spread_and_one_chance_of_a_false_alarm():
    results = np.array([[0.70, 0.72, 0.71, 0.70], [0.71, 0.74, 0.70, 0.72], [0.80, 0.78, 0.77, np.nan]])
    (one, two), spread = compare_all(results, [(1, 0), (2, 0)])
    variances = np.var([0.01, 0.02, -0.01, 0.02], ddof=1), np.var([0.10, 0.06, 0.06], ddof=1)
    assert spread.std == pytest.approx(np.sqrt((3 * variances[0] + 2 * variances[1]) / 5))
    assert spread.freedom == pytest.approx(5**2 / (3 + 2 + 2 * 2 / 4))
    alone = 2 * stats.t.sf(one.difference / (spread.std / 2), spread.freedom)
    assert one.p_value == pytest.approx(1 - (1 - alone) ** 2)
    assert [result.verdict for result in (one, two)] == [NO_EVIDENCE, "helps"]
    assert two.difference == pytest.approx(0.22 / 3)


def test_an_arm_that_fails_now_and_then_is_judged_by_itself():
    quiet = [[0.70, 0.72, 0.71, 0.70], [0.71, 0.74, 0.72, 0.72], [0.70, 0.73, 0.71, 0.71]]
    failing = [0.70, 0.10, 0.71, 0.68]
    results, spread = compare_all(np.array([*quiet, failing]), [(1, 0), (2, 0), (3, 0)])
    assert spread == compare_all(np.array(quiet), [(1, 0), (2, 0)])[1]
    assert results[2].p_value == pytest.approx(1 - (1 - compare(failing, quiet[0]).p_value) ** 3)
    widths = [np.ptp(summary.interval) for summary in summarize_all([*quiet, failing])]
    assert widths == pytest.approx([np.ptp(s.interval) for s in (*summarize_all(quiet), summarize(failing))])


def test_an_arm_with_two_seeds_neither_gets_a_verdict_nor_counts():
    results = np.array([[0.70, 0.72, 0.71], [0.73, 0.74, 0.75], [0.80, 0.70, np.nan]])
    (one, two), _ = compare_all(results, [(1, 0), (2, 0)])
    assert one == compare(results[1], results[0])
    assert (two.verdict, math.isnan(two.p_value)) == (NEEDS_SEEDS, True)


@pytest.mark.parametrize("ladder", [False, True])
def test_arms_without_a_difference_give_a_false_alarm_in_at_most_one_table_of_twenty(ladder):
    """Eight arms, three seeds; and an interval leaves out zero where p says so."""
    pairs = [(arm, arm - 1 if ladder else 0) for arm in range(1, 8)]
    alarms = []
    for noise in np.random.default_rng(0).normal(size=(100, 8, 3)):
        results = compare_all(noise, pairs)[0]
        told = [result.p_value < 0.05 for result in results]
        assert told == [result.interval.low > 0 or result.interval.high < 0 for result in results]
        alarms.append(any(told))
    assert np.mean(alarms) <= 0.05


def test_mcnemars_test_counts_the_images_that_one_model_alone_gets_right():
    result = compare_counts(12, 2)
    assert result.p_value == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert (result.difference, result.verdict) == (0.01, "helps")
    assert compare_counts(2, 12).verdict == "hurts"
    assert compare_counts(0, 0) == Comparison(0.0, Interval(-0.001, 0.001), 1.0)


def test_the_verdict_on_two_models_agrees_with_the_exact_test():
    for gained, lost in itertools.product(range(0, 60, 5), repeat=2):
        result = compare_counts(gained, lost)
        excluded = result.interval.low > 0 or result.interval.high < 0
        assert (result.verdict != NO_EVIDENCE) == (result.p_value < 0.05)
        assert excluded == (result.p_value < 0.05) or 0.045 < result.p_value < 0.05, (gained, lost)


@pytest.mark.parametrize(("effect", "seeds"), [(0.1, 787), (0.2, 199), (0.8, 15), (9.0, 3)])
def test_the_number_of_seeds_is_that_of_the_textbook(effect, seeds):
    """What G*Power 3 gives for a paired t test, two-sided, 5%, power 80% (Faul et al. 2007)."""
    assert seeds_needed(effect * 0.004, 0.004) == seeds_needed(-effect, 1) == seeds


def test_the_number_of_images_is_that_of_connors_formula():
    assert images_needed(0.03, 0.1) == images_needed(-0.03, 0.1) == 870  # ((0.6198 + 0.2649) / 0.03) ** 2


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (summarize, ([0.7, math.nan],), "values are [0.7 nan], expected one finite number or more"),
        (prediction_interval, ([0.7],), "There is 1 value, expected 2 or more"),
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
