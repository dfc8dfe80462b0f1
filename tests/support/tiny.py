"""Data and networks so small that a test can train on them, and a study of them that the tests run."""

from dataclasses import replace
from functools import partial

import numpy as np

from helpers import experiments, models, records, workers
from helpers.augment import Augmentation
from helpers.data import Cifar10, Split, TrainingData
from helpers.recipe import Recipe
from helpers.studies import Study, Variant

# Everything at once that has a state of its own or draws at random.
NETWORK = {"blocks": 1, "width": 2, "dense_units": 8, "dropout": 0.3, "batch_norm": True}
build = partial(models.vgg, **NETWORK)
RECIPE = Recipe(
    epochs=3,
    batch_size=50,
    learning_rate=5e-3,
    schedule="triangular",
    weight_decay=0.01,
    label_smoothing=0.1,
    augmentation=Augmentation(flip=True, shift=2, cutout=8),
)
QUICK = Recipe(epochs=1, batch_size=64)
STEP = replace(QUICK, optimizer="sgd", learning_rate=0.1)

STUDY = Study(
    name="tiny",
    question="Does a smaller step help?",
    variants=(
        Variant("base", "Baseline", "softmax_regression", {}, QUICK),
        Variant("lr0.1", "Step 0.1", "softmax_regression", {}, STEP),
        Variant("vgg", "VGG, 1 block", "vgg", NETWORK, RECIPE),
    ),
    seeds=2,
    val_size=40,
)


def tiny_data(train: int = 130, val: int = 40, seed: int = 0) -> TrainingData:
    """Return noisy pictures, each in the colour of its class, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    colours = np.random.default_rng(0).integers(0, 200, (10, 1, 1, 3))

    def split(count):
        labels = np.arange(count) % 10
        return Split((colours[labels] + rng.integers(0, 56, (count, 32, 32, 3))).astype("uint8"), labels)

    return TrainingData(split(train), split(val), "sample")


def tiny_cifar10(source: str = "sample", seed: int = 0, val_size: int = 40) -> Cifar10:
    """Return what stands in for `load_cifar10`; its images depend on the seed, as a split does."""
    data = tiny_data(val=val_size, seed=seed)
    return Cifar10(data.train, data.val, tiny_data(10, 40, seed).val, source)


def use_study(monkeypatch, folder, study: Study = STUDY) -> None:
    """Make the command line know this study alone, keep its runs in a folder, and load the tiny data.

    It trains in this process, where the study and the data stand in for others.
    """
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    monkeypatch.setattr(records, "STUDIES", {study.name: study})
    monkeypatch.setattr(records, "RUNS", folder / "runs")
    monkeypatch.setattr(experiments, "load_cifar10", tiny_cifar10)
    monkeypatch.setattr(workers, "PAUSE", 0)
    monkeypatch.setattr(workers, "in_own_process", lambda function, *arguments: function(*arguments))


def changed(data: TrainingData, part: str, **arrays) -> TrainingData:
    """Return the data with the images or labels of one part replaced."""
    split = getattr(data, part)
    parts = {"images": split.images, "labels": split.labels} | arrays
    return replace(data, **{part: Split(parts["images"], parts["labels"])})
