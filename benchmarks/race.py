"""A race: contenders take turns, each in a process of its own. What counts is a ratio of two programs,
measured in one run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where helpers lies


def options(about: str, contenders: dict[str, Callable], **sizes: int) -> argparse.Namespace:
    """Return the command line's options, each a whole number; or be the contender that it names, and exit.

    Args:
        about: the script's docstring.
        contenders: functions of the options that return the seconds of what counts.
        sizes: the options and their defaults.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    for name, value in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--contender", choices=contenders, help=argparse.SUPPRESS)
    found = parser.parse_args()
    if found.contender:
        import helpers.session  # noqa: F401  starts TensorFlow without its notes

        tell(contenders[found.contender](found))
        sys.exit()
    return found


def tell(seconds: float) -> None:
    """Print a contender's seconds, and the most memory in MB that its process has held, as JSON."""
    import resource  # here, since Windows lacks it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(json.dumps({"seconds": seconds, "memory": peak}))


def command(contender: str) -> list[str]:
    """Return the command that makes this script be one contender."""
    return [sys.executable, sys.argv[0], "--contender", contender]


def in_new_process(words: list[str], sizes: argparse.Namespace) -> dict[str, float]:
    """Return the JSON that a contender prints at last, in a process of its own."""
    words = words + [f"--{name}={value}" for name, value in vars(sizes).items() if isinstance(value, int)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(commands: dict[str, list[str]], sizes: argparse.Namespace, goal: str) -> None:
    """Let all take `sizes.repeats` turns; print medians, and the ratios of the first one's time to theirs."""
    turns = {name: [] for name in commands}
    for turn in range(sizes.repeats):
        for name in list(commands)[:: -1 if turn % 2 else 1]:
            turns[name].append(in_new_process(commands[name], sizes))
    ours = next(iter(turns))
    for name, results in turns.items():
        seconds, memory = (statistics.median(r[key] for r in results) for key in ("seconds", "memory"))
        ratios = [o["seconds"] / r["seconds"] for o, r in zip(turns[ours], results, strict=True)]
        said = f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        print(f"{name:36}{seconds:9.4f} s, {memory:6,.0f} MB{'' if name == ours else ', ' + said}")
    print(f"Medians of {sizes.repeats} turns; the ratios are of the time of {ours}. Goal: {goal}.")


def training_data(images: int):
    """Return so many training images, repeated where there are too few, and all to validate on.

    They are of CIFAR-10 if CIFAR10_DIR names it, else of the sample.
    """
    import numpy as np

    from helpers.data import Split, TrainingData, load_cifar10

    data = load_cifar10("official" if os.environ.get("CIFAR10_DIR") else "sample")
    train = Split(np.resize(data.train.images, (images, 32, 32, 3)), np.resize(data.train.labels, images))
    return TrainingData(train, data.val, data.source)
