"""The studies of the series: which variants are compared, by which recipe. The runner is `experiments`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from helpers import models
from helpers.augment import Augmentation
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
        seeds: how many seeds are trained; seed s also draws the validation split s.
        first_seed: they are counted from here. Studies that choose a setting use seeds of their
            own, so that the splits which choose are not the ones that judge.
        milestones: epochs after which the accuracy is of interest, too. With a constant learning
            rate and no averaging, a run of 40 epochs has the run of 5 epochs as its beginning, to
            the bit; so one run answers for every shorter budget.

    Raises:
        ValueError: if there are milestones and a recipe for which this does not hold.
    """

    name: str
    question: str
    variants: tuple[Variant, ...]
    seeds: int = 3
    first_seed: int = 0
    milestones: tuple[int, ...] = ()

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

SCREENING_SEED = 100
FLIP_AND_SHIFT = Augmentation(flip=True, shift=4)
BY_DEPTH = (0.1, 0.2, 0.3, 0.4)

REGULARIZATION = Study(
    name="regularization",
    question="How much dropout and how much weight decay suit the standard CNN?",
    variants=(
        Variant("none", "none", "vgg", {}, BUDGET),
        Variant("dropout_20", "dropout 0.2", "vgg", {"dropout": 0.2}, BUDGET),
        Variant("dropout_40", "dropout 0.4", "vgg", {"dropout": 0.4}, BUDGET),
        Variant("dropout_depth", "dropout 0.1 to 0.4 by depth", "vgg", {"dropout": BY_DEPTH}, BUDGET),
        Variant("l2_1e-4", "L2 penalty 0.0001", "vgg", {"weight_decay": 1e-4}, BUDGET),
        Variant("l2_1e-3", "L2 penalty 0.001", "vgg", {"weight_decay": 1e-3}, BUDGET),
        Variant("adamw_5e-2", "decoupled decay 0.05", "vgg", {}, replace(BUDGET, weight_decay=0.05)),
        Variant("adamw_5e-1", "decoupled decay 0.5", "vgg", {}, replace(BUDGET, weight_decay=0.5)),
    ),
    seeds=1,
    first_seed=SCREENING_SEED,
)

# The best of the study `regularization`, by validation accuracy; a test compares.
DROPOUT = {"dropout": 0.2}
DECAY = {"weight_decay": 1e-3}
# The arms of chapters 03 to 05, one change at a time and then together: title, network, recipe.
AUGMENTED = replace(BUDGET, augmentation=FLIP_AND_SHIFT)
ARMS = {
    "baseline": ("Baseline", {}, BUDGET),
    "dropout": ("Dropout", DROPOUT, BUDGET),
    "decay": ("Weight decay", DECAY, BUDGET),
    "augment": ("Augmentation", {}, AUGMENTED),
    "bn": ("Batch normalisation", {"batch_norm": True}, BUDGET),
    "dropout_augment": ("Dropout + augmentation", DROPOUT, AUGMENTED),
    "augment_bn": ("Augmentation + batch normalisation", {"batch_norm": True}, AUGMENTED),
    "all": ("All four", DROPOUT | DECAY | {"batch_norm": True}, AUGMENTED),
}
LEARNING_RATES = (3e-4, 1e-3, 3e-3)
# For each arm the rate with the best validation accuracy in the study `screening`; a test compares.
CHOSEN_RATES = dict.fromkeys(ARMS, 1e-3) | {"bn": 3e-3}


def screened(arm: str, learning_rate: float) -> str:
    """Return the name of the variant of the study `screening` that tries this arm with this rate."""
    return f"{arm}_{learning_rate:g}"


def _variant(arm: str, name: str, setting: str = "", **changes) -> Variant:
    """Return an arm under a name, with changes to its recipe, and in its title what was set."""
    title, options, recipe = ARMS[arm]
    return Variant(name, f"{title}{setting and ', '}{setting}", "vgg", options, replace(recipe, **changes))


SCREENING = Study(
    name="screening",
    question="Which learning rate suits each technique, judged by a third of the budget?",
    variants=tuple(
        _variant(
            arm,
            screened(arm, rate),
            f"learning rate {rate:g}",
            learning_rate=rate,
            epochs=BUDGET.epochs // 3,
        )
        for arm in ARMS
        for rate in LEARNING_RATES
    ),
    seeds=1,
    first_seed=SCREENING_SEED,
)

IMPROVEMENTS = Study(
    name="improvements",
    question="What do dropout, weight decay, augmentation and batch normalisation bring in 15 epochs?",
    variants=tuple(_variant(arm, arm, learning_rate=CHOSEN_RATES[arm]) for arm in ARMS),
)

LONGER = Study(
    name="budget",
    question="Who profits from longer training?",
    variants=tuple(
        _variant(arm, arm, learning_rate=CHOSEN_RATES[arm], epochs=40) for arm in ("baseline", "all")
    ),
    seeds=1,
    milestones=(5, 10, 20, 40),
)

# What the study `screening` does not cover: rates far too large, batches small and large.
BATCH_NORM = Study(
    name="batch_norm",
    question="Which learning rates and batch sizes can be used with batch normalisation, and without?",
    variants=tuple(
        _variant(arm, f"{arm}_{name}", setting, epochs=5, **changes)
        for name, setting, changes in (
            ("rate_0.01", "learning rate 0.01", {"learning_rate": 0.01}),
            ("rate_0.03", "learning rate 0.03", {"learning_rate": 0.03}),
            ("batch_16", "batches of 16", {"batch_size": 16}),
            ("batch_1024", "batches of 1,024", {"batch_size": 1024}),
        )
        for arm in ("baseline", "bn")
    ),
    seeds=1,
    first_seed=SCREENING_SEED,
)

STUDIES = {
    study.name: study for study in (BASELINE, REGULARIZATION, SCREENING, IMPROVEMENTS, LONGER, BATCH_NORM)
}
