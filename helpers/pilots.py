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


def shapes(top, width: int = 32) -> Study:
    """Return the pilots, which cost as much as ten epochs, four of them on crops."""
    variants = tuple(
        Variant(name, name, "fast_net", {"width": width} | options, replace(top, precision="auto", **recipe))
        for name, options, recipe in TRIED
    )
    return Study(
        "equal_cost_32", "What else for the same work?", variants, 3, 100, views=(2, 6), val_size=10_000
    )
