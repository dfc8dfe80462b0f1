"""What can be concluded from results: intervals, comparisons, and how many runs a difference needs.

SciPy does the mathematics. Accuracies are shares from 0 to 1; every interval is a 95% confidence interval.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import softmax

NO_EVIDENCE = "no evidence at this budget"
NEEDS_SEEDS = "needs more seeds"
LEVEL = 0.975  # half of the 5% that an interval leaves out lie above it
POWER = 0.8  # with which chance a true difference is to be noticed
MIN_SEEDS = 3  # with two, Student's t allows 12.7 standard errors: such an interval says nothing
NO_SPREAD = 1e-12  # differences that differ by less are equal but for rounding


class Interval(NamedTuple):
    """A 95% confidence interval, both ends included."""

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


def accuracy_interval(correct: int, total: int) -> Interval:
    """Return the Wilson interval of an accuracy measured on `total` images (Wilson 1927).

    It says how far the accuracy on these images may lie from that on all images of their kind; how far
    another training run may lie, `summarize` says. ValueError unless 0 <= correct <= total and total >= 1.
    """
    return Interval(*stats.binomtest(correct, total).proportion_ci(method="wilson"))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature, 0.1 to 10, by which to divide logits (N, 10) so that they fit labels (N,).

    It has the smallest cross-entropy (Guo et al. 2017, arXiv 1706.04599). No image of them was trained on.
    """
    candidates = np.geomspace(0.1, 10, 201)
    losses = []
    for temperature in candidates:
        chances = softmax(logits / temperature, axis=1)
        of_the_label = chances[np.arange(len(labels)), labels]
        losses.append(-np.log(of_the_label + 1e-12).mean())
    return float(candidates[np.argmin(losses)])


def summarize(values: Sequence[float]) -> Summary:
    """Return mean, standard deviation and Student's t interval of the mean, of one result per seed.

    With a single seed nothing can be said about the spread: std and interval are NaN. ValueError without
    any value, and for one that is not finite.
    """
    values = np.asarray(values, float)
    if len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(f"values are {values}, expected one finite number or more.")
    mean = float(values.mean())
    std = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    return Summary(len(values), mean, std, _around(mean, std / math.sqrt(len(values)), len(values)))


def _around(mean: float, scale: float, seeds: int) -> Interval:
    """Return Student's t interval around a mean of so many seeds; NaN for a single one."""
    margin = float(scale * stats.t.ppf(LEVEL, seeds - 1))
    return Interval(mean - margin, mean + margin)


def prediction_interval(values: Sequence[float]) -> Interval:
    """Return where the next seed's result falls, given two values or more: wider than the mean's interval."""
    seeds, mean, std, _ = summarize(values)
    if seeds < 2:
        raise ValueError("There is 1 value, expected 2 or more: one tells nothing about the spread.")
    return _around(mean, std * math.sqrt(1 + 1 / seeds), seeds)


def compare(values: Sequence[float], baseline: Sequence[float]) -> Comparison:
    """Compare two variants that were trained with the same seeds: paired t test on values minus baseline.

    A pair shares seed and split, so what they have in common cancels. Fewer than `MIN_SEEDS` seeds, or
    differences that are equal by luck, tell nothing about the spread: the verdict is `NEEDS_SEEDS` then.
    ValueError unless both hold one finite value per seed, in the same order.
    """
    differences = [value - base for value, base in zip(values, baseline, strict=True)]
    mean = summarize(differences).mean
    if len(differences) < MIN_SEEDS or np.ptp(differences) < NO_SPREAD:
        return Comparison(mean, Interval(math.nan, math.nan), math.nan)
    test = stats.ttest_1samp(differences, 0)
    return Comparison(mean, Interval(*map(float, test.confidence_interval())), float(test.pvalue))


def compare_predictions(correct: Sequence[bool], baseline: Sequence[bool]) -> Comparison:
    """Compare two trained models on the same images: exact McNemar test (1947), paired interval.

    It compares these two, by the images that only one of them gets right, not two ways of training. The
    interval is the normal one with continuity correction, so that it and the exact test agree, borderline
    cases aside. Both hold one truth value per image, in the same order; else ValueError.
    """
    correct, baseline = np.stack([correct, baseline]).astype(bool)
    gained, lost = int((correct & ~baseline).sum()), int((~correct & baseline).sum())
    differences = correct.astype(float) - baseline
    margin = stats.norm.ppf(LEVEL) * differences.std() / math.sqrt(len(differences))
    margin += 1 / len(differences)  # continuity correction: a count moves in steps of one image
    mean = float(differences.mean())
    p_value = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    return Comparison(mean, Interval(mean - margin, mean + margin), float(p_value))


def seeds_needed(difference: float, std: float) -> int:
    """Return how many seeds per variant a paired t test needs to notice a difference four times in five.

    At least `MIN_SEEDS`; above 100 the answer may be up to a hundredth too large.

    Args:
        difference: true mean difference between the variants, not zero (0.01 is one point).
        std: standard deviation of the per-seed differences, above 0; else ValueError.
    """
    if not (abs(difference) > 0 and std > 0):
        raise ValueError(f"difference is {difference} and std {std}, expected not 0, and above 0.")
    seeds = MIN_SEEDS
    while _power_of_t_test(abs(difference) / std, seeds) < POWER:
        seeds += max(1, seeds // 100)
    return seeds


def _power_of_t_test(effect: float, seeds: int) -> float:
    """Return the power of a two-sided one-sample t test at an effect in standard deviations."""
    critical = stats.t.ppf(LEVEL, seeds - 1)
    shift = effect * math.sqrt(seeds)
    # The second term is the chance of a significant result with the wrong sign.
    return stats.nct.sf(critical, seeds - 1, shift) + stats.nct.sf(critical, seeds - 1, -shift)


def images_needed(difference: float, disagreement: float) -> int:
    """Return how many images McNemar's test needs to notice a difference of two models four times in five.

    The normal approximation of Connor (1987), Biometrics 43(1); the exact test notices a little less.

    Args:
        difference: true difference of the accuracies, not zero (0.01 is one point).
        disagreement: share of images that exactly one of the two models gets right, from the size of
            `difference` to 1; ValueError if it is not.
    """
    size = abs(difference)
    if not 0 < size <= disagreement <= 1:
        raise ValueError(f"disagreement is {disagreement}, expected {size} (the difference, not 0) to 1.")
    z_alpha, z_beta = stats.norm.ppf(LEVEL), stats.norm.ppf(POWER)
    spread = z_alpha * math.sqrt(disagreement) + z_beta * math.sqrt(disagreement - size**2)
    return math.ceil((spread / size) ** 2)
