"""Compare the exports of a network on the test images: size, accuracy, agreement with Keras, and speed.

Each format is exported, checked and run by `helpers.export`; then all take turns. Keras answers through
`predict`. A single image is a call of its own, and a batch has 100 images.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/exports.py
"""
# ruff: noqa: E402  (the series' files must be found before they are imported)

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import numpy as np
from turns import show, take_turns

import helpers.session  # noqa: F401  starts TensorFlow without its notes
from helpers import models, session
from helpers.data import load_cifar10
from helpers.evaluation import accuracy_interval
from helpers.export import CALIBRATION_IMAGES, CHECK_IMAGES, FILES, RUNNERS, export_all
from helpers.predict import DEFAULT_MODEL, load_model

GOALS = {"points lost": 0.3, "size": 0.3, "predict": 20}  # by int8, of int8, by LiteRT


def turn(runner, images: np.ndarray, singles: int) -> dict:
    """Return milliseconds of each of some single images, and images per second over all images."""

    def seconds(some):
        began = time.perf_counter()
        runner(some)
        return time.perf_counter() - began

    milliseconds = [1000 * seconds(images[number : number + 1]) for number in range(singles)]
    return {"milliseconds": milliseconds, "images_per_second": len(images) / seconds(images)}


def judge(runner, split, reference: np.ndarray) -> dict:
    """Return accuracy with interval, and agreement with the classes of the reference, on a split."""
    classes = runner(split.images).argmax(axis=1)
    correct = int((classes == split.labels).sum())
    interval = accuracy_interval(correct, len(split))
    agreement = float((classes == reference).mean())
    return {"accuracy": correct / len(split), "interval": interval, "agreement": agreement}


def summarize(answers: list[dict]) -> dict:
    """Return median and 99th percentile over all single images, and the median rate in batches."""
    milliseconds = [value for answer in answers for value in answer["milliseconds"]]
    median, p99 = np.percentile(milliseconds, [50, 99])
    rate = statistics.median(answer["images_per_second"] for answer in answers)
    return {"median_ms": float(median), "p99_ms": float(p99), "images_per_second": rate}


def report(results: dict[str, dict]) -> None:
    """Print a row per format, and what was hoped for beside what came out."""
    show(
        ("format", "bytes", "accuracy", "agreement", "median ms", "p99 ms", "images per second"),
        *[
            (
                name,
                f"{row['bytes']:,}",
                f"{row['accuracy']:.2%}",
                f"{row['agreement']:.2%}",
                f"{row['median_ms']:.2f}",
                f"{row['p99_ms']:.2f}",
                f"{row['images_per_second']:,.0f}",
            )
            for name, row in results.items()
        ],
    )
    low, high = results["keras"]["interval"]
    print(f"95% interval of Keras' accuracy from these images: {low:.2%} to {high:.2%}.")
    keras, litert, int8 = (results.get(name) for name in ("keras", "litert", "litert_int8"))
    for name in set(results) & {"savedmodel", "litert", "onnx"}:
        if results[name]["agreement"] < 1:
            print(f"{name} does not give Keras' class to every image: look for ties.")
    if litert:
        ratio = keras["median_ms"] / litert["median_ms"]
        print(f"LiteRT takes 1/{ratio:.0f} of predict's time for an image (goal: 1/{GOALS['predict']}).")
    if litert and int8:
        lost, share = 100 * (keras["accuracy"] - int8["accuracy"]), int8["bytes"] / litert["bytes"]
        print(
            f"int8 loses {lost:.2f} points (goal: at most {GOALS['points lost']}) and has {share:.0%} of "
            f"float's size (goal: at most {GOALS['size']:.0%})."
        )


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a .keras file")
    parser.add_argument("--formats", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--repeats", type=int, default=5, help="turns of each that count")
    parser.add_argument("--singles", type=int, default=200, help="single images in a turn")
    parser.add_argument("--json", type=Path, help="file for every single number")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="see that everything runs, on an untrained network and the sample",
    )
    options = parser.parse_args()
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json names the folder {options.json.parent}, which does not exist: make it first")
    if options.quick:
        options.repeats, options.singles = 1, 5
    return options


def main() -> None:
    """Export, run on the test images, measure in turns, and print the comparison."""
    options = read_options()
    official = os.environ.get("CIFAR10_DIR") and not options.quick
    data = load_cifar10("official" if official else "sample")
    model = models.fast_net(4) if options.quick else load_model(options.model)
    calibration, check = data.train.images[:CALIBRATION_IMAGES], data.val.images[:CHECK_IMAGES]
    formats = list(dict.fromkeys(["keras", *options.formats]))
    with tempfile.TemporaryDirectory() as folder:
        reports = export_all(model, Path(folder, "exports"), calibration, check, formats, repeats=1)
        for failed in (report for report in reports if report.problem):
            print(f"{failed.format}: {failed.problem}")
        kept = {report.format: report for report in reports if not report.problem}
        runners = {name: RUNNERS[name](report.path) for name, report in kept.items()}
    reference = runners["keras"](data.test.images).argmax(axis=1)
    work = {
        name: partial(turn, runner, data.test.images, options.singles) for name, runner in runners.items()
    }
    answers = take_turns(work, options.repeats)
    results = {
        name: {"bytes": kept[name].bytes} | judge(runner, data.test, reference) | summarize(answers[name])
        for name, runner in runners.items()
    }
    about = session.machine() | session.versions()
    print(
        f"{'untrained' if options.quick else options.model.name}, {len(data.test):,} test images "
        f"({data.source}), {about['processor']}, {about['accelerator']}; {options.repeats} turns with "
        f"{options.singles} single images each"
    )
    report(results)
    if options.json:
        whole = options.json.with_suffix(".tmp")
        content = {"about": about, "results": results, "answers": answers}
        whole.write_text(json.dumps(content, indent=1), encoding="utf-8")
        whole.replace(options.json)


if __name__ == "__main__":
    main()
