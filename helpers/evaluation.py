"""What can be concluded from results: intervals, comparisons, and how many runs a difference needs.

SciPy does the mathematics. Accuracies are shares from 0 to 1; every interval has the stated
confidence, 95% by default.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

NO_EVIDENCE = "no evidence at this budget"
NEEDS_SEEDS = "needs more seeds"
MIN_SEEDS = 3  # with two, Student's t allows 12.7 standard errors: such an interval says nothing
NO_SPREAD = 1e-12  # accuracies that differ by less are equal but for rounding: SciPy would give NaN


class Interval(NamedTuple):
    """A confidence interval, both ends included."""

    low: float
    high: float


class Summary(NamedTuple):
    """Mean, standard deviation and interval of the mean over the seeds of one variant."""

    seeds: int
    mean: float
    std: float
    interval: Interval


class Comparison(NamedTuple):
    """Mean difference of paired results, its interval, and the p-value of "no difference"; NaN if unknown."""

    difference: float
    interval: Interval
    p_value: float

    @property
    def verdict(self) -> str:
        """ "helps", "hurts", `NO_EVIDENCE` if the interval contains zero, `NEEDS_SEEDS` if there is none."""
        if math.isnan(self.interval.low):
            return NEEDS_SEEDS
        if self.interval.low > 0:
            return "helps"
        return "hurts" if self.interval.high < 0 else NO_EVIDENCE


def accuracy_interval(correct: int, total: int, confidence: float = 0.95) -> Interval:
    """Return the Wilson interval of an accuracy measured on `total` images (Wilson 1927).

    It says how far the accuracy on these images may lie from that on all images of their kind.
    It does not say how far another training run may lie: that is `summarize`.

    Raises:
        ValueError: unless 0 <= correct <= total and total >= 1.
    """
    if total < 1 or not 0 <= correct <= total:
        raise ValueError(f"correct is {correct} of {total}, expected 0 <= correct <= total and total >= 1.")
    return Interval(*stats.binomtest(correct, total).proportion_ci(confidence, method="wilson"))


def summarize(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Return mean, standard deviation and Student's t interval of one result per seed.

    With a single seed nothing can be said about the spread: std and interval are NaN.

    Raises:
        ValueError: if `values` is empty or holds a value that is not finite.
    """
    values = _finite(values, "values")
    if len(values) == 1:
        return Summary(1, float(values[0]), math.nan, Interval(math.nan, math.nan))
    interval = Interval(float(values[0]), float(values[0]))
    if np.ptp(values) >= NO_SPREAD:
        interval = _interval(stats.ttest_1samp(values, 0), confidence)
    return Summary(len(values), float(values.mean()), float(values.std(ddof=1)), interval)


def prediction_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return where one more result of the same kind falls, with the stated confidence (Student's t).

    Args:
        values: one accuracy per seed, from 0 to 1, two or more. The next seed's is expected around
            their mean; the interval is wider than that of the mean, since one result varies more.

    Raises:
        ValueError: if there are fewer than two values: one result tells nothing about the spread.
    """
    result = summarize(values)
    if result.seeds < 2:
        raise ValueError("values has 1 result, expected 2 or more: one tells nothing about the spread.")
    scale = result.std * math.sqrt(1 + 1 / result.seeds)
    margin = scale * stats.t.ppf((1 + confidence) / 2, result.seeds - 1)
    return Interval(float(result.mean - margin), float(result.mean + margin))


def compare(values: Sequence[float], baseline: Sequence[float], confidence: float = 0.95) -> Comparison:
    """Compare two variants that were trained with the same seeds: paired t test on values minus baseline.

    A pair shares seed and split, so what they have in common cancels. Fewer than `MIN_SEEDS` seeds, or
    differences that are equal by luck, tell nothing about the spread: interval and p-value are NaN then,
    and the verdict is `NEEDS_SEEDS`.

    Raises:
        ValueError: unless both hold one finite value per seed, in the same order.
    """
    values, baseline = _finite(values, "values"), _finite(baseline, "baseline")
    if len(values) != len(baseline):
        raise ValueError(f"values has {len(values)} seeds, baseline {len(baseline)}, expected the same.")
    differences = values - baseline
    mean = float(differences.mean())
    if len(values) < MIN_SEEDS or np.ptp(differences) < NO_SPREAD:
        return Comparison(mean, Interval(math.nan, math.nan), math.nan)
    test = stats.ttest_1samp(differences, 0)
    return Comparison(mean, _interval(test, confidence), float(test.pvalue))


def compare_predictions(
    correct: Sequence[bool], baseline: Sequence[bool], confidence: float = 0.95
) -> Comparison:
    """Compare two trained models on the same images: exact McNemar test, paired interval.

    Only images that exactly one of the two gets right tell them apart (McNemar 1947). `correct`
    and `baseline` hold one truth value per image, in the same order. It compares these two models,
    not the two ways of training: another seed may turn the result round. The interval is the
    normal one with continuity correction, so that it and the exact test agree,
    borderline cases aside.

    Raises:
        ValueError: if the two differ in length or are empty.
    """
    correct, baseline = np.asarray(correct, bool), np.asarray(baseline, bool)
    if correct.shape != baseline.shape or correct.size == 0:
        raise ValueError(
            f"correct has shape {correct.shape}, baseline {baseline.shape}, expected the same images."
        )
    gained, lost = int((correct & ~baseline).sum()), int((~correct & baseline).sum())
    differences = correct.astype(float) - baseline
    margin = stats.norm.ppf((1 + confidence) / 2) * differences.std() / math.sqrt(len(differences))
    margin += 1 / len(differences)  # continuity correction: a count moves in steps of one image
    mean = float(differences.mean())
    p_value = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    return Comparison(mean, Interval(mean - margin, mean + margin), float(p_value))


def seeds_needed(difference: float, std: float, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return how many seeds per variant, `MIN_SEEDS` or more, a paired t test needs to notice a difference.

    Args:
        difference: true mean difference between the variants, not zero (0.01 is one point).
        std: standard deviation of the per-seed differences, above 0.
        power: wanted probability of noticing it, between 0 and 1.

    Above 100 seeds the answer may be up to a hundredth too large.

    Raises:
        ValueError: if an argument is out of range; the message names it.
    """
    _require("std", std, std > 0, "a number above 0")
    _require_power(difference, power, confidence)
    seeds = MIN_SEEDS
    while _power_of_t_test(abs(difference) / std, seeds, confidence) < power:
        seeds += max(1, seeds // 100)
    return seeds


def images_needed(
    difference: float, disagreement: float, power: float = 0.8, confidence: float = 0.95
) -> int:
    """Return how many images McNemar's test needs to notice a true difference between two models.

    Args:
        difference: true difference of the accuracies, not zero (0.01 is one point).
        disagreement: share of images that exactly one of the two models gets right, at least
            the size of `difference` and at most 1.
        power: wanted probability of noticing it, between 0 and 1.

    The normal approximation of Connor (1987), Biometrics 43(1); the exact test, being careful, notices
    the difference up to two percentage points less often.

    Raises:
        ValueError: if an argument is out of range; the message names it.
    """
    _require_power(difference, power, confidence)
    size = abs(difference)
    _require("disagreement", disagreement, size <= disagreement <= 1, f"{size} (the difference) to 1")
    z_alpha, z_beta = stats.norm.ppf((1 + confidence) / 2), stats.norm.ppf(power)
    spread = z_alpha * math.sqrt(disagreement) + z_beta * math.sqrt(disagreement - size**2)
    return math.ceil((spread / size) ** 2)


def _power_of_t_test(effect: float, seeds: int, confidence: float) -> float:
    """Return the power of a two-sided one-sample t test at an effect in standard deviations."""
    critical = stats.t.ppf((1 + confidence) / 2, seeds - 1)
    shift = effect * math.sqrt(seeds)
    # The second term is the chance of a significant result with the wrong sign.
    return stats.nct.sf(critical, seeds - 1, shift) + stats.nct.sf(critical, seeds - 1, -shift)


def _require_power(difference: float, power: float, confidence: float) -> None:
    _require("difference", difference, abs(difference) > 0, "a number other than 0")
    _require("power", power, 0 < power < 1, "a number between 0 and 1")
    _require("confidence", confidence, 0 < confidence < 1, "a number between 0 and 1")


def _require(name: str, value: float, holds: bool, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value}, expected {expected}.")


def _finite(values: Sequence[float], name: str) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(f"{name} must be a list of finite numbers with at least one entry, got {values!r}.")
    return values


def _interval(test, confidence: float) -> Interval:
    """Return the confidence interval of one of SciPy's t tests."""
    return Interval(*map(float, test.confidence_interval(confidence)))
