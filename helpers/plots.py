"""The pictures and charts of the series: functions that take and return `ax`. `show` puts one on the page."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.evaluation import summarize
from helpers.internal.figures import BLUE, GREEN, GREY, PALETTE, VERMILION, encode, show, use_style

__all__ = [
    "PALETTE",
    "as_rgb",
    "channel_histograms",
    "class_bars",
    "encode",
    "image_grid",
    "learning_curves",
    "line_chart",
    "seed_spread",
    "show",
    "use_style",
]


def image_grid(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence | None = None,
    *,
    columns: int = 10,
    row_labels: Sequence[str] | None = None,
    gap: int = 3,
    smooth: bool = False,
    width: float = 7.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw images in rows on one `ax`, each with an optional title above it.

    Args:
        images: uint8 (N, H, W, 3) or (N, H, W); values 0 to 255. float is taken as 0 to 255 too.
        titles: N strings or numbers, or None.
        columns: images per row.
        row_labels: one string per row, written at its left, or None.
        gap: white space between images, in image pixels.
        smooth: soften the pixels' borders: easier to look at, and a smaller file.
        width: width of a new figure in inches, when `ax` is None.
        ax: where to draw; None makes a figure of fitting height.

    Raises:
        ValueError: if there is no image or the number of titles is not N.
    """
    images = as_rgb(images)
    count, height, side = images.shape[:3]
    if titles is not None and len(titles) != count:
        raise ValueError(f"There are {count} images and {len(titles)} titles: give one title per image.")
    columns = min(columns, count)
    rows = -(-count // columns)
    line = 0.17 * columns * (side + gap) / width  # height of one line of text in image pixels
    titles = [str(title) for title in titles or []]
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    top = round(lines * line)
    canvas = np.full((rows * (height + top + gap), columns * (side + gap), 3), 255, np.uint8)
    corners = [
        ((i // columns) * (height + top + gap) + top, (i % columns) * (side + gap)) for i in range(count)
    ]
    for image, (y, x) in zip(images, corners, strict=True):
        canvas[y : y + height, x : x + side] = image
    if ax is None:
        figsize = (width, width * canvas.shape[0] / canvas.shape[1])
        ax = plt.subplots(figsize=figsize)[1]
    interpolation = "bilinear" if smooth else "nearest"
    ax.imshow(canvas, extent=(0, canvas.shape[1], canvas.shape[0], 0), interpolation=interpolation)
    for title, (y, x) in zip(titles, corners, strict=False):
        ax.text(x + side / 2, y - 0.2 * line, title, ha="center", va="bottom", fontsize=9, linespacing=1.05)
    for row, label in enumerate(row_labels or []):
        y = corners[row * columns][0] + height / 2
        ax.text(-gap, y, label, ha="right", va="center")
    ax.axis("off")
    return ax


def as_rgb(images: np.ndarray) -> np.ndarray:
    """Return images as uint8 (N, H, W, 3): grey becomes three equal channels, floats are rounded and clipped.

    Raises:
        ValueError: if the shape is not (N, H, W) or (N, H, W, 3), or N is 0.
    """
    images = np.asarray(images)
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=-1)
    if images.ndim != 4 or images.shape[-1] != 3 or len(images) == 0:
        raise ValueError(
            f"Images have the shape {images.shape}, expected (N, H, W, 3) or (N, H, W) with N >= 1."
        )
    return np.clip(np.round(images), 0, 255).astype(np.uint8)


def class_bars(
    counts: Mapping[str, Sequence[int]], class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Draw the number of images per class, one group of bars per class and one colour per split.

    Args:
        counts: split name to one count per class, in the order of `class_names`.
    """
    ax = ax or plt.subplots()[1]
    places, width = np.arange(len(class_names)), 0.8 / len(counts)
    for k, (split, values) in enumerate(counts.items()):
        bars = ax.bar(places + (k - (len(counts) - 1) / 2) * width, values, width * 0.92, label=split)
        if len(counts) == 1:
            ax.bar_label(bars, fmt="{:,.0f}")
    ax.set_xticks(places, class_names, rotation=30, ha="right")
    ax.set_ylabel("images")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.grid(True)
    if len(counts) > 1:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=len(counts))
    return ax


def learning_curves(
    history: Sequence[Mapping],
    metric: str = "accuracy",
    label: str = "",
    color: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how a metric went, epoch by epoch: dashed on the training images, solid on the validation images.

    Call it again with the same `ax` for another run.

    Args:
        history: one mapping per epoch with "epoch", `metric` and "val_" + `metric` (`Run.history` is one).
        metric: "accuracy" (0 to 1, drawn in percent) or "loss".
        label: what the run is called in the legend.
        color: None takes the next of `PALETTE`.
    """
    ax = ax or plt.subplots()[1]
    color = color or PALETTE[len(ax.lines) // 2 % len(PALETTE)]
    factor = 100 if metric == "accuracy" else 1
    epochs = [row["epoch"] for row in history]
    for key, style, split in ((metric, "--", "training"), (f"val_{metric}", "-", "validation")):
        values = [factor * row[key] for row in history]
        name = f"{label}, {split}" if label else split
        ax.plot(epochs, values, style, color=color, label=name, marker="o" if len(epochs) < 3 else None)
    ax.set_xlabel("epoch")
    ax.set_ylabel("accuracy (%)" if metric == "accuracy" else metric)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(True)
    ax.legend()
    return ax


def line_chart(
    x: Sequence[float], curves: Mapping[str, Sequence[float]], ax: Axes | None = None, **settings
) -> Axes:
    """Draw named lines over the same x, each in a colour and a dash of its own, with a legend.

    Args:
        x: N numbers.
        curves: name to N numbers.
        settings: passed on to `ax.set`, such as `xlabel`, `ylabel` and `yscale`.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), style in zip(curves.items(), cycle(("-", "--", "-.", ":")), strict=False):
        ax.plot(x, values, style, label=name)
    ax.set(**settings)
    ax.legend()
    return ax


def seed_spread(
    results: Mapping[str, Sequence[float]], xlabel: str = "validation accuracy (%)", ax: Axes | None = None
) -> Axes:
    """Draw each variant's result per seed as dots, and the mean with its 95% interval (Student's t).

    Args:
        results: variant to one accuracy (0 to 1) per seed; drawn top to bottom in this order.
    """
    ax = ax or plt.subplots(figsize=(7.0, 0.9 + 0.45 * len(results)))[1]
    for row, values in enumerate(results.values()):
        percent = 100 * np.asarray(values, float)
        mean, interval = summarize(percent).mean, summarize(percent).interval
        ax.plot(percent, np.full(len(percent), row - 0.22), "o", color=GREY, markersize=3.5)
        ax.plot(interval, (row, row), color=BLUE, linewidth=2.2)
        ax.plot(mean, row, "D", color=BLUE, markersize=7)
        ax.text(mean, row + 0.2, f"{mean:.1f}", ha="center", va="top")
    ax.set_yticks(range(len(results)), list(results))
    ax.set_ylim(len(results) - 0.4, -0.6)
    ax.set_ylabel("variant")
    ax.set_xlabel(f"{xlabel}: each seed a dot, mean and 95% interval below")
    ax.xaxis.grid(True)
    return ax


def channel_histograms(images: np.ndarray, ax: Axes | None = None) -> Axes:
    """Draw how often each pixel value occurs in the red, the green and the blue channel.

    Args:
        images: uint8 (N, H, W, 3).
    """
    ax = ax or plt.subplots()[1]
    channels = (("red", VERMILION, "-"), ("green", GREEN, "--"), ("blue", BLUE, "-."))
    for k, (name, color, style) in enumerate(channels):
        counts = np.bincount(images[..., k].ravel(), minlength=256)
        ax.plot(np.arange(256), 100 * counts / counts.sum(), style, color=color, label=name)
    ax.set_xlabel("pixel value (0 to 255)")
    ax.set_ylabel("share of pixels (%)")
    ax.set_xlim(0, 255)
    ax.set_ylim(bottom=0)
    ax.legend(title="channel")
    ax.grid(True)
    return ax
