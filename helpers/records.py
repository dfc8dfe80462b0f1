"""Recorded runs: written whole or not at all, checked when read, and put into tables."""

import dataclasses
import inspect
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import models, session
from helpers.data import TrainingData
from helpers.evaluation import compare, summarize
from helpers.recipe import Recipe
from helpers.studies import STUDIES, Study, Variant
from helpers.training import Run, describe

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "data" / "runs"
MODELS = ROOT / "data" / "models"


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


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file whole or not at all; ValueError for numbers that JSON does not know."""
    write_whole(path, json.dumps(content, indent=1, allow_nan=False))


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: beside its place first, then renamed."""
    beside = path.with_suffix(".tmp")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:  # a full disk, for one
        beside.unlink(missing_ok=True)
        raise


def read_run(path: Path, study: Study, variant: Variant) -> dict:
    """Return the record in a file, checked against what the study defines today.

    Raises:
        StudyError: if the file is damaged, or was made by another network, recipe or dataset.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        found = {"model": run["model"], "options": run["options"], "recipe": run["recipe"]}
        missing = [field.name for field in dataclasses.fields(Run) if field.name not in run]
        judged = run.get("judged", {"correct": {}})["correct"]
        missing += [f"the answers to {n} views" for n in study.views if not judged.get(str(n))]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
        source, name = run["data"]["source"], f"{run['variant']}-seed{run['seed']}"
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is damaged ({error}): delete it and run the study again.") from None
    if found["recipe"]:
        found["recipe"] = _completed(found["recipe"], _as_json(Recipe()))
    expected = json.loads(json.dumps(definition(variant)))
    expected["recipe"] = _as_json(variant.recipe) if variant.recipe else found["recipe"]
    if source == "sample" and session.profile() == "smoke":  # a trial is shortened: its recipe differs
        expected["recipe"] = found["recipe"]
    for part, value in expected.items():
        if found[part] != value:
            raise StudyError(
                f"{path} was made with another {part} than {study.name} has today: "
                "move it away (or restore the study's definition), then run again."
            )
    if (run["study"], name) != (study.name, path.stem):
        raise StudyError(f"{path} holds the run {name} of {run['study']}: rename it or move it away.")
    if source != _source_of(path):
        raise StudyError(f"{path} is a run on {source!r} data in the wrong folder: move it away.")
    return run


def find_twin(study: Study, variant: Variant, seed: int, source: str) -> dict | None:
    """Return the record of the same network, recipe and seed from another study, under this one's names.

    Training it again would give the same weights to the bit. `taken_from` tells where it was trained.
    """
    for other in STUDIES.values():
        alike = (other.final, other.split(seed)) == (study.final, study.split(seed))
        alike = alike and set(study.views) <= set(other.views)
        for twin in other.variants if other is not study and alike else ():
            path = folder(other, source) / f"{twin.name}-seed{seed}.json"
            if _network(twin) == _network(variant) and twin.recipe == variant.recipe and path.exists():
                run = read_run(path, other, twin)
                names = {"study": study.name, "variant": variant.name, **definition(variant)}
                return run | names | {"taken_from": f"{other.name}/{path.stem}"}
    return None


def _network(variant: Variant) -> tuple[str, dict]:
    """Return the name of a variant's network and all its options, those left at their default, too."""
    parameters = inspect.signature(getattr(models, variant.model, lambda: None)).parameters.values()
    return variant.model, {p.name: p.default for p in parameters} | variant.options


def _as_json(recipe: Recipe) -> dict:
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def _completed(recorded: dict, defaults: dict) -> dict:
    """Return a recorded recipe with today's defaults for the settings that did not exist yet."""
    filled = defaults | recorded
    return {
        key: _completed(value, defaults[key]) if isinstance(defaults.get(key), dict) else value
        for key, value in filled.items()
    }


def _source_of(path: Path) -> str:
    return "sample" if RUNS / "sample" in path.parents else "official"


def require_same_data(study: Study, source: str, seed: int, data: TrainingData) -> None:
    """Raise StudyError if a recorded run of this study and seed was trained on other data than these."""
    sha256 = describe(data)["sha256"]
    for variant in study.variants:
        path = folder(study, source) / f"{variant.name}-seed{seed}.json"
        if path.exists() and read_run(path, study, variant)["data"]["sha256"] != sha256:
            raise StudyError(
                f"{path} was trained on other data than there are today: move it away, then run again."
            )


def load_runs(name: str, source: str = "official") -> pd.DataFrame:
    """Return the recorded runs of a study, one row per run, in the study's order.

    Columns: variant, title, seed, val_accuracy (0 to 1), seconds, parameters, history (list of one
    dictionary per epoch), val_correct (bool array, one entry per validation image), images (how
    many the network was judged on: test images in a final study, else validation images). Where a study
    judges its networks by several views of each image, there is a column for each number of views,
    named by the split: val_accuracy_6 or test_accuracy_6. A final study has no val_accuracy.

    Raises:
        StudyError: if there is no such study, no run of it, or the runs do not belong together.
    """
    study = find_study(name)
    rows, hashes = [], {}
    for variant in study.variants:
        for path in sorted(folder(study, source).glob(f"{variant.name}-seed*.json")):
            run = read_run(path, study, variant)
            if hashes.setdefault(run["seed"], run["data"]["sha256"]) != run["data"]["sha256"]:
                raise StudyError(
                    f"{path} was trained on other data than the study's other runs of that seed."
                )
            row = {
                key: run[key]
                for key in ("variant", "seed", "val_accuracy", "seconds", "parameters", "history")
            }
            correct = np.frombuffer(run["val_correct"].encode(), np.uint8) == ord("1")
            judged = {
                column: share_of_ones(run["judged"]["correct"][str(views_of(column))])
                for column in accuracy_columns(study)
                if column != "val_accuracy"
            }
            images = len(run["val_correct"] or next(iter(run["judged"]["correct"].values())))
            rows.append({"title": variant.title, **row, "val_correct": correct, "images": images, **judged})
    if not rows:
        raise StudyError(
            f"No run of {name} is recorded: `python -m helpers.experiments run {name}` makes them."
        )
    return pd.DataFrame(rows)


def share_of_ones(digits: str) -> float:
    """Return the share of ones in a string of ones and zeros."""
    return digits.count("1") / len(digits)


def accuracy_columns(study: Study) -> list[str]:
    """Return the columns of `load_runs` that hold a study's accuracies, the plain one first."""
    split = "test" if study.final else "val"
    plain = [] if study.final else ["val_accuracy"]
    return plain + [f"{split}_accuracy_{views}" for views in study.views]


def views_of(column: str) -> int:
    """Return the number of views that a column of `load_runs` was judged by."""
    views = column.rpartition("_")[2]
    return int(views) if views.isdigit() else 1


def mean_history(runs: pd.DataFrame, title: str) -> list[dict]:
    """Return a variant's history, averaged over its seeds: one dictionary per epoch."""
    histories = runs.loc[runs["title"] == title, "history"]
    return pd.concat(map(pd.DataFrame, histories)).groupby("epoch", as_index=False).mean().to_dict("records")


def summary_table(runs: pd.DataFrame, column: str = "val_accuracy") -> pd.DataFrame:
    """Return one row per variant: seeds, mean, standard deviation, 95% interval, times, parameters.

    Accuracies in percent, in the study's order; `load_runs` gives the runs, `column` says which of
    their accuracies to take. `seconds` is the mean wall time of a run. `epoch_seconds` is the mean of
    `fastest_seconds` (NaN where there are no epochs): it leaves out what else the machine had to do,
    so it is what to compare.
    """
    rows = {}
    for title, group in runs.groupby("title", sort=False):
        result = summarize(group[column])
        rows[title] = {
            "seeds": result.seeds,
            "mean": 100 * result.mean,
            "std": 100 * result.std,
            "low": 100 * result.interval.low,
            "high": 100 * result.interval.high,
            "seconds": group["seconds"].mean(),
            "epoch_seconds": np.mean(fastest_seconds(group["history"]) or [np.nan]),
            "parameters": int(group["parameters"].iloc[0]),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")


def fastest_seconds(histories: pd.Series) -> list[float]:
    """Return the seconds that each epoch of a run takes when the machine has nothing else to do.

    That is the fastest epoch of all these histories, of one variant, on images of the same size.
    """
    fastest = {}
    for entry in (entry for history in histories for entry in history):
        side = entry.get("side", 32)
        fastest[side] = min(entry["seconds"], fastest.get(side, entry["seconds"]))
    return [fastest[entry.get("side", 32)] for entry in histories.iloc[0]]


def comparison_table(
    runs: pd.DataFrame, baseline: str | None = None, column: str = "val_accuracy"
) -> pd.DataFrame:
    """Return one row per variant but the baseline: paired difference in points, interval, p, verdict.

    Args:
        runs: from `load_runs`.
        baseline: title of the variant to compare with; the study's first by default.
        column: which of the runs' accuracies to compare.
    """
    wide = runs.pivot(index="seed", columns="title", values=column)
    baseline = baseline or runs["title"].iloc[0]
    rows = {}
    for title in [t for t in runs["title"].unique() if t != baseline]:
        pairs = wide[[title, baseline]].dropna()
        if len(pairs) < 2:
            continue
        result = compare(pairs[title], pairs[baseline])
        rows[title] = {
            "difference": 100 * result.difference,
            "low": 100 * result.interval.low,
            "high": 100 * result.interval.high,
            "p": result.p_value,
            "verdict": result.verdict,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(f"against {baseline}")


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
