"""The shipped network: the numbers of its model card, and its answers about our photos. make results."""

import json

import numpy as np
from matplotlib.figure import Figure

from helpers import predict
from helpers.internal.files import ROOT
from helpers.plots import image_grid


def card() -> str:
    """Return what the JSON beside the network says of it, as Markdown."""
    told = json.loads(predict.FINAL_MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    accuracies, intervals = (told["about"].pop(name) for name in ("test_accuracy", "test_interval"))
    lines = ["| views | test accuracy in % | 95% interval over images |", "|--:|--:|--:|"]
    for views, (low, high) in intervals.items():
        lines.append(f"| {views} | {100 * accuracies[views]:.2f} | {100 * low:.2f} to {100 * high:.2f} |")
    return "\n".join([*lines, f"\n```json\n{json.dumps(told, indent=1)}\n```"])


def answers() -> tuple[Figure, str]:
    """Return our photos with the network's answers above them, and the same in words."""
    photos = [predict.load_photo(path, path.stem) for path in predict.pictures_in(ROOT / "data" / "photos")]
    found = predict.guesses(predict.load_model(), photos)
    titles = [f"{top.class_name} {top.probability:.0%}" for top, *_ in found]
    squares = [photo.copy.crop(predict.middle_square(photo.copy.size)).resize((240, 240)) for photo in photos]
    figure = image_grid(np.stack(squares), titles, columns=len(photos), gap=12, smooth=True).figure
    told = "; ".join(f"{photo.name}: {title}" for photo, title in zip(photos, titles, strict=True))
    return figure, f"The network's answers about five photos. {told}."
