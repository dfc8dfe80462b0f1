"""The pilots of the fast recipe: one setting is changed at a time, on validation images of split 100."""

from dataclasses import replace

from helpers.augment import Augmentation
from helpers.recipe import Recipe, Study, Variant

BASE = Recipe(
    epochs=8,
    batch_size=500,
    optimizer="muon",
    learning_rate=0.7,
    momentum=0.85,
    kernel_rate=0.06,
    schedule="triangular",
    weight_decay=0.009,
    shift_rate=64.0,
    label_smoothing=0.2,
    augmentation=Augmentation(flip=True, alternate=True, shift=2),
    precision="auto",
)
HEAD = {"learning_rate": 9.9, "shift_rate": 4.5, "weight_decay": 0.009 * 0.7 / 9.9}
LARGE = {"batch_size": 1000, "learning_rate": 1.4, "kernel_rate": 0.12, "momentum": 0.7}
TRIED = (  # name, what is set in the network, what in the recipe, what in the augmentation
    ("base", {}, {}, {}),
    ("bn_0.6", {"momentum": 0.6}, {}, {}),
    ("kernel_0.12", {}, {"kernel_rate": 0.12}, {}),
    ("kernel_0.12_0.6", {}, {"kernel_rate": 0.12, "kernel_momentum": 0.6}, {}),
    ("kernel_0.24_0.6", {}, {"kernel_rate": 0.24, "kernel_momentum": 0.6}, {}),
    ("head", {"divisor": 22.0}, HEAD, {}),
    ("linear", {}, {"schedule": "linear"}, {}),
    ("bias", {"bias": True}, {}, {}),
    ("jitter_0.1", {}, {}, {"jitter": 0.1}),
    ("jitter_0.2", {}, {}, {"jitter": 0.2}),
    ("large", {}, LARGE, {}),
    ("crops_10_4", {}, {"epochs": 10, "small_epochs": 4}, {}),
    ("crops_9_2", {}, {"epochs": 9, "small_epochs": 2}, {}),
    ("shifts_32", {}, {"shift_rate": 32.0}, {}),
    ("shifts_128", {}, {"shift_rate": 128.0}, {}),
    ("rate_0.35", {}, {"learning_rate": 0.35, "shift_rate": 128.0, "weight_decay": 0.018}, {}),
    ("rate_1.4", {}, {"learning_rate": 1.4, "shift_rate": 32.0, "weight_decay": 0.0045}, {}),
    ("decay_0.018", {}, {"weight_decay": 0.018}, {}),
    ("smoothing_0.1", {}, {"label_smoothing": 0.1}, {}),
    ("kernel_0.04", {}, {"kernel_rate": 0.04}, {}),
    ("kernel_0.09", {}, {"kernel_rate": 0.09}, {}),
    ("kernel_0.06_0.95", {}, {"kernel_rate": 0.06, "kernel_momentum": 0.95}, {}),
)


def pilots(width: int) -> Study:
    """Return the pilots with networks of one width."""
    variants = tuple(
        Variant(
            name,
            name,
            "fast_net",
            {"width": width} | options,
            replace(BASE, augmentation=replace(BASE.augmentation, **augmentation), **recipe),
        )
        for name, options, recipe, augmentation in TRIED
    )
    question = f"Which settings of the fast recipe help a network of width {width}?"
    return Study(f"pilots_{width}", question, variants, 1, 100, views=(2, 6), val_size=10_000)


CROPS = {"epochs": 10, "small_epochs": 4}
GOOD = HEAD | CROPS | {"shift_rate": 2.25}
BUNDLES = (  # what did best alone, together
    ("crops", {}, CROPS, {}),
    ("crops_shifts", {}, CROPS | {"shift_rate": 32.0}, {}),
    ("crops_shifts_smoothing", {}, CROPS | {"shift_rate": 32.0, "label_smoothing": 0.1}, {}),
    ("good", {"divisor": 22.0, "bias": True}, GOOD, {"jitter": 0.1}),
    ("good_kernel", {"divisor": 22.0, "bias": True}, GOOD | {"kernel_rate": 0.12, "kernel_momentum": 0.6}, {"jitter": 0.1}),
)


def bundles(width: int) -> Study:
    """Return what did best alone, together, with more seeds."""
    variants = tuple(
        Variant(
            name,
            name,
            "fast_net",
            {"width": width} | options,
            replace(BASE, augmentation=replace(BASE.augmentation, **augmentation), **recipe),
        )
        for name, options, recipe, augmentation in BUNDLES
    )
    return Study(f"bundles_{width}", "Do they help together?", variants, 3, 100, views=(2, 6), val_size=10_000)
