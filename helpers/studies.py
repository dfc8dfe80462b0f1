"""The studies of the series: which variants are compared, by which recipe. The runner is `experiments`."""

from dataclasses import replace

from helpers.augment import Augmentation
from helpers.comparisons import climb, comparisons
from helpers.recipe import Recipe, Study, Variant
from helpers.screening import SCREENINGS

BUDGET = Recipe(epochs=15, batch_size=128, optimizer="adam", learning_rate=1e-3)

# The first series, at a constant rate: arms of chapters 04 to 06 (title, network, recipe); for chapter 03
DROPOUT, DECAY = {"dropout": 0.2}, {"l2": 1e-3}
AUGMENTED = replace(BUDGET, augmentation=Augmentation(flip=True, shift=4))
ARMS = {
    "baseline": ("Baseline", {}, BUDGET),
    "dropout": ("Dropout", DROPOUT, BUDGET),
    "decay": ("L2 penalty", DECAY, BUDGET),
    "augment": ("Augmentation", {}, AUGMENTED),
    "bn": ("Batch normalisation", {"batch_norm": True}, replace(BUDGET, learning_rate=3e-3)),
    "dropout_augment": ("Dropout + augmentation", DROPOUT, AUGMENTED),
    "augment_bn": ("Augmentation + batch normalisation", {"batch_norm": True}, AUGMENTED),
    "all": ("All four", DROPOUT | DECAY | {"batch_norm": True}, AUGMENTED),
}
IMPROVEMENTS = Study(
    name="improvements",
    question="What do dropout, weight decay, augmentation and batch normalisation bring in 15 epochs?",
    variants=tuple(Variant(name, title, "vgg", *arm) for name, (title, *arm) in ARMS.items()),
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

_ALL = (IMPROVEMENTS, FAST, QUICK, FULL, FINAL)
STUDIES = {study.name: study for study in (*_ALL, CLASSIC_KERAS, *SCREENINGS, *comparisons())}
