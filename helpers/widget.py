"""Show photos to a network by mouse, in JupyterLab and Colab: upload one, pick one, or draw a test image."""

import base64
import html
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from helpers import predict
from helpers.data import CLASS_NAMES, Split
from helpers.internal.files import ROOT
from helpers.plots import BLUE, SKY, TEXT, WIDTH, encode, show
from helpers.predict import Guess, Photo, in_words, printable

if TYPE_CHECKING:
    import keras

PHOTOS = ROOT / "data" / "photos"
PROMPT = "Upload a photo (JPEG, PNG, GIF, WebP or BMP, up to 10 MB) or pick one: the network sees its middle."


def photo_widget(model: "keras.Model", surprises: Split, source: str = "official") -> widgets.Widget:
    """Return a widget that shows what a network sees in photos, to be the last line of a cell.

    The model takes pixels 0 to 255, (N, 32, 32, 3), and gives logits (N, 10). The button "Surprise me" draws
    from `surprises`, which nothing else looks at; with the `source` "sample" they are said to be synthetic.
    """
    return PhotoViewer(model, surprises, source).box


def show_photo(model: "keras.Model", path: str | os.PathLike) -> None:
    """Display the figure of a photo with alt text; PhotoError or ModelError if that is not possible."""
    photo = predict.load_photo(path, Path(path).name)
    guesses = predict.guesses(model, [photo])[0]
    show(photo_figure(photo, guesses), alt_text(photo, guesses))


def photo_figure(photo: Photo, guesses: Sequence[Guess], truth: str | None = None) -> Figure:
    """Return a figure: the picture, pale outside its square, the pixels the network gets, ten bars."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    panels = figure.subplot_mosaic([["whole", "small"], ["bars", "bars"]], width_ratios=(1.2, 1))
    whole, small, bars = panels.values()
    (width, height), (left, top, right, bottom) = photo.size, photo.crop
    whole.imshow(photo.copy, extent=(0, width, height, 0), interpolation="bilinear")
    pale = {"color": "white", "alpha": 0.65, "linewidth": 0}
    whole.axvspan(0, left, **pale)
    whole.axvspan(right, width, **pale)
    whole.axhspan(0, top, **pale)
    whole.axhspan(bottom, height, **pale)
    small.imshow(photo.pixels)
    for ax, title in ((whole, f"{width} x {height} pixels"), (small, "what the network gets")):
        ax.set_title(title, fontsize=TEXT)
        ax.set_anchor("N")  # the titles at one height
        ax.axis("off")
    draw_probabilities(guesses, truth, bars)
    return figure


def draw_probabilities(guesses: Sequence[Guess], truth: str | None, ax: Axes) -> None:
    """Draw a bar for the probability of each class, in the order of `CLASS_NAMES`, the highest one darker."""
    shares, first = dict(guesses), guesses[0].class_name
    names = [f"{name} (truth)" if name == truth else name for name in CLASS_NAMES]
    colors = [BLUE if name == first else SKY for name in CLASS_NAMES]
    bars = ax.barh(names, [100 * shares[name] for name in CLASS_NAMES], color=colors)
    ax.bar_label(bars, fmt="{:.1f}", padding=3)
    ax.tick_params(labelsize=9)
    ax.set(xlabel="probability (%)", ylabel="class", xticks=range(0, 101, 25), xlim=(0, 128))
    ax.invert_yaxis()


def alt_text(photo: Photo, guesses: Sequence[Guess], truth: str | None = None) -> str:
    """Return what the figure of a photo shows, for a reader who cannot see it."""
    told = f"{printable(photo.name)}, {photo.size[0]} x {photo.size[1]} pixels; its middle as 32 x 32; "
    told += f"a bar for the probability of each class. Most probable: {in_words(guesses)}."
    return told if truth is None else f"{told} The truth is {truth}."


class PhotoViewer:
    """The widget (`box`), the photo on show and its guesses, and a test image's class (`truth`)."""

    def __init__(self, model: "keras.Model", surprises: Split, source: str):
        self.model, self.surprises, self.rng = model, surprises, np.random.default_rng()
        self.kind = "synthetic image, not CIFAR-10," if source == "sample" else "test image"
        photos = [("choose a photo", None), *((path.name, path) for path in predict.pictures_in(PHOTOS))]
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
        controls = [self.upload, self.choice, self.surprise, self.tell]
        self.box = widgets.VBox([widgets.HBox(controls, layout={"flex_flow": "row wrap"}), self.page])

    def on_upload(self, change: Mapping) -> None:
        """Show an uploaded photo, and empty the control, so that the same file can come again."""
        files = change["new"]
        if isinstance(files, Mapping):  # ipywidgets 7, on Colab: name to content and notes
            files = [{"name": name, **file} for name, file in files.items()]
        for file in files:
            self.choice.value = None
            self.present(bytes(file["content"]), file["name"])
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
        self.present(file.getvalue(), f"{self.kind} {index}", CLASS_NAMES[self.surprises.labels[index]])

    def on_tell(self, _: widgets.Button) -> None:
        """Show the class of the test image."""
        self.page.value, self.tell.disabled = page(self.photo, self.guesses, self.truth), True

    def present(self, source: Path | bytes, name: str, truth: str | None = None) -> None:
        """Show a photo without its class, or one line that says why it cannot be shown."""
        self.truth, self.tell.disabled = truth, True
        try:
            self.photo = predict.load_photo(source, name)
            self.guesses = predict.guesses(self.model, [self.photo])[0]
            self.page.value, self.tell.disabled = page(self.photo, self.guesses), truth is None
        except (predict.PhotoError, predict.ModelError) as error:
            line = f"{printable(name)}: {str(error).rstrip('.')}."
            self.page.value = f'<p role="alert">{html.escape(line)}</p>'


def page(photo: Photo, guesses: Sequence[Guess], truth: str | None = None) -> str:
    """Return what the widget shows of a photo, as HTML: the answer in words, then the figure."""
    words = f"{printable(photo.name)}: {in_words(guesses)}."
    if truth is not None:
        words += f" It is labelled {truth}: {'right' if guesses[0].class_name == truth else 'wrong'}."
    mime, content = encode(photo_figure(photo, guesses, truth))
    data, alt = base64.b64encode(content).decode(), html.escape(alt_text(photo, guesses, truth))
    picture = f'<img src="data:{mime};base64,{data}" alt="{alt}" style="width: 615px; max-width: 100%">'
    return f'<p role="status">{html.escape(words)}</p>{picture}'
