"""Pilots of the fast recipe at equal cost: more of the epochs on crops, smaller crops first, other shapes."""

from dataclasses import replace

from helpers.recipe import Study, Variant

TRIED = (  # name, what is set in the network, what in the recipe
    ("crops_11_6", {}, {"epochs": 11, "small_epochs": 6}),
    ("crops_12_8", {}, {"epochs": 12, "small_epochs": 8}),
    ("crops_12_7_4", {}, {"epochs": 12, "small_epochs": 7, "tiny_epochs": 4}),
    ("narrow_first", {"blocks": (0.75, 4.0, 5.0)}, {"epochs": 11, "small_epochs": 5}),
    ("narrow_long", {"width": 26}, {"epochs": 14, "small_epochs": 5}),
)

# At the width of the full recipe, on a graphics processor: shapes of equal cost, and settings left in doubt.
TRIED_64 = (
    ("crops", {}, {}),
    *TRIED[:4],
    ("narrow_long", {"width": 52}, {"epochs": 14, "small_epochs": 5}),
    ("wide_short", {"width": 72}, {"epochs": 8, "small_epochs": 3}),
    ("late_wide", {"blocks": (1.0, 3.0, 5.0)}, {"epochs": 12, "small_epochs": 5}),
    ("gelu", {"activation": "gelu"}, {}),
    ("shifts_32", {}, {"shift_rate": 32.0}),
    ("smoothing_0.1", {}, {"label_smoothing": 0.1}),
    ("shifts_32_smoothing_0.1", {}, {"shift_rate": 32.0, "label_smoothing": 0.1}),
    ("kernel_0.045", {}, {"kernel_rate": 0.045}),
    ("kernel_0.09", {}, {"kernel_rate": 0.09}),
    ("batches_250", {}, {"batch_size": 250, "learning_rate": 0.35, "kernel_rate": 0.04, "momentum": 0.9}),
    ("batches_1000", {}, {"batch_size": 1000, "learning_rate": 1.4, "kernel_rate": 0.12, "momentum": 0.7}),
    ("decay_0.018", {}, {"weight_decay": 0.018}),
)


def shapes(top, width: int, tried: tuple, seeds: int) -> Study:
    """Return the pilots, which cost as much as ten epochs, four of them on crops."""
    top = replace(top, epochs=10, small_epochs=4, precision="auto")
    variants = tuple(
        Variant(name, name, "fast_net", {"width": width} | options, replace(top, **recipe))
        for name, options, recipe in tried
    )
    name, question = f"equal_cost_{width}", "What else for the same work?"
    return Study(name, question, variants, seeds, 100, views=(2, 6), val_size=10_000)
