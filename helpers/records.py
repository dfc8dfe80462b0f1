"""Recorded runs: read from `data/runs/`, checked against what the studies say today, and put into tables."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.data import profile
from helpers.evaluation import NEEDS_SEEDS, compare, summarize
from helpers.internal.files import ROOT
from helpers.recipe import Recipe
from helpers.studies import STUDIES, Study, Variant

RUNS = ROOT / "data" / "runs"
MODELS = ROOT / "data" / "models"
NEEDED = ("parameters", "history", "seconds", "val_accuracy", "val_correct")  # what is read of each run


class StudyError(Exception):
    """A study cannot be run or read; the message says why and what to do."""


def find_study(name: str) -> Study:
    """Return the study of that name.

    Raises:
        StudyError: if there is none; the message lists those there are.
    """
    if name not in STUDIES:
        raise StudyError(f"There is no study {name!r}; there are: {', '.join(STUDIES)}.")
    return STUDIES[name]


def folder(study: Study, source: str = "official") -> Path:
    """Return where a study's runs lie; those of the sample lie apart."""
    return RUNS / study.name if source == "official" else RUNS / "sample" / study.name


def definition(variant: Variant) -> dict:
    """Return what a record says of its network: the function's name and its arguments."""
    return {"model": variant.model, "options": variant.options}


def read_run(path: Path, study: Study, variant: Variant) -> dict:
    """Return the record in a file, checked against what the study defines today.

    Raises:
        StudyError: if the file is damaged, or was made by another network, recipe or dataset.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        found = {part: run[part] for part in ("study", "variant", "seed", "model", "options", "recipe")}
        found["recipe"] = found["recipe"] and _as_today(found["recipe"], _as_json(Recipe()))
        source, judged = run["data"]["source"], run.get("judged", {}).get("correct", {})
        missing = [key for key in NEEDED if key not in run]
        missing += [f"the answers to {n} views" for n in study.views if not judged.get(str(n))]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyError(f"{path} is damaged ({error}): delete it and run the study again.") from None
    expected = json.loads(json.dumps(definition(variant)))
    trial = source == "sample" and profile() == "smoke"  # it is shortened: its recipe differs
    expected["recipe"] = _as_json(variant.recipe) if variant.recipe and not trial else found["recipe"]
    for part in expected:
        if found[part] != expected[part]:
            raise StudyError(
                f"{path} was made with another {part} than {study.name} has today: "
                "move it away (or restore the study's definition), then run again."
            )
    name = f"{found['variant']}-seed{found['seed']}"
    if (found["study"], name) != (study.name, path.stem):
        raise StudyError(f"{path} holds the run {name} of {found['study']}: rename it or move it away.")
    if path.parent != folder(study, source):
        raise StudyError(f"{path} is a run on {source!r} data in the wrong folder: move it away.")
    return run


def _as_json(recipe: Recipe) -> dict:
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def _as_today(recorded: dict, defaults: dict) -> dict:
    """Return a recorded recipe with today's settings: new ones at their defaults; those gone only if on."""
    filled = defaults | {name: value for name, value in recorded.items() if name in defaults or value}
    return {
        name: _as_today(value, defaults[name]) if isinstance(defaults.get(name), dict) else value
        for name, value in filled.items()
    }


def load_runs(name: str, source: str = "official") -> pd.DataFrame:
    """Return the recorded runs of a study, one row per run, in the study's order.

    Columns: variant, title, seed, val_accuracy (0 to 1), seconds, parameters, history (list of one
    dictionary per epoch), val_correct (bool array, one entry per validation image), images (how
    many the network was judged on: test images in a final study, else validation images), and for each
    number of views that a study judges by val_accuracy_6 or test_accuracy_6. A final study has no
    val_accuracy.

    Raises:
        StudyError: if there is no such study or run, or the runs do not belong together.
    """
    study = find_study(name)
    rows, hashes = [], {}
    for variant in study.variants:
        for path in sorted(folder(study, source).glob(f"{variant.name}-seed*.json")):
            run = read_run(path, study, variant)
            if hashes.setdefault(run["seed"], run["data"]["sha256"]) != run["data"]["sha256"]:
                raise StudyError(f"{path} was trained on other data than the other runs of that seed.")
            rows.append({"title": variant.title} | _row(run, study))
    if not rows:
        command = f"python -m helpers.experiments run {name}"
        raise StudyError(f"No run of {name} is recorded: `{command}` makes them.")
    return pd.DataFrame(rows)


def _row(run: dict, study: Study) -> dict:
    """Return a row of `load_runs`, but for the title."""
    row = {key: run[key] for key in ("variant", "seed", "val_accuracy", "seconds", "parameters", "history")}
    row["val_correct"] = np.frombuffer(run["val_correct"].encode(), np.uint8) == ord("1")
    judged = run.get("judged", {}).get("correct", {})
    row["images"] = len(run["val_correct"] or next(iter(judged.values())))
    columns = accuracy_columns(study)[-len(study.views) :] if study.views else []
    return row | {column: share_of_ones(judged[str(views_of(column))]) for column in columns}


def share_of_ones(digits: str) -> float:
    """Return the share of ones in a string of ones and zeros."""
    return digits.count("1") / len(digits)


def accuracy_columns(study: Study) -> list[str]:
    """Return the columns of `load_runs` that hold a study's accuracies, the plain one first."""
    split = "test" if study.final else "val"
    plain = [] if study.final else ["val_accuracy"]
    return plain + [f"{split}_accuracy_{views}" for views in study.views]


def in_words(column: str) -> str:
    """Return what a column of accuracies holds: "test_accuracy_6" is "test accuracy, 6 views"."""
    split, _, views = column.replace("val_", "validation_").partition("_accuracy")
    return f"{split} accuracy" + (f", {views[1:]} view{'s'[: views != '_1']}" if views else "")


def views_of(column: str) -> int:
    """Return the number of views that a column of `load_runs` was judged by."""
    views = column.rpartition("_")[2]
    return int(views) if views.isdigit() else 1


def mean_history(runs: pd.DataFrame, title: str) -> list[dict]:
    """Return a variant's history, averaged over its seeds: one dictionary per epoch."""
    histories = runs.loc[runs["title"] == title, "history"]
    return pd.concat(map(pd.DataFrame, histories)).groupby("epoch", as_index=False).mean().to_dict("records")


def fastest_seconds(histories: pd.Series) -> list[float]:
    """Return the seconds that each epoch of a run takes when the machine has nothing else to do.

    That is the fastest epoch of all these histories, of one variant, on images of the same size.
    """
    fastest = {}
    for entry in (entry for history in histories for entry in history):
        side = entry.get("side", 32)
        fastest[side] = min(entry["seconds"], fastest.get(side, entry["seconds"]))
    return [fastest[entry.get("side", 32)] for entry in histories.iloc[0]]


def minutes_of(runs: pd.DataFrame) -> float:
    """Return the minutes that one variant's training takes, by `fastest_seconds`."""
    return sum(fastest_seconds(runs["history"])) / 60


def summary_table(runs: pd.DataFrame, column: str = "val_accuracy") -> pd.DataFrame:
    """Return one row per variant: seeds, mean, standard deviation, 95% interval, times, parameters.

    Of the accuracies of `load_runs` in `column`, in percent. `seconds` is the mean wall time of a run,
    `epoch_seconds` the mean of `fastest_seconds` (NaN without epochs), which is what to compare.
    """
    rows = {}
    for title, group in runs.groupby("title", sort=False):
        seeds, mean, std, (low, high) = summarize(group[column])
        rows[title] = {"seeds": seeds, "mean": 100 * mean, "std": 100 * std}
        rows[title] |= {"low": 100 * low, "high": 100 * high, "seconds": group["seconds"].mean()}
        rows[title]["epoch_seconds"] = np.mean(fastest_seconds(group["history"]) or [np.nan])
        rows[title]["parameters"] = int(group["parameters"].iloc[0])
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")


def verdict_table(
    runs: pd.DataFrame,
    titles: Sequence[str] | None = None,
    baseline: str | None = None,
    *,
    ladder: bool = False,
    column: str = "val_accuracy",
) -> pd.DataFrame:
    """Return one row per variant: seeds, accuracy, and its paired effect with interval, p and verdict.

    Accuracies in percent and effects in percentage points, each a mean over the seeds; `low` and
    `high` are the 95% interval of the effect, over the seeds that both variants have. What is compared
    with nothing has no effect (NaN) and the verdict "".

    Args:
        runs: from `load_runs`.
        titles: the variants to show, in this order; all by default.
        baseline: title of the variant to compare with; the study's first by default.
        ladder: compare each variant with the one above it instead, and add `seconds` of training.
        column: which of the runs' accuracies to compare.

    Raises:
        KeyError: if a title is not among the runs.
    """
    table = summary_table(runs, column)[["seeds", "mean"]].rename(columns={"mean": "accuracy"})
    order = list(table.index)
    against = [order[0], *order[:-1]] if ladder else [baseline or order[0]] * len(order)
    wide = runs.pivot(index="seed", columns="title", values=column)
    table[["effect", "low", "high", "p"]], table["verdict"] = np.nan, ""
    for title, other in zip(order, against, strict=True):
        if title != other:
            table.loc[title, "effect":"verdict"] = _effect(wide[[title, other]].dropna())
    if ladder:
        table["seconds"] = [60 * minutes_of(runs[runs["title"] == title]) for title in order]
    return table if titles is None else table.loc[list(titles)]


def _effect(pairs: pd.DataFrame) -> tuple:
    """Return effect, low, high, p and verdict of the first of two columns of accuracies, one row per seed."""
    if pairs.empty:
        return (*[np.nan] * 4, NEEDS_SEEDS)
    result = compare(*pairs.to_numpy().T)
    return (*(100 * np.array([result.difference, *result.interval])), result.p_value, result.verdict)


def milestone_table(runs: pd.DataFrame, epochs: Sequence[int]) -> pd.DataFrame:
    """Return one row per variant, one column per number of epochs: mean validation accuracy in percent.

    Args:
        runs: from `load_runs`, of a study whose long runs begin as its short ones (`Study.milestones`).
        epochs: after how many epochs to look, each at most the length of the runs.
    """
    accuracies = {
        title: {n: 100 * np.mean([h[n - 1]["val_accuracy"] for h in group["history"]]) for n in epochs}
        for title, group in runs.groupby("title", sort=False)
    }
    return pd.DataFrame.from_dict(accuracies, orient="index").rename_axis("epochs", axis="columns")
