"""Accuracy against minutes: the series' networks, published tutorials and the fast recipes in one picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import records
from helpers.internal.figures import BLUE, GREY, INK, ORANGE, PURPLE, VERMILION
from helpers.studies import STUDIES

if TYPE_CHECKING:
    import keras

MASTERY = (
    "https://machinelearningmastery.com/how-to-develop-a-cnn-from-scratch-for-cifar-10-photo-classification/"
)
TENSORFLOW = "https://www.tensorflow.org/tutorials/images/cnn"
KINDS = ("Conv2D", "MaxPooling2D", "BatchNormalization", "Activation")  # of layers, told apart in a chart
TICKS = {0.5: "½", 1: "1", 2: "2", 5: "5", 10: "10", 30: "30", 60: "1 h", 120: "2 h", 300: "5 h", 600: "10 h"}
RIGHT, ABOVE, FAR = (10, 0, "left", "center"), (-4, 9, "right", "bottom"), (-20, 46, "right", "center")


class Published(NamedTuple):
    """A result that others published: test accuracy in percent after so many epochs.

    `study` names the recorded runs of that network, or of one like it, that say how long an epoch takes;
    `placed` is where its label goes.
    """

    label: str
    source: str
    epochs: int
    accuracy: float
    study: str
    variant: str
    placed: tuple


CLASSIC = Published(
    "all together 88.62", MASTERY, 400, 88.62, "classic_keras", "classic_cnn", (0, 9, "center", "bottom")
)
PUBLISHED = (
    Published("TensorFlow's\ntutorial:\nover 70", TENSORFLOW, 10, 70.0, "baseline", "tutorial_cnn", FAR),
    Published("MachineLearningMastery:\nVGG 73.50", MASTERY, 100, 73.50, "classic", "classic", RIGHT),
    Published("dropout 83.45", MASTERY, 100, 83.45, "classic", "classic", (10, -8, "left", "center")),
    Published("augmentation 84.47", MASTERY, 100, 84.47, "classic", "classic", (10, 8, "left", "center")),
    CLASSIC,
)


def minutes_of(runs: pd.DataFrame) -> float:
    """Return the minutes that one variant's training takes, by `records.fastest_seconds`."""
    return sum(records.fastest_seconds(runs["history"])) / 60


def published_minutes(result: Published) -> float:
    """Return how many minutes a published training would take at the pace of the recorded runs."""
    runs = records.load_runs(result.study)
    runs = runs[runs["variant"] == result.variant]
    return result.epochs * np.mean(records.fastest_seconds(runs["history"])) / 60


def accuracy_against_minutes(final: bool = False, ax: Axes | None = None) -> Axes:
    """Draw which accuracy how many minutes of training give, on a logarithmic scale of time.

    Ours are validation accuracies, means over the recorded seeds; published ones were measured on the
    test images. Networks below 60 percent lie outside the picture.

    Args:
        final: whether the study `final`, the only one that has seen the test images, is shown too.
    """
    ax = ax or plt.subplots(figsize=(8.4, 4.6))[1]
    _group(ax, "baseline", GREY, "o", "chapter 02: plain networks")
    _group(ax, "improvements", ORANGE, "s", "chapters 03 to 05: one technique, or several")
    places = [(published_minutes(result), result.accuracy) for result in PUBLISHED]
    told = "published, on test images:\ntheir epochs at the pace of our machine"
    ax.plot(*zip(*places, strict=True), "D", color=INK, markerfacecolor="white", label=told)
    for result, place in zip(PUBLISHED, places, strict=True):
        _label(ax, result.label, place, result.placed)
    _curve(ax, "quick", BLUE)
    _curve(ax, "full", VERMILION)
    if final:
        runs = records.load_runs("final")
        place = (minutes_of(runs), 100 * runs[records.accuracy_columns(STUDIES["final"])[-1]].mean())
        ax.plot(*place, "*", color=PURPLE, markersize=14, markeredgecolor=INK)
        _label(ax, f"on the test images: {place[1]:.1f}", place, RIGHT)
    ax.legend(loc="lower right")
    ax.set(xscale="log", xlim=(0.35, 1800), ylim=(60, 99), ylabel="accuracy (%)")
    ax.set_xticks(list(TICKS), list(TICKS.values()))
    ax.minorticks_off()
    ax.set_xlabel("minutes of training on two CPU cores (log scale)")
    ax.grid(True)
    return ax


def layer_table(model: "keras.Model", milliseconds: Sequence[float]) -> pd.DataFrame:
    """Return a row per layer: its kind, the shape it gives ("15 x 15 x 32"), and its milliseconds.

    Args:
        milliseconds: one number per layer of the model, in the same order.
    """
    kinds = [type(layer).__name__ for layer in model.layers]
    kinds = [kind if kind in KINDS else "other" for kind in kinds]
    shapes = [" x ".join(map(str, layer.output.shape[1:])) for layer in model.layers]
    return pd.DataFrame({"kind": kinds, "shape": shapes, "milliseconds": list(milliseconds)})


def layer_chart(table: pd.DataFrame, images: int, ax: Axes | None = None) -> Axes:
    """Draw `layer_table` for a batch of so many images: a bar per layer from the top, a colour per kind."""
    ax = ax or plt.subplots(figsize=(6.5, 6))[1]
    for kind in table["kind"].unique():
        ax.barh(range(len(table)), table["milliseconds"].where(table["kind"] == kind, 0), label=kind)
    ax.set_yticks(range(len(table)), table["shape"])
    ax.invert_yaxis()
    ax.set(
        xlabel=f"milliseconds for {images} images, forward and backward",
        ylabel="layer, by the shape it gives",
    )
    ax.legend(loc="lower right")
    return ax


def _group(ax: Axes, study: str, color: str, marker: str, label: str) -> None:
    """Draw each variant of a study with the same marker; the legend has one entry for them all."""
    runs = records.load_runs(study)
    dots = [(minutes_of(group), 100 * group["val_accuracy"].mean()) for _, group in runs.groupby("variant")]
    minutes, accuracy = zip(*[dot for dot in dots if dot[0] > 0 and dot[1] >= 60], strict=True)
    ax.plot(minutes, accuracy, marker, color=color, markersize=6, label=label)


def _curve(ax: Axes, study: str, color: str) -> None:
    """Draw a recipe's accuracy epoch by epoch, and at its end the accuracy with the most views."""
    runs = records.load_runs(study)
    title, column = runs["title"].iloc[0], records.accuracy_columns(STUDIES[study])[-1]
    accuracy = [100 * epoch["val_accuracy"] for epoch in records.mean_history(runs, title)]
    minutes = np.cumsum(records.fastest_seconds(runs["history"])) / 60
    ax.plot(minutes, accuracy, ".-", color=color)
    end = (minutes[-1], 100 * runs[column].mean())
    ax.plot(*end, "P", color=color, markersize=9)
    words = f"{title},\n{records.views_of(column)} views: {end[1]:.1f}"
    _label(ax, words, end, ABOVE, color=color, fontweight="bold")


def _label(ax: Axes, text: str, place: tuple, placed: tuple, **style) -> None:
    """Write a label beside a place: `placed` is its distance in points, right and up, and its alignment.

    A thin line leads from a label that is further away to its place.
    """
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    style = {"ha": placed[2], "va": placed[3], "linespacing": 1.1, "bbox": ground} | style
    line = {"arrowstyle": "-", "color": GREY, "shrinkB": 4} if np.hypot(*placed[:2]) > 20 else None
    ax.annotate(text, place, placed[:2], textcoords="offset points", arrowprops=line, **style)
