"""One new run among recorded ones: where it should fall, and the picture of it."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from scipy import stats

from helpers.evaluation import Interval, summarize
from helpers.internal.figures import BLUE, GREY, VERMILION


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
        raise ValueError(
            "values has 1 result, expected 2 or more: one result tells nothing about the spread."
        )
    scale = result.std * np.sqrt(1 + 1 / result.seeds)
    margin = scale * stats.t.ppf((1 + confidence) / 2, result.seeds - 1)
    return Interval(float(result.mean - margin), float(result.mean + margin))


def placement_in_words(recorded: Sequence[float], new: float, source: str) -> str:
    """Return one sentence: whether a new run falls where the recorded ones said it would.

    Args:
        recorded: one accuracy per seed on CIFAR-10, from 0 to 1, two or more.
        new: the new run's accuracy, from 0 to 1.
        source: `data.source` of the new run: only "official" can be compared.
    """
    if source != "official":
        return (
            f"This run, {new:.1%}, learnt from the synthetic sample: CIFAR-10's range does not apply to it."
        )
    low, high = prediction_interval(recorded)
    place = "inside" if low <= new <= high else "below" if new < low else "above"
    return f"This run, {new:.1%}, falls {place} the range of {low:.1%} to {high:.1%}."


def place_run(recorded: Sequence[float], new: float, label: str = "new run", ax: Axes | None = None) -> Axes:
    """Draw a new run's accuracy under the recorded ones and the range in which it was to be expected.

    Args:
        recorded: one accuracy per seed, from 0 to 1, two or more.
        new: the new run's accuracy, from 0 to 1.
        label: what the new run is called.
    """
    ax = ax or plt.subplots(figsize=(7.0, 1.9))[1]
    recorded = 100 * np.asarray(recorded, float)
    low, high = prediction_interval(recorded)
    ax.plot(recorded, np.zeros(len(recorded)), "o", color=GREY, markersize=6)
    ax.plot((low, high), (1, 1), color=BLUE, linewidth=6, solid_capstyle="butt")
    ax.plot(100 * new, 2, "D", color=VERMILION, markersize=8)
    ax.axvline(100 * new, color=VERMILION, linewidth=1, linestyle=":")
    ax.annotate(f"{100 * new:.1f}", (100 * new, 2), (8, 0), textcoords="offset points", va="center")
    ax.set_yticks((0, 1, 2), ("recorded runs", "expected range", label))
    ax.set_ylim(2.6, -0.6)
    ax.set_xlabel("validation accuracy (%)")
    ax.xaxis.grid(True)
    return ax
