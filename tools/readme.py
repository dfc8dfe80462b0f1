"""The README's results, between markers, from the recorded runs: tables, and the picture at its top."""

import math

import matplotlib.pyplot as plt
import pandas as pd

from helpers.internal.files import ROOT, write_text, written
from helpers.plots import encode, use_style
from helpers.records import accuracy_columns, folder, in_words, load_runs, minutes_of, summary_table
from helpers.studies import STUDIES
from helpers.verdicts import accuracy_against_minutes

README = ROOT / "README.md"
MARKERS = ("<!-- results:begin -->", "<!-- results:end -->")
PICTURE_MARKERS = ("<!-- picture:begin -->", "<!-- picture:end -->")
PICTURE = ROOT / "data" / "accuracy.png"
ALT = (
    "Accuracy against minutes of training on two CPU cores, on a logarithmic scale of time: the networks of "
    "chapters 02 to 06, well-known tutorials, and epoch by epoch the quick and the full recipe of chapter 07."
)


def markdown_table(runs: pd.DataFrame, columns: list[str]) -> str:
    """Return Markdown of one row per variant, with mean and interval of each of these `accuracy_columns`."""
    tables = {column: summary_table(runs, column) for column in columns}
    names = [f"{in_words(column)} in %, mean (95% interval) | std" for column in columns]
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


def update_readme() -> None:
    """Rewrite what stands between the README's markers from the recorded runs, and draw its picture."""
    text = README.read_text(encoding="utf-8")
    text = with_part(text, MARKERS, readme_tables())
    write_text(README, with_part(text, PICTURE_MARKERS, headline()))
    draw_picture()


def with_part(text: str, markers: tuple[str, str], part: str) -> str:
    """Return text with `part` on lines of its own between two markers, which it must have."""
    before, rest = text.split(markers[0])
    after = rest.split(markers[1])[1]
    return f"{before}{markers[0]}\n{part}\n{markers[1]}{after}"


def readme_tables() -> str:
    """Return every recorded study that judges, with several seeds, as its question and a Markdown table."""
    parts = []
    for study in STUDIES.values():
        if study.seeds > 1 and recorded(study.name):
            table = markdown_table(load_runs(study.name), accuracy_columns(study))
            parts += [f"**{study.question}**", table]
    return "\n\n".join(parts)


def recorded(name: str) -> bool:
    """Return whether a study has a recorded run."""
    return any(folder(STUDIES[name]).glob("*.json"))


def headline() -> str:
    """Return the picture as Markdown and what the two recipes reach."""
    recipes = map(recipe_in_words, ("quick", "final" if recorded("final") else "full"))
    return f"![{ALT}]({PICTURE.relative_to(ROOT).as_posix()})\n\n" + "\n".join(recipes)


def recipe_in_words(name: str) -> str:
    """Return one item of a list: what a study's only recipe reaches with its most views, and how soon."""
    runs, column = load_runs(name), accuracy_columns(STUDIES[name])[-1]
    result = summary_table(runs, column).iloc[0]
    images = in_words(column).replace(" accuracy", " images")  # "test images, 6 views"
    sure = f"{len(runs)} runs, 95% interval {result['low']:.2f} to {result['high']:.2f}"
    return (
        f"- **{result.name}: {result['mean']:.2f}% in {minutes_of(runs):.0f} minutes** of training on two "
        f"CPU cores ({images}; {sure if len(runs) > 1 else '1 run'})"
    )


def draw_picture() -> None:
    """Write the picture at the README's top."""
    with plt.rc_context():
        use_style()
        fig = accuracy_against_minutes(final=recorded("final")).figure
        _, content = encode(fig)
    with written(PICTURE) as beside:
        beside.write_bytes(content)
    plt.close(fig)


if __name__ == "__main__":
    update_readme()
