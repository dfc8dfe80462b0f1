"""The key to the exercises of chapters 05 to 08 and the appendix; `helpers.exercises` has the others."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from helpers.exercises import KEY, NO_BODY, Key, judged, layers_of, untrained
from helpers.recipe import Run

# Chapter 05
KEY["05.1"] = Key(
    [162, 1 / 162],
    "Count the shifts in one direction, zero included; all versions are equally likely.",
    tolerance=1e-4,
)
KEY["05.4"] = Key(5, "The generator sees one number only, the sum.")


@judged("05.2", "Draw an array of shape (N, 1, 1, 1), add in a type that holds 300, and bring the sum back.")
def _brightness(function: Any) -> str | None:
    pixels = np.repeat(np.array([[[[5] * 3, [120] * 3, [250] * 3]]], np.uint8), 2_000, axis=0)
    result = np.asarray(function(pixels.copy(), 20, np.random.default_rng(0)))
    if result.shape != pixels.shape or result.dtype != np.uint8:
        return f"the result is {result.dtype} {result.shape}, expected uint8 {pixels.shape}."
    added = result[:, :, 1:2].astype(int) - 120  # by the pixel that stays away from 0 and 255
    if not (result == np.clip(pixels + added, 0, 255)).all():
        return "not every value of a picture changed by the same number, or some passed 0 or 255."
    every = set(added.ravel().tolist()) == set(range(-20, 21))
    return (
        None if every else "of 2,000 pictures, some should draw -20, some 20, and some each number between."
    )


@judged("05.3", "The layer's number is a share of a full turn, and it stands with the two other layers.")
def _rotation(network: Any) -> str | None:
    if problem := untrained(network, steps=10):
        return problem
    found = layers_of(network)
    kinds = [type(layer).__name__ for layer in found]
    for kind in ("RandomFlip", "RandomTranslation", "RandomRotation", "Conv2D"):
        if kind not in kinds:
            return f"there is no layer {kind} in it."
    turn = kinds.index("RandomRotation")
    if turn > kinds.index("Conv2D"):
        return "the pictures are turned after the first convolution."
    factor = np.abs(found[turn].factor)
    right = np.allclose(factor, 15 / 360, atol=1e-3)
    return None if right else f"it turns by up to {360 * max(factor):.0f} degrees."


# Chapter 06

KEY["06.1"] = Key([256, 128], "What does the summary say of 16 channels: all parameters, trainable ones?")


@judged("06.2", "At prediction, by what is each unit multiplied, and what does it give if all inputs are 0?")
def folding(fold: Callable) -> str | None:
    """Say what is wrong with a function that folds a batch normalisation into a dense layer's kernel."""
    rng = np.random.default_rng(6)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    norm = SimpleNamespace(**dict(zip(names, rng.uniform(1, 3, (4, 3)), strict=True)), epsilon=0.05)
    inputs, kernel = rng.normal(size=(8, 5)), rng.normal(size=(5, 3))
    answer = fold(kernel, norm)
    if answer is Ellipsis:
        return NO_BODY
    folded, bias = answer
    factor = norm.gamma / np.sqrt(norm.moving_variance + norm.epsilon)
    if not np.allclose(folded, kernel * factor):
        return "the kernel is another one."
    expected = (inputs @ kernel - norm.moving_mean) * factor + norm.beta
    return None if np.allclose(inputs @ folded + bias, expected) else "the kernel is right, the bias is not."


@judged("06.3", "Which layer stands in front of each batch normalisation now, and which one should?")
def behind_the_relu(model: Any) -> str | None:
    """Say what is wrong with a trained network whose batch normalisations stand behind their ReLUs."""
    if problem := untrained(model, steps=10):
        return problem
    kinds = [type(layer).__name__ for layer in model.layers]
    places = [place for place, kind in enumerate(kinds) if kind == "BatchNormalization"]
    if len(places) != 7:
        return f"it has {len(places)} batch normalisations, expected 7."
    for place in places:
        before = model.layers[place - 1]
        activation = getattr(getattr(before, "activation", None), "__name__", None)
        if kinds[place - 1] != "ReLU" and activation != "relu":
            return f"layer {place} is a batch normalisation behind a {kinds[place - 1]} without ReLU."
    return None


# Chapter 07

KEY["07.1"] = Key(
    2 * (3 * 3 * 64 * 256) * (15 * 15) / 1e6,
    "How many weights has the kernel, at how many places is each used, and for how many operations?",
    tolerance=0.05,
)


@judged("07.2", "`np.where(condition, a, b)` joins two pieces; which share of the fall is over at `done`?")
def judge_warm_cosine(answer: Any) -> str | None:
    done = np.array([0.0, 0.05, 0.1, 0.325, 0.55, 0.775, 1.0])
    falling = (1 + np.cos(np.pi * (done - 0.1) / 0.9)) / 2
    expected = np.where(done < 0.1, done / 0.1, falling)
    found = answer(done)
    if found is ...:
        return NO_BODY
    found = np.asarray(found, float)
    if found.shape != done.shape:
        return f"for {len(done)} shares your function returns the shape {found.shape}."
    wrong = np.flatnonzero(~np.isclose(found, expected, atol=1e-3))
    return f"at {done[wrong[0]]:g} your schedule is {found[wrong[0]]:.3g}." if len(wrong) else None


KEY["07.3"] = Key(
    [290 / 312, 290 / 312 / 2.59],
    "A PFLOP is 1,000 TFLOP; which share of the published seconds would the peak need?",
    tolerance=0.01,
)


@judged("07.4", "`keras.Sequential([...])` takes the layers; a star puts those of a block into the list.")
def judge_two_blocks(answer: Any) -> str | None:
    if problem := untrained(answer, steps=30):
        return problem
    kernels = [tuple(w.shape) for w in answer.trainable_weights if len(w.shape) == 4]
    expected = [(3, 3, 3, 16), (3, 3, 16, 16), (3, 3, 16, 64), (3, 3, 64, 64)]
    return None if kernels == expected else f"its kernels have the shapes {kernels}."


# Chapter 08


def draw_shape(kind, rng):
    """Return a picture of a shape, 64 x 64 pixels; colours, place, size by chance."""
    corners = {"circle": 40, "diamond": 4, "square": 4, "triangle": 3}[kind]
    x, y, radius = rng.integers((28, 28, 18), (36, 36, 28)).tolist()
    picture = Image.new("RGB", (64, 64), f"hsl({rng.integers(360)}, 60%, 25%)")
    turn, fill = 45 * (kind == "diamond"), f"hsl({rng.integers(360)}, 80%, 70%)"
    ImageDraw.Draw(picture).regular_polygon((x, y, radius), corners, turn, fill)
    return picture


@judged("08.1", "Draw the four kinds into a new folder, read it, and give the new last layer four outputs.")
def names_four_shapes(network: Any) -> str | None:
    """Show the network new pictures: by chance a quarter of the answers is right."""
    rng, kinds = np.random.default_rng(8), ("circle", "diamond", "square", "triangle")
    pictures = [np.asarray(draw_shape(kind, rng).resize((32, 32))) for kind in kinds for _ in range(25)]
    logits = np.asarray(network(np.stack(pictures).astype("float32"), training=False))
    if logits.shape != (100, 4):
        return f"for 100 pictures it gives {logits.shape}, expected (100, 4)."
    right = (logits.argmax(axis=1) == np.repeat(range(4), 25)).mean()
    return None if right >= 0.7 else f"it is right on {right:.0%} of 100 new pictures, expected 70% or more."


@judged("08.2", "Try many temperatures: how does the mean of the largest probabilities change with them?")
def matches_accuracy(function: Callable) -> str | None:
    """Try the function on three made-up networks that need different temperatures."""
    from scipy.special import softmax

    for needed in (0.5, 1.2, 2.5):
        rng = np.random.default_rng(8)
        logits = rng.normal(0, 3, (4000, 10))
        labels = (logits / needed + rng.gumbel(size=logits.shape)).argmax(axis=1)  # drawn by softmax
        right = (logits.argmax(axis=1) == labels).mean()
        temperature = function(logits, labels)
        if temperature is Ellipsis:
            return NO_BODY
        if not temperature > 0:
            return f"your temperature is {temperature}, expected a number above 0."
        said = softmax(logits / float(temperature), axis=1).max(axis=1).mean()
        if not abs(said - right) < 0.01:
            return f"a network that is right on {right:.1%} says {said:.1%} with your temperature."
    return None


KEY["08.3"] = Key(0.36, "The best of ten: draw ten binomial numbers, take the largest, and repeat.", 0.02)

# Chapter A1


@judged("A1.1", "Which directions and variances does `np.linalg.eigh` find, and what is left to divide by?")
def judge_whiten(answer: Any) -> str | None:
    mixed = np.random.default_rng(0).normal(size=(500, 3)) @ [[3, 1, 0], [0, 1, 2], [1, 0, 1]] + 5
    found = answer(mixed.copy())
    if found is ...:
        return NO_BODY
    found = np.asarray(found, float)
    if found.shape != mixed.shape:
        return f"for the shape {mixed.shape} your function returns {found.shape}."
    if not np.allclose(np.cov(found.T), np.eye(3), atol=0.02):
        return "the covariances of what it returns are not those of whitened numbers."
    kept = np.linalg.lstsq(np.c_[mixed, np.ones(500)], found, rcond=None)[1]
    same = kept.size and kept.max() < 1e-6
    return None if same else "it returns other numbers, not the same in new directions."


KEY["A1.2"] = Key(2.0, "How does the grey line depend on the decay: is it a factor, a square, a root?", 0.01)


@judged("A1.3", "`dataclasses.replace(recipe, setting=value)` gives a recipe with one change.")
def judge_one_change(answer: Any) -> str | None:
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return "expected a list of two runs."
    if not all(isinstance(run, Run) for run in answer):
        return "expected the records that `train` returns, its second value."
    first, second = answer
    if (first.seed, first.data["sha256"]) != (second.seed, second.data["sha256"]):
        return "the two runs differ in their seed or images, too."
    changed = [name for name in first.recipe if first.recipe[name] != second.recipe[name]]
    same_network = first.parameters == second.parameters
    if len(changed) + (not same_network) != 1:
        return f"they differ in {changed or 'nothing'}{'' if same_network else ' and the network'}."
    return None if len(first.history) >= 2 else "train for two epochs or more."
