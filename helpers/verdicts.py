"""What recorded runs say, as pictures: effects, a new run among old ones, accuracy against time."""

import inspect
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import records
from helpers.evaluation import prediction_interval
from helpers.plots import BLUE, GREY, INK, ORANGE, PURPLE, VERMILION, WIDTH
from helpers.studies import STUDIES, Variant

COLOURS = {"helps": BLUE, "hurts": VERMILION}
GROUND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}  # behind words on a grid
READ_BY = {"momentum": ("sgd", "muon"), "kernel_rate": ("muon",)}  # what other optimizers do not look at
TICKS = {0.5: "½", 1: "1", 2: "2", 5: "5", 10: "10", 30: "30"}  # minutes
TICKS |= {60: "1 h", 240: "4 h", 1440: "1 day", 4320: "3 days"}
# Where a label stands: points to the right and up from its place, and its alignment.
RIGHT, LOWER, UPPER = ((10, up, "left", "center") for up in (0, -8, 8))
LEFT, LOW = (-10, 0, "right", "center"), (26, -40, "left", "center")
ABOVE, OVER, END = (-4, 9, "right", "bottom"), (0, 9, "center", "bottom"), (9, 9, "right", "bottom")


def effect_plot(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the effects of a `records.verdict_table` with their intervals; rows without one are left out."""
    table = table[table["low"].notna()]
    ax = ax or plt.subplots(figsize=(WIDTH, 0.9 + 0.42 * len(table)))[1]
    ax.axvline(0, color=GREY, linewidth=1)
    for y, row in enumerate(table.itertuples()):
        colour = COLOURS.get(row.verdict, GREY)
        ax.plot((row.low, row.high), (y, y), color=colour, linewidth=2.5, solid_capstyle="butt")
        ax.plot(row.effect, y, "o", color=colour, markersize=7)
        place = {"textcoords": "offset points", "ha": "center", "bbox": GROUND}
        ax.annotate(f"{row.effect:+.1f}", (row.effect, y), (0, 7), **place)
    ax.set_yticks(range(len(table)), table.index)
    ax.set(ylim=(len(table) - 0.4, -0.7), ylabel="arm")
    ax.set(xlabel="effect on validation accuracy (percentage points)")
    ax.xaxis.grid(True)
    return ax


def place_run(recorded: Sequence[float], new: float, label: str = "new run", ax: Axes | None = None) -> Axes:
    """Draw a new run's accuracy under two or more recorded ones, all from 0 to 1, and the range expected."""
    ax = ax or plt.subplots(figsize=(WIDTH, 1.9))[1]
    recorded = 100 * np.asarray(recorded, float)
    low, high = prediction_interval(recorded)
    ax.plot(recorded, np.zeros(len(recorded)), "o", color=GREY, markersize=6)
    ax.plot((low, high), (1, 1), color=BLUE, linewidth=6, solid_capstyle="butt")
    ax.plot(100 * new, 2, "D", color=VERMILION, markersize=8)
    ax.axvline(100 * new, color=VERMILION, linewidth=1, linestyle=":")
    ax.annotate(f"{100 * new:.1f}", (100 * new, 2), (8, 0), textcoords="offset points", va="center")
    ax.set_yticks((0, 1, 2), ("recorded runs", "expected range", label))
    ax.set(ylim=(2.6, -0.6), xlabel="validation accuracy (%)")
    ax.xaxis.grid(True)
    return ax


def all_settings(variant: Variant) -> dict:
    """Return all that a variant sets, in one dictionary: its network with every option, and its recipe."""
    from helpers import models  # here, since it starts Keras, which the pictures can do without

    parameters = inspect.signature(getattr(models, variant.model)).parameters.values()
    options = {p.name: p.default for p in parameters} | variant.options
    return {"network": variant.model} | options | _recipe_settings(variant)


def _recipe_settings(variant: Variant) -> dict:
    """Return all that a variant's recipe sets, but for what its optimizer does not look at."""
    found = dict(vars(variant.recipe))
    found |= vars(found.pop("augmentation"))
    optimizer = variant.recipe.optimizer
    return {name: value for name, value in found.items() if optimizer in READ_BY.get(name, (optimizer,))}


def changes(below: Variant, rung: Variant) -> list[str]:
    """Return what a rung sets otherwise than the one below, as "`setting` old → new" or "`setting` new"."""
    old, new = all_settings(below), all_settings(rung)
    if below.model != rung.model:  # their options do not compare, so each network is told as a whole
        old, new = ({"network": _network_in_words(v)} | _recipe_settings(v) for v in (below, rung))
    before = {name: f"{value} → " for name, value in old.items()}
    return [f"`{name}` {before.get(name, '')}{new[name]}" for name in new if old.get(name) != new[name]]


def _network_in_words(variant: Variant) -> str:
    return f"{variant.model}({', '.join(f'{name}={value}' for name, value in variant.options.items())})"


class Published(NamedTuple):
    """A result that others published."""

    label: str
    epochs: int
    accuracy: float  # on test images, in percent
    study: str  # whose recorded runs of this variant, the same network or one like it, tell an epoch's length
    variant: str
    placed: tuple


# https://machinelearningmastery.com/how-to-develop-a-cnn-from-scratch-for-cifar-10-photo-classification/
PACE = "classic_keras", "classic_cnn"
CLASSIC = Published("all together 88.62", 400, 88.62, *PACE, OVER)
PUBLISHED = (
    # https://www.tensorflow.org/tutorials/images/cnn
    Published("TensorFlow's tutorial: over 70", 10, 70.0, "networks", "tutorial_cnn", LOW),
    Published("MachineLearning\nMastery: VGG 73.50", 100, 73.50, *PACE, RIGHT),
    Published("dropout 83.45", 100, 83.45, *PACE, LOWER),
    Published("augmentation 84.47", 100, 84.47, *PACE, UPPER),
    CLASSIC,
)
# The fastest of the benchmark's trainings without a GPU: https://dawn.cs.stanford.edu/benchmark/
DAWNBENCH = (79.4 * 60, 94.0)  # minutes on 16 virtual CPUs, and percent on test images


def published_minutes(result: Published) -> float:
    """Return how many minutes a published training would take at the pace of the recorded runs."""
    runs = records.load_runs(result.study).query("variant == @result.variant")
    return result.epochs * np.mean(records.fastest_seconds(runs["history"])) / 60


def accuracy_against_minutes(final: bool = False, ax: Axes | None = None) -> Axes:
    """Draw which accuracy how many minutes of training give, on a logarithmic scale of time.

    Ours are validation accuracies, means over the recorded seeds; published ones, and those of the studies
    `final` and `long`, shown if asked for, were measured on test images. Below 60 percent nothing is shown.
    """
    ax = ax or plt.subplots(figsize=(WIDTH, 5.2))[1]
    _group(ax, "networks", GREY, "o", "chapter 02: plain networks")
    _group(ax, "techniques", ORANGE, "s", "chapters 04 to 06: one technique, or several")
    places = [(published_minutes(result), result.accuracy) for result in PUBLISHED]
    told = "published: its epochs at our machine's pace"
    ax.plot(*zip(*places, strict=True), "D", color=INK, markerfacecolor="white", label=told)
    for result, place in zip(PUBLISHED, places, strict=True):
        _label(ax, result.label, place, result.placed)
    ax.plot(*DAWNBENCH, "D", color=INK, label="published with its minutes, on 16 processors")
    _label(ax, "DAWNBench 2017,\nwithout a GPU: 94", DAWNBENCH, END)
    _curve(ax, "quick", BLUE, LEFT)
    _curve(ax, "full", VERMILION, ABOVE)
    for study in ("final", "long") if final else ():
        runs = records.load_runs(study)
        place = (records.minutes_of(runs), 100 * runs[records.accuracy_columns(STUDIES[study])[-1]].mean())
        ax.plot(*place, "*", color=PURPLE, markersize=14, markeredgecolor=INK)
        _label(ax, f"{study}, on the test images: {place[1]:.1f}", place, RIGHT)
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.12))
    ax.set(xscale="log", xlim=(0.35, 7000), ylim=(60, 99))
    ax.set(xlabel="minutes of training on two CPU cores (log scale)", ylabel="accuracy (%)")
    ax.set_xticks(list(TICKS), list(TICKS.values()))
    ax.minorticks_off()
    ax.grid(True)
    return ax


def _group(ax: Axes, study: str, color: str, marker: str, label: str) -> None:
    """Draw each variant of a study with the same marker; the legend has one entry for them all."""
    variants = records.load_runs(study).groupby("variant")
    minutes = [records.minutes_of(runs) for _, runs in variants]
    ax.plot(minutes, 100 * variants["val_accuracy"].mean(), marker, color=color, markersize=6, label=label)


def _curve(ax: Axes, study: str, color: str, placed: tuple) -> None:
    """Draw a recipe's accuracy epoch by epoch, and at its end the accuracy with the most views."""
    runs = records.load_runs(study)
    title, column = runs["title"].iloc[0], records.accuracy_columns(STUDIES[study])[-1]
    accuracy = [100 * epoch["val_accuracy"] for epoch in records.mean_history(runs, title)]
    minutes = np.cumsum(records.fastest_seconds(runs["history"])) / 60
    ax.plot(minutes, accuracy, ".-", color=color)
    end = (minutes[-1], 100 * runs[column].mean())
    ax.plot(*end, "P", color=color, markersize=9)
    words = f"{title},\n{records.in_words(column).rpartition(', ')[2]}: {end[1]:.1f}"
    _label(ax, words, end, placed, color=color, fontweight="bold")


def _label(ax: Axes, text: str, place: tuple, placed: tuple, **style) -> None:
    """Write a label beside a place; a thin line leads there from one that is further away."""
    style = {"ha": placed[2], "va": placed[3], "linespacing": 1.1, "bbox": GROUND} | style
    line = {"arrowstyle": "-", "color": GREY, "shrinkB": 4} if np.hypot(*placed[:2]) > 20 else None
    ax.annotate(text, place, placed[:2], textcoords="offset points", arrowprops=line, **style)
