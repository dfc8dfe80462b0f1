"""The studies of the series: which variants are compared, by which recipe. The runner is `experiments`."""

from dataclasses import replace

from helpers.augment import Augmentation
from helpers.comparisons import FOLDS, comparisons, ladder
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

# Chapter 07's recipes: the ladder's last rung, wider and longer, in a shape from pilots, and in 16 bits
# where the processor can.
TOP = ladder().variants[-1]
HELD = replace(TOP, name="held", title="Constant rate", recipe=replace(TOP.recipe, schedule="constant"))
RECIPE = replace(TOP.recipe, epochs=13, small_epochs=6, precision="auto")
SHAPE = {"multiples": [1, 3, 5]}
QUICK = Variant("quick", "Quick recipe", "fast_net", {"width": 32} | SHAPE, RECIPE)
FLOAT32 = replace(QUICK, title="Quick recipe, float32", recipe=replace(RECIPE, precision="float32"))
FULL = replace(QUICK, name="full", title="Full recipe", options={"width": 64} | SHAPE)
LONG_RECIPE = replace(RECIPE, epochs=28, small_epochs=12)
LONG = Variant("long", "Long recipe", "fast_net", {"width": 96} | SHAPE, LONG_RECIPE)
OLD_RECIPE = replace(TOP.recipe, epochs=14, small_epochs=5)
FIRST = Variant("full", "First full recipe", "fast_net", {"width": 64}, OLD_RECIPE)
VALIDATION = {"folds": 10, "views": (2, "adaptive", 6)}
TEST = {"views": (1, 2, "adaptive", 6), "final": True}
FAST = (
    Study("constant_rate", "Where does the ladder end at a constant rate?", (HELD,), views=(2, 6), **FOLDS),
    Study("quick", "How accurate is a small network after a few minutes?", (QUICK,), 10, **VALIDATION),
    Study("quick_float32", "And how accurate in 32 bits?", (FLOAT32,), 5, **VALIDATION),
    Study("full", "How accurate is the full recipe on validation images?", (FULL,), 5, **VALIDATION),
    Study("final", "How accurate is it on the test images?", (FULL,), 10, **TEST),
    Study("final_2026-11-22", "How accurate was its first form?", (FIRST,), views=(1, 2, 6), final=True),
    Study("long", "What does it take to reach 95% of the test images?", (LONG,), 3, **TEST),
)

# The network and the recipe of a widely read tutorial, which takes 400 epochs for 88.62%: how long is one?
CLASSIC_RECIPE = Recipe(2, 64, "sgd", learning_rate=1e-3, augmentation=Augmentation(flip=True, shift=3))
CLASSIC = Variant("classic_cnn", "Classic tutorial, first 2 of 400 epochs", "classic_cnn", {}, CLASSIC_RECIPE)
CLASSIC_KERAS = Study("classic_keras", "How long is an epoch of the classic network?", (CLASSIC,), seeds=1)

_ALL = (IMPROVEMENTS, *FAST, CLASSIC_KERAS, *SCREENINGS, *comparisons())
STUDIES = {study.name: study for study in _ALL}
