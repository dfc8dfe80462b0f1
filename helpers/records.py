"""Recorded runs: read from `data/runs/`, checked against what the studies say today, and put into tables."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.data import profile
from helpers.evaluation import compare_all, crossed_interval, summarize_all
from helpers.internal.files import ROOT
from helpers.recipe import Recipe
from helpers.studies import STUDIES, Study, Variant

RUNS = ROOT / "data" / "runs"
MODELS = ROOT / "data" / "models"
CORES = 2  # of what all times are: a run on one core, beside another one on the other, counts half of its own
RENAMED = {"weight_decay": "l2"}  # options of networks that older records call otherwise


class StudyError(Exception):
    """A study cannot be run or read; the message says why and what to do."""


def find_study(name: str) -> Study:
    """Return the study of that name; StudyError, which lists those there are, if there is none."""
    if name not in STUDIES:
        raise StudyError(f"There is no study {name!r}; there are: {', '.join(STUDIES)}.")
    return STUDIES[name]


def folder(study: Study, source: str = "official") -> Path:
    """Return where a study's runs lie; those of the sample lie apart."""
    return RUNS / study.name if source == "official" else RUNS / "sample" / study.name


def definition(variant: Variant) -> dict:
    """Return what a record says of its network: the function's name and its arguments."""
    return {"model": variant.model, "options": variant.options}


def origin(run: dict) -> dict[str, str]:
    """Return what must be the same for all runs that are compared: commit, versions, checksum of the data."""
    return {"commit": run.get("commit"), **run["versions"], "data": run["data"]["sha256"]}


def unlike(found: dict[str, str], ours: dict[str, str]) -> str:
    """Return in words what of an origin differs from ours: "keras 3.14.0, not 3.15.1"; "" if nothing does."""
    names = [name for name in ours | found if found.get(name) != ours.get(name)]
    return ", ".join(f"{name} {found.get(name)}, not {ours.get(name)}" for name in names)


def read_run(path: Path, study: Study, variant: Variant) -> dict:
    """Return the record in a file, checked against what the study defines today.

    StudyError if it is damaged, in another run's place, or made by another network or recipe.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        _check(run)
        _row(run, study)  # whatever is read of it later is there
        name, source = f"{run['variant']}-seed{run['seed']}", run["data"]["source"]
        options = {RENAMED.get(name, name): value for name, value in run["options"].items()}
        recipe = _as_today(run["recipe"], dataclasses.asdict(Recipe()))
        found = {**run, "options": options, "recipe": recipe}
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise StudyError(f"{path} is damaged ({error!r}): delete it and run the study again.") from None
    if (found["study"], name) != (study.name, path.stem) or path.parent != folder(study, source):
        raise StudyError(f"{path} holds the run {name} of {found['study']} on {source!r} data: move it away.")
    today = definition(variant)
    if variant.recipe and not (source == "sample" and profile() == "smoke"):  # which shortens recipes
        today["recipe"] = dataclasses.asdict(variant.recipe)
    for part, value in json.loads(json.dumps(today)).items():
        if found[part] != value:
            raise StudyError(
                f"{path} was made with another {part} than {study.name} has today: "
                "move it away (or restore the study's definition), then run again."
            )
    return run


def _check(run: dict) -> None:
    """Raise an error if numbers of a record are out of range, no numbers, or contradict each other."""
    for entry in (run, *run["history"]):
        shares = [value for name, value in entry.items() if name.endswith("accuracy") and value is not None]
        if not (entry["seconds"] >= 0 and all(0 <= share <= 1 for share in shares)):
            raise ValueError("an accuracy or time is out of range")
    epochs = 0 if run["model"] == "hog_svm" else run["recipe"]["epochs"]
    answers = [run["val_correct"], *run.get("judged", {}).get("correct", {}).values()]
    if len(run["history"]) != epochs or len(run["val_correct"]) not in (0, run["data"]["val"]):
        raise ValueError("epochs or answers are missing")
    if run["parameters"] < 0 or run["seed"] < 0 or any(answer.strip("01") for answer in answers):
        raise ValueError("a number or an answer is none")
    if (
        run["val_accuracy"] is not None
        and abs(run["val_accuracy"] - share_of_ones(run["val_correct"])) > 1e-6
    ):
        raise ValueError("the accuracy is not that of the answers")


def _as_today(recorded: dict, defaults: dict) -> dict:
    """Return recorded settings and today's: new ones at their defaults; those that are gone only if on."""
    filled = defaults | {name: value for name, value in recorded.items() if name in defaults or value}
    if "augmentation" in defaults:
        filled["augmentation"] = _as_today(filled["augmentation"], defaults["augmentation"])
    return filled


def load_runs(name: str, source: str = "official") -> pd.DataFrame:
    """Return the recorded runs of a study, one row per run, in the study's order.

    Columns: variant, title, seed, seconds (on two cores or a GPU), parameters, pflop, history (by epoch),
    images (how many the network was judged on), overlap (validation images per training image), and the
    study's `accuracy_columns`, from 0 to 1, each with a bool array of one entry per image beside it, such as
    val_correct; in a final study, val_accuracy is None. StudyError if there is no such study or run, or the
    runs do not belong together.
    """
    study = find_study(name)
    rows, hashes, versions = [], {}, None
    for variant in study.variants:
        for path in sorted(folder(study, source).glob(f"{variant.name}-seed*.json")):
            run = read_run(path, study, variant)
            versions = run.get("versions", {}) if versions is None else versions
            if other := unlike(run.get("versions", {}), versions):
                raise StudyError(f"{path} was made with {other} as the other runs: run it again.")
            if hashes.setdefault(run["seed"], run["data"]["sha256"]) != run["data"]["sha256"]:
                raise StudyError(f"{path} was trained on other data than the other runs of that seed.")
            rows.append({"title": variant.title} | _row(run, study))
    if not rows:
        command = f"python -m helpers.experiments run {name}"
        raise StudyError(f"No run of {name} is recorded: `{command}` makes them.")
    return pd.DataFrame(rows)


def _row(run: dict, study: Study) -> dict:
    """Return a row of `load_runs`, but for the title."""
    row = {key: run[key] for key in ("variant", "seed", "val_accuracy", "parameters")}
    row |= {"overlap": run["data"]["val"] / run["data"]["train"]}
    row |= {key: run.get(key) for key in ("commit", "pflop")}
    machine = run.get("machine", {})
    share = 1 if "GPU" in machine.get("accelerator", "") else min(machine.get("cores", CORES), CORES) / CORES
    row["history"] = [entry | {"seconds": share * entry["seconds"]} for entry in run["history"]]
    row["seconds"] = share * run["seconds"]
    digits = {"val_accuracy": run["val_correct"]}
    for column in accuracy_columns(study):
        if column not in row:
            digits[column] = run["judged"]["correct"][column.rpartition("_")[2]]
            row[column] = share_of_ones(digits[column])
    for column, found in digits.items():
        row[column.replace("accuracy", "correct")] = np.frombuffer(found.encode(), np.uint8) == ord("1")
    return row | {"images": max(map(len, digits.values()))}


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


def mean_history(runs: pd.DataFrame, title: str) -> list[dict]:
    """Return a variant's history, averaged over its seeds: one dictionary per epoch."""
    histories = runs.loc[runs["title"] == title, "history"]
    return pd.concat(map(pd.DataFrame, histories)).groupby("epoch", as_index=False).mean().to_dict("records")


def fastest_seconds(histories: pd.Series) -> list[float]:
    """Return each epoch's seconds on an idle machine: a variant's fastest of all on images of that size."""
    fastest = {}
    for entry in (entry for history in histories for entry in history):
        side = entry.get("side", 32)
        fastest[side] = min(entry["seconds"], fastest.get(side, entry["seconds"]))
    return [fastest[entry.get("side", 32)] for entry in histories.iloc[0]]


def minutes_of(runs: pd.DataFrame) -> float:
    """Return the minutes that one variant's training takes, by `fastest_seconds`."""
    return sum(fastest_seconds(runs["history"])) / 60


def summary_table(runs: pd.DataFrame, column: str = "val_accuracy") -> pd.DataFrame:
    """Return one row per variant: seeds, mean, std, low, high, seconds, epoch_seconds, parameters.

    Mean, std and 95% interval, by `evaluation.summarize_all`, are those of an accuracy in percent; the one
    on test images, which all runs share, is a `crossed_interval`. A run took `seconds` on average; what to
    compare is epoch_seconds, the mean of `fastest_seconds` (NaN without epochs).
    """
    rows, groups = {}, dict(iter(runs.groupby("title", sort=False)))
    summaries = summarize_all([group[column] for group in groups.values()], runs["overlap"].max())
    for (title, group), (seeds, mean, std, interval) in zip(groups.items(), summaries, strict=True):
        if column.startswith("test") and seeds > 1:
            interval = crossed_interval(np.stack(group[column.replace("accuracy", "correct")]))
        percent = zip(("mean", "std", "low", "high"), (mean, std, *interval), strict=True)
        row = {"seeds": seeds} | {name: 100 * share for name, share in percent}
        row["seconds"] = group["seconds"].mean()
        row["epoch_seconds"] = np.mean(fastest_seconds(group["history"]) or [np.nan])
        row["parameters"] = int(group["parameters"].iloc[0])
        rows[title] = row
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

    Accuracies in percent, effects in percentage points. Spread, 95% intervals (low, high) and p are those of
    `evaluation.compare_all` for all variants among `runs`, also where few of them are shown: a result is the
    same in every table with this baseline. `attrs` holds the spread: std (points), freedom, p_equal. What is
    compared with nothing has no effect (NaN) and the verdict "".

    Args:
        titles: the variants to show, in this order; all by default.
        baseline: title of the variant to compare with; the study's first by default.
        ladder: compare each variant with the one above it instead, and add `seconds` of training.
        column: which of the runs' accuracies to compare.
    """
    table = summary_table(runs, column)[["seeds", "mean"]].rename(columns={"mean": "accuracy"})
    order = list(table.index)
    wide = runs.pivot(index="title", columns="seed", values=column).loc[order].to_numpy()
    base = order.index(baseline or order[0])
    pairs = [(i, i - 1 if ladder else base) for i in range(len(order)) if i != (0 if ladder else base)]
    results, spread = compare_all(wide, pairs, runs["overlap"].max())
    table[["effect", "low", "high", "p"]], table["verdict"] = np.nan, ""
    for (i, _), result in zip(pairs, results, strict=True):
        effect = 100 * np.array([result.difference, *result.interval])
        table.loc[order[i], "effect":"verdict"] = [*effect, result.p_value, result.verdict]
    if ladder:
        table["seconds"] = [60 * minutes_of(runs[runs["title"] == title]) for title in order]
    table.attrs = {"std": 100 * spread.std, "freedom": spread.freedom, "p_equal": spread.p_equal}
    return table if titles is None else table.loc[list(titles)]
