"""A ladder: a study in which each variant changes one thing more than the one before it.

`verdicts` compares every variant with the study's first; here each is compared with the rung below it.
"""

import inspect
from collections.abc import Callable
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from helpers import models
from helpers.evaluation import Comparison, accuracy_interval, compare
from helpers.fast_plots import CLASSIC, minutes_of, published_minutes
from helpers.plots import seed_spread
from helpers.records import (
    accuracy_columns,
    comparison_table,
    fastest_seconds,
    find_study,
    load_runs,
    views_of,
)
from helpers.studies import Study, Variant
from helpers.verdicts import effect_plot, verdict_in_words, verdict_table

READ_BY = {"momentum": ("sgd", "muon"), "kernel_rate": ("muon",)}  # what other optimizers do not look at


def all_settings(variant: Variant) -> dict:
    """Return all that a variant sets, in one dictionary: its network with every option, and its recipe."""
    parameters = inspect.signature(getattr(models, variant.model)).parameters.values()
    options = {p.name: p.default for p in parameters} | variant.options
    return {"network": variant.model} | options | _recipe_settings(variant)


def _recipe_settings(variant: Variant) -> dict:
    """Return all that a variant's recipe sets, but for what its optimizer does not look at."""
    found = dict(vars(variant.recipe))
    found |= vars(found.pop("augmentation"))
    optimizer = variant.recipe.optimizer
    return {name: value for name, value in found.items() if optimizer in READ_BY.get(name, (optimizer,))}


def changes(below: Variant, rung: Variant) -> list[str]:
    """Return what a rung sets in another way than the one below, each as "`setting` old → new".

    What the one below does not set at all is told as "`setting` new".
    """
    old, new = all_settings(below), all_settings(rung)
    if below.model != rung.model:  # their options do not compare, so each network is told as a whole
        old, new = ({"network": _network_in_words(v)} | _recipe_settings(v) for v in (below, rung))
    before = {name: f"{value} → " for name, value in old.items()}
    return [f"`{name}` {before.get(name, '')}{new[name]}" for name in new if old.get(name) != new[name]]


def _network_in_words(variant: Variant) -> str:
    return f"{variant.model}({', '.join(f'{name}={value}' for name, value in variant.options.items())})"


def rung_in_words(study: Study, runs: pd.DataFrame, name: str) -> str:
    """Return Markdown on a rung: the verdict against the one below it, what it changes, what that costs.

    Args:
        study: whose variants are the rungs, from the lowest up.
        runs: from `records.load_runs`.
        name: of a variant, not the lowest.

    Raises:
        ValueError: if the study has no rung of that name above its lowest one.
    """
    names = [variant.name for variant in study.variants]
    if name not in names[1:]:
        raise ValueError(f"{study.name} has no rung {name!r}, expected one of {', '.join(names[1:])}.")
    below, rung = study.variants[names.index(name) - 1 : names.index(name) + 1]
    seconds = _seconds(runs)
    verdict = verdict_in_words(runs, rung.title, below.title).replace(rung.title, f"**{rung.title}**", 1)
    return (
        f"{verdict} It changes {', '.join(changes(below, rung))}. "
        f"Seconds of training: {seconds[below.title]:.0f} → {seconds[rung.title]:.0f}."
    )


def rungs_of(name: str) -> Callable[..., Markdown]:
    """Return a function that lists, on the page, what `rung_in_words` says of the rungs it is given."""
    study, runs = find_study(name), load_runs(name)

    def told(*names: str) -> Markdown:
        return Markdown("\n".join(f"- {rung_in_words(study, runs, rung)}" for rung in names))

    return told


def ladder_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return `verdicts.verdict_table`, each rung against the one below it, and the seconds of training."""
    titles = list(runs["title"].unique())
    below = dict(zip(titles, [None, *titles], strict=False))
    rows = [verdict_table(runs, [title], below[title]).loc[title] for title in titles]
    return pd.DataFrame(rows).infer_objects().join(_seconds(runs))


def _seconds(runs: pd.DataFrame) -> pd.Series:
    """Return the seconds of training by title, as `records.fastest_seconds` counts them."""
    return runs.groupby("title")["history"].apply(lambda group: sum(fastest_seconds(group))).rename("seconds")


def ladder_plot(runs: pd.DataFrame) -> Figure:
    """Draw each rung's accuracy seed by seed, and beside it its effect against the rung below."""
    titles = list(runs["title"].unique())
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.5, 0.6 + 0.42 * len(titles)))
    seed_spread({title: runs.loc[runs["title"] == title, "val_accuracy"] for title in titles}, ax=left)
    effect_plot(ladder_table(runs).iloc[1:], right)
    left.set(xlabel="validation accuracy (%)", ylabel="rung")
    right.set(ylim=(len(titles) - 1.4, -1.6), yticks=(), xlabel="effect against the rung below (points)")
    return fig


def evidence_in_words(runs: pd.DataFrame, top: str) -> str:
    """Return two sentences: how many rungs there is evidence for, and what the ladder brings up to `top`."""
    titles = list(runs["title"].unique())
    p = np.sort([comparison_table(runs, low)["p"][high] for low, high in pairwise(titles)])
    holm = np.maximum.accumulate(p * np.arange(len(p), 0, -1))
    wide = runs.pivot(index="seed", columns="variant", values="val_accuracy")
    wide = wide[[top, runs["variant"].iloc[0]]].dropna()
    return (
        f"Of {len(p)} rungs, {(p < 0.05).sum()} differ from the one below when each is taken by itself, "
        f"{(holm < 0.05).sum()} after Holm's correction. The rung that was kept last against the lowest: "
        f"{_in_words(compare(*wide.to_numpy().T))}."
    )


def views_in_words(study: Study, runs: pd.DataFrame, name: str) -> str:
    """Return one sentence on the variant of that name: what its most views bring against one view."""
    plain, *_, most = accuracy_columns(study)
    judged = runs[runs["variant"] == name]
    gain = _in_words(compare(judged[most], judged[plain]))
    return f"{views_of(most)} views instead of one, with the networks of that rung: {gain}."


def overfitting_in_words(*names: str) -> str:
    """Return how far the training accuracy of these studies' runs ends above their validation accuracy."""
    found = []
    for name in names:
        ends = [history[-1] for history in load_runs(name)["history"]]
        points = [100 * (end["accuracy"] - end["val_accuracy"]) for end in ends]
        found.append(f"{name} {min(points):+.1f} to {max(points):+.1f}")
    said = "Training minus validation accuracy at the end, in points, lowest to highest run"
    return f"{said}: {', '.join(found)}."


def _in_words(result: Comparison) -> str:
    low, high = (100 * end for end in result.interval)
    return f"{100 * result.difference:+.1f} points (95% interval {low:+.1f} to {high:+.1f}), {result.verdict}"


def views_table(names: list[str]) -> pd.DataFrame:
    """Return one row per study and number of views: seeds, minutes, accuracy, and how sure the first run is.

    Of studies with one variant. Accuracies in percent; `low` and `high` are the Wilson interval of the first
    run: where its accuracy on all images of their kind may lie. Minutes are those of `fast_plots.minutes_of`.
    """
    rows = {}
    for name in names:
        runs = load_runs(name)
        images, minutes = runs["images"].iloc[0], minutes_of(runs)
        for column in accuracy_columns(find_study(name)):
            low, high = accuracy_interval(round(runs[column].iloc[0] * images), images)
            percent = [100 * share for share in (runs[column].mean(), low, high)]
            rows[name, views_of(column)] = [len(runs), minutes, *percent]
    table = pd.DataFrame.from_dict(rows, "index", columns=["seeds", "minutes", "accuracy", "low", "high"])
    return table.set_index(pd.MultiIndex.from_tuples(table.index, names=["study", "views"]))


def seconds_to(runs: pd.DataFrame, percent: float) -> float:
    """Return the seconds until the mean validation accuracy of one variant first reaches so many percent.

    It counts whole epochs, by `records.fastest_seconds`; NaN if none reaches it.
    """
    curve = 100 * np.mean(
        [[epoch["val_accuracy"] for epoch in history] for history in runs["history"]], axis=0
    )
    if curve.max() < percent:
        return float("nan")
    return np.cumsum(fastest_seconds(runs["history"]))[np.argmax(curve >= percent)]


def race_in_words(*names: str) -> list[str]:
    """Return a line on the time of the classic tutorial, and one per study: how soon it is as accurate."""
    theirs = 60 * published_minutes(CLASSIC)
    with_ours = 60 * published_minutes(CLASSIC._replace(study="classic", variant="classic"))
    lines = [
        f"classic tutorial: {theirs:,.0f} s, or {theirs / 3600:.1f} hours",
        f"the same with our batch normalisation: {with_ours:,.0f} s, or {with_ours / 3600:.1f} hours",
    ]
    for name in names:
        seconds = seconds_to(load_runs(name), CLASSIC.accuracy)
        lines.append(f"{name} recipe: {seconds:,.0f} s, {theirs / seconds:.0f} times as fast")
    return lines
