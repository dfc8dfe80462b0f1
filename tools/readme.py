"""What recorded runs and the shipped network say, between the markers of three pages: make results."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from helpers.evaluation import accuracy_interval, summarize
from helpers.internal.files import ROOT, write_text, written
from helpers.plots import encode, use_style
from helpers.records import accuracy_columns, folder, in_words, load_runs, summary_table
from helpers.studies import STUDIES, Study
from helpers.verdicts import accuracy_against_minutes
from tools.card import answers, card

README, RESULTS, CARD = (ROOT / name for name in ("README.md", "data/RESULTS.md", "data/models/README.md"))
PICTURE, ANSWERS = ROOT / "data" / "accuracy.png", ROOT / "data" / "answers.jpg"
BEST = {"networks": "02: the best network", "techniques": "04 to 06: the best technique"}
BEST |= {"quick": "07: quick recipe", "full": "07: full recipe", "final": "08: full recipe, test images"}
BEST |= {"long": "07: long recipe, test images"}


def part(text: str, name: str, new: str | None = None) -> str:
    """Return what stands between two markers of a text or, if there is something new, the text with it."""
    begin, end = f"<!-- {name}:begin -->\n", f"\n<!-- {name}:end -->"
    before, rest = text.split(begin)
    old, after = rest.split(end)
    return old if new is None else "".join((before, begin, new, end, after))


def parts() -> dict[tuple[Path, str], str]:
    """Return by page and marker what recorded files say; only the network's answers are missing."""
    return {(README, "results"): best_results(), (RESULTS, "tables"): all_tables(), (CARD, "card"): card()}


def recorded() -> list[Study]:
    """Return the studies that have recorded runs."""
    return [study for study in STUDIES.values() if any(folder(study).glob("*.json"))]


def best_results() -> str:
    """Return guessing and the best of six studies as a table, and the processors that trained them."""
    lines = ["| chapter: model | accuracy in % | over seeds | over images | minutes |"]
    lines += ["|---|--:|--:|--:|--:|", "| 01: guessing | 10 | | | |"]
    machines = set()
    for study in (STUDIES[name] for name in BEST if STUDIES[name] in recorded()):
        lines.append(f"| {BEST[study.name]} | {best(study)} |")
        for path in folder(study).glob("*.json"):
            machines.add(json.loads(path.read_text(encoding="utf-8"))["machine"]["processor"])
    told = "Minutes on two cores (runs on one core, two at a time, count half of theirs). Recorded on: "
    return "\n".join([*lines, "", f"{told}{'; '.join(sorted(machines))}."])


def best(study: Study) -> str:
    """Return cells on a study's best variant: accuracy, interval over seeds and over images, minutes."""
    runs, column = load_runs(study.name), accuracy_columns(study)[-1]
    table = summary_table(runs, column)
    top = table.loc[table["mean"].idxmax()]
    runs = runs[runs["title"] == top.name]
    mean, images = runs[column].mean(), int(runs["images"].iloc[0])
    over_seeds = 100 * np.array(summarize(runs[column]).interval) if study.final else top[["low", "high"]]
    over_images = 100 * np.array(accuracy_interval(round(mean * images), images))
    seeds, others = (f"{low:.2f} to {high:.2f}" for low, high in (over_seeds, over_images))
    seeds = seeds if len(runs) > 1 else "one run"
    return f"{100 * mean:.2f} | {seeds} | {others} | {top['seconds'] / 60:.1f}"


def all_tables() -> str:
    """Return every recorded study that judges, with several seeds, as its question and a table."""
    found = []
    for study in (study for study in recorded() if study.seeds > 1):
        columns = accuracy_columns(study)
        tables = [summary_table(load_runs(study.name), column) for column in columns]
        names = " | ".join(f"{in_words(column)} in % (95% interval)" for column in columns)
        lines = [f"| variant | seeds | {names} | fastest epoch in s |"]
        lines.append("|---" + "|--:" * (len(columns) + 2) + "|")
        for title, first in tables[0].iterrows():
            cells, rows = [title, f"{first['seeds']:.0f}"], [table.loc[title] for table in tables]
            cells += [f"{row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for row in rows]
            cells.append(f"{first['epoch_seconds']:.0f}".replace("nan", ""))
            lines.append(f"| {' | '.join(cells)} |")
        found.append("\n".join([f"**{study.question}**\n", *lines]))
    return "\n\n".join(found)


def main() -> None:
    """Rewrite all parts and draw both pictures."""
    with plt.rc_context():
        use_style()
        photos, told = answers()
        found = {study.name for study in recorded()}
        chart = accuracy_against_minutes(final={"final", "long"} <= found).figure
        for path, figure in ((ANSWERS, photos), (PICTURE, chart)):
            with written(path) as beside:
                beside.write_bytes(encode(figure)[1])
    answered = f"![{told}](data/answers.jpg)"
    for (path, name), new in {**parts(), (README, "answers"): answered}.items():
        write_text(path, part(path.read_text(encoding="utf-8"), name, new))


if __name__ == "__main__":
    main()
