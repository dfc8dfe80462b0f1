"""The pictures of the series: one style, rows of images, learning curves; `show` puts a figure on a page."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette, distinct for colour-blind readers: https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, INK, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#222222", "#767676"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW, INK)
DPI, CSS_DPI = 144, 96  # pixels per inch in the file (96 in one that moves), and on the page
TEXT = 10.5  # points: 14 pixels on the page, as JupyterLab's text has
WIDTH = 6.4  # inches: on a telephone, 390 pixels wide, text is still 8 pixels high
SAMPLE_NOTE = "synthetic sample, not CIFAR-10"


def use_style() -> None:
    """Make Matplotlib draw in the series' style: white ground, readable sizes, colour-blind-safe colours."""
    plt.rcdefaults()  # whatever a reader's matplotlibrc says; the backend stays
    plt.rc("figure", figsize=(WIDTH, 3.4))
    plt.rc("figure.constrained_layout", use=True)
    plt.rc("axes", edgecolor=GREY, labelcolor=INK, axisbelow=True, prop_cycle=cycler(color=PALETTE))
    plt.rc("axes", titlelocation="left", titlesize=TEXT + 1)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("font", size=TEXT)
    plt.rc(("text", "xtick", "ytick"), color=INK)
    plt.rc("grid", color="#DDDDDD")
    plt.rc("legend", frameon=False)
    plt.rc("lines", linewidth=1.8)
    plt.rc("image", interpolation="nearest")


def show(fig: Figure, alt: str, source: str = "official") -> None:
    """Display a figure in the notebook as one ordinary image with alt text, and close it.

    Args:
        alt: what the picture shows, for a reader who cannot see it; ValueError if it is empty.
        source: `data.source`; for "sample" the figure and the alt text say that the pictures are synthetic.
    """
    if not alt.strip():
        raise ValueError('The figure has no alt text: pass alt="what the picture shows".')
    if source == "sample":
        alt = f"{alt} ({SAMPLE_NOTE})"
    _display(*encode(fig, source), alt)
    plt.close(fig)


def animate(figures: Iterable[Figure], alt: str, seconds: float = 1.0, times: int = 5) -> None:
    """Display figures of one size one after another, `times` times, as one PNG; close them.

    A viewer that cannot play it shows the first one, so let that stand alone.

    Args:
        alt: what happens in the pictures, for a reader who cannot see them.
        seconds: how long each one stays; the last one stays four times as long.
    """
    frames = []
    for fig in figures:
        fig.savefig(buffer := io.BytesIO(), format="png", dpi=CSS_DPI)
        frames.append(Image.open(buffer).convert("RGB"))
        plt.close(fig)
    colours = frames[-1].quantize(16, Image.Quantize.MAXCOVERAGE)
    first, *rest = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in frames]
    milliseconds = [round(1000 * seconds)] * len(rest) + [round(4000 * seconds)]
    settings = {"save_all": True, "append_images": rest, "duration": milliseconds, "loop": times}
    _display("image/png", _file(first, "png", **settings), alt, CSS_DPI)


def _display(mime: str, content: bytes, alt: str, dpi: int = DPI) -> None:
    """Put the content of an image file on the page, in the size it was drawn for."""
    from IPython.display import display

    width = round(Image.open(io.BytesIO(content)).width * CSS_DPI / dpi)
    data = {mime: base64.b64encode(content).decode("ascii"), "text/plain": alt}
    display(data, metadata={mime: {"alt": alt, "width": width}}, raw=True)


def encode(fig: Figure, source: str = "official") -> tuple[str, bytes]:
    """Return the MIME type and content of a figure's file, cut to what it holds, with `show`'s note.

    A chart becomes a PNG with 128 colours; a figure that holds images a JPEG, or a PNG if that is smaller.
    """
    if source == "sample":
        fig.supxlabel(SAMPLE_NOTE, x=1, ha="right", fontsize=TEXT, color=VERMILION)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.05)
    picture = Image.open(buffer).convert("RGB")
    if not any(ax.images for ax in fig.axes):
        few = picture.quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        return "image/png", _file(few, "png")
    found = {"image/jpeg": _file(picture, "jpeg", quality=75), "image/png": _file(picture, "png")}
    return min(found.items(), key=lambda item: len(item[1]))


def _file(picture: Image.Image, kind: str, **settings) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, optimize=True, **settings)
    return content.getvalue()


def image_grid(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence | None = None,
    *,
    columns: int = 8,
    row_labels: Sequence[str] | None = None,
    gap: int = 3,
    smooth: bool = False,
    width: float = WIDTH,
    ax: Axes | None = None,
) -> Axes:
    """Draw images in rows on one `ax`, each with an optional title above it.

    Args:
        images: uint8 or float (N, H, W, 3) or (N, H, W), values 0 to 255; ValueError if there is none.
        titles: N strings or numbers, or None; ValueError for another number of them.
        columns: images per row.
        row_labels: one string per row, written at its left, or None.
        gap: white space between images, in image pixels.
        smooth: soften the pixels' borders: easier to look at, and a smaller file.
        ax: where to draw; None makes a figure of fitting height, `width` inches wide.
    """
    images = _as_rgb(images)
    count, height, side = images.shape[:3]
    titles = [] if titles is None else [str(title) for title in titles]
    if titles and len(titles) != count:
        raise ValueError(f"There are {count} images and {len(titles)} titles: give one title per image.")
    columns = min(columns, count)
    rows = -(-count // columns)
    line = 0.17 * columns * (side + gap) / width  # height of one line of text in image pixels
    top = round(line * max((title.count("\n") + 1 for title in titles), default=0))
    margins = ((0, rows * columns - count), (top, gap), (0, gap), (0, 0))
    tiles = np.pad(images, margins, constant_values=255)
    tall, wide = tiles.shape[1:3]
    canvas = tiles.reshape(rows, columns, tall, wide, 3).swapaxes(1, 2).reshape(rows * tall, -1, 3)
    ax = ax or plt.subplots(figsize=(width, width * rows * tall / (columns * wide)))[1]
    extent = (0, columns * wide, rows * tall, 0)
    ax.imshow(canvas, extent=extent, interpolation="bilinear" if smooth else "nearest")
    for place, title in enumerate(titles):
        x, y = place % columns * wide + side / 2, place // columns * tall + top - 0.4 * line
        ax.text(x, y, title, ha="center", va="baseline", fontsize=9, linespacing=1.05)
    for row, label in enumerate(row_labels or []):
        ax.text(-gap, row * tall + top + height / 2, label, ha="right", va="center")
    ax.axis("off")
    return ax


def _as_rgb(images: np.ndarray) -> np.ndarray:
    """Return images as uint8 (N, H, W, 3): grey as three equal channels, floats rounded and clipped."""
    images = np.asarray(images)
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=-1)
    if images.ndim != 4 or images.shape[-1] != 3 or len(images) == 0:
        raise ValueError(f"Images have the shape {images.shape}, expected (N, H, W, 3) or (N, H, W), N >= 1.")
    return np.clip(np.round(images), 0, 255).astype(np.uint8)


def learning_curves(
    history: Sequence[Mapping],
    metric: str = "accuracy",
    label: str = "",
    color: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a metric by epoch, dashed on training and solid on validation images; again on `ax` for more runs.

    Args:
        history: one mapping per epoch with "epoch", `metric` and `"val_" + metric`, as in `Run.history`.
        metric: "accuracy" (0 to 1, drawn in percent) or "loss".
        label: what the run is called in the legend; its color is the next of `PALETTE` if None is given.
    """
    ax = ax or plt.subplots()[1]
    color = color or PALETTE[len(ax.lines) // 2 % len(PALETTE)]
    factor = 100 if metric == "accuracy" else 1
    epochs = [row["epoch"] for row in history]
    for key, style, split in ((metric, "--", "training"), (f"val_{metric}", "-", "validation")):
        values = [factor * row[key] for row in history]
        name = f"{label}, {split}" if label else split
        ax.plot(epochs, values, style, color=color, label=name, marker="o" if len(epochs) < 3 else None)
    ax.set(xlabel="epoch", ylabel="accuracy (%)" if metric == "accuracy" else metric)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(True)
    ax.legend()
    return ax
