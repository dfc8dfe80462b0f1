"""What can be concluded from results: intervals, comparisons, and how many runs a difference needs.

SciPy does the mathematics. Accuracies are shares from 0 to 1; every interval is a 95% confidence interval.

**Overlap**: runs that draw their validation images from the same 50,000 train on sets that overlap, so they
vary together. A mean of n has the standard error s * sqrt(1/n + validation/training images), not s / sqrt(n)
(Nadeau & Bengio 2003, https://doi.org/10.1023/A:1024068626366). The k folds of a cross-validation share
training images, too, and their variance has no unbiased estimate (Bengio & Grandvalet 2004): the same term,
1 / (k - 1), is on the safe side. **Pooling**: three to five runs know their own spread badly, so the arms of
a study are taken to have the same one, but for one that varies over `APART` times as much as the median, as
where training fails at times; Bartlett's test says whether they may. **Several comparisons**: p and interval
follow Šidák (1967), whichever way the comparisons depend on each other: a table without any difference gives
a false alarm in at most 5% of all cases. p < 0.05, and only that, is a verdict.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

NO_EVIDENCE = "no evidence"
NEEDS_SEEDS = "needs more seeds"
LEVEL = 0.975  # half of the 5% that an interval leaves out lie above it
POWER = 0.8  # with which chance a true difference is to be noticed
MIN_SEEDS = 3  # with two, Student's t allows 12.7 standard errors: such an interval says nothing
APART = 4.0  # times the median spread: among arms of equal spread in at most 2 of 100 studies
NO_SPREAD = 1e-12  # what differs by less is equal but for rounding
SHARED_SPLIT = 0.5  # correlation of two arms' results, as on the ladder: arms of one seed share its split


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
        """ "helps" or "hurts" where p < 0.05, `NO_EVIDENCE` where not, `NEEDS_SEEDS` where p is unknown."""
        if math.isnan(self.p_value):
            return NEEDS_SEEDS
        if self.p_value >= 2 * (1 - LEVEL):
            return NO_EVIDENCE
        return "helps" if self.difference > 0 else "hurts"


class Spread(NamedTuple):
    """Standard deviation that several samples share, its degrees of freedom, p of "the spreads are equal"."""

    std: float
    freedom: float
    p_equal: float
    most: float  # what varies more is judged by itself

    def of(self, values: np.ndarray) -> "Spread":
        """Return the spread to judge a sample by."""
        own = values.std(ddof=1) if len(values) > 1 else 0
        return Spread(own, len(values) - 1, math.nan, own) if own > self.most else self


def accuracy_interval(correct: int, total: int) -> Interval:
    """Return the Wilson interval of an accuracy measured on `total` images (Wilson 1927).

    How far that may lie from the accuracy on all images of their kind; how far another training run may lie,
    `summarize` says. ValueError unless 0 <= correct <= total and total >= 1.
    """
    return Interval(*stats.binomtest(correct, total).proportion_ci(method="wilson"))


def summarize(values: Sequence[float], overlap: float = 0.0) -> Summary:
    """Return mean, standard deviation and Student's t interval of the mean, of one result per seed.

    A single seed says nothing about the spread: std and interval are NaN. ValueError without any value, and
    for one that is not finite. `overlap`: validation images per training image, if seeds draw from the same.
    """
    return summarize_all([values], overlap)[0]


def summarize_all(samples: Sequence[Sequence[float]], overlap: float = 0.0) -> list[Summary]:
    """Return each arm's own mean and std, and an interval, for itself alone, by the pooled spread."""
    for values in (samples := [np.asarray(values, float) for values in samples]):
        if len(values) == 0 or not np.isfinite(values).all():
            raise ValueError(f"values are {values}, expected one finite number or more.")
    several = [values for values in samples if len(values) > 1]
    spread = pooled_spread(several, np.maximum(np.eye(len(several)), SHARED_SPLIT))
    summaries = []
    for values in samples:
        n, mean, by = len(values), float(values.mean()), spread.of(values)
        std = float(values.std(ddof=1)) if n > 1 else math.nan
        error = math.sqrt(1 / n + overlap) * (by.std if n > 1 else math.nan)
        summaries.append(Summary(n, mean, std, _around(mean, error, by.freedom)))
    return summaries


def crossed_interval(correct: np.ndarray) -> Interval:
    """Return the interval of the mean accuracy of runs judged on the same images: over runs and images.

    By the two-way analysis of `correct`, bool (runs, images), with 2 runs or more: the variance has a part of
    both (a run's part below zero counts as none). Degrees of freedom are Satterthwaite's.
    """
    correct = np.asarray(correct, float)
    by_run, by_image, mean = correct.mean(axis=1), correct.mean(axis=0), float(correct.mean())
    runs, images = np.array(correct.shape) - 1
    freedom = np.array([runs, images, runs * images])
    rest = ((correct - by_run[:, None] - by_image + mean) ** 2).sum() / freedom[2]
    between = len(by_image) * by_run.var(ddof=1), len(by_run) * by_image.var(ddof=1)
    parts = np.array([max(between[0], rest), between[1], -rest])
    error = math.sqrt(parts.sum() / correct.size)
    return _around(mean, error, parts.sum() ** 2 / (parts**2 / freedom).sum())


def _around(mean: float, error: float, freedom: float, level: float = LEVEL) -> Interval:
    """Return Student's t interval around a mean with this standard error; NaN without degrees of freedom."""
    margin = float(error * stats.t.ppf(level, freedom))
    return Interval(mean - margin, mean + margin)


def prediction_interval(values: Sequence[float]) -> Interval:
    """Return where the next seed's result falls, given two values or more: wider than the mean's interval."""
    seeds, mean, std, _ = summarize(values)
    if seeds < 2:
        raise ValueError("There is 1 value, expected 2 or more: one tells nothing about the spread.")
    return _around(mean, std * math.sqrt(1 + 1 / seeds), seeds - 1)


def pooled_spread(samples: Sequence[np.ndarray], alike: np.ndarray) -> Spread:
    """Return the spread that samples of two values or more have in common; NaN without samples.

    Samples that are alike tell the same thing twice, so the degrees of freedom are fewer than their sum:
    those of a sum of variances whose correlations are the squares of `alike`, the samples' (Satterthwaite).
    """
    if not samples:
        return Spread(math.nan, math.nan, math.nan, math.inf)
    stds, weights = np.transpose([(values.std(ddof=1), len(values) - 1) for values in samples])
    most = APART * np.median(stds) if np.median(stds) > NO_SPREAD else math.inf
    kept = np.flatnonzero(stds <= most)
    weights, alike = weights[kept], alike[np.ix_(kept, kept)]
    variance = np.average(stds[kept] ** 2, weights=weights)
    freedom = weights.sum() ** 2 / (alike**2 * np.minimum.outer(weights, weights)).sum()
    spread = [samples[i] for i in kept if stds[i] > NO_SPREAD]  # Bartlett's test takes logarithms
    p_equal = float(stats.bartlett(*spread).pvalue) if len(spread) > 1 else math.nan
    return Spread(math.sqrt(variance), float(freedom), p_equal, most)


def compare(values: Sequence[float], baseline: Sequence[float], overlap: float = 0.0) -> Comparison:
    """Compare two variants that were trained with the same seeds: paired t test on values minus baseline.

    What a pair has in common cancels. ValueError unless both hold one value per seed, in the same order.
    """
    return compare_all(np.stack([values, baseline]), [(0, 1)], overlap)[0][0]


def compare_all(
    results: np.ndarray, pairs: Sequence[tuple[int, int]], overlap: float = 0.0
) -> tuple[list[Comparison], Spread]:
    """Compare pairs of a study's arms; returns also the spread of a difference that they were judged by.

    It is pooled over these differences alone: residuals of all arms are too large where neighbours on a
    ladder are alike, and too small where the baseline varies more. False alarms in simulations: at most 6%;
    with one noisy arm 8% by five folds, 20% if nothing overlaps: Bartlett's p tells. p and intervals hold for
    all pairs at once: an interval leaves out zero where p < 0.05. NaN for a pair with fewer than `MIN_SEEDS`
    common seeds, and for all if no difference varies. `results` is (arms, seeds), NaN where a run is missing;
    each of `pairs` names two rows, the second being what the first is compared with.
    """
    differences = [found[~np.isnan(found)] for found in (results[a] - results[b] for a, b in pairs)]
    told = [place for place, found in enumerate(differences) if len(found) >= MIN_SEEDS]
    arms = np.eye(len(results))
    contrasts = np.array([np.subtract(*arms[list(pairs[place])]) for place in told])
    spread = pooled_spread([differences[place] for place in told], contrasts @ contrasts.T / 2)
    return [_judge(found, spread.of(found), len(told), overlap) for found in differences], spread


def _judge(differences: np.ndarray, spread: Spread, count: int, overlap: float) -> Comparison:
    """Return what differences say, judged by a spread, as one of so many comparisons."""
    mean = float(differences.mean()) if len(differences) else math.nan
    if len(differences) < MIN_SEEDS or spread.std < NO_SPREAD:
        return Comparison(mean, Interval(math.nan, math.nan), math.nan)
    error = spread.std * math.sqrt(1 / len(differences) + overlap)
    alone = 2 * stats.t.sf(abs(mean) / error, spread.freedom)
    p_value = -math.expm1(count * math.log1p(-alone)) if alone < 1 else 1.0
    level = (1 + (2 * LEVEL - 1) ** (1 / count)) / 2
    return Comparison(mean, _around(mean, error, spread.freedom, level), p_value)


def compare_predictions(correct: Sequence[bool], baseline: Sequence[bool]) -> Comparison:
    """Compare two trained models on the same images: exact McNemar test (1947), paired interval.

    It compares these two, by the images that only one of them gets right, not two ways of training. Interval
    (normal, with continuity correction) and exact test agree, borderline cases aside. ValueError unless both
    hold one truth value per image, in the same order.
    """
    correct, baseline = np.stack([correct, baseline]).astype(bool)
    gained, lost = int((correct & ~baseline).sum()), int((~correct & baseline).sum())
    differences = correct.astype(float) - baseline
    margin = stats.norm.ppf(LEVEL) * stats.sem(differences, ddof=0) + 1 / len(differences)
    mean = float(differences.mean())
    p_value = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    return Comparison(mean, Interval(mean - margin, mean + margin), float(p_value))


def seeds_needed(difference: float, std: float) -> int:
    """Return how many seeds per variant a paired t test needs to notice a difference four times in five.

    At least `MIN_SEEDS`. Each is to have new images: what overlap adds, no number of seeds takes away.
    `difference` is the true mean one, not zero (0.01 is one point), `std` that of the differences per seed,
    above 0; else ValueError.
    """
    if not (abs(difference) > 0 and std > 0):
        raise ValueError(f"difference is {difference} and std {std}, expected not 0, and above 0.")
    effect = abs(difference) / std
    known = ((stats.norm.ppf(LEVEL) + stats.norm.ppf(POWER)) / effect) ** 2  # enough if std were certain
    for seeds in itertools.count(max(MIN_SEEDS, math.floor(known))):
        critical, shift = stats.t.ppf(LEVEL, seeds - 1), effect * math.sqrt(seeds)
        # The second term is the chance of a significant result with the wrong sign.
        if sum(stats.nct.sf(critical, seeds - 1, (shift, -shift))) >= POWER:
            return seeds


def images_needed(difference: float, disagreement: float) -> int:
    """Return how many images McNemar's test needs to notice a difference of two models four times in five.

    The normal approximation of Connor (1987), Biometrics 43(1); the exact test notices a little less.
    `difference` is the true one, not zero (0.01 is one point); `disagreement` the share of images that
    exactly one of the two models gets right, from the size of `difference` to 1; ValueError if it is not.
    """
    size = abs(difference)
    if not 0 < size <= disagreement <= 1:
        raise ValueError(f"disagreement is {disagreement}, expected {size} (the difference, not 0) to 1.")
    z, roots = stats.norm.ppf((LEVEL, POWER)), np.sqrt((disagreement, disagreement - size**2))
    return math.ceil((z @ roots / size) ** 2)
