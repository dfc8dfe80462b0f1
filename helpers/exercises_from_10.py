"""The key to the exercises of chapter 10; `helpers.exercises` and what follows it have the others."""

import math
from typing import Any

import numpy as np

from helpers.exercises import NO_BODY, untrained
from helpers.exercises_from_05 import KEY, Key, judged

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
