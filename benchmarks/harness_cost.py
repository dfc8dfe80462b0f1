"""Compare `helpers.training.train` with a bare `model.compile(); model.fit()`: time and memory.

Both train `vgg(3)` with Adam on the same images in batches of 128 and validate after every epoch; `train`
also shuffles by seed and epoch, watches the loss and saves its state, as in a study. They take turns in one
process for the seconds per epoch; memory and the time to the first result come from a process of each.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/harness_cost.py
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["TUTORIAL_PROFILE"] = "standard"
GOAL = 1.05
BATCH_SIZE = 128


def training_data(images: int):
    """Return CIFAR-10 if CIFAR10_DIR names it, else the sample; with at most so many training images."""
    import helpers.session  # noqa: F401  starts TensorFlow without its notes
    from helpers.data import Split, TrainingData, load_cifar10

    cifar10 = load_cifar10("official" if os.environ.get("CIFAR10_DIR") else "sample")
    train = Split(cifar10.train.images[:images], cifar10.train.labels[:images])
    return TrainingData(train, cifar10.val, cifar10.source)


def bare(data, epochs: int) -> list[float]:
    """Train with Keras alone; return the moments of the call and of each epoch's result."""
    import keras

    from helpers import models

    moments = [time.perf_counter()]
    model = models.vgg(3)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: moments.append(time.perf_counter()))
    model.fit(
        data.train.images,
        data.train.labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(data.val.images, data.val.labels),
        validation_batch_size=500,
        callbacks=[clock],
        verbose=0,
    )
    return moments


def ours(data, epochs: int) -> list[float]:
    """Train with `train`, state saved after every epoch; return the same moments as `bare`."""
    from helpers import models, training

    class Clock(training.ProgressBar):
        def finish_epoch(self, entry):
            super().finish_epoch(entry)
            moments.append(time.perf_counter())

    recipe = training.Recipe(epochs=epochs, batch_size=BATCH_SIZE)
    kept, training.ProgressBar = training.ProgressBar, Clock
    try:
        with tempfile.TemporaryDirectory() as folder:
            moments = [time.perf_counter()]
            training.train(lambda: models.vgg(3), data, recipe, resume_dir=folder, progress=False)
    finally:
        training.ProgressBar = kept
    return moments


CONTENDERS = {"model.fit()": bare, "train()": ours}


def measure_once(name: str, images: int) -> None:
    """Train for one epoch in this process and print seconds to its result and peak memory as JSON."""
    data = training_data(images)
    called, first = CONTENDERS[name](data, 1)
    print(json.dumps({"first": first - called, "memory": peak_memory()}))


def peak_memory() -> float:
    """Return the most memory that this process has held so far, in MB."""
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):  # Windows
        return info.peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def in_new_process(name: str, images: int) -> dict[str, float]:
    """Return what `measure_once` prints in a process of its own."""
    command = [sys.executable, __file__, "--once", name, "--images", str(images)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def epoch_seconds(data, epochs: int, repeats: int) -> dict[str, list[float]]:
    """Let both take turns; return each one's median seconds per epoch (the first left out) per repeat."""
    seconds = {name: [] for name in CONTENDERS}
    for repeat in range(repeats):
        for name in sorted(CONTENDERS, reverse=repeat % 2 == 1):
            moments = CONTENDERS[name](data, 1 + epochs)[1:]
            epochs_alone = [after - before for before, after in pairwise(moments)]
            seconds[name].append(statistics.median(epochs_alone))
    return seconds


def report(data, once: dict, seconds: dict) -> None:
    """Print one row per contender and the ratio of their seconds per epoch."""
    from helpers import session

    machine = session.machine()
    print(
        f"vgg(3), {len(data.train):,} training images ({data.source}), batches of {BATCH_SIZE}, "
        f"{machine['processor']}, {machine['accelerator']}"
    )
    print(f"{'':<14}{'seconds per epoch':>20}{'to the first result':>22}{'peak memory':>16}")
    for name in CONTENDERS:
        median = statistics.median(seconds[name])
        print(f"{name:<14}{median:>20.2f}{once[name]['first']:>20.2f} s{once[name]['memory']:>13,.0f} MB")
    ratios = [mine / plain for plain, mine in zip(*seconds.values(), strict=True)]
    print(
        f"train() takes {statistics.median(ratios):.3f} times as long per epoch "
        f"({min(ratios):.3f} to {max(ratios):.3f} in {len(ratios)} repeats); the goal is at most {GOAL}."
    )


def main() -> None:
    """Measure memory and first results before this process itself grows, then the seconds per epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=45_000, help="training images at most")
    parser.add_argument("--epochs", type=int, default=2, help="epochs that count, per turn")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each")
    parser.add_argument("--once", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        return measure_once(options.once, options.images)
    once = {name: in_new_process(name, options.images) for name in CONTENDERS}
    data = training_data(options.images)
    return report(data, once, epoch_seconds(data, options.epochs, options.repeats))


if __name__ == "__main__":
    main()
