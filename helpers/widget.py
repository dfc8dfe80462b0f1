"""Show photos to a network by mouse, in JupyterLab and Colab: upload one, pick one, or draw a test image."""

import base64
import html
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from helpers import predict
from helpers.data import CLASS_NAMES, Split
from helpers.internal.files import ROOT
from helpers.plots import BLUE, SKY, TEXT, encode, show
from helpers.predict import Guess, Photo, printable

if TYPE_CHECKING:
    import keras

PHOTOS = ROOT / "data" / "photos"
PROMPT = "Upload a photo (JPEG, PNG, GIF, WebP or BMP, up to 10 MB) or pick one: the network sees its middle."


class View(NamedTuple):
    """A photo as the network sees it, a picture of it to look at, and all ten guesses, the best one first."""

    photo: Photo
    picture: Image.Image
    guesses: list[Guess]


def photo_widget(
    model: "keras.Model",
    surprises: Split | None = None,
    *,
    source: str = "official",
    folder: str | os.PathLike = PHOTOS,
    seed: int | None = None,
) -> widgets.Widget:
    """Return a widget that shows what a network sees in photos, to be the last line of a cell.

    Args:
        model: takes pixels 0 to 255, (N, 32, 32, 3), and gives logits (N, 10).
        surprises: what the button "Surprise me" draws from, looked at when it is pressed; None: no button.
        source: `data.source` of the surprises; those of the "sample" are said to be synthetic.
        folder: where the photos lie that can be picked.
        seed: makes the surprises come in the same order again.
    """
    return PhotoViewer(model, surprises, source, folder, seed).box


def show_photo(model: "keras.Model", path: str | os.PathLike) -> None:
    """Display the figure of a photo with alt text; PhotoError or ModelError if that is not possible."""
    view = view_photo(model, path, Path(path).name)
    show(photo_figure(view), alt_text(view))


def view_photo(model: "keras.Model", source: str | os.PathLike | bytes, name: str) -> View:
    """Return what a network says about a photo, a path or the content of a file; raise as `show_photo`."""
    photo = predict.load_photo(source, name)
    guesses = predict.guesses(model, [photo], top=len(CLASS_NAMES))[0]
    return View(photo, predict.open_photo(source), guesses)


def photo_figure(view: View, truth: str | None = None) -> Figure:
    """Return a figure: the picture, pale outside its square, the pixels the network gets, ten bars."""
    figure = Figure(figsize=(7.2, 2.7), layout="constrained")
    whole, small, bars = figure.subplots(1, 3, width_ratios=(1.2, 1, 1.3))
    (width, height), (left, top, right, bottom) = view.photo.size, view.photo.crop
    picture = view.picture.copy()
    picture.thumbnail((480, 480))
    whole.imshow(picture, extent=(0, width, height, 0), interpolation="bilinear")
    for start, end in ((0, left), (right, width)):
        whole.axvspan(start, end, color="white", alpha=0.65, linewidth=0)
    for start, end in ((0, top), (bottom, height)):
        whole.axhspan(start, end, color="white", alpha=0.65, linewidth=0)
    small.imshow(view.photo.pixels)
    for ax, title in ((whole, f"{width} x {height} pixels"), (small, "what the network gets")):
        ax.set_title(title, fontsize=TEXT)
        ax.set_anchor("N")  # the titles at one height
        ax.axis("off")
    draw_probabilities(view.guesses, truth, bars)
    return figure


def draw_probabilities(guesses: Sequence[Guess], truth: str | None, ax: Axes) -> Axes:
    """Draw a bar for the probability of each class, in the order of `CLASS_NAMES`, the highest one darker."""
    shares, first = dict(guesses), guesses[0].class_name
    names = [f"{name} (truth)" if name == truth else name for name in CLASS_NAMES]
    colors = [BLUE if name == first else SKY for name in CLASS_NAMES]
    bars = ax.barh(names, [100 * shares[name] for name in CLASS_NAMES], color=colors)
    ax.bar_label(bars, fmt="{:.1f}", padding=3)
    ax.tick_params(labelsize=9)
    ax.set(xlabel="probability (%)", ylabel="class", xticks=range(0, 101, 25))
    ax.set_xlim(0, 128)  # room for the number behind a long bar
    ax.invert_yaxis()
    return ax


def in_words(guesses: Sequence[Guess]) -> str:
    """Return the three most probable classes in words: "cat 71.2%, dog 20.0%, deer 3.1%"."""
    return ", ".join(f"{guess.class_name} {100 * guess.probability:.1f}%" for guess in guesses[:3])


def alt_text(view: View, truth: str | None = None) -> str:
    """Return what the figure of a photo shows, for a reader who cannot see it."""
    width, height = view.photo.size
    told = f"{printable(view.photo.name)}, {width} x {height} pixels; its middle square as 32 x 32 pixels; "
    told += f"a bar for the probability of each class. Most probable: {in_words(view.guesses)}."
    return told if truth is None else f"{told} The truth is {truth}."


class PhotoViewer:
    """The widget (`box`), what is on show (`view`), and the class of a test image until told (`truth`)."""

    def __init__(self, model: "keras.Model", surprises: Split | None, source: str, folder, seed):
        self.model, self.surprises, self.rng = model, surprises, np.random.default_rng(seed)
        self.kind = "synthetic image, not CIFAR-10," if source == "sample" else "test image"
        self.view, self.truth = None, None
        photos = [("choose a photo", None), *((path.name, path) for path in predict.pictures_in(folder))]
        self.upload = widgets.FileUpload(description="Upload a photo", accept="image/*")
        self.choice = widgets.Dropdown(description="or pick one:", options=photos)
        self.upload.layout.width = self.choice.layout.width = "auto"
        self.surprise = widgets.Button(description="Surprise me", tooltip="Draw a test image")
        self.tell = widgets.Button(description="Show the truth", tooltip="What is it?", disabled=True)
        self.page = widgets.HTML(f"<p>{PROMPT}</p>")
        self.upload.observe(self.on_upload, "value")
        self.choice.observe(self.on_choice, "value")
        self.surprise.on_click(self.on_surprise)
        self.tell.on_click(self.on_tell)
        controls = [self.upload, self.choice, *([self.surprise, self.tell] if surprises is not None else [])]
        row = widgets.HBox(controls, layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([row, self.page])

    def on_upload(self, change: Mapping) -> None:
        """Show an uploaded photo, and empty the control, so that the same file can come again."""
        for name, content in uploaded(change["new"]):
            self.choice.value = None
            self.present(content, name)
        self.upload.set_trait("value", type(change["new"])())

    def on_choice(self, change: Mapping) -> None:
        """Show the photo that was picked."""
        if change["new"] is not None:
            self.present(change["new"], change["new"].name)

    def on_surprise(self, _: widgets.Button) -> None:
        """Show a test image drawn by lot, and keep its class for later."""
        self.choice.value, file = None, io.BytesIO()
        index = int(self.rng.integers(len(self.surprises.labels)))
        Image.fromarray(self.surprises.images[index]).save(file, format="png")
        truth = CLASS_NAMES[self.surprises.labels[index]]
        self.present(file.getvalue(), f"{self.kind} {index}", truth)

    def on_tell(self, _: widgets.Button) -> None:
        """Show the class of the test image."""
        if self.truth is not None:
            self.page.value = page(self.view, self.truth)
        self.truth, self.tell.disabled = None, True

    def present(self, photo: Path | bytes, name: str, truth: str | None = None) -> None:
        """Show a photo without its class, or one line that says why it cannot be shown."""
        try:
            self.view, self.truth = view_photo(self.model, photo, name), truth
            self.page.value = page(self.view)
        except (predict.PhotoError, predict.ModelError) as error:
            self.view, self.truth = None, None
            line = f"{printable(name)}: {str(error).rstrip('.')}."
            self.page.value = f'<p role="alert">{html.escape(line)}</p>'
        self.tell.disabled = self.truth is None


def page(view: View, truth: str | None = None) -> str:
    """Return what the widget shows of a photo, as HTML: the answer in words, then the figure."""
    words = f"{printable(view.photo.name)}: {in_words(view.guesses)}."
    if truth is not None:
        words += f" It is labelled {truth}: {'right' if view.guesses[0].class_name == truth else 'wrong'}."
    mime, content = encode(photo_figure(view, truth))
    data, alt = base64.b64encode(content).decode(), html.escape(alt_text(view, truth))
    picture = f'<img src="data:{mime};base64,{data}" alt="{alt}" style="width: 690px; max-width: 100%">'
    return f'<p role="status">{html.escape(words)}</p>{picture}'


def uploaded(value: Mapping | Sequence) -> list[tuple[str, bytes]]:
    """Return name and content of each file in the value of an upload control of ipywidgets 7 or 8."""
    if isinstance(value, Mapping):  # ipywidgets 7, on Colab: name to content and notes
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]
