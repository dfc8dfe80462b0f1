"""Chapter 07's tables, figures and sentences: what was reached, how sure that is, and what exports cost."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.evaluation import accuracy_interval, compare_predictions, summarize
from helpers.fast_plots import minutes_of
from helpers.internal.figures import BLUE, INK, SKY, VERMILION, YELLOW
from helpers.records import accuracy_columns, load_runs, views_of
from helpers.studies import STUDIES, Study

COLOURS = {"validation": (SKY, BLUE), "test": (YELLOW, VERMILION)}  # interval over images, over seeds


def final_table() -> pd.DataFrame:
    """Return one row per model and number of views, from the first network of chapter 02 to the final one.

    Of chapters 03 to 05 it takes the variant with the best mean. Accuracies in percent, means over the
    seeds: `low` and `high` under "other seeds" are Student's t interval of that mean (NaN for one seed),
    under "other images" Wilson's interval of one network with that accuracy. Minutes are those of
    `records.fastest_seconds`.

    Raises:
        StudyError: if a study has no recorded run.
    """
    improvements = load_runs("improvements")
    best = improvements.groupby("variant", sort=False)["val_accuracy"].mean().idxmax()
    chosen = {"baseline": "vgg3", "improvements": best, "quick": "quick", "full": "full", "final": "full"}
    rows = {}
    for name, variant in chosen.items():
        study, runs = STUDIES[name], load_runs(name)
        runs = runs[runs["variant"] == variant]
        title = runs["title"].iloc[0] + (", all 50,000 images" if study.final else "")
        columns = accuracy_columns(study)
        for column in dict.fromkeys([columns[0], columns[-1]]):
            rows[title, views_of(column)] = _row(study, runs, column)
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["model", "views"])
    table.columns = pd.MultiIndex.from_tuples(table.columns)
    return table


def _row(study: Study, runs: pd.DataFrame, column: str) -> dict:
    """Return a row of `final_table`."""
    result, images = summarize(runs[column]), runs["images"].iloc[0]
    low, high = accuracy_interval(round(result.mean * images), images)
    return {
        ("judged", "on"): "test" if study.final else "validation",
        ("judged", "images"): images,
        ("trained", "seeds"): result.seeds,
        ("trained", "minutes"): minutes_of(runs),
        ("accuracy", "mean"): 100 * result.mean,
        ("other seeds", "low"): 100 * result.interval.low,
        ("other seeds", "high"): 100 * result.interval.high,
        ("other images", "low"): 100 * low,
        ("other images", "high"): 100 * high,
    }


def final_plot(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `final_table`: means, and both intervals, in one colour for validation and one for test images."""
    ax = ax or plt.subplots(figsize=(7.5, 0.9 + 0.42 * len(table)))[1]
    labels = {}
    for y, (_, row) in enumerate(table.iterrows()):
        pale, strong = COLOURS[row["judged", "on"]]
        images = [row["other images", end] for end in ("low", "high")]
        seeds = [row["other seeds", end] for end in ("low", "high")]
        (bar,) = ax.plot(images, (y, y), color=pale, linewidth=11, solid_capstyle="butt")
        (line,) = ax.plot(seeds, (y, y), color=strong, linewidth=2.5, solid_capstyle="butt")
        ax.plot(row["accuracy", "mean"], y, "D", color=strong, markersize=5)
        place = (np.nanmax([*images, *seeds]), y)
        text = f"{row['accuracy', 'mean']:.1f}"
        ax.annotate(text, place, (6, 0), textcoords="offset points", va="center")
        labels |= {f"{row['judged', 'on']}, other images": bar, f"{row['judged', 'on']}, other seeds": line}
    names = [f"{model}, {views} view{'s' if views > 1 else ''}" for model, views in table.index]
    ax.set_yticks(range(len(table)), names)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set(xlabel="accuracy (%), mean and 95% intervals", ylabel="model")
    ax.legend(labels.values(), labels.keys(), loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    ax.xaxis.grid(True)
    return ax


def off_by(right: np.ndarray, recorded: float, source: str) -> int:
    """Return how many images more are named rightly now than the record says; 0 where there is no record.

    Args:
        right: bool (N,), one entry per test image.
        recorded: the share of right ones in the record, 0 to 1.
        source: `data.source` of the images; the record is about "official".
    """
    return int(right.sum()) - round(recorded * len(right)) if source == "official" else 0


def live_in_words(right: np.ndarray, recorded: float, source: str) -> str:
    """Return one sentence: how many images are named rightly now, and whether that is what is recorded."""
    found = f"{right.sum():,} of {len(right):,}"
    if source != "official":
        return f"{found} images of the synthetic sample: this is no accuracy on CIFAR-10."
    off = off_by(right, recorded, source)
    same = (
        f"{abs(off)} {'more' if off > 0 else 'fewer'} than recorded" if off else "exactly as many as recorded"
    )
    return f"{found} test images are named rightly, {right.mean():.2%}: {same}."


def flattery_in_words(views: int, difference: float, low: float, high: float) -> str:
    """Return one sentence on test minus validation accuracy, in points, with the ends of its interval."""
    if low > 0:
        verdict = "the test images were kinder than the validation images"
    elif high < 0:
        verdict = "validation was too kind"
    else:
        verdict = "the two cannot be told apart"
    size = f"{difference:+.1f} points (95% interval {low:+.1f} to {high:+.1f})"
    return f"With {views} view{'s' if views > 1 else ''}, test minus validation is {size}: {verdict}."


def export_plot(table: pd.DataFrame) -> Figure:
    """Draw size, time for one image, and accuracy with its interval, by format.

    Args:
        table: one row per format; columns "bytes", "median ms", and in percent "accuracy", "low", "high".
    """
    fig, axes = plt.subplots(1, 3, figsize=(8.5, 0.9 + 0.42 * len(table)), sharey=True)
    places = np.arange(len(table))
    sizes = axes[0].barh(places, table["bytes"] / 1e6, color=BLUE)
    times = axes[1].barh(places, table["median ms"], color=BLUE)
    ends = np.abs(table[["low", "high"]].to_numpy().T - table["accuracy"].to_numpy())
    axes[2].errorbar(table["accuracy"], places, xerr=ends, fmt="D", color=VERMILION, ecolor=INK, capsize=3)
    for ax, bars in ((axes[0], sizes), (axes[1], times)):
        ax.bar_label(bars, fmt="{:.1f}", padding=3)
        ax.margins(x=0.25)
    axes[0].set_yticks(places, table.index)
    axes[0].set(xlabel="size (MB)", ylabel="format", ylim=(len(table) - 0.4, -0.6))
    axes[1].set_xlabel("time for one image (ms)")
    axes[2].set_xlabel("accuracy (%), 95% interval")
    axes[2].xaxis.grid(True)
    return fig


def int8_in_words(right: Mapping[str, np.ndarray], source: str) -> str:
    """Return one sentence: what int8 costs in accuracy, against Keras on the same images.

    Args:
        right: format to bool (N,), one entry per image; formats that could not be made are missing.
        source: `data.source` of the images.
    """
    if "litert_int8" not in right:
        return "There is no int8 file on this machine, so nothing to compare."
    result = compare_predictions(right["litert_int8"], right["keras"])
    low, high = (100 * end for end in result.interval)
    kind = "test images" if source == "official" else "images of the synthetic sample"
    effect = f"{100 * result.difference:+.1f} points (95% interval {low:+.1f} to {high:+.1f})"
    return f"int8 instead of Keras, on the same {len(right['keras']):,} {kind}: {effect}."
