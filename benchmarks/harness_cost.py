"""Compare `helpers.training.train` with a bare `model.compile(); model.fit()`: time and memory.

Both train `vgg(3)` with Adam on the same images in batches of 128 and validate after every epoch; `train`
also shuffles by seed and epoch, watches the loss and saves its state. They take turns, each in a new process.

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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["TUTORIAL_PROFILE"] = "standard"
GOAL = 1.05
BATCH_SIZE = 128


def training_data(images: int):
    """Return CIFAR-10 if CIFAR10_DIR names it, else the sample; with at most so many training images."""
    from helpers.data import Split, TrainingData, load_cifar10

    cifar10 = load_cifar10("official" if os.environ.get("CIFAR10_DIR") else "sample")
    train = Split(cifar10.train.images[:images], cifar10.train.labels[:images])
    return TrainingData(train, cifar10.val, cifar10.source)


def bare(data, epochs: int) -> list[float]:
    """Train with Keras alone; return the seconds of each epoch, validation included."""
    import keras

    from helpers import models

    model = models.vgg(3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    moments = [time.perf_counter()]
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: moments.append(time.perf_counter()))
    settings = {"batch_size": BATCH_SIZE, "validation_batch_size": 500, "callbacks": [clock], "verbose": 0}
    validation = data.val.images, data.val.labels
    model.fit(data.train.images, data.train.labels, epochs=epochs, validation_data=validation, **settings)
    return [after - before for before, after in pairwise(moments)]


def ours(data, epochs: int) -> list[float]:
    """Train with `train`, its state saved after every epoch; return the same seconds.

    What lies between two epochs, such as the saving, is shared out among them.
    """
    from helpers import models
    from helpers.recipe import Recipe
    from helpers.training import train

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(epochs=epochs, batch_size=BATCH_SIZE)
        _, run = train(lambda: models.vgg(3), data, recipe, resume_dir=folder, progress=False)
    between = (time.perf_counter() - began - run.seconds) / epochs
    return [epoch["seconds"] + between for epoch in run.history]


CONTENDERS = {"model.fit()": bare, "train()": ours}


def peak_memory() -> float:
    """Return the most memory that this process has held so far, in MB."""
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):  # Windows
        return info.peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def in_new_process(name: str, options) -> dict:
    """Return what one contender measures in a process of its own."""
    sizes = [f"--images={options.images}", f"--epochs={options.epochs}"]
    command = [sys.executable, __file__, "--once", name, *sizes]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Let both take turns and print one row for each, and the ratio of their seconds per epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=45_000, help="training images at most")
    parser.add_argument("--epochs", type=int, default=3, help="of each turn; the first is told apart")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each")
    parser.add_argument("--once", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        import helpers.session  # noqa: F401  starts TensorFlow without its notes

        first, *others = CONTENDERS[options.once](training_data(options.images), options.epochs)
        result = {"first": first, "epoch": statistics.median(others), "memory": peak_memory()}
        return print(json.dumps(result))
    turns = {name: [] for name in CONTENDERS}
    for turn in range(options.repeats):
        for name in sorted(CONTENDERS, reverse=turn % 2 == 1):
            turns[name].append(in_new_process(name, options))
    print(f"vgg(3), at most {options.images:,} training images in batches of {BATCH_SIZE}")
    for name, results in turns.items():
        first, epoch, memory = (statistics.median(r[key] for r in results) for key in results[0])
        print(f"  {name:<14}{epoch:7.2f} s per epoch, {first:.2f} s for the first, {memory:,.0f} MB at most")
    ratios = [mine["epoch"] / plain["epoch"] for plain, mine in zip(*turns.values(), strict=True)]
    return print(
        f"train() takes {statistics.median(ratios):.3f} times as long per epoch ({min(ratios):.3f} to "
        f"{max(ratios):.3f} in {len(ratios)} turns); the goal is at most {GOAL}."
    )


if __name__ == "__main__":
    main()
