"""Run studies and read their results: `python -m helpers.experiments list | run | show`.

One JSON file per run, `data/runs/STUDY/VARIANT-seedN.json`, written whole or not at all. A study
can be stopped at any moment and started again; at most the epoch at hand is lost. Runs on the
synthetic sample go to `data/runs/sample/` and are never read as results of CIFAR-10.
"""

import helpers.session  # noqa: F401  first: it starts TensorFlow without its notes

import argparse
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
from filelock import FileLock, Timeout

from helpers import console, models
from helpers.classical import train_hog_svm
from helpers.data import DataError, Split, TrainingData, load_cifar10, profile
from helpers.evaluation import accuracy_interval
from helpers.internal.files import write_json
from helpers.model_files import save_model
from helpers.records import (
    MODELS,
    StudyError,
    accuracy_columns,
    comparison_table,
    definition,
    find_study,
    folder,
    in_words,
    load_runs,
    milestone_table,
    read_run,
    share_of_ones,
    summary_table,
)
from helpers.recipe import Run
from helpers.studies import STUDIES, Study, Variant
from helpers.training import TrainingDiverged, as_digits, describe, predict_logits, train


def run_study(
    study: Study, seeds: int | None = None, variants: list[str] | None = None, source: str = "official"
):
    """Train what is missing of a study, seed by seed, and write one JSON file per run.

    Args:
        study: what to train.
        seeds: how many seeds to train; the study's own number by default.
        variants: names of the variants to train; all by default.
        source: "official" for CIFAR-10, "sample" for a trial on the synthetic sample.

    Raises:
        StudyError: if a variant is unknown, a finished run was made by another recipe or data, or,
            at the end, if runs diverged.
    """
    known = {variant.name: variant for variant in study.variants}
    unknown = set(variants or []) - set(known)
    if unknown:
        raise StudyError(
            f"{study.name} has no variant {', '.join(sorted(unknown))}; it has: {', '.join(known)}."
        )
    if source == "official" and profile() == "smoke":
        raise StudyError("The smoke profile shortens runs, so it records none: unset TUTORIAL_PROFILE.")
    chosen = [known[name] for name in variants or known]
    total = len(chosen) * (seeds or study.seeds)
    done, diverged = 0, []
    for seed in range(study.first_seed, study.first_seed + (seeds or study.seeds)):
        data = None
        for variant in chosen:
            done += 1
            path = folder(study, source) / f"{variant.name}-seed{seed}.json"
            label = f"[{done}/{total}] {study.name} {variant.name} seed {seed}"
            if path.exists():
                read_run(path, study, variant)
                print(f"{label}: already there", flush=True)
                continue
            if data is None:
                cifar10 = load_cifar10(source, seed=seed, **({"val_size": 0} if study.final else {}))
                data = cifar10.for_training()
                require_same_data(study, source, seed, data)
                judged = cifar10.test if study.final else cifar10.val
            try:
                _run_one(study, variant, seed, data, judged, path, label)
            except TrainingDiverged as error:  # the other variants may still do well
                print(f"{label}: {error}", file=sys.stderr, flush=True)
                diverged.append(path.stem)
    if diverged:
        raise StudyError(f"{len(diverged)} of {total} runs diverged, so no record: {', '.join(diverged)}.")


def require_same_data(study: Study, source: str, seed: int, data: TrainingData) -> None:
    """Raise StudyError if a recorded run of this study and seed was trained on other data than these."""
    sha256 = describe(data)["sha256"]
    for variant in study.variants:
        path = folder(study, source) / f"{variant.name}-seed{seed}.json"
        if path.exists() and read_run(path, study, variant)["data"]["sha256"] != sha256:
            raise StudyError(
                f"{path} was trained on other data than there are today: move it away, then run again."
            )


def train_variant(
    variant: Variant, data: TrainingData, seed: int, resume_dir=None, progress: bool = True
) -> tuple[keras.Model | None, Run]:
    """Train a variant with one seed; return the network (None for "hog_svm") and the run's record."""
    if variant.model == "hog_svm":
        return None, train_hog_svm(data, seed, **variant.options)
    build = partial(getattr(models, variant.model), **variant.options)
    return train(build, data, variant.recipe, seed, resume_dir, progress=progress)


def _run_one(
    study: Study,
    variant: Variant,
    seed: int,
    data: TrainingData,
    judged: Split,
    path: Path,
    label: str,
) -> None:
    """Train one variant with one seed under a lock of its own, judge it, and write the record.

    The network that a final study trains with its first seed is published in `data/models/`.
    """
    state = path.parent / ".unfinished" / path.stem
    state.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(state.with_name(f"{state.name}.lock"), timeout=0):
            if path.exists():
                print(f"{label}: another process has trained it meanwhile", flush=True)
                return
            model, run = train_variant(variant, data, seed, state, sys.stderr.isatty())
            record = {"study": study.name, "variant": variant.name, **definition(variant), **vars(run)}
            if study.views:
                split = "test" if study.final else "validation"
                record["judged"] = {"split": split, "correct": judge(model, judged, study.views)}
            if study.final and seed == study.first_seed and data.source == "official":
                publish(model, record)
            write_json(path, record)
            shutil.rmtree(state, ignore_errors=True)
    except Timeout:
        print(f"{label}: another process is training it, skipped", flush=True)
    else:
        found = [] if run.val_accuracy is None else [f"{run.val_accuracy:.2%} validation accuracy"]
        for views, correct in record.get("judged", {}).get("correct", {}).items():
            found.append(f"{share_of_ones(correct):.2%} {record['judged']['split']} ({views} views)")
        print(f"{label}: {', '.join(found)} in {run.seconds:.0f} s", flush=True)


def judge(model, split: Split, views: Sequence[int]) -> dict[int, str]:
    """Return for each number of views a "1" per image that is named rightly and a "0" per other."""
    answers = {n: predict_logits(model, split.images, n).argmax(axis=1) for n in views}
    return {n: as_digits(answer == split.labels) for n, answer in answers.items()}


def publish(model, record: dict) -> None:
    """Save a network under its study's name in `data/models/`, with a JSON that says how it came about."""
    about = {
        name: record[name] for name in ("study", "variant", "seed", "model", "options", "recipe", "data")
    }
    judged = record["judged"]["correct"].items()
    about["test_accuracy"] = {views: share_of_ones(correct) for views, correct in judged}
    about["test_interval"] = {
        views: accuracy_interval(correct.count("1"), len(correct)) for views, correct in judged
    }
    save_model(model, MODELS / f"{record['study']}.keras", about)


def show_study(study: Study, source: str) -> None:
    """Print a study's summary and its paired comparison with the first variant."""
    runs = load_runs(study.name, source)
    if source == "sample":
        print("Trial on the SYNTHETIC SAMPLE: these are no results of CIFAR-10.")
    print(f"{study.question}\n")
    for column in accuracy_columns(study):
        print(f"{in_words(column).capitalize()} in percent, after the last epoch.\n")
        print(summary_table(runs, column).to_string(float_format="%.2f"), end="\n\n")
    if study.milestones:
        print("\nMean after so many epochs\n")
        print(milestone_table(runs, study.milestones).to_string(float_format="%.2f"))
    comparison = comparison_table(runs, column=accuracy_columns(study)[0])
    if len(comparison):
        print("\nPaired differences in percentage points\n")
        print(comparison.to_string(float_format="%.3f"))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a one-line message on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.experiments", description="Run and read studies."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the studies and how many of their runs are recorded")
    for name, text in (("run", "train what is missing of a study"), ("show", "print a study's results")):
        command = commands.add_parser(name, help=text)
        command.add_argument("study")
        command.add_argument("--source", choices=("official", "sample"), default="official")
        if name == "run":
            command.add_argument("--seeds", type=int, help="how many seeds to train")
            command.add_argument("--variants", nargs="+", help="train these only")
    options = parser.parse_args(arguments)
    return console.run(lambda: carry_out(options), "Stopped. Start the same command again to go on.")


def carry_out(options: argparse.Namespace) -> int:
    """Do what the command line asks for; return 0, or 1 after a one-line message on standard error."""
    try:
        if options.command == "list":
            for study in STUDIES.values():
                recorded = len(list(folder(study).glob("*.json")))
                print(
                    f"{study.name}: {recorded} of {len(study.variants) * study.seeds} runs. {study.question}"
                )
        elif options.command == "run":
            if options.seeds is not None and options.seeds < 1:
                raise StudyError(f"--seeds is {options.seeds}, expected 1 or more.")
            run_study(find_study(options.study), options.seeds, options.variants, options.source)
        else:
            show_study(find_study(options.study), options.source)
    except (StudyError, DataError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
