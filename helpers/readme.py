"""The README's results: tables between two markers, written from the recorded runs."""

import math

import pandas as pd

from helpers.records import ROOT, StudyError, accuracy_columns, folder, load_runs, summary_table, write_whole
from helpers.studies import STUDIES

README = ROOT / "README.md"
MARKERS = ("<!-- results:begin -->", "<!-- results:end -->")


def markdown_table(runs: pd.DataFrame, columns: list[str]) -> str:
    """Return Markdown of one row per variant, and for each of these columns of accuracies mean and interval.

    Args:
        runs: from `load_runs`.
        columns: from `accuracy_columns`.
    """
    tables = {column: summary_table(runs, column) for column in columns}
    names = [f"{in_words(column)} in %, mean (95 % interval) | std" for column in columns]
    lines = [
        f"| variant | seeds | {' | '.join(names)} | fastest epoch in s |",
        "|---|--:|" + "--:|" * (2 * len(columns) + 1),
    ]
    for title, first in tables[columns[0]].iterrows():
        cells = [title, f"{first['seeds']:.0f}"]
        for row in (table.loc[title] for table in tables.values()):
            cells += [f"{row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f})", f"{row['std']:.2f}"]
        cells.append("" if math.isnan(first["epoch_seconds"]) else f"{first['epoch_seconds']:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def in_words(column: str) -> str:
    """Return what a column of accuracies holds: "test_accuracy_6" is "test accuracy, 6 views"."""
    split, _, views = column.replace("val_", "validation_").partition("_accuracy")
    return f"{split} accuracy" + (f", {views[1:]} view{'s'[: views != '_1']}" if views else "")


def update_readme() -> None:
    """Rewrite the tables between the README's markers from the recorded runs."""
    text = README.read_text(encoding="utf-8")
    before, found, rest = text.partition(MARKERS[0])
    _, found_end, after = rest.partition(MARKERS[1])
    if not (found and found_end):
        raise StudyError(f"README.md lacks the markers {MARKERS[0]} and {MARKERS[1]}: put them back.")
    write_whole(README, f"{before}{MARKERS[0]}\n{readme_tables()}\n{MARKERS[1]}{after}")


def readme_tables() -> str:
    """Return every recorded study that judges, with several seeds, as its question and a Markdown table."""
    parts = []
    for study in STUDIES.values():
        if study.seeds > 1 and any(folder(study).glob("*.json")):
            runs = load_runs(study.name)
            parts += [f"**{study.question}**", markdown_table(runs, accuracy_columns(study))]
            waiting = [v.title for v in study.variants if v.title not in set(runs["title"])]
            if waiting:
                parts.append(f"Not trained yet: {', '.join(waiting)}.")
    return "\n\n".join(parts)
