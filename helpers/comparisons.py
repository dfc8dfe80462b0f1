"""The studies that judge, with strengths and rates that `helpers.screening` chose; made by `comparisons`.

Five seeds are five folds of one shuffle: each training image validates once, so all arms of a study are
judged on the same 50,000 images, and each is trained on 40,000. Every rate ends at zero.
"""

from collections.abc import Mapping
from dataclasses import replace

from helpers.augment import Augmentation
from helpers.screening import BUDGET, FLIP_AND_SHIFT, NETWORKS, VAL_SIZE, arms
from helpers.study import Study, Variant

FOLDS = {"seeds": 5, "folds": 5, "val_size": VAL_SIZE}


def comparisons(
    strengths: Mapping[str, float], rates: Mapping[str, float], network_rates: Mapping[str, float]
) -> tuple[Study, ...]:
    """Return the studies that judge: those whose strengths and rates are all chosen.

    Args:
        strengths, rates, network_rates: from `helpers.chosen`.
    """
    found = []
    if set(NETWORKS) <= set(network_rates):
        found.append(networks(network_rates))
    if set(arms({})) < set(arms(strengths)) <= set(rates):
        judged = techniques(strengths, rates)
        found += [judged, longer(judged), ladder(judged["augment_bn"]), ablation(judged["augment_bn"])]
    return tuple(found)


def networks(rates: Mapping[str, float]) -> Study:
    """Return the comparison of chapter 02: each network at its best rate, and hand-made features."""
    svm = Variant("hog_svm", "HOG + linear SVM", "hog_svm", {"passes": BUDGET.epochs, "alpha": 1e-6})
    tuned = [
        Variant(name, title, model, options, replace(recipe, learning_rate=rates[name]))
        for name, (title, model, options, recipe) in NETWORKS.items()
    ]
    return Study(
        name="networks",
        question="How far do linear models, hand-made features and small networks get in 15 epochs?",
        variants=(*tuned[:-1], svm, tuned[-1]),
        **FOLDS,
    )


def techniques(strengths: Mapping[str, float], rates: Mapping[str, float]) -> Study:
    """Return the comparison of chapters 04 to 06: each arm with its strengths, at its best rate."""
    variants = {
        name: Variant(name, title, "vgg", options, replace(recipe, learning_rate=rates[name]))
        for name, (title, options, recipe) in arms(strengths).items()
    }
    if strengths["dropout_augment"] == 0.1:  # then that arm is this one
        del variants["dropout_0.1_augment"]
    return Study(
        name="techniques",
        question="What do dropout, penalty, decay, augmentation and batch normalisation bring in 15 epochs?",
        variants=tuple(variants.values()),
        **FOLDS,
    )


def longer(judged: Study) -> Study:
    """Return four arms of `techniques` at 40 epochs."""
    return Study(
        name="longer",
        question="Who profits from longer training?",
        variants=tuple(
            replace(judged[name], recipe=replace(judged[name].recipe, epochs=40))
            for name in ("baseline", "augment", "augment_bn", "all")
        ),
        **FOLDS | {"seeds": 3},
    )


SMALL = {"width": 16}
BATCHES = {"batch_size": 500, "learning_rate": 0.7}
SGD = {  # the rate in proportion to the batches
    "optimizer": "sgd",
    "learning_rate": round(0.7 * BUDGET.batch_size / BATCHES["batch_size"], 2),
    "momentum": 0.85,
}
PLAIN = {"whitening": False, "identity": False}
ALTERNATING = replace(FLIP_AND_SHIFT, alternate=True)
RUNGS = (  # name, title, the network's options where it changes, and what changes in the recipe
    ("smoothing", "+ label smoothing", None, {"label_smoothing": 0.2}),
    ("network", "+ another network", SMALL | PLAIN | {"activation": "relu"}, {}),
    ("silu", "+ SiLU", SMALL | PLAIN, {}),
    ("sgd", "+ SGD", None, SGD),
    ("batches", "+ batches of 500", None, BATCHES),
    ("decay", "+ weight decay", None, {"weight_decay": 0.009}),
    ("shifts", "+ fast shifts", None, {"shift_rate": 64.0}),
    ("muon", "+ Muon", None, {"optimizer": "muon"}),
    ("whitening", "+ whitening", SMALL | {"identity": False}, {}),
    ("identity", "+ start as identity", SMALL, {}),
    ("flips", "+ alternating flips", None, {"augmentation": ALTERNATING}),
    ("small_shifts", "+ small shifts", None, {"augmentation": replace(ALTERNATING, shift=2)}),
    ("crops", "+ small crops first", None, {"epochs": 7, "small_epochs": 3}),
    ("averaging", "+ averaging", None, {"averaging": 2}),
)
TOP = "crops"  # what comes above it was tried and not kept


def ladder(start: Variant) -> Study:
    """Return the rungs from a start to the fast recipe: each is the one before it, with one change more."""
    rungs = [replace(start, name="start", title="Chapter 06's best", recipe=replace(start.recipe, epochs=6))]
    for name, title, options, changes in RUNGS:
        last = rungs[-1]
        network = ("fast_net", options) if options else (last.model, last.options)
        rungs.append(Variant(name, title, *network, replace(last.recipe, **changes)))
    return Study(
        name="ladder",
        question="Which steps lead from chapter 06's best to the fast recipe?",
        variants=tuple(rungs),
        views=(2, 6),
        **FOLDS,
    )


def ablation(start: Variant) -> Study:
    """Return the fast recipe, and for each of its ideas the same without it."""
    top = replace(ladder(start)[TOP], name="top", title="The fast recipe")
    shift4, random_flips = ALTERNATING, Augmentation(flip=True, shift=2)
    without = (  # name, title, the network's options that change, what changes in the recipe
        ("schedule", "constant rate", {}, {"schedule": "constant"}),
        ("smoothing", "no label smoothing", {}, {"label_smoothing": 0.0}),
        ("silu", "ReLU for SiLU", {"activation": "relu"}, {}),
        ("decay", "no weight decay", {}, {"weight_decay": 0.0}),
        ("shifts", "no fast shifts", {}, {"shift_rate": 1.0}),
        ("muon", "SGD for Muon", {}, {"optimizer": "sgd"}),
        ("whitening", "no whitening", {"whitening": False}, {}),
        ("identity", "no start as identity", {"identity": False}, {}),
        ("flips", "random flips", {}, {"augmentation": random_flips}),
        ("small_shifts", "shifts of 4 pixels", {}, {"augmentation": shift4}),
        ("crops", "no small crops", {}, {"epochs": 6, "small_epochs": 0}),
    )
    return Study(
        name="ablation",
        question="Which ideas of the fast recipe earn their place?",
        variants=(
            top,
            *(
                Variant(name, title, top.model, top.options | options, replace(top.recipe, **changes))
                for name, title, options, changes in without
            ),
        ),
        views=(2, 6),
        **FOLDS,
    )
