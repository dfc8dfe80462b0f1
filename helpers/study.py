"""What a study is: variants that are trained by their recipes at one equal budget, and compared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import keras

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

    def train(
        self, data: TrainingData, seed: int, resume_dir=None, progress: bool = True
    ) -> tuple[keras.Model | None, Run]:
        """Train this variant with one seed; return the network (None for "hog_svm") and the run's record."""
        if self.model == "hog_svm":
            return None, train_hog_svm(data, seed, **self.options)
        build: Callable = partial(getattr(models, self.model), **self.options)
        return train(build, data, self.recipe, seed, resume_dir, progress=progress)


@dataclass(frozen=True)
class Study:
    """Variants that are compared at one equal budget; the first is what the others are compared with.

    Args:
        name: name on the command line and of the folder in `data/runs/`.
        question: what the study asks, in one sentence.
        variants: the arms.
        seeds: how many seeds are trained; `split` says which images each validates on.
        first_seed: they are counted from here. Studies that choose a setting use seeds of their
            own, so that the splits which choose are not the ones that judge.
        milestones: epochs after which the accuracy is of interest, too. With a constant learning
            rate and no averaging, a run of 40 epochs has the run of 5 epochs as its beginning, to
            the bit; so one run answers for every shorter budget.
        views: numbers of views (`evaluation.predict_logits`) by which each trained network is judged.
        val_size: how many images are held out for validation; a final study holds out none.
        folds: so many seeds share a shuffle, and each of them validates on a fold of its own.
        final: whether the networks are trained on all 50,000 images and judged on the test images,
            once, when they are recorded. There is no validation then, so nothing can be chosen.

    Raises:
        ValueError: if there are milestones and a recipe for which this does not hold.
    """

    name: str
    question: str
    variants: tuple[Variant, ...]
    seeds: int = 3
    first_seed: int = 0
    milestones: tuple[int, ...] = ()
    views: tuple[int, ...] = ()
    val_size: int = 5000
    folds: int = 1
    final: bool = False

    def split(self, seed: int) -> dict[str, int]:
        """Return what `load_cifar10` needs to hold out the images that a seed validates on."""
        if self.final:
            return {"val_size": 0, "seed": seed, "fold": 0}
        return {"val_size": self.val_size, "seed": seed // self.folds, "fold": seed % self.folds}

    def __getitem__(self, name: str) -> Variant:
        """Return the variant of that name; KeyError if there is none."""
        return {variant.name: variant for variant in self.variants}[name]

    def __post_init__(self):
        for recipe in [v.recipe for v in self.variants if self.milestones]:
            if recipe is None or recipe.schedule != "constant" or recipe.averaging:
                raise ValueError(
                    f"{self.name} has milestones, so its recipes need a constant learning rate and no "
                    "averaging: otherwise a long run does not begin as a short one."
                )
