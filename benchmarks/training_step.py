"""Measure how fast `fast_net` trains on the processor, in five parts. In four, contenders take turns:

torch   our training step against the same network, batch, loss and optimizer in PyTorch, float32,
        channels last, as it is and with torch.compile (the faster counts)
keras   our epoch with flip and shift against plain Keras `fit` with Keras' preprocessing layers
peak    our training step against this machine's fastest matrix multiplication
growth  seconds per epoch against width, batch size and number of images
profile which kernels the time of our training step goes to, as oneDNN itself tells

Each contender is a process of its own with the same number of threads; graphics cards are hidden.
Of widths, batch sizes and image counts, the first is the one at which the other parts are measured.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/training_step.py
"""

import argparse
import collections
import contextlib
import functools
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from turns import CHECK_STEPS, Child, once, seconds_of, show, take_turns

GOALS = {"torch": 2.0, "keras": 1.5, "peak": 1.3}
PLAIN = {
    f"fit, {shift} in {place}": {"place": place, "shift": shift}
    for place, shift in itertools.product(("model", "tf.data"), ("RandomTranslation", "RandomCrop"))
}


def compare(answers: dict[str, list[dict]], rivals: list[str], goal: float) -> dict:
    """Print and return how many times as fast as the fastest rival "ours" is, turn by turn."""
    rival = min(rivals, key=lambda name: seconds_of(answers[name]))
    pairs = zip(answers[rival], answers["ours"], strict=True)
    ratios = [theirs["seconds"] / own["seconds"] for theirs, own in pairs]
    ratio = {"rival": rival, "median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}
    print(
        f"Ours is {ratio['median']:.2f} times as fast as {rival} ({ratio['min']:.2f} to {ratio['max']:.2f} "
        f"in {len(ratios)} turns); the goal is at least {goal}."
    )
    return ratio


def compare_torch(child: Child, options, setting: dict) -> dict | None:
    """Part torch: prove that both train the same network, then let them take turns."""
    python = options.torch_python
    if subprocess.run([python, "-c", "import numpy, torch"], capture_output=True, check=False).returncode:
        print(f"Skipped: {python} has no PyTorch; {python} -m pip install -r benchmarks/requirements.txt")
        return None
    with (
        tempfile.TemporaryDirectory() as folder,
        Child(options.threads, python, "torch_net.py") as eager,
        Child(options.threads, python, "torch_net.py") as compiled,
    ):
        expected = child("export", folder=folder, **setting)
        work = {"ours": lambda: child("turn", contender="ours", augmented=False, **setting)}
        for name, other in (("PyTorch", eager), ("PyTorch, torch.compile", compiled)):
            given = {"folder": folder, "compiled": other is compiled, "batch_size": setting["batch_size"]}
            found = other("check", **given)
            if "error" in found:
                print(f"torch.compile does not work here: {found['error']}")
                continue
            difference = require_same(expected, found, name)
            work[name] = lambda other=other, given=given: other("turn", **given)
        answers = take_turns(work, options.repeats)
    rows = [(name, f"{setting['images'] / seconds_of(answers[name]):,.0f}") for name in work]
    show(("training step", "images per second"), *rows)
    print(
        f"Same network: {expected['parameters']:,} weights to learn on both sides, logits within "
        f"{difference:.1e}, equal losses in {CHECK_STEPS} steps. PyTorch {found['torch']}."
    )
    return {"answers": answers, "ratio": compare(answers, list(work)[1:], GOALS["torch"])}


def require_same(expected: dict, found: dict, name: str) -> float:
    """Exit unless parameters, logits and losses agree; return the largest difference of the logits."""
    difference = float(np.abs(np.subtract(expected["logits"], found["logits"])).max())
    losses = np.abs(np.subtract(expected["losses"], found["losses"])).max()
    same = expected["parameters"] == found["parameters"] and max(difference, losses) < 1e-3
    if not same:
        sys.exit(
            f"{name} is not the network that ours is: {found['parameters']:,} weights for "
            f"{expected['parameters']:,}, logits differ by {difference:.1e}, losses by {losses:.1e}."
        )
    return difference


def compare_keras(child: Child, options, setting: dict) -> dict:
    """Part keras: epochs with flip and shift; two in a row, since `fit` may lose time between them."""
    with contextlib.ExitStack() as stack:
        work = {"ours": lambda: child("turn", epochs=2, contender="ours", augmented=True, **setting)}
        for name, form in PLAIN.items():
            other = stack.enter_context(Child(options.threads))
            job = functools.partial(other, "turn", epochs=2, contender="plain", **form, **setting)
            work[name] = job
        answers = take_turns(work, options.repeats)
    rows = []
    for name, own in answers.items():
        seconds, between = seconds_of(own), seconds_of(own, "between")
        speed = setting["images"] / seconds
        rows.append((name, f"{speed:,.0f}", f"{seconds:.2f}", f"{between:.2f}", f"{between / seconds:.0%}"))
    show(("epoch with flip and shift", "images per second", "seconds", "outside steps", "share"), *rows)
    print("RandomCrop moves a batch by one offset; ours and RandomTranslation move each image by its own.")
    return {"answers": answers, "ratio": compare(answers, list(PLAIN), GOALS["keras"])}


def compare_peak(child: Child, options, setting: dict) -> dict:
    """Part peak: operations per second of our training step over those of the fastest matrix product."""
    with Child(options.threads) as other:
        work = {"ours": lambda: child("turn", contender="ours", augmented=False, **setting)}
        for library, size in itertools.product(("TensorFlow", "NumPy"), options.sizes):
            job = functools.partial(other, "multiply", library=library, size=size, seconds=0.5)
            work[f"{library}, {size} x {size}"] = job
        answers = take_turns(work, options.repeats)
    own = answers.pop("ours")
    best = {name: max(answer["gflops"] for answer in all_of) for name, all_of in answers.items()}
    peak, count = max(best.values()), child("flops", width=setting["width"])
    speed = setting["images"] / seconds_of(own)
    achieved, needed = (speed * flop / 1e9 for flop in (3 * count["forward"], count["needed"]))
    show(("matrix product, float32", "GFLOP/s at best"), *[(name, f"{best[name]:.1f}") for name in best])
    print(
        f"fast_net({setting['width']}) does {count['forward'] / 1e6:,.1f} MFLOP per image forward; forward "
        f"and backward count as 3 times that. At {speed:,.0f} images per second it does {achieved:.1f} "
        f"GFLOP/s, {achieved / peak:.2f} of the peak; the goal is at least {GOALS['peak']}."
    )
    print(f"Without the gradients that nothing needs: {needed:.1f} GFLOP/s, {needed / peak:.2f} of the peak.")
    return {"answers": answers | {"ours": own}, "peak": peak, "achieved": achieved, "needed": needed}


def measure_growth(child: Child, options, setting: dict) -> dict:
    """Part growth: our epoch with flip and shift, one of width, batch size and images changed at a time."""
    varied = {"width": options.widths, "batch_size": options.batch_sizes, "images": options.image_counts}
    settings = {
        tuple((setting | {name: value}).values()): setting | {name: value}
        for name, values in varied.items()
        for value in sorted(values)
    }
    work = {
        key: functools.partial(child, "turn", contender="ours", augmented=True, **changed)
        for key, changed in settings.items()
    }
    answers = take_turns(work, options.repeats)
    seconds = {key: seconds_of(own) for key, own in answers.items()}
    result = {}
    for name, values in varied.items():
        keys = [tuple((setting | {name: value}).values()) for value in sorted(values)]
        slope = log_slope(sorted(values), [seconds[key] for key in keys])
        rows = [(value, f"{seconds[key]:.2f}") for value, key in zip(sorted(values), keys, strict=True)]
        show((name.replace("_", " "), "seconds per epoch"), *rows)
        if slope is not None:
            print(f"  grows with the power {slope:.2f} (slope of the line through log against log)")
        result[name] = {"values": sorted(values), "answers": [answers[key] for key in keys], "slope": slope}
    return result


def log_slope(values: list[int], seconds: list[float]) -> float | None:
    """Return the slope of log seconds over log values by least squares; None for a single value."""
    if len(set(values)) < 2:
        return None
    return float(np.polyfit(np.log(values), np.log(seconds), 1)[0])


def profile(child: Child, options, setting: dict) -> dict:
    """Part profile: the share of each of oneDNN's kernels in its time, over our second epoch."""
    told = once(options.threads, "turn", epochs=2, contender="ours", augmented=False, **setting)
    ran = [
        line.split(",") for line in told.splitlines() if line.startswith("onednn_verbose,v1,primitive,exec")
    ]
    if not ran:
        print("oneDNN tells nothing here: TensorFlow does without it on this processor.")
        return {}
    spent = collections.Counter()
    for *_, kind, implementation, task, _, _, _, _, milliseconds in ran[len(ran) // 2 :]:
        spent[kind, task, implementation] += float(milliseconds)
    rows = [(f"{ms / spent.total():.1%}", *kernel) for kernel, ms in spent.most_common(12)]
    show(("share", "operation", "task", "kernel"), *rows)
    convolutions = sum(ms for (kind, *_), ms in spent.items() if kind == "convolution")
    print(f"Convolutions take {convolutions / spent.total():.0%} of the time in oneDNN.")
    return {" ".join(kernel): ms for kernel, ms in spent.items()}


PARTS = {
    "torch": compare_torch,
    "keras": compare_keras,
    "peak": compare_peak,
    "growth": measure_growth,
    "profile": profile,
}


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--widths", nargs="+", type=int, default=[64, 16, 32], help="of fast_net")
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[500, 125, 250, 1000])
    parser.add_argument("--image-counts", nargs="+", type=int, default=[2000, 1000, 4000, 8000])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1024, 2048, 4096], help="of the matrices")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each that count")
    parser.add_argument("--threads", type=int, default=2, help="of each contender")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--json", type=Path, help="file for every single number")
    parser.add_argument(
        "--quick", action="store_true", help="see that everything runs; the numbers mean nothing"
    )
    options = parser.parse_args()
    if options.quick:
        options.widths, options.batch_sizes, options.image_counts = [4, 8], [50, 25], [100, 200]
        options.sizes, options.repeats = [128, 256], 1
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json names the folder {options.json.parent}, which does not exist: make it first")
    if options.image_counts[0] % options.batch_sizes[0]:
        parser.error(
            "the first image count must be a multiple of the first batch size: PyTorch gets whole batches"
        )
    return options


def main() -> None:
    """Measure the parts that are asked for, print them, and keep every single number if asked to."""
    options = read_options()
    setting = {
        "width": options.widths[0],
        "batch_size": options.batch_sizes[0],
        "images": options.image_counts[0],
    }
    with Child(options.threads) as child:
        about = child("about")
        print(
            f"fast_net({setting['width']}), {setting['images']:,} images in batches of "
            f"{setting['batch_size']}, {about['processor']}, {options.threads} threads; "
            f"Keras {about['keras']}, TensorFlow {about['tensorflow']}, NumPy {about['numpy']}; "
            f"medians of {options.repeats} turns"
        )
        results = {"about": about, "options": vars(options) | {"json": str(options.json)}}
        for name in options.parts:
            print(f"\n{name}", flush=True)
            results[name] = PARTS[name](child, options, setting)
    if options.json:
        whole = options.json.with_suffix(".tmp")
        whole.write_text(json.dumps(results, indent=1), encoding="utf-8")
        whole.replace(options.json)


if __name__ == "__main__":
    main()
