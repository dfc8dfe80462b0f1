"""The README's results: tables between two markers, written from the recorded runs."""

import math

import pandas as pd

from helpers.records import ROOT, StudyError, folder, load_runs, summary_table, write_whole
from helpers.studies import STUDIES

README = ROOT / "README.md"
MARKERS = ("<!-- results:begin -->", "<!-- results:end -->")


def markdown_table(table: pd.DataFrame) -> str:
    """Return a table of `summary_table` as Markdown, for the README."""
    lines = [
        "| variant | seeds | validation accuracy in %, mean (95 % interval) | std | fastest epoch in s |",
        "|---|--:|--:|--:|--:|",
    ]
    for title, row in table.iterrows():
        interval = f"{row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        seconds = "" if math.isnan(row["epoch_seconds"]) else f"{row['epoch_seconds']:.0f}"
        lines.append(f"| {title} | {row['seeds']:.0f} | {interval} | {row['std']:.2f} | {seconds} |")
    return "\n".join(lines)


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
            table = summary_table(load_runs(study.name))
            parts += [f"**{study.question}**", markdown_table(table)]
            waiting = [variant.title for variant in study.variants if variant.title not in table.index]
            if waiting:
                parts.append(f"Not trained yet: {', '.join(waiting)}.")
    return "\n\n".join(parts)
