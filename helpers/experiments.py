"""Run studies and read their results: `python -m helpers.experiments run STUDY` or `show STUDY`.

One JSON file per run, `data/runs/STUDY/VARIANT-seedN.json`. A study can be stopped at any moment and started
again; at most the epoch at hand is lost. Runs on the synthetic sample go to `data/runs/sample/`. Several runs
at once: `--workers 4`, `--scheduler tcp://HOST:PORT`, or `--shard 2/30` on one of 30 machines.
"""

import os
import signal

if __name__ == "__mp_main__":  # a process for a run, which `helpers` takes for no command
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
import helpers.session  # noqa: F401  first: it starts TensorFlow without its notes

import argparse
import json
import sys
import timeit
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import joblib
import keras
import numpy as np
from tqdm.auto import tqdm

from helpers import models, records, session, workers
from helpers.classical import train_hog_svm
from helpers.data import DataError, TrainingData, load_cifar10, profile
from helpers.evaluation import accuracy_interval
from helpers.internal.files import ROOT, commit, write_json
from helpers.predict import fit_temperature
from helpers.recipe import Run
from helpers.records import StudyError, share_of_ones
from helpers.studies import STUDIES, Study, Variant
from helpers.training import CROP_SIDE, TrainingDiverged, as_digits, predict_logits, train


def run_study(
    study: Study,
    seeds: int,
    variants: Sequence[str],
    source: str,
    spread: Callable[..., workers.Outcomes] = workers.here,
    shard: tuple[int, int] = (1, 1),
) -> None:
    """Train what is missing of a study: the variants of these names, with so many seeds, on this source.

    `spread` says where (`helpers.workers`). Of shard (i, n), every n-th run is trained, from the i-th.
    StudyError if a variant is unknown, a record is of another recipe, or, at the end, if runs failed.
    """
    known = {variant.name: variant for variant in study.variants}
    if unknown := sorted(set(variants) - set(known)):
        raise StudyError(f"{study.name} has no variant {', '.join(unknown)}; it has: {', '.join(known)}.")
    if source == "official" and profile() == "smoke":
        raise StudyError("The smoke profile shortens runs, so it records none: unset TUTORIAL_PROFILE.")
    seeds, failed, jobs = range(study.first_seed, study.first_seed + seeds), [], {}
    every = [(known[name], seed) for seed in seeds for name in variants]
    for variant, seed in every[shard[0] - 1 :: shard[1]]:
        path = records.folder(study, source) / f"{variant.name}-seed{seed}.json"
        state = os.path.relpath(path.parent / ".unfinished" / path.stem, ROOT)
        jobs[path] = (study, variant, seed, source, state)
    with closing(spread(record_run, jobs)) as outcomes:
        for path, outcome in outcomes:
            _, variant, seed, *_ = jobs[path]
            label = f"[{list(jobs).index(path) + 1}/{len(jobs)}] {study.name} {variant.name} seed {seed}"
            try:
                tqdm.write(f"{label}: {settle(path, outcome, study, variant)}")
            except (TrainingDiverged, BrokenProcessPool) as error:  # the other runs may still do well
                tqdm.write(f"{label}: {error}", sys.stderr)
                failed.append(path.stem)
    if failed:
        raise StudyError(f"{len(failed)} of {len(jobs)} runs failed, so no record: {', '.join(failed)}.")


def settle(path: Path, outcome: dict | BaseException | None, study: Study, variant: Variant) -> str:
    """Write the record that a run gave, and return in words what happened; raise what went wrong."""
    if isinstance(outcome, BlockingIOError):
        return "another process is training it, skipped"
    if isinstance(outcome, BaseException):
        raise outcome
    if outcome is None:
        records.read_run(path, study, variant)
        return "already there"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, outcome)
    accuracy, judged = outcome["val_accuracy"], outcome.get("judged", {"correct": {}})
    found = [] if accuracy is None else [f"{accuracy:.2%} validation accuracy"]
    for views, digits in judged["correct"].items():
        found.append(f"{share_of_ones(digits):.2%} {judged['split']} ({views} views)")
    return f"{', '.join(found)} in {outcome['seconds']:.0f} s"


def record_run(study: Study, variant: Variant, seed: int, source: str, state: str) -> dict:
    """Train one variant with one seed, judge it, and return the record.

    `state` is the folder of what is unfinished, seen from the repository; it stays. The network that a final
    study trains with its first seed is published in `data/models/`.
    """
    split = study.split(seed)
    cifar10 = load_cifar10(source, **split)
    record = {"study": study.name, "variant": variant.name, **records.definition(variant), "split": split}
    record |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit()}
    shown = sys.stderr.isatty() and workers.ONE_BAR not in os.environ
    model, run = train_variant(variant, cifar10.for_training(), seed, ROOT / state, shown)
    record |= vars(run) | {"machine": run.machine | speed(), "pflop": pflop(model, run) if model else None}
    if study.views:
        name, judged = ("test", cifar10.test) if study.final else ("validation", cifar10.val)
        named = {n: predict_logits(model, judged.images, n).argmax(axis=1) for n in study.views}
        correct = {n: as_digits(labels == judged.labels) for n, labels in named.items()}
        record["judged"] = {"split": name, "correct": correct}
        if not study.final:
            record["temperature"] = fit_temperature(predict_logits(model, judged.images), judged.labels)
    if study.final and seed == study.first_seed and source == "official":
        publish(model, record)
    return record


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


def speed(side: int = 2048) -> dict:
    """Return what a run's seconds depend on: processor flags, cores, GFLOP/s of a matrix product."""
    matrix = keras.ops.ones((side, side))
    tries = timeit.repeat(lambda: keras.ops.convert_to_numpy((matrix @ matrix)[0, 0]), number=1, repeat=4)
    peak = round(2 * side**3 / min(tries) / 1e9, 1)
    return {"flags": session.processor_flags(), "cores": joblib.cpu_count(), "peak_gflops": peak}


def pflop(model: keras.Model, run: Run) -> float:
    """Return a training's products and sums in 10^15; a step counts as three forward passes."""
    small, epochs = run.recipe["small_epochs"], run.recipe["epochs"]
    per_image = (epochs - small) * forward_flop(model, 32)
    tiny = run.recipe.get("tiny_epochs", 0)
    per_image += (small - tiny) * forward_flop(model, CROP_SIDE) if small else 0
    per_image += tiny * forward_flop(model, 20) if tiny else 0
    return 3 * per_image * run.data["train"] / 1e15


def forward_flop(model: keras.Model, side: int) -> int:
    """Return the products and sums of convolutions and dense layers for one image of `side` pixels."""
    sized = keras.models.clone_model(model, keras.Input((side, side, 3)))
    return sum(map(models.flops, sized.layers))


def show_study(study: Study, source: str) -> None:
    """Print a study's summary and its paired comparison with the first variant."""
    runs = records.load_runs(study.name, source)
    if source == "sample":
        print("Trial on the SYNTHETIC SAMPLE: these are no results of CIFAR-10.")
    print(f"{study.question}\n")
    if runs["commit"].nunique(dropna=False) > 1:
        print(f"Runs of each commit: {runs['commit'].value_counts(dropna=False).to_dict()}\n")
    columns = records.accuracy_columns(study)
    tables = {f"{records.in_words(c)}, %": records.summary_table(runs, c) for c in columns}
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
    parser.add_argument("--workers", type=int, default=1, help="run so many at once on this machine")
    parser.add_argument("--scheduler", help="run on a Dask cluster: tcp://HOST:PORT of its scheduler")
    parser.add_argument("--threads", type=int, help="processor threads of each run")
    parser.add_argument("--shard", default="1/1", help="i/n: run the i-th of n parts")
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
            spread = partial(workers.here, count=options.workers, threads=options.threads)
            if options.scheduler:
                if study.final:
                    raise StudyError(f"{study.name} publishes a network: run it without --scheduler.")
                spread = partial(workers.on_cluster, scheduler=options.scheduler, threads=options.threads)
            shard = tuple(int(number) for number in options.shard.split("/") if number.isdigit())
            if len(shard) != 2 or not 1 <= shard[0] <= shard[1]:
                raise StudyError(f"--shard is {options.shard}, expected i/n, i from 1 to n: 2/30.")
            run_study(study, options.seeds or study.seeds, names, options.source, spread, shard)
    except (StudyError, DataError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start the same command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    from helpers.experiments import main as run  # under that name workers of a cluster find what it sends

    sys.stdout.reconfigure(line_buffering=True)  # a log shows each run at once
    sys.exit(run())
