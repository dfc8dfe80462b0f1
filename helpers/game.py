"""A guessing game: name small pictures by ten buttons, or by typing, and compare yourself with a network."""

import base64
import io
import re
from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
from IPython.display import display
from PIL import Image

from helpers.data import CLASS_NAMES
from helpers.plots import image_grid, show

Array = np.ndarray
PEOPLE = "One person is right on 95 in 100 of all test images (arxiv.org/abs/1908.07086)."


def play(images: Array, labels: Array, network: Array, typed: str = "", source: str = "official") -> None:
    """Display pictures by number, ten buttons to name them, and the score of `typed`.

    Images are uint8 (N, 32, 32, 3), their labels and what the network says int (N,); `typed` holds up to N
    names of classes with spaces or commas between them, for who sees no buttons; `source` is `data.source`.
    """
    ax = image_grid(images, range(1, len(images) + 1), columns=5, width=4.6)
    show(ax.figure, f"{len(images)} small pictures, numbered, without their names.", source)
    display(Buttons(images, labels, network).box)
    print(score(re.findall(r"[^\s,;]+", typed.lower()), labels, network))


def score(names: Sequence[str], labels: Array, network: Array) -> str:
    """Say who is right how often: the names given to the first pictures, and the network on all of them."""
    if strange := [name for name in names if name not in CLASS_NAMES]:
        return f"{strange[0]!r} is no class, expected one of {', '.join(CLASS_NAMES)}."
    if len(names) > len(labels):
        return f"There are {len(labels)} pictures and {len(names)} answers."
    right = sum(CLASS_NAMES[label] == name for name, label in zip(names, labels, strict=False))
    you = f"You: {right} of {len(names)}." if names else "You: no answers yet."
    return f"{you} The network: {(network == labels).sum()} of {len(labels)}. {PEOPLE}"


class Buttons:
    """The widget (`box`): one picture after the other, enlarged, and what was answered so far (`answers`)."""

    def __init__(self, images: Array, labels: Array, network: Array):
        self.images, self.labels, self.network, self.answers = images, labels, network, []
        self.page = widgets.HTML()
        self.buttons = [widgets.Button(description=name) for name in CLASS_NAMES]
        for button in self.buttons:
            button.on_click(self.on_click)
        self.row = widgets.HBox(self.buttons, layout={"flex_flow": "row wrap"})
        self.page.value = self.picture()
        self.box = widgets.VBox([self.page, self.row])

    def on_click(self, button) -> None:
        """Take an answer, tell the label, and show the next picture or, after the last one, the score."""
        told = f"You said {button.description}, the label is {CLASS_NAMES[self.labels[len(self.answers)]]}."
        self.answers.append(button.description)
        if len(self.answers) < len(self.labels):
            rest = self.picture()
        else:
            self.box.children, rest = [self.page], f"<p>{score(self.answers, self.labels, self.network)}</p>"
        self.page.value = f'<p role="status">{told}</p>{rest}'

    def picture(self) -> str:
        """Return the next picture as HTML."""
        number, file = len(self.answers) + 1, io.BytesIO()
        Image.fromarray(self.images[number - 1]).save(file, format="png")
        data, alt = base64.b64encode(file.getvalue()).decode(), f"Picture {number} of {len(self.labels)}"
        style = "width: 192px; image-rendering: pixelated"
        return f'<p>{alt}</p><img src="data:image/png;base64,{data}" alt="{alt}" style="{style}">'
