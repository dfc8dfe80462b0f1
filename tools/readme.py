"""What the recorded runs and the shipped network say, between the markers of three pages: make results."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers import predict
from helpers.evaluation import accuracy_interval, summarize
from helpers.internal.files import ROOT, write_text, written
from helpers.plots import encode, image_grid, use_style
from helpers.records import accuracy_columns, folder, in_words, load_runs, summary_table
from helpers.studies import STUDIES, Study
from helpers.verdicts import accuracy_against_minutes

README, RESULTS, CARD = (ROOT / name for name in ("README.md", "data/RESULTS.md", "data/models/README.md"))
PICTURE, ANSWERS = ROOT / "data" / "accuracy.png", ROOT / "data" / "answers.jpg"
BEST = {"baseline": "02: the best network", "improvements": "04 to 06: the best technique"}
BEST |= {
    "quick": "07: quick recipe",
    "full": "07: full recipe",
    "final": "08: full recipe, on the test images",
}


def part(text: str, name: str, new: str | None = None) -> str:
    """Return what stands between two markers of a text or, if there is something new, the text with it."""
    before, rest = text.split(f"<!-- {name}:begin -->\n")
    old, after = rest.split(f"\n<!-- {name}:end -->")
    return old if new is None else f"{before}<!-- {name}:begin -->\n{new}\n<!-- {name}:end -->{after}"


def parts() -> dict[tuple[Path, str], str]:
    """Return by page and marker what recorded files say; only the network's answers are missing."""
    return {(README, "results"): six_results(), (RESULTS, "tables"): all_tables(), (CARD, "card"): card()}


def markdown(rows: Iterable[Sequence]) -> str:
    """Return rows of cells, the heading first, as a table in Markdown, numbers but for the first."""
    head, *rest = (f"| {' | '.join(map(str, row))} |" for row in rows)
    return "\n".join([head, "|---" + "|--:" * (head.count(" | ")) + "|", *rest])


def percent(mean: float, low: float, high: float) -> str:
    """Return an accuracy with its interval, all in percent."""
    return f"{mean:.2f} ({low:.2f} to {high:.2f})"


def recorded() -> list[Study]:
    """Return the studies that have recorded runs."""
    return [study for study in STUDIES.values() if any(folder(study).glob("*.json"))]


def six_results() -> str:
    """Return guessing and the best of five studies as a table, and the processors that trained them."""
    rows, machines = [("chapter: model", "accuracy in %", "over seeds", "over images", "minutes")], set()
    rows.append(("01: guessing", 10, "", "", ""))
    for study in (study for study in recorded() if study.name in BEST):
        rows.append((BEST[study.name], *best(study)))
        for path in folder(study).glob("*.json"):
            machine = json.loads(path.read_text(encoding="utf-8"))["machine"]
            machines.add(f"{machine['processor']}, {machine['accelerator']}")
    return f"{markdown(rows)}\n\nMinutes by the clock, on: {'; '.join(sorted(machines))}."


def best(study: Study) -> tuple[str, str, str, str]:
    """Return of a study's best variant the accuracy, its intervals over seeds and images, and the minutes."""
    runs, column = load_runs(study.name), accuracy_columns(study)[-1]
    table = summary_table(runs, column)
    top = table.loc[table["mean"].idxmax()]
    runs = runs[runs["title"] == top.name]
    mean, images = runs[column].mean(), int(runs["images"].iloc[0])
    over_seeds = 100 * np.array(summarize(runs[column]).interval) if study.final else top[["low", "high"]]
    over_images = 100 * np.array(accuracy_interval(round(mean * images), images))
    seeds, others = (f"{low:.2f} to {high:.2f}" for low, high in (over_seeds, over_images))
    return f"{100 * mean:.2f}", seeds.replace("nan to nan", "one run"), others, f"{top['seconds'] / 60:.1f}"


def all_tables() -> str:
    """Return every recorded study that judges, with several seeds, as its question and a table."""
    found = []
    for study in (study for study in recorded() if study.seeds > 1):
        columns = accuracy_columns(study)
        tables = [summary_table(load_runs(study.name), column) for column in columns]
        rows = [
            ("variant", "seeds", *(f"{in_words(column)} in %" for column in columns), "fastest epoch in s")
        ]
        for title, first in tables[0].iterrows():
            cells = [percent(*table.loc[title, ["mean", "low", "high"]]) for table in tables]
            rows.append((title, int(first["seeds"]), *cells, f"{first['epoch_seconds']:.0f}"))
        found += [f"**{study.question}**", markdown(rows).replace("nan", "")]
    return "\n\n".join(found)


def card() -> str:
    """Return what the JSON beside the shipped network says of it."""
    told = json.loads(predict.FINAL_MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    accuracies, intervals = (told["about"].pop(name) for name in ("test_accuracy", "test_interval"))
    rows = [(n, percent(*(100 * np.array([accuracies[n], *intervals[n]])))) for n in accuracies]
    table = markdown([("views", "test accuracy in % (95% interval over images)"), *rows])
    return f"{table}\n\n```json\n{json.dumps(told, indent=1)}\n```"


def answers() -> tuple[Figure, str]:
    """Return our photos with the network's answers above them, and the same in words."""
    photos = [predict.load_photo(path, path.stem) for path in predict.pictures_in(ROOT / "data" / "photos")]
    tops = predict.guesses(predict.load_model(), photos, top=1)
    titles = [f"{top.class_name} {top.probability:.0%}" for (top,) in tops]
    squares = [photo.copy.crop(predict.middle_square(photo.copy.size)).resize((240, 240)) for photo in photos]
    figure = image_grid(np.stack(squares), titles, columns=len(photos), gap=12, smooth=True).figure
    told = "; ".join(f"{photo.name}: {title}" for photo, title in zip(photos, titles, strict=True))
    return figure, f"![The network's answers about five photos. {told}.](data/{ANSWERS.name})"


def main() -> None:
    """Rewrite all parts and draw both pictures."""
    with plt.rc_context():
        use_style()
        photos, told = answers()
        chart = accuracy_against_minutes(final=STUDIES["final"] in recorded()).figure
        for path, figure in ((ANSWERS, photos), (PICTURE, chart)):
            with written(path) as beside:
                beside.write_bytes(encode(figure)[1])
    for (path, name), new in {**parts(), (README, "answers"): told}.items():
        write_text(path, part(path.read_text(encoding="utf-8"), name, new))


if __name__ == "__main__":
    main()
