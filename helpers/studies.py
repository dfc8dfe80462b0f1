"""The studies of the series: which variants are compared, by which recipe. The runner is `experiments`."""

from dataclasses import replace

from helpers.augment import Augmentation
from helpers.comparisons import climb, comparisons
from helpers.recipe import Recipe, Study, Variant
from helpers.screening import SCREENINGS

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

CHOOSING = {"seeds": 1, "first_seed": 100}  # a split that no study judges by
BY_DEPTH = (0.1, 0.2, 0.3, 0.4)

REGULARIZATION = Study(
    name="regularization",
    question="How much dropout and how much weight decay suit the standard CNN?",
    variants=(
        Variant("none", "none", "vgg", {}, BUDGET),
        Variant("dropout_20", "dropout 0.2", "vgg", {"dropout": 0.2}, BUDGET),
        Variant("dropout_40", "dropout 0.4", "vgg", {"dropout": 0.4}, BUDGET),
        Variant("dropout_depth", "dropout 0.1 to 0.4 by depth", "vgg", {"dropout": BY_DEPTH}, BUDGET),
        Variant("l2_1e-4", "L2 penalty 0.0001", "vgg", {"l2": 1e-4}, BUDGET),
        Variant("l2_1e-3", "L2 penalty 0.001", "vgg", {"l2": 1e-3}, BUDGET),
        Variant("adamw_5e-2", "decoupled decay 0.05", "vgg", {}, replace(BUDGET, weight_decay=0.05)),
        Variant("adamw_5e-1", "decoupled decay 0.5", "vgg", {}, replace(BUDGET, weight_decay=0.5)),
    ),
    **CHOOSING,
)

# The best of the study `regularization`, by validation accuracy; a test compares.
DROPOUT, DECAY = {"dropout": 0.2}, {"l2": 1e-3}
# The arms of chapters 04 to 06, one change at a time and then together: title, network, recipe.
AUGMENTED = replace(BUDGET, augmentation=Augmentation(flip=True, shift=4))
ARMS = {
    "baseline": ("Baseline", {}, BUDGET),
    "dropout": ("Dropout", DROPOUT, BUDGET),
    "decay": ("L2 penalty", DECAY, BUDGET),
    "augment": ("Augmentation", {}, AUGMENTED),
    "bn": ("Batch normalisation", {"batch_norm": True}, BUDGET),
    "dropout_augment": ("Dropout + augmentation", DROPOUT, AUGMENTED),
    "augment_bn": ("Augmentation + batch normalisation", {"batch_norm": True}, AUGMENTED),
    "all": ("All four", DROPOUT | DECAY | {"batch_norm": True}, AUGMENTED),
}
LEARNING_RATES = (3e-4, 1e-3, 3e-3)
# For each arm the rate with the best validation accuracy in the study `screening`; a test compares.
CHOSEN_RATES = dict.fromkeys(ARMS, 1e-3) | {"bn": 3e-3}


def _variant(arm: str, name: str, setting: str = "", **changes) -> Variant:
    """Return an arm under a name, with changes to its recipe, and in its title what was set."""
    title, options, recipe = ARMS[arm]
    return Variant(name, f"{title}{setting and ', '}{setting}", "vgg", options, replace(recipe, **changes))


SCREENING = Study(
    name="screening",
    question="Which learning rate suits each technique, judged by a third of the budget?",
    variants=tuple(
        _variant(arm, f"{arm}_{rate:g}", f"learning rate {rate:g}", learning_rate=rate, epochs=5)
        for arm in ARMS
        for rate in LEARNING_RATES
    ),
    **CHOOSING,
)

IMPROVEMENTS = Study(
    name="improvements",
    question="What do dropout, weight decay, augmentation and batch normalisation bring in 15 epochs?",
    variants=tuple(_variant(arm, arm, learning_rate=CHOSEN_RATES[arm]) for arm in ARMS),
)

BOTH = tuple(_variant(a, a, learning_rate=CHOSEN_RATES[a], epochs=40) for a in ("baseline", "all"))
LONGER = Study("budget", "Who profits from longer training?", BOTH, seeds=1)

# What the study `screening` does not cover: rates far too large, batches small and large.
SCALES = (
    ("rate_0.01", "learning rate 0.01", {"learning_rate": 0.01}),
    ("rate_0.03", "learning rate 0.03", {"learning_rate": 0.03}),
    ("batch_16", "batches of 16", {"batch_size": 16}),
    ("batch_1024", "batches of 1,024", {"batch_size": 1024}),
)
BATCH_NORM = Study(
    name="batch_norm",
    question="Which learning rates and batch sizes can be used with batch normalisation, and without?",
    variants=tuple(
        _variant(arm, f"{arm}_{name}", setting, epochs=5, **changes)
        for name, setting, changes in SCALES
        for arm in ("baseline", "bn")
    ),
    **CHOOSING,
)

# Chapter 07: a ladder from chapter 06's best to the fast recipe, one change at a time.
SMALL, SMALL_SHIFT = {"width": 16}, Augmentation(flip=True, alternate=True, shift=2)
SGD = {"optimizer": "sgd", "learning_rate": 0.7, "momentum": 0.85, "batch_size": 500}
LADDER = (  # name, title, the network where it changes, and what changes in the recipe
    ("schedule", "+ triangular schedule", None, {"schedule": "triangular", "learning_rate": 3e-3}),
    ("smoothing", "+ label smoothing", None, {"label_smoothing": 0.2}),
    ("network", "+ another network", SMALL | {"whitening": False, "identity": False}, {}),
    ("sgd", "+ SGD, batches of 500", None, SGD),
    ("decay", "+ weight decay", None, {"weight_decay": 0.009}),
    ("shifts", "+ fast shifts", None, {"shift_rate": 64.0}),
    ("muon", "+ Muon", None, {"optimizer": "muon"}),
    ("whitening", "+ whitening", SMALL | {"identity": False}, {}),
    ("identity", "+ start as identity", SMALL, {}),
    ("flips", "+ alternating flips, small shifts", None, {"augmentation": SMALL_SHIFT}),
    ("crops", "+ small crops first", None, {"epochs": 7, "small_epochs": 3}),
)

_START = IMPROVEMENTS["augment_bn"]
_START = Variant("start", "Chapter 06's best", "vgg", _START.options, replace(_START.recipe, epochs=6))
FAST = Study(
    "fast", "Which steps lead from chapter 06's best to the fast recipe?", climb(_START, LADDER), views=(2, 6)
)

TOP = FAST.variants[-1]
TEN_EPOCHS = replace(TOP.recipe, epochs=10, small_epochs=4)
QUICK_RECIPE = Variant("quick", "Quick recipe", "fast_net", {"width": 32}, TEN_EPOCHS)
FOURTEEN_EPOCHS = replace(TOP.recipe, epochs=14, small_epochs=5)
FULL_RECIPE = Variant("full", "Full recipe", "fast_net", {"width": 64}, FOURTEEN_EPOCHS)
QUICK = Study("quick", "How accurate is a small network after a few minutes?", (QUICK_RECIPE,), views=(2, 6))
FULL = Study("full", "How accurate is the full recipe on validation images?", (FULL_RECIPE,), 1, views=(2, 6))
FINAL = Study("final", "How accurate is it on the test images?", (FULL_RECIPE,), views=(1, 2, 6), final=True)

# The network and the recipe of a widely read tutorial, which takes 400 epochs for 88.62%: how long is one?
CLASSIC_RECIPE = Recipe(2, 64, "sgd", learning_rate=1e-3, augmentation=Augmentation(flip=True, shift=3))
CLASSIC = Variant("classic_cnn", "Classic tutorial, first 2 of 400 epochs", "classic_cnn", {}, CLASSIC_RECIPE)
CLASSIC_KERAS = Study("classic_keras", "How long is an epoch of the classic network?", (CLASSIC,), seeds=1)

_ALL = (BASELINE, REGULARIZATION, SCREENING, IMPROVEMENTS, LONGER, BATCH_NORM, FAST, QUICK, FULL, FINAL)
STUDIES = {study.name: study for study in (*_ALL, CLASSIC_KERAS, *SCREENINGS, *comparisons())}
