"""The studies of the series: which variants are compared, by which recipe. The runner is `experiments`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from helpers import models
from helpers.classical import train_hog_svm
from helpers.data import TrainingData
from helpers.training import Recipe, Run, train


@dataclass(frozen=True)
class Variant:
    """One arm of a study: a network with its options, and the recipe that trains it.

    Args:
        name: unique within the study; also the name of its files.
        title: what tables and figures call it.
        model: name of a function in `helpers.models`, or "hog_svm".
        options: keyword arguments of that function, able to be written as JSON.
        recipe: how to train; None for "hog_svm", whose options say it.
    """

    name: str
    title: str
    model: str
    options: dict = field(default_factory=dict)
    recipe: Recipe | None = None

    def train(self, data: TrainingData, seed: int, resume_dir=None, progress: bool = True) -> Run:
        """Train this variant with one seed and return the record of the run."""
        if self.model == "hog_svm":
            return train_hog_svm(data, seed, **self.options)
        build: Callable = partial(getattr(models, self.model), **self.options)
        return train(build, data, self.recipe, seed, resume_dir, progress=progress)[1]


@dataclass(frozen=True)
class Study:
    """Variants that are compared at one equal budget; the first is what the others are compared with.

    Args:
        name: name on the command line and of the folder in `data/runs/`.
        question: what the study asks, in one sentence.
        variants: the arms.
        seeds: seeds 0 to seeds - 1 are trained; seed s also draws the validation split s.
    """

    name: str
    question: str
    variants: tuple[Variant, ...]
    seeds: int = 3


BUDGET = Recipe(epochs=15, batch_size=128, optimizer="adam", learning_rate=1e-3)

BASELINE = Study(
    name="baseline",
    question="How far do linear models, hand-made features, a dense network and small CNNs get in 15 epochs?",
    variants=(
        Variant("vgg3", "VGG, 3 blocks", "vgg", {"blocks": 3}, BUDGET),
        Variant("vgg2", "VGG, 2 blocks", "vgg", {"blocks": 2}, BUDGET),
        Variant("vgg1", "VGG, 1 block", "vgg", {"blocks": 1}, BUDGET),
        Variant("tutorial_cnn", "TensorFlow's tutorial CNN", "tutorial_cnn", {}, BUDGET),
        Variant("mlp", "Dense network", "mlp", {}, BUDGET),
        Variant("hog_svm", "HOG + linear SVM", "hog_svm", {"passes": 15, "alpha": 1e-6}),
        Variant("logistic", "Logistic regression", "softmax_regression", {}, BUDGET),
    ),
)

STUDIES = {study.name: study for study in (BASELINE,)}
