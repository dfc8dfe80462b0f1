"""Figures: what is drawn is the data, every one has alt text, files are small, the sample is named."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from helpers import plots, run_plots, verdicts
from helpers.internal import figures


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """Show a figure and return its output bundle."""
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))

    def show(*args, **kwargs):
        plots.show(*args, **kwargs)
        return bundles[-1]

    return show


HISTORY = [{"epoch": k, "accuracy": 0.5, "val_accuracy": 0.4} for k in (1, 2, 3)]
EFFECTS = pd.DataFrame({"effect": [1.0], "low": [0.5], "high": [1.5], "verdict": ["helps"]}, index=["more"])
CHARTS = {
    "class_bars": lambda: plots.class_bars({"train": [3, 5]}, ["cat", "dog"]),
    "learning_curves": lambda: plots.learning_curves(HISTORY),
    "line_chart": lambda: plots.line_chart([1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y", title="t"),
    "seed_spread": lambda: plots.seed_spread({"a": [0.5, 0.6]}),
    "channel_histograms": lambda: plots.channel_histograms(random_images(2)),
    "effect_plot": lambda: verdicts.effect_plot(EFFECTS),
    "place_run": lambda: run_plots.place_run([0.5, 0.6], 0.55),
}
PAGE = 14  # CSS pixels: the text of JupyterLab and of the pages of `make run`


@pytest.mark.parametrize("chart", CHARTS)
def test_text_in_a_chart_is_as_large_as_the_pages(chart):
    figure = CHARTS[chart]().figure
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    assert len(texts) > 3
    assert min(text.get_fontsize() for text in texts) * figures.CSS_DPI / 72 >= PAGE


def random_images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)


def picture(bundle):
    """Return the picture inside an output bundle."""
    data = re.search(r'src="data:image/\w+;base64,([^"]+)"', bundle["text/html"])[1]
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_show_writes_an_image_with_alt_text(shown):
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    bundle = shown(fig, alt="A line that rises from 1 to 2.")
    assert re.search(
        r'<img src="data:image/webp;base64,[^"]+" alt="A line that rises from 1 to 2."', bundle["text/html"]
    )
    assert bundle["text/plain"] == "A line that rises from 1 to 2."


def test_show_escapes_the_alt_text(shown):
    bundle = shown(plt.figure(), alt='Cat & dog: "a < b", it\'s so')
    assert 'alt="Cat &amp; dog: &quot;a &lt; b&quot;, it&#x27;s so"' in bundle["text/html"]


@pytest.mark.parametrize("alt", ["", "  "])
def test_show_refuses_a_figure_without_alt_text(alt):
    with pytest.raises(ValueError, match="no alt text"):
        plots.show(plt.figure(), alt=alt)


def test_show_closes_the_figure(shown):
    shown(plt.figure(), alt="An empty figure.")
    assert plt.get_fignums() == []


def test_a_figure_of_the_sample_says_so_in_the_picture_and_in_the_alt_text(shown):
    plain = picture(shown(plt.figure(), alt="An empty figure.", source="official"))
    fig = plt.figure()
    bundle = shown(fig, alt="An empty figure.", source="sample")
    assert figures.SAMPLE_NOTE in bundle["text/html"]
    assert figures.SAMPLE_NOTE in bundle["text/plain"]
    assert fig.get_supxlabel() == figures.SAMPLE_NOTE
    assert np.asarray(picture(bundle).convert("L")).min() < np.asarray(plain.convert("L")).min()


def test_figures_have_an_opaque_white_ground(shown):
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    corner = picture(shown(fig, alt="A line that rises.")).convert("RGBA").getpixel((1, 1))
    assert corner == (255, 255, 255, 255)


def test_figures_become_small_webp_and_charts_without_loss():
    chart = plots.class_bars({"training": [500] * 10}, list("abcdefghij"))
    mime, content = plots.encode(chart.figure)
    assert mime == "image/webp"
    assert len(content) < 30_000
    assert b"VP8L" in content[:40]  # the lossless kind
    assert len(Image.open(io.BytesIO(content)).convert("RGB").getcolors()) <= 128
    mime, content = plots.encode(plots.image_grid(random_images(4)).figure)
    assert mime == "image/webp"
    assert b"VP8L" not in content[:40]


def test_image_grid_shows_every_image_in_its_place():
    images = random_images(5)
    canvas = np.asarray(plots.image_grid(images, columns=3, gap=2).images[0].get_array())
    assert canvas.shape == (2 * 34, 3 * 34, 3)
    for index, image in enumerate(images):
        y, x = 34 * (index // 3), 34 * (index % 3)
        np.testing.assert_array_equal(canvas[y : y + 32, x : x + 32], image)
    assert (canvas[34:66, 68:100] == 255).all(), "the sixth place stays white"


def test_image_grid_writes_titles_and_row_labels():
    ax = plots.image_grid(random_images(4), ["a", "b", 3, "d"], columns=2, row_labels=["up", "down"])
    assert [text.get_text() for text in ax.texts] == ["a", "b", "3", "d", "up", "down"]


def test_image_grid_draws_on_the_axes_it_is_given():
    ax = plt.subplots()[1]
    assert plots.image_grid(random_images(2), ax=ax) is ax


def test_image_grid_counts_the_titles():
    with pytest.raises(ValueError, match="2 images and 1 titles"):
        plots.image_grid(random_images(2), ["a"])


@pytest.mark.parametrize("shape", [(0, 32, 32, 3), (32, 32), (2, 32, 32, 4)])
def test_what_is_no_stack_of_images_is_refused(shape):
    with pytest.raises(ValueError, match="expected"):
        plots.image_grid(np.zeros(shape, np.uint8))


def test_grey_and_float_images_become_rgb():
    grey = plots.as_rgb(np.full((1, 2, 2), 7, np.uint8))
    assert grey.tolist() == np.full((1, 2, 2, 3), 7).tolist()
    assert plots.as_rgb(np.array([[[[-5.0, 99.6, 300.0]]]])).tolist() == [[[[0, 100, 255]]]]


def test_class_bars_are_as_high_as_the_counts():
    ax = plots.class_bars({"training": [3, 4], "test": [1, 2]}, ["cat", "dog"])
    assert [bar.get_height() for bar in ax.patches] == [3, 4, 1, 2]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]
    assert ax.get_ylabel()


def test_learning_curves_draw_accuracies_in_percent():
    history = [
        {"epoch": 1, "accuracy": 0.5, "val_accuracy": 0.4, "loss": 2.0, "val_loss": 2.5},
        {"epoch": 2, "accuracy": 0.75, "val_accuracy": 0.5, "loss": 1.0, "val_loss": 2.0},
    ]
    ax = plots.learning_curves(history, label="small")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[50, 75], [40, 50]]
    assert [line.get_label() for line in ax.lines] == ["small, training", "small, validation"]
    plots.learning_curves(history, label="large", ax=ax)
    assert len({line.get_color() for line in ax.lines}) == 2, "one colour per run"
    loss = plots.learning_curves(history, metric="loss")
    assert loss.lines[1].get_ydata().tolist() == [2.5, 2.0]
    assert loss.get_xlabel() == "epoch"


def test_a_line_chart_draws_every_curve_with_its_name_and_passes_settings_on():
    ax = plots.line_chart([1, 2], {"up": [1, 2], "down": [2, 1]}, xlabel="step", yscale="log")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 2], [2, 1]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["up", "down"]
    assert len({line.get_linestyle() for line in ax.lines}) == 2, "told apart without colour"
    assert (ax.get_xlabel(), ax.get_yscale()) == ("step", "log")


def test_seed_spread_draws_each_seed_the_mean_and_the_interval():
    ax = plots.seed_spread({"plain": [0.70, 0.72, 0.74], "once": [0.6]})
    dots, interval, mean = ax.lines[:3]
    np.testing.assert_allclose(dots.get_xdata(), [70, 72, 74])
    np.testing.assert_allclose(mean.get_xdata(), [72])
    low, high = interval.get_xdata()
    # Student's t with 2 degrees of freedom: 4.3027 standard errors of 2 / sqrt(3) points
    np.testing.assert_allclose([low, high], [72 - 4.9683, 72 + 4.9683], atol=1e-3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["plain", "once"]


def test_channel_histograms_share_out_all_pixels():
    ax = plots.channel_histograms(random_images(3))
    for line in ax.lines:
        assert line.get_ydata().sum() == pytest.approx(100)
    assert [line.get_label() for line in ax.lines] == ["red", "green", "blue"]


def test_the_palette_holds_eight_colours_that_differ_in_lightness_or_hue():
    assert len(set(plots.PALETTE)) == 8
