"""Recorded runs that tests make up: a study in a folder of its own, one file per run, no training."""

import dataclasses
import json
from pathlib import Path

from helpers import records
from helpers.recipe import Recipe
from helpers.studies import Study, Variant

BASE = Variant("base", "Baseline", "mlp", {}, Recipe(epochs=2))
STEP = dataclasses.replace(BASE, name="step", title="Step 0.1", recipe=Recipe(epochs=2, learning_rate=0.1))
WIDE = dataclasses.replace(BASE, name="wide", title="Wide", options={"units": [64, 32]})
STUDY = Study("tiny", "Does it help?", (BASE, STEP, WIDE))


def use_study(monkeypatch, folder: Path, study: Study = STUDY) -> Path:
    """Make `records` know this study alone and look for runs in a folder; returns where its runs lie."""
    monkeypatch.setattr(records, "STUDIES", {study.name: study})
    monkeypatch.setattr(records, "RUNS", folder / "runs")
    return folder / "runs" / study.name


def record(study: Study, name: str, seed: int, correct: int, source: str = "official", **changes) -> Path:
    """Write the run of a variant that was right on so many of 40 images; returns its file.

    Args:
        changes: parts of the record that are to be otherwise.
    """
    variant, digits = study[name], "1" * correct + "0" * (40 - correct)
    run = {
        "study": study.name, "variant": name, "seed": seed, "parameters": 5, "seconds": 9.0,
        "model": variant.model, "options": variant.options, "recipe": dataclasses.asdict(variant.recipe),
        "data": {"source": source, "sha256": f"split {seed}", "train": 400, "val": 40},
        "history": [{"epoch": n, "val_accuracy": correct / 40 - 0.1 / n, "seconds": 5.0 - n} for n in (1, 2)],
        "val_accuracy": correct / 40, "val_correct": digits,
    }  # fmt: skip
    if study.views:
        run["judged"] = {"split": "val", "correct": dict.fromkeys(map(str, study.views), digits)}
    if study.final:
        run |= {"val_accuracy": None, "val_correct": ""}
    path = records.folder(study, source) / f"{name}-seed{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run | changes), encoding="utf-8")
    return path
