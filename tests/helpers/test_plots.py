"""Figures: what is drawn is the data, every one has alt text, files are small, the sample is named."""

import base64
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from helpers import plots

pytestmark = pytest.mark.usefixtures("style")


@pytest.fixture
def shown(monkeypatch):
    """Show a figure, or several; returns the data of the output, and the metadata."""
    outputs = []
    monkeypatch.setattr("IPython.display.display", lambda data, **about: outputs.append((data, about)))

    def show(figure, *args, how=plots.show, **kwargs):
        how(figure, *args, **kwargs)
        data, about = outputs.pop()
        assert about.pop("raw") is True
        assert plt.get_fignums() == [], "what has been shown is closed"
        return data, about["metadata"]

    return show


def images(count):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


def line():
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    return fig


def picture(data, mime="image/png"):
    return Image.open(io.BytesIO(base64.b64decode(data[mime])))


def closest(colour, picture):
    """Return how far, of 255, the colour of a picture that is nearest to this one is from it."""
    wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
    return np.abs(np.asarray(picture.convert("RGB")) - wanted).max(axis=-1).min()


HISTORY = [
    {"epoch": k, "accuracy": k / 4, "val_accuracy": k / 5, "loss": 1 / k, "val_loss": 2 / k} for k in (1, 2)
]


def test_a_chart_becomes_one_png_with_its_alt_text_and_its_width(shown):
    data, metadata = shown(line(), alt='A line: "1 < 2".')
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == 'A line: "1 < 2".'
    width = round(picture(data).width * 96 / 144)
    assert metadata == {"image/png": {"alt": 'A line: "1 < 2".', "width": width}}
    assert width == pytest.approx(96 * plots.WIDTH, abs=20)
    with pytest.raises(ValueError, match="no alt text"):
        shown(line(), alt="  ")


def test_figures_play_in_one_png_and_the_last_stays_longest(shown):
    figures = [line() for _ in range(3)]
    for height, fig in enumerate(figures):
        fig.axes[0].axhline(height)
    data, metadata = shown(figures, alt="A line, three times", seconds=0.5, times=2, how=plots.animate)
    film = picture(data)
    assert (film.n_frames, film.info["loop"], data["text/plain"]) == (3, 2, "A line, three times")
    assert metadata["image/png"] == {"alt": "A line, three times", "width": 614}
    durations = []
    for frame in range(3):
        film.seek(frame)
        durations.append(film.info["duration"])
    assert durations == [500, 500, 2000]


def test_photographs_become_a_jpeg_unless_a_png_is_smaller(shown):
    noise, black = images(8), np.zeros((2, 32, 32), np.uint8)
    for pixels, mime in ((noise, "image/jpeg"), (black, "image/png")):
        data, metadata = shown(plots.image_grid(pixels, smooth=True).figure, alt="Clouds of colours.")
        assert (set(data), set(metadata)) == ({mime, "text/plain"}, {mime})
        assert picture(data, mime).get_format_mimetype() == mime


def test_a_figure_of_the_sample_says_so_in_the_picture_and_in_the_alt_text(shown):
    fig = line()
    data, metadata = shown(fig, alt="A line.", source="sample")
    assert fig.get_supxlabel() == plots.SAMPLE_NOTE
    assert data["text/plain"] == metadata["image/png"]["alt"] == f"A line. ({plots.SAMPLE_NOTE})"
    plain, _ = shown(line(), alt="A line.")
    assert closest(plots.VERMILION, picture(data)) <= 8 < closest(plots.VERMILION, picture(plain))


def test_charts_are_small_files_on_white_that_keep_their_colours():
    fig, ax = plt.subplots()
    for shade in np.linspace(0, 1, 9):  # words have many shades at their edges
        ax.text(shade, shade, "words in many colours", color=plt.get_cmap("viridis")(shade))
    ax.set(xlim=(0, 2), ylim=(0, 1))
    for place, colour in enumerate(plots.PALETTE):
        ax.plot(place / 8, 0.9, "*", color=colour)
    mime, content = plots.encode(fig)
    assert (mime, len(content) < 30_000) == ("image/png", True)
    found = Image.open(io.BytesIO(content)).convert("RGB")
    assert found.getpixel((1, 1)) == (255, 255, 255)
    assert max(closest(colour, found) for colour in plots.PALETTE) <= 16
    assert len(found.getcolors()) <= 128


def test_the_style_starts_from_matplotlibs_defaults_and_leaves_the_backend():
    backend = mpl.get_backend()
    plt.rcParams.update({"text.usetex": True, "axes.grid": True, "savefig.transparent": True})
    plots.use_style()
    assert not any(plt.rcParams[name] for name in ("text.usetex", "axes.grid", "savefig.transparent"))
    assert mpl.get_backend() == backend


def canvas(*args, **options):
    return np.asarray(plots.image_grid(*args, **options).images[0].get_array())


def test_image_grid_shows_every_image_in_its_place():
    shown = images(5)
    found = canvas(shown, columns=3, gap=2)
    assert found.shape == (2 * 34, 3 * 34, 3)
    for index, image in enumerate(shown):
        y, x = 34 * (index // 3), 34 * (index % 3)
        np.testing.assert_array_equal(found[y : y + 32, x : x + 32], image)
    assert (found[34:66, 68:100] == 255).all(), "the sixth place stays white"


def test_image_grid_writes_titles_and_row_labels_on_the_axes_it_is_given():
    ax = plt.subplots()[1]
    assert plots.image_grid(images(4), np.arange(4), columns=2, row_labels=["up", "down"], ax=ax) is ax
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2", "3", "up", "down"]


def test_what_is_no_stack_of_images_with_a_title_each_is_refused():
    for shape in ((0, 32, 32, 3), (2, 32, 32, 4)):
        with pytest.raises(ValueError, match="expected"):
            plots.image_grid(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="2 images and 1 titles"):
        plots.image_grid(images(2), ["a"])


def test_grey_and_float_images_become_rgb():
    assert canvas(np.full((1, 2, 2), 7.4), gap=0).tolist() == np.full((2, 2, 3), 7).tolist()
    assert canvas([[[[-5.0, 99.6, 300.0]]]], gap=0).tolist() == [[[0, 100, 255]]]


def test_learning_curves_draw_accuracies_in_percent_and_one_colour_per_run():
    ax = plots.learning_curves(HISTORY, label="small")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[25, 50], [20, 40]]
    assert [line.get_label() for line in ax.lines] == ["small, training", "small, validation"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy (%)")
    plots.learning_curves(HISTORY, label="large", ax=ax)
    assert [line.get_color() for line in ax.lines] == [plots.BLUE] * 2 + [plots.ORANGE] * 2
    loss = plots.learning_curves(HISTORY, metric="loss")
    assert [line.get_ydata().tolist() for line in loss.lines] == [[1, 0.5], [2, 1]]
