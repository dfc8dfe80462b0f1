"""What the kill test starts and kills: `python -m tests.kill_target FOLDER SEEDS` runs a study in FOLDER.

It is the command line of `helpers.experiments`, with three changes: the data are the images of the sample
that the test has put into FOLDER; the final weights are kept; and each file that is written is announced on
standard output and then held open for a moment, so that kills also fall into the writing.
"""

import os
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import experiments, study
from helpers.data import Cifar10, Split
from helpers.studies import Study, Variant
from tests.tiny import NETWORK, RECIPE, use_study

STUDY = Study("killed", "Is anything lost?", (Variant("vgg", "VGG", "vgg", NETWORK, RECIPE),))
WRITING = 0.1  # seconds that a file is held half-written


def main(folder: Path, seeds: str) -> int:
    def sample(source, **split):
        with np.load(folder / "sample.npz") as arrays:
            train, val = (
                Split(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "val")
            )
        return Cifar10(train, val, val, source)

    def train_and_keep_weights(build, data, recipe, seed, *args, **options):
        model, run = train(build, data, recipe, seed, *args, **options)
        weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
        np.savez(folder / f"weights{seed}.npz", *weights)
        return model, run

    def slow_sync(number):
        say(
            "writing the record"
            if len(list(folder.glob("runs/sample/killed/*.tmp")))
            else "writing the state"
        )
        time.sleep(WRITING)
        sync(number)

    with pytest.MonkeyPatch.context() as patch:
        train, sync = study.train, os.fsync
        use_study(patch, folder, STUDY)
        patch.setattr(experiments, "load_cifar10", sample)
        patch.setattr(study, "train", train_and_keep_weights)
        patch.setattr(os, "fsync", slow_sync)
        say("training")
        return experiments.main(["run", "killed", "--source", "sample", "--seeds", seeds])


def say(phase: str) -> None:
    print(f"phase: {phase}", flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
