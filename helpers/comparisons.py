"""The studies that judge, with the strengths and rates that `helpers.screening` chose.

Five seeds are five folds of one shuffle: each training image validates once, so all arms of a study are
judged on the same 50,000 images, and each network is trained on 40,000. Every rate ends at zero.
"""

from dataclasses import replace

from helpers import chosen
from helpers.augment import Augmentation
from helpers.recipe import Study, Variant
from helpers.screening import ARMS, BUDGET, FLIP_AND_SHIFT, NETWORKS, arm

FOLDS = {"seeds": 5, "folds": 5, "val_size": 10_000}
SMALL = {"width": 16}
PLAIN = {"whitening": False, "identity": False}
BATCHES = {"batch_size": 500, "learning_rate": 0.7}
IN_PROPORTION = round(BATCHES["learning_rate"] * BUDGET.batch_size / BATCHES["batch_size"], 2)
ALTERNATING = replace(FLIP_AND_SHIFT, alternate=True)
RUNGS = (  # name, title, the network's options where it changes, and what changes in the recipe
    ("smoothing", "+ label smoothing", None, {"label_smoothing": 0.2}),
    ("network", "+ another network", SMALL | PLAIN | {"activation": "relu"}, {}),
    ("silu", "+ SiLU", SMALL | PLAIN, {}),
    ("sgd", "+ SGD", None, {"optimizer": "sgd", "learning_rate": IN_PROPORTION, "momentum": 0.85}),
    ("batches", "+ batches of 500", None, BATCHES),
    ("decay", "+ weight decay", None, {"weight_decay": 0.009}),
    ("shifts", "+ fast shifts", None, {"shift_rate": 64.0}),
    ("muon", "+ Muon", None, {"optimizer": "muon"}),
    ("whitening", "+ whitening", SMALL | {"identity": False}, {}),
    ("identity", "+ start as identity", SMALL, {}),
    ("flips", "+ alternating flips", None, {"augmentation": ALTERNATING}),
    ("small_shifts", "+ small shifts", None, {"augmentation": replace(ALTERNATING, shift=2)}),
    ("crops", "+ small crops first", None, {"epochs": 7, "small_epochs": 3}),
)
WITHOUT = (  # of the fast recipe: name, title, the network's options that change, what changes in the recipe
    ("smoothing", "no label smoothing", {}, {"label_smoothing": 0.0}),
    ("silu", "ReLU for SiLU", {"activation": "relu"}, {}),
    ("decay", "no weight decay", {}, {"weight_decay": 0.0}),
    ("shifts", "no fast shifts", {}, {"shift_rate": 1.0}),
    ("muon", "SGD for Muon", {}, {"optimizer": "sgd"}),
    ("whitening", "no whitening", {"whitening": False}, {}),
    ("identity", "no start as identity", {"identity": False}, {}),
    ("flips", "random flips", {}, {"augmentation": Augmentation(flip=True, shift=2)}),
    ("small_shifts", "shifts of 4 pixels", {}, {"augmentation": ALTERNATING}),
    ("crops", "no small crops", {}, {"epochs": 6, "small_epochs": 0}),
)


def networks() -> Study:
    """Return the comparison of chapter 02: each network at its best rate, and hand-made features."""
    found = {"vgg3": ("VGG, 3 blocks", "vgg", {"blocks": 3})} | NETWORKS
    rates = {"vgg3": chosen.RATES["baseline"]} | chosen.NETWORK_RATES
    variants = [
        Variant(name, title, model, options, replace(BUDGET, learning_rate=rates[name]))
        for name, (title, model, options) in found.items()
    ]
    svm = Variant("hog_svm", "HOG + linear SVM", "hog_svm", {"passes": BUDGET.epochs, "alpha": 1e-6})
    question = "How far do linear models, hand-made features and small networks get in 10 epochs?"
    return Study("networks", question, (*variants[:-1], svm, variants[-1]), **FOLDS)


def techniques() -> Study:
    """Return the comparison of chapters 04 to 06: each arm with its strengths, at its best rate."""
    variants = [Variant(name, *arm(name, chosen.RATES[name])) for name in ARMS]
    _, model, _, recipe = arm("augment", chosen.RATES["dropout_augment"])
    title = "Dropout 0.1 + augmentation"  # a tenth, as in the first series; less was chosen
    variants.append(Variant("dropout_0.1_augment", title, model, {"dropout": 0.1}, recipe))
    question = "What do dropout, decay, augmentation and batch normalisation bring in 10 epochs?"
    return Study("techniques", question, tuple(variants), **FOLDS)


def longer() -> Study:
    """Return four arms of `techniques` at 40 epochs."""
    names = ("baseline", "augment", "augment_bn", "all")
    variants = tuple(Variant(name, *arm(name, chosen.RATES[name], epochs=40)) for name in names)
    return Study("longer", "Who profits from longer training?", variants, **FOLDS | {"seeds": 3})


def ladder() -> Study:
    """Return the rungs from chapter 06's best to the fast recipe: each is the one before it, changed once."""
    _, model, options, recipe = arm("augment_bn", chosen.RATES["augment_bn"], epochs=6)
    rungs = [Variant("start", "Chapter 06's best", model, options, recipe)]
    for name, title, options, changes in RUNGS:
        last = rungs[-1]
        network = ("fast_net", options) if options else (last.model, last.options)
        rungs.append(Variant(name, title, *network, replace(last.recipe, **changes)))
    question = "Which steps lead from chapter 06's best to the fast recipe?"
    return Study("ladder", question, tuple(rungs), views=(2, 6), **FOLDS)


def ablation() -> Study:
    """Return the fast recipe, and for each of its ideas the same without it."""
    top = replace(ladder().variants[-1], name="top", title="The fast recipe")
    variants = [
        Variant(name, title, top.model, top.options | options, replace(top.recipe, **changes))
        for name, title, options, changes in WITHOUT
    ]
    question = "Which ideas of the fast recipe earn their place?"
    return Study("ablation", question, (top, *variants), views=(2, 6), **FOLDS)


def comparisons() -> tuple[Study, ...]:
    """Return the studies that judge."""
    return networks(), techniques(), longer(), ladder(), ablation()
