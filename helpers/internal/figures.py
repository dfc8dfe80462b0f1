"""How every figure of the series looks and how it reaches the page: one style, small files, alt text."""

import base64
import html
import io

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette, distinct for colour-blind readers: https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, INK, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#222222", "#767676"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW, INK)
DPI, CSS_DPI = 144, 96  # pixels per inch in the file, and on the page
TEXT = 10.5  # points: 14 pixels on the page, as JupyterLab's text has
SAMPLE_NOTE = "synthetic sample, not CIFAR-10"


def use_style() -> None:
    """Make Matplotlib draw in the series' style: white ground, readable sizes, colour-blind-safe colours."""
    plt.rcParams.update(
        {
            "figure.figsize": (7.0, 3.5),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "savefig.dpi": DPI,
            "savefig.facecolor": "white",
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": TEXT + 1,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=PALETTE),
            "font.size": TEXT,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "grid.color": "#DDDDDD",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "image.interpolation": "nearest",
        }
    )


def show(fig: Figure, alt: str, source: str = "official") -> None:
    """Display a figure in the notebook with alt text, and close it.

    The output is an HTML `<img alt="...">`: JupyterLab shows a plain image output without its alt text.

    Args:
        fig: the figure.
        alt: what the picture shows, in one or two sentences, for a reader who cannot see it.
        source: `data.source`; for "sample" the figure and the alt text say that the pictures are synthetic.

    Raises:
        ValueError: if `alt` is empty.
    """
    from IPython.display import display

    if not alt.strip():
        raise ValueError('The figure has no alt text: pass alt="what the picture shows".')
    tag, alt = image_tag(fig, alt, source)
    display({"text/html": tag, "text/plain": alt}, raw=True)
    plt.close(fig)


def image_tag(fig: Figure, alt: str, source: str = "official") -> tuple[str, str]:
    """Return a figure as an HTML image with alt text, and that text; both tell of the sample.

    Args:
        fig, alt, source: as for `show`.
    """
    if source == "sample":
        alt = f"{alt} ({SAMPLE_NOTE})"
        fig.supxlabel(SAMPLE_NOTE, x=1, ha="right", fontsize=TEXT, color=VERMILION)
    mime, content = encode(fig)
    width = round(Image.open(io.BytesIO(content)).width * CSS_DPI / DPI)
    data = base64.b64encode(content).decode("ascii")
    size = f'width="{width}" style="max-width: 100%"'
    return f'<img src="data:{mime};base64,{data}" alt="{html.escape(alt)}" {size}>', alt


def encode(fig: Figure) -> tuple[str, bytes]:
    """Return a figure's MIME type and file content: WebP, and lossless with 128 colours if it is a chart."""
    content = io.BytesIO()
    if any(ax.images for ax in fig.axes):
        draw(fig).save(content, format="webp", quality=75, method=6)
    else:
        few_colours(draw(fig)).convert("RGB").save(content, format="webp", lossless=True, method=6)
    return "image/webp", content.getvalue()


def draw(fig: Figure) -> Image.Image:
    """Return a figure as an RGB picture, cut to what it holds."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", bbox_inches="tight", pad_inches=0.05)
    return Image.open(buffer).convert("RGB")


def few_colours(picture: Image.Image) -> Image.Image:
    """Return a chart's picture with a palette of 128 colours, which makes its file small."""
    return picture.quantize(128, dither=Image.Dither.NONE)
