"""Run studies and read their results: `python -m helpers.experiments list | run | show | readme`.

One JSON file per run, `data/runs/STUDY/VARIANT-seedN.json`, written whole or not at all. A study
can be stopped at any moment and started again; at most the epoch at hand is lost. Runs on the
synthetic sample go to `data/runs/sample/` and are never read as results of CIFAR-10.
"""

from helpers.quiet import hush_tensorflow

hush_tensorflow()

import argparse
import multiprocessing
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from filelock import FileLock, Timeout

from helpers import console, provenance, session
from helpers.data import DataError, Split, load_cifar10
from helpers.evaluation import accuracy_interval, predict_logits
from helpers.model_files import save_model
from helpers.records import (
    MODELS,
    StudyError,
    accuracy_columns,
    comparison_table,
    definition,
    find_study,
    find_twin,
    folder,
    load_runs,
    milestone_table,
    read_run,
    require_same_data,
    share_of_ones,
    summary_table,
    write_json,
)
from helpers.readme import in_words, update_readme
from helpers.studies import STUDIES, Study, Variant
from helpers.training import CROP_SIDE, Run, TrainingDiverged, as_digits


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
    if source == "official" and session.profile() == "smoke":
        raise StudyError("The smoke profile shortens runs, so it records none: unset TUTORIAL_PROFILE.")
    chosen = [known[name] for name in variants or known]
    total = len(chosen) * (seeds or study.seeds)
    done, diverged, ended = 0, [], []
    for seed in range(study.first_seed, study.first_seed + (seeds or study.seeds)):
        for variant in chosen:
            done += 1
            path = folder(study, source) / f"{variant.name}-seed{seed}.json"
            label = f"[{done}/{total}] {study.name} {variant.name} seed {seed}"
            if path.exists():
                read_run(path, study, variant)
                print(f"{label}: already there", flush=True)
                continue
            if twin := find_twin(study, variant, seed, source):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, twin)
                print(f"{label}: the same run as {twin['taken_from']}, taken over", flush=True)
                continue
            try:
                in_own_process(_run_one, study, variant, seed, source, path, label)
            except TrainingDiverged as error:  # the other variants may still do well
                print(f"{label}: {error}", file=sys.stderr, flush=True)
                diverged.append(path.stem)
            except BrokenProcessPool:
                print(f"{label}: its process was ended, out of memory perhaps", file=sys.stderr, flush=True)
                ended.append(path.stem)
    if diverged:
        raise StudyError(f"{len(diverged)} of {total} runs diverged, so no record: {', '.join(diverged)}.")
    if ended:
        raise StudyError(f"{len(ended)} of {total} runs were ended: start the same command again to go on.")


def in_own_process(function: Callable, *arguments) -> None:
    """Call a function in a new process and wait for its end: Keras leaks about 21 MB with each run.

    Raises:
        BrokenProcessPool: if something ends the process.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        pool.submit(function, *arguments).result()


def _run_one(study: Study, variant: Variant, seed: int, source: str, path: Path, label: str) -> None:
    """Train one variant with one seed under a lock of its own, judge it, and write the record.

    The network that a final study trains with its first seed is published in `data/models/`.
    """
    cifar10 = load_cifar10(source, **study.split(seed))
    data = cifar10.for_training()
    require_same_data(study, source, seed, data)
    judged = cifar10.test if study.final else cifar10.val
    origin = {"date": provenance.date(), "commit": provenance.commit(), "split": study.split(seed)}
    state = path.parent / ".unfinished" / path.stem
    state.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(state.with_name(f"{state.name}.lock"), timeout=0):
            if path.exists():
                print(f"{label}: another process has trained it meanwhile", flush=True)
                return
            model, run = variant.train(data, seed, state, progress=sys.stderr.isatty())
            record = {"study": study.name, "variant": variant.name, **definition(variant), **vars(run)}
            record |= origin | costs(model, variant, len(data.train)) | {"machine": this_machine(run)}
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


def costs(model, variant: Variant, images: int) -> dict:
    """Return what a record says of its training's arithmetic; None where there is no network."""
    if model is None:
        return {"pflop": None}
    return {"pflop": provenance.training_pflop(model, variant.recipe, images, CROP_SIDE)}


def this_machine(run: Run) -> dict:
    """Return where a run was made, with what its speed depends on."""
    return run.machine | {
        "flags": provenance.processor_flags(),
        "cores": provenance.cores(),
        "peak_gflops": provenance.peak_gflops(),
    }


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
    commands.add_parser("readme", help="rewrite the README's tables from the recorded runs")
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
        elif options.command == "readme":
            update_readme()
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
