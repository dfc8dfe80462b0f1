"""The studies that choose settings, strengths and learning rates, by runs whose rate ends at zero.

A value is tried on a grid, from a few in its middle outwards, until both neighbours of the best have been
tried; a test of `helpers.chosen` holds the records to it. First the rates of the arms that need no strength;
then each strength, in the company and at the company's rate that it will be used with; then the other rates.
"""

from dataclasses import replace
from itertools import product

from helpers import chosen
from helpers.augment import Augmentation
from helpers.recipe import Recipe, Study, Variant

BUDGET = Recipe(epochs=10, batch_size=128, optimizer="adam", learning_rate=1e-3, schedule="triangular")
HALF = BUDGET.epochs // 2
SPLIT = {"seeds": 1, "first_seed": 100, "val_size": 10_000}  # which no study judges by
FLIP_AND_SHIFT = Augmentation(flip=True, shift=4)
AUGMENTED = {"augmentation": FLIP_AND_SHIFT}
BATCH_NORM = {"batch_norm": True}
LAST_ONLY = (0.0, 0.0, 0.0)  # no dropout before the last batch normalisation, which is the dense layer's

RATES = ((1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1), (3e-4, 1e-3, 3e-3, 1e-2))
DROPOUTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
PENALTIES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
DECAYS = (0.005, 0.015, 0.05, 0.15, 0.5, 1.5, 5.0)
STRENGTHS = {  # setting_company: all values, ascending, and those tried first
    "dropout_alone": (DROPOUTS, (0.2, 0.3, 0.4)),
    "l2_alone": (PENALTIES, (3e-4, 1e-3, 3e-3)),
    "decay_alone": (DECAYS, (0.15, 0.5, 1.5)),
    "dropout_augment": (DROPOUTS, (0.05, 0.1, 0.2)),
    "dropout_augment_bn": (DROPOUTS, (0.05, 0.1, 0.2)),
    "l2_augment_bn": (PENALTIES, (1e-4, 3e-4, 1e-3)),
    "last_augment_bn": (DROPOUTS, (0.1, 0.2, 0.3)),
    "cutout_augment": ((4, 8, 16, 24), (8, 16)),
    "mixup_augment": ((0.1, 0.2, 0.5, 1.0, 2.0), (0.2, 1.0)),
}
# What a setting changes: its title, the network's options and the recipe's changes.
SETTINGS = {
    "dropout": ("dropout", lambda x: ({"dropout": x}, {})),
    "last": ("dropout behind the last batch normalisation", lambda x: ({"dropout": (*LAST_ONLY, x)}, {})),
    "l2": ("L2 penalty", lambda x: ({"l2": x}, {})),
    "decay": ("decoupled decay", lambda x: ({}, {"weight_decay": x})),
    "cutout": ("cutout", lambda x: ({}, {"augmentation": replace(FLIP_AND_SHIFT, cutout=x)})),
    "mixup": ("mixup", lambda x: ({}, {"augmentation": replace(FLIP_AND_SHIFT, mixup=x)})),
}
# In whose company it is tried: title, and the arm that it joins.
COMPANIES = {
    "alone": ("alone", "baseline"),
    "augment": ("with augmentation", "augment"),
    "augment_bn": ("with augmentation and batch normalisation", "augment_bn"),
}
# The arms of chapters 04 to 06: title, the strengths that it uses, network's options, recipe's changes.
ARMS = {
    "baseline": ("Baseline", (), {}, {}),
    "augment": ("Augmentation", (), {}, AUGMENTED),
    "bn": ("Batch normalisation", (), BATCH_NORM, {}),
    "augment_bn": ("Augmentation + batch normalisation", (), BATCH_NORM, AUGMENTED),
    "dropout": ("Dropout", ("dropout_alone",), {}, {}),
    "l2": ("L2 penalty", ("l2_alone",), {}, {}),
    "decay": ("Decoupled decay", ("decay_alone",), {}, {}),
    "cutout": ("Augmentation + cutout", ("cutout_augment",), {}, {}),
    "mixup": ("Augmentation + mixup", ("mixup_augment",), {}, {}),
    "dropout_augment": ("Dropout + augmentation", ("dropout_augment",), {}, AUGMENTED),
    "last_dropout": ("Dropout behind the last BN", ("last_augment_bn",), BATCH_NORM, AUGMENTED),
    "all": ("All together", ("dropout_augment_bn", "l2_augment_bn"), BATCH_NORM, AUGMENTED),
}
NETWORKS = {  # of chapter 02, beside the baseline: title, function in `helpers.models`, its options
    "vgg2": ("VGG, 2 blocks", "vgg", {"blocks": 2}),
    "vgg1": ("VGG, 1 block", "vgg", {"blocks": 1}),
    "tutorial_cnn": ("TensorFlow's tutorial CNN", "tutorial_cnn", {}),
    "mlp": ("Dense network", "mlp", {}),
    "logistic": ("Logistic regression", "softmax_regression", {}),
}


def tried(group: str, value: float) -> str:
    """Return the name of the variant that tries a value in a group: a setting in its company, or an arm."""
    return f"{group}_{value:g}"


def changes(group: str, value: float) -> tuple[dict, dict]:
    """Return the network's options and the recipe's changes that a strength makes."""
    return SETTINGS[group.partition("_")[0]][1](value)


def arm(name: str, rate: float, epochs: int = BUDGET.epochs) -> tuple[str, str, dict, Recipe]:
    """Return an arm's title, model, options and recipe, with the strengths that were chosen."""
    title, groups, options, recipe = ARMS[name]
    for group in groups:
        more_options, more_recipe = changes(group, chosen.STRENGTHS[group])
        options, recipe = options | more_options, recipe | more_recipe
    return title, "vgg", options, replace(BUDGET, epochs=epochs, learning_rate=rate, **recipe)


def _strengths() -> tuple[Variant, ...]:
    """Return each strength in its company, at the company's rate, and each company without one."""
    variants = {}
    for group, (grid, _) in STRENGTHS.items():
        setting, _, company = group.partition("_")
        with_whom, joined = COMPANIES[company]
        _, model, options, recipe = arm(joined, chosen.RATES[joined])
        name = f"none_{company}"
        variants[name] = Variant(name, f"none of these {with_whom}", model, options, recipe)
        for value in grid:
            more_options, more_recipe = changes(group, value)
            name, title = tried(group, value), f"{SETTINGS[setting][0]} {value} {with_whom}"
            changed = options | more_options, replace(recipe, **more_recipe)
            variants[name] = Variant(name, title, model, *changed)
    return tuple(variants.values())


def _at_every_rate(groups: dict[str, tuple[str, str, dict, Recipe]]) -> tuple[Variant, ...]:
    """Return each candidate with every rate of the grid, for half of the budget."""
    variants = []
    for (name, (title, *network, recipe)), rate in product(groups.items(), RATES[0]):
        recipe, title = replace(recipe, learning_rate=rate), f"{title}, learning rate {rate:g}"
        variants.append(Variant(tried(name, rate), title, *network, recipe))
    return tuple(variants)


def _batch_sizes() -> tuple[Variant, ...]:
    """Return small and large batches beside those of 128, which `rates` tries at this learning rate, too."""
    variants = []
    for name, size in product(("baseline", "bn"), (16, 1024)):
        title, model, options, recipe = arm(name, 3e-3, HALF)
        title, recipe = f"{title}, batches of {size:,}", replace(recipe, batch_size=size)
        variants.append(Variant(f"{name}_{size}", title, model, options, recipe))
    return tuple(variants)


ARMS_HALF = {name: arm(name, 1e-3, HALF) for name in ARMS}
NETS_HALF = {name: (*net, replace(BUDGET, epochs=HALF)) for name, net in NETWORKS.items()}
SCREENINGS = (
    Study("strengths", "How strong should each technique be in its company?", _strengths(), **SPLIT),
    Study("rates", "Which learning rate suits each technique?", _at_every_rate(ARMS_HALF), **SPLIT),
    Study("batch_sizes", "Which batch size suits the standard CNN?", _batch_sizes(), **SPLIT),
    Study("rates_networks", "Which learning rate suits each network?", _at_every_rate(NETS_HALF), **SPLIT),
)
GRIDS = {  # study: group: all values, and those tried first
    "strengths": STRENGTHS,
    "rates": dict.fromkeys(ARMS, RATES),
    "rates_networks": dict.fromkeys(NETWORKS, RATES),
}
