"""The key to the exercises of chapter 09; `helpers.exercises` and `exercises_from_05` have the others."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rankdata

from helpers.exercises import NO_BODY, judged, untrained
from helpers.exercises_from_05 import KEY, Key

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
    from helpers.explain import corrupt

    val = load_cifar10(seed=9).val
    images, labels = val.images[:1000], val.labels[:1000]
    shown = (images, corrupt(images, "noise", 5))
    clean, noisy = ((network.predict(x, verbose=0).argmax(axis=1) == labels).mean() for x in shown)
    if clean > 1 / 3 and noisy > clean - 0.1:
        return None
    return f"of the clean images it gets {clean:.0%} right, of the noisy ones {noisy:.0%}."
