"""What recorded runs say of a technique: table, sentence and picture, all computed from the runs."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from helpers.evaluation import NO_EVIDENCE
from helpers.internal.figures import BLUE, GREY, VERMILION
from helpers.records import comparison_table, summary_table

COLOURS = {"helps": BLUE, "hurts": VERMILION}


def verdict_table(
    runs: pd.DataFrame, titles: Sequence[str] | None = None, baseline: str | None = None
) -> pd.DataFrame:
    """Return one row per variant: seeds, accuracy, paired effect against the baseline, interval, verdict.

    Accuracies in percent and effects in percentage points, each a mean over the seeds; `low` and
    `high` are the 95% interval of the effect. The baseline's own row has no effect. With fewer
    than two common seeds there is no interval, and the verdict says so.

    Args:
        runs: from `records.load_runs`.
        titles: the variants to show, in this order; all by default.
        baseline: title of the variant to compare with; the study's first by default.

    Raises:
        KeyError: if a title is not among the runs.
    """
    baseline = baseline or runs["title"].iloc[0]
    table = summary_table(runs)[["seeds", "mean"]].rename(columns={"mean": "accuracy"})
    columns = ["difference", "low", "high", "verdict"]
    effects = comparison_table(runs, baseline).reindex(index=table.index, columns=columns)
    table = table.join(effects.rename(columns={"difference": "effect"}))
    table["verdict"] = table["verdict"].astype(object).fillna("needs more seeds")
    table.loc[baseline, "verdict"] = ""
    return table.loc[list(titles)] if titles is not None else table


def verdict_in_words(runs: pd.DataFrame, title: str, baseline: str | None = None) -> str:
    """Return one sentence on one variant: verdict, effect, interval, number of seeds.

    Args:
        runs: from `records.load_runs`.
        title: the variant.
        baseline: title of the variant to compare with; the study's first by default.
    """
    baseline = baseline or runs["title"].iloc[0]
    row = verdict_table(runs, [title], baseline).iloc[0]
    if row["verdict"] == "needs more seeds":
        return f"{title}: fewer than two seeds are recorded, so nothing can be said yet."
    verb = row["verdict"]
    if verb == NO_EVIDENCE:
        verb = "shows no evidence of an effect at this budget"
    seeds = [set(runs.loc[runs["title"] == name, "seed"]) for name in (title, baseline)]
    return (
        f"{title} {verb}: {row['effect']:+.1f} points over {len(set.intersection(*seeds))} seeds "
        f"(95% interval {row['low']:+.1f} to {row['high']:+.1f})."
    )


def effect_plot(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each variant's effect with its interval, around the line of no effect.

    Args:
        table: from `verdict_table`; rows without an interval are left out.
    """
    table = table[table["low"].notna()]
    ax = ax or plt.subplots(figsize=(7.0, 0.9 + 0.42 * len(table)))[1]
    ax.axvline(0, color=GREY, linewidth=1)
    for y, row in enumerate(table.itertuples()):
        colour = COLOURS.get(row.verdict, GREY)
        ax.plot((row.low, row.high), (y, y), color=colour, linewidth=2.5, solid_capstyle="butt")
        ax.plot(row.effect, y, "o", color=colour, markersize=7)
        ax.annotate(f"{row.effect:+.1f}", (row.effect, y), (0, 7), textcoords="offset points", ha="center")
    ax.set_yticks(range(len(table)), table.index)
    ax.set_ylim(len(table) - 0.4, -0.7)
    ax.set_xlabel("effect on validation accuracy (percentage points)")
    ax.xaxis.grid(True)
    return ax
