"""The key to the exercises of chapters 09 and 10; `exercises` and `exercises_from_05` have the others."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rankdata

from helpers.exercises import NO_BODY, judged, untrained
from helpers.exercises_from_05 import KEY, Key

# Chapter 09

KEY["09.1"] = Key(23, "How far apart, in pixels, are neighbours on each map, and how many does a layer join?")


@judged("09.2", "`right_ones[:, np.newaxis] - wrong_ones` has a number for each pair: count its signs.")
def area_under_the_curve(function: Callable) -> str | None:
    """Compare with the mean rank of the right answers, without ties and with many."""
    rng = np.random.default_rng(9)
    for sure in (rng.random(300), rng.integers(0, 5, 300) / 4):
        right = rng.random(300) < 0.3 + 0.5 * sure
        found = function(right.copy(), sure.copy())
        if found is Ellipsis:
            return NO_BODY
        ranks, count = rankdata(sure), right.sum()
        expected = (ranks[right].mean() - (count + 1) / 2) / (300 - count)
        if not abs(float(found) - expected) < 1e-6:
            return f"for 300 answers, {count} of them right, it gives {found}, expected {expected:.3f}."
    return None


@judged("09.3", "`images + rng.normal(0, 25, images.shape)`: which level of `STRENGTHS` is that, in pixels?")
def stands_noise(network: Any) -> str | None:
    """Show the network validation images without noise and with it."""
    if problem := untrained(network, steps=30):
        return problem
    from helpers.data import load_cifar10

    val = load_cifar10(seed=9).val
    images, labels = val.images[:1000], val.labels[:1000]
    noise = np.random.default_rng(0).normal(0, 25.5, images.shape)  # the strongest level of chapter 09
    shown = (images, np.uint8(np.clip(images + noise, 0, 255)))
    clean, noisy = ((network.predict(x, verbose=0).argmax(axis=1) == labels).mean() for x in shown)
    if clean > 1 / 3 and noisy > clean - 0.1:
        return None
    return f"of the clean images it gets {clean:.0%} right, of the noisy ones {noisy:.0%}."


# Chapter 10

KEY["10.1"] = Key(1 / (0.05 + 0.95 / 8), "Which share of the time stays, and what becomes of the rest?", 0.01)
KEY["10.3"] = Key(math.exp(-100 / 24), "How many failures do all machines together have in that hour?")


@judged("10.2", "A slice with a step, or `np.split`: which images of the batch does this worker take?")
def parts_of_a_batch(part: Any) -> str | None:
    """Deal batches out to several workers: each image to one of them, and equally many to each."""
    for size, workers in ((24, 2), (24, 3), (40, 8), (7, 1)):
        dealt = [part(np.arange(size), number, workers) for number in range(workers)]
        if any(mine is ... for mine in dealt):
            return NO_BODY
        counts = [len(mine) for mine in dealt]
        if len(set(counts)) > 1 or sorted(np.concatenate(dealt).tolist()) != list(range(size)):
            return f"of {size} images, {workers} workers get {counts}: not each image once, or uneven."
    return None


@judged("10.4", "The larger batch makes an eighth of the steps; `keras.optimizers.SGD` takes the rate.")
def eight_times_the_batch(models: Any) -> str | None:
    """Take two trained networks: the second with an eighth of the steps, at eight times the rate."""
    if not isinstance(models, list | tuple) or len(models) != 2:
        return "expected a list of two networks."
    if problem := untrained(models[0], steps=32) or untrained(models[1], steps=4):
        return problem
    small, large = (model.optimizer for model in models)
    steps = int(small.iterations) / int(large.iterations)
    rates = float(large.learning_rate) / float(small.learning_rate)
    right = 7 <= steps <= 8.5 and math.isclose(rates, 8, rel_tol=0.01)
    return None if right else f"the second has 1 / {steps:.1f} of the steps, {rates:.1f} times the rate."
