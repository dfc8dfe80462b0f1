"""The studies that choose settings: strengths and learning rates, on runs whose rate ends at zero.

A setting is tried on a grid, from a few values in its middle outwards: `helpers.tuning` says which value
comes next, until both neighbours of the best have been tried. A variant is named SETTING_VALUE.

The order: rates of the arms that need no strength; strengths, each in the company and at the company's rate
that it will be used with; then rates of the arms that use them.
"""

from dataclasses import replace

from helpers import chosen
from helpers.augment import Augmentation
from helpers.recipe import Recipe
from helpers.study import Study, Variant

SEED = 100  # a split of its own, that no study judges by
VAL_SIZE = 10_000
BUDGET = Recipe(epochs=15, batch_size=128, optimizer="adam", learning_rate=1e-3, schedule="triangular")
SHORT = replace(BUDGET, epochs=BUDGET.epochs // 3)
FLIP_AND_SHIFT = Augmentation(flip=True, shift=4)
AUGMENTED = {"augmentation": FLIP_AND_SHIFT}
BATCH_NORM = {"batch_norm": True}
LAST_BLOCKS = (0.0, 0.0, 0.0)  # no dropout before the last batch normalisation, which is the dense layer's

# Grids go in steps of about three; the second tuple is where a setting starts.
RATES = ((1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1), (3e-4, 1e-3, 3e-3, 1e-2))
DROPOUTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
PENALTIES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
DECAYS = (0.005, 0.015, 0.05, 0.15, 0.5, 1.5, 5.0)

# What is set, its title, the network's options and the recipe's changes that it makes.
SETTINGS = {
    "dropout": ("dropout", lambda x: ({"dropout": x}, {})),
    "last": ("dropout behind the last batch normalisation", lambda x: ({"dropout": (*LAST_BLOCKS, x)}, {})),
    "l2": ("L2 penalty", lambda x: ({"weight_decay": x}, {})),
    "decay": ("decoupled decay", lambda x: ({}, {"weight_decay": x})),
    "cutout": ("cutout", lambda x: ({}, {"augmentation": replace(FLIP_AND_SHIFT, cutout=x)})),
    "mixup": ("mixup", lambda x: ({}, {"augmentation": replace(FLIP_AND_SHIFT, mixup=x)})),
}
# The company in which a strength will be used: title, the arm without it, the network's options, the
# recipe's changes.
COMPANIES = {
    "alone": ("alone", "baseline", {}, {}),
    "augment": ("with augmentation", "augment", {}, AUGMENTED),
    "augment_bn": ("with augmentation and batch normalisation", "augment_bn", BATCH_NORM, AUGMENTED),
}
STRENGTH_GRIDS = {  # setting_company: the grid, and where it starts
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


def tried(group: str, value: float) -> str:
    """Return the name of the variant that tries a value in a group (a setting in its company, or an arm)."""
    return f"{group}_{value:g}"


def _in_company(name: str, title: str, company: str, options: dict, recipe: dict) -> Variant:
    """Return the standard CNN with a company's settings, at its rate, and with these more."""
    with_whom, arm, its_options, its_recipe = COMPANIES[company]
    rate = {"learning_rate": chosen.RATES.get(arm, BUDGET.learning_rate)}
    recipe = replace(BUDGET, **rate | its_recipe | recipe)
    return Variant(name, f"{title} {with_whom}", "vgg", its_options | options, recipe)


def _strength(group: str, value: float) -> Variant:
    """Return the standard CNN with one setting at one strength, in its company."""
    setting, _, company = group.partition("_")
    title, change = SETTINGS[setting]
    return _in_company(tried(group, value), f"{title} {value:g}", company, *change(value))


STRENGTHS = Study(
    name="strengths",
    question="How much dropout, penalty, decay, cutout and mixup suit the standard CNN in their company?",
    variants=(
        *(_strength(group, value) for group, (grid, _) in STRENGTH_GRIDS.items() for value in grid),
        *(_in_company(f"none_{name}", "none of these", name, {}, {}) for name in COMPANIES),
    ),
    seeds=1,
    first_seed=SEED,
    val_size=VAL_SIZE,
)


def arms(strengths: dict[str, float]) -> dict[str, tuple[str, dict, Recipe]]:
    """Return the arms of the comparison: title, the network's options, recipe.

    Args:
        strengths: for each group of `STRENGTH_GRIDS` the value that was chosen. An arm whose strength
            is not chosen yet is left out.
    """
    table = {  # title, groups whose strength it uses, the network's options, the recipe's changes
        "baseline": ("Baseline", (), {}, {}),
        "augment": ("Augmentation", (), {}, AUGMENTED),
        "bn": ("Batch normalisation", (), BATCH_NORM, {}),
        "augment_bn": ("Augmentation + batch normalisation", (), BATCH_NORM, AUGMENTED),
        "cutout": ("Augmentation + cutout", ("cutout_augment",), {}, {}),
        "mixup": ("Augmentation + mixup", ("mixup_augment",), {}, {}),
        "dropout": ("Dropout", ("dropout_alone",), {}, {}),
        "l2": ("L2 penalty", ("l2_alone",), {}, {}),
        "decay": ("Decoupled decay", ("decay_alone",), {}, {}),
        "dropout_augment": ("Dropout + augmentation", ("dropout_augment",), {}, AUGMENTED),
        "all": ("All together", ("dropout_augment_bn", "l2_augment_bn"), BATCH_NORM, AUGMENTED),
        "last_dropout": ("Dropout behind the last BN", ("last_augment_bn",), BATCH_NORM, AUGMENTED),
    }
    found = {}
    for name, (title, groups, options, changes) in table.items():
        if set(groups) <= set(strengths):
            for group in groups:
                _, change = SETTINGS[group.partition("_")[0]]
                more_options, more_changes = change(strengths[group])
                options, changes = options | more_options, changes | more_changes
            found[name] = (title, options, replace(BUDGET, **changes))
    found["dropout_0.1_augment"] = ("Dropout 0.1 + augmentation", {"dropout": 0.1}, found["augment"][2])
    return found


def _rates(name: str, question: str, candidates: dict[str, tuple[str, str, dict, Recipe]]) -> Study:
    """Return the study that tries every rate of the grid with each candidate, for a third of the budget."""
    return Study(
        name=name,
        question=question,
        variants=tuple(
            Variant(
                tried(group, rate),
                f"{title}, learning rate {rate:g}",
                model,
                options,
                replace(recipe, epochs=SHORT.epochs, learning_rate=rate),
            )
            for group, (title, model, options, recipe) in candidates.items()
            for rate in RATES[0]
        ),
        seeds=1,
        first_seed=SEED,
        val_size=VAL_SIZE,
    )


ARMS = arms(chosen.STRENGTHS)
NETWORKS = {
    "vgg3": ("VGG, 3 blocks", "vgg", {"blocks": 3}, BUDGET),
    "vgg2": ("VGG, 2 blocks", "vgg", {"blocks": 2}, BUDGET),
    "vgg1": ("VGG, 1 block", "vgg", {"blocks": 1}, BUDGET),
    "tutorial_cnn": ("TensorFlow's tutorial CNN", "tutorial_cnn", {}, BUDGET),
    "mlp": ("Dense network", "mlp", {}, BUDGET),
    "logistic": ("Logistic regression", "softmax_regression", {}, BUDGET),
}
RATES_OF_ARMS = _rates(
    "rates",
    "Which learning rate suits each technique, judged by a third of the budget?",
    {name: (title, "vgg", options, recipe) for name, (title, options, recipe) in ARMS.items()},
)
RATES_OF_NETWORKS = _rates(
    "rates_networks",
    "Which learning rate suits each network of chapter 02, judged by a third of the budget?",
    NETWORKS,
)
SCREENINGS = (STRENGTHS, RATES_OF_ARMS, RATES_OF_NETWORKS)
GRIDS = {  # study: group: the grid, and where it starts
    "strengths": STRENGTH_GRIDS,
    "rates": dict.fromkeys(ARMS, RATES),
    "rates_networks": dict.fromkeys(NETWORKS, RATES),
}
