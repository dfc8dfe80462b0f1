"""Run studies and read their results: `python -m helpers.experiments run STUDY` or `show STUDY`.

One JSON file per run, `data/runs/STUDY/VARIANT-seedN.json`. A study can be stopped at any moment and started
again; at most the epoch at hand is lost. Runs on the synthetic sample go to `data/runs/sample/`.
"""

import os
import signal

if __name__ == "__main__":  # until `main` runs: TensorFlow takes seconds to start
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
import helpers.session  # noqa: F401  first: it starts TensorFlow without its notes

import argparse
import json
import multiprocessing
import shutil
import subprocess
import sys
import timeit
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import joblib
import keras
import numpy as np

from helpers import models, records, session
from helpers.classical import train_hog_svm
from helpers.data import DataError, TrainingData, load_cifar10, profile
from helpers.evaluation import accuracy_interval
from helpers.internal.files import ROOT, write_json
from helpers.predict import fit_temperature
from helpers.recipe import Run
from helpers.records import StudyError, share_of_ones
from helpers.studies import STUDIES, Study, Variant
from helpers.training import CROP_SIDE, TrainingDiverged, as_digits, predict_logits, train


def run_study(study: Study, seeds: int, variants: Sequence[str], source: str) -> None:
    """Train what is missing of a study: the variants of these names, with so many seeds, on this source.

    StudyError if a variant is unknown, a record is of another recipe, or, at the end, if runs failed.
    """
    known = {variant.name: variant for variant in study.variants}
    if unknown := sorted(set(variants) - set(known)):
        raise StudyError(f"{study.name} has no variant {', '.join(unknown)}; it has: {', '.join(known)}.")
    if source == "official" and profile() == "smoke":
        raise StudyError("The smoke profile shortens runs, so it records none: unset TUTORIAL_PROFILE.")
    seeds, failed = range(study.first_seed, study.first_seed + seeds), []
    jobs = [(known[name], seed) for seed in seeds for name in variants]
    for number, (variant, seed) in enumerate(jobs, 1):
        path = records.folder(study, source) / f"{variant.name}-seed{seed}.json"
        label = f"[{number}/{len(jobs)}] {study.name} {variant.name} seed {seed}"
        try:
            print(f"{label}: {run_once(study, variant, seed, source, path)}", flush=True)
        except (TrainingDiverged, BrokenProcessPool) as error:  # the other runs may still do well
            print(f"{label}: {error}", file=sys.stderr, flush=True)
            failed.append(path.stem)
    if failed:
        raise StudyError(f"{len(failed)} of {len(jobs)} runs failed, so no record: {', '.join(failed)}.")


def run_once(study: Study, variant: Variant, seed: int, source: str, path: Path) -> str:
    """Train one variant with one seed, if its record is not there yet, and return what there is to say."""
    if path.exists():
        records.read_run(path, study, variant)
        return "already there"
    try:
        return in_own_process(record_run, study, variant, seed, source, path)
    except BlockingIOError:
        return "another process is training it, skipped"


def in_own_process(function: Callable, *arguments):
    """Return a function's result from a new process, as Keras leaks about 21 MB with each run."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def record_run(study: Study, variant: Variant, seed: int, source: str, path: Path) -> str:
    """Train one variant with one seed, judge it, write the record, and return its accuracies in words.

    The network that a final study trains with its first seed is published in `data/models/`.
    """
    split = study.split(seed)
    cifar10 = load_cifar10(source, **split)
    record = {"study": study.name, "variant": variant.name, **records.definition(variant), "split": split}
    record |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit()}
    state = path.parent / ".unfinished" / path.stem
    model, run = train_variant(variant, cifar10.for_training(), seed, state, sys.stderr.isatty())
    record |= vars(run) | {"machine": run.machine | speed(), "pflop": pflop(model, run) if model else None}
    found = [] if run.val_accuracy is None else [f"{run.val_accuracy:.2%} validation accuracy"]
    if study.views:
        name, judged = ("test", cifar10.test) if study.final else ("validation", cifar10.val)
        named = {n: predict_logits(model, judged.images, n).argmax(axis=1) for n in study.views}
        correct = {n: as_digits(labels == judged.labels) for n, labels in named.items()}
        record["judged"] = {"split": name, "correct": correct}
        found += [f"{share_of_ones(digits):.2%} {name} ({n} views)" for n, digits in correct.items()]
        if not study.final:
            record["temperature"] = fit_temperature(predict_logits(model, judged.images), judged.labels)
    if study.final and seed == study.first_seed and source == "official":
        publish(model, record)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record)
    shutil.rmtree(state, ignore_errors=True)
    return f"{', '.join(found)} in {run.seconds:.0f} s"


def train_variant(
    variant: Variant, data: TrainingData, seed: int, resume_dir: Path | None = None, progress: bool = True
) -> tuple[keras.Model | None, Run]:
    """Train a variant with one seed; return the network (None for "hog_svm") and the run's record."""
    if variant.model == "hog_svm":
        return None, train_hog_svm(data, seed, **variant.options)
    build = partial(getattr(models, variant.model), **variant.options)
    return train(build, data, variant.recipe, seed, resume_dir, progress=progress)


def publish(model: keras.Model, record: dict) -> None:
    """Save a network under its study's name in `data/models/`, with a JSON that says how it came about.

    Its temperature is the mean of those that the study `full` fitted on validation images.
    """
    from helpers.export import save_model  # what exports is needed here alone

    names = ("study", "variant", "seed", "model", "options", "recipe", "data", "commit")
    about = {name: record[name] for name in names} | {"test_accuracy": {}, "test_interval": {}}
    for views, correct in record["judged"]["correct"].items():
        about["test_accuracy"][views] = share_of_ones(correct)
        about["test_interval"][views] = accuracy_interval(correct.count("1"), len(correct))
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in (records.RUNS / "full").glob("*.json")]
    alike = [run for run in runs if "temperature" in run and run["recipe"] == record["recipe"]]
    if alike:
        about["temperature"] = float(np.mean([run["temperature"] for run in alike]))
    save_model(model, records.MODELS / f"{record['study']}.keras", about)


def commit(root: Path = ROOT) -> str | None:
    """Return the checkout's commit, with "+changes" if tracked files differ; None without git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.strip() or None
    except OSError:
        return None


def speed(side: int = 2048) -> dict:
    """Return what a run's seconds depend on: processor flags, cores, GFLOP/s of a matrix product."""
    matrix = keras.ops.ones((side, side))
    tries = timeit.repeat(lambda: keras.ops.convert_to_numpy(matrix @ matrix), number=1, repeat=4)
    peak = round(2 * side**3 / min(tries) / 1e9, 1)
    return {"flags": session.processor_flags(), "cores": joblib.cpu_count(), "peak_gflops": peak}


def pflop(model: keras.Model, run: Run) -> float:
    """Return a training's products and sums in 10^15; a step counts as three forward passes."""
    small, epochs = run.recipe["small_epochs"], run.recipe["epochs"]
    per_image = (epochs - small) * forward_flop(model, 32)
    per_image += small * forward_flop(model, CROP_SIDE) if small else 0
    return 3 * per_image * run.data["train"] / 1e15


def forward_flop(model: keras.Model, side: int) -> int:
    """Return the products and sums of convolutions and dense layers for one image of `side` pixels."""
    total, shape = 0, (1, side, side, 3)
    for layer in model.layers:
        shape = layer.compute_output_shape(shape)
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            total += 2 * int(np.prod(shape[1:-1])) * int(np.prod(layer.kernel.shape))
    return total


def show_study(study: Study, source: str) -> None:
    """Print a study's summary and its paired comparison with the first variant."""
    runs = records.load_runs(study.name, source)
    if source == "sample":
        print("Trial on the SYNTHETIC SAMPLE: these are no results of CIFAR-10.")
    print(f"{study.question}\n")
    columns = records.accuracy_columns(study)
    tables = {f"{records.in_words(c)}, %": records.summary_table(runs, c) for c in columns}
    if study.milestones:
        tables["mean accuracy after so many epochs, %"] = records.milestone_table(runs, study.milestones)
    tables["paired differences, percentage points"] = records.verdict_table(runs, column=columns[0])
    for title, table in tables.items():
        print(f"{title.capitalize()}\n\n{table.to_string(float_format='%.3f')}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a one-line message on standard error."""
    parser = argparse.ArgumentParser("python -m helpers.experiments", description="Run or read studies.")
    parser.add_argument("command", choices=("list", "run", "show"), help="name all, train one, print results")
    parser.add_argument("study", nargs="?", help="which one to run or show")
    parser.add_argument("--source", choices=("official", "sample"), default="official")
    parser.add_argument("--seeds", type=int, help="run so many seeds")
    parser.add_argument("--variants", nargs="+", help="run these only")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if options.command == "list":
            for study in STUDIES.values():
                recorded = len(list(records.folder(study).glob("*.json")))
                print(f"{study.name}: {recorded} of {len(study.variants) * study.seeds}. {study.question}")
            return 0
        study = records.find_study(options.study)
        if options.command == "show":
            show_study(study, options.source)
        else:
            names = options.variants or [variant.name for variant in study.variants]
            run_study(study, options.seeds or study.seeds, names, options.source)
    except (StudyError, DataError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start the same command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
