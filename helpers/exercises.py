"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from helpers.recipe import Run


class Key(NamedTuple):
    """What an exercise expects."""

    expected: Any  # a value; or a function that takes the answer and returns what is wrong with it, or None
    hint: str  # what to think of, one sentence
    tolerance: float = 1e-3  # the largest difference that still counts as right, for each number


NO_BODY = "the function still returns three dots; write there what it should return."
KEY: dict[str, Key] = {}


def judged(exercise: str, hint: str) -> Callable:
    """Register a function that takes an answer and returns what is wrong with it, or None."""

    def register(problem: Callable[[Any], str | None]) -> Callable:
        KEY[exercise] = Key(problem, hint)
        return problem

    return register


def untrained(model: Any, steps: int = 1) -> str | None:
    """Return why this is no Keras model from images to ten logits, trained for so many steps; or None."""
    import keras  # here, since it takes seconds

    if not isinstance(model, keras.Model):
        return f"your answer is a {type(model).__name__}, expected a keras.Model."
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, 32, 32, 3), (None, 10)):
        return f"it leads from {shapes[0]} to {shapes[1]}, expected (None, 32, 32, 3) to (None, 10)."
    if not getattr(model, "optimizer", None):
        return "it is not trained yet: `compile`, then `fit`."
    done = int(model.optimizer.iterations)
    return None if done >= steps else f"it was trained for {done} steps, expected {steps} or more."


def layers_of(model: Any, kind: str = "") -> list:
    """Return the layers of a model, those of models within it in their place; all, or those of one kind."""
    found = []
    for layer in model.layers:
        found += layers_of(layer, kind) if hasattr(layer, "layers") else [layer]
    return [layer for layer in found if kind in ("", type(layer).__name__)]


KEY["00.1"] = Key(10, "Look at the class balance.")  # of the template
KEY["00.2"] = Key("frog", "`CLASS_NAMES` is a list: what is at place 6?")
KEY["00.3"] = Key(0.1, "Divide the number of cats by the number of images.")

# Chapter 01

KEY["01.1"] = Key(0.6, "How many of the ten classes are animals? All classes are equally large.")


@judged("01.2", "Average over rows, columns and channels; `np.argmax` tells where the largest number stands.")
def brightest_image(answer: Any) -> str | None:
    """Take the index of the brightest image of the training split: of CIFAR-10, or of the sample."""
    found = isinstance(answer, int | np.integer) and answer in (5265, 156)
    return None if found else f"image {answer!r} is not the brightest."


@judged("01.3", "Weigh the channels `image[..., 0]`, `image[..., 1]` and `image[..., 2]`, then add them up.")
def grey_function(answer: Any) -> str | None:
    """Take a function from an image (32, 32, 3) to its brightness (32, 32)."""
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    grey = np.asarray(answer(image), float)
    if grey.shape != (32, 32):
        return f"of an image (32, 32, 3) it makes the shape {grey.shape}, expected (32, 32)."
    expected = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    return None if np.allclose(grey, expected, atol=0.01) else "some pixels have another brightness."


@judged("01.4", "`row.mean(axis=1, keepdims=True)` gives one number per row that can be subtracted from it.")
def better_neighbours(answer: Any) -> str | None:
    """Take the accuracy, 0 to 1, of one neighbour on standardised thumbnails: CIFAR-10's, the sample's."""
    found = any(abs(answer - accuracy) <= 0.003 for accuracy in (0.44, 0.325))
    return None if found else f"with one neighbour and all training images it is not {answer}."


# Chapter 02

CORNER = [[0, 0, 0], [0, 0, 9], [0, 9, 9]]  # dark at the upper left, bright at the lower right


@judged("02.1", "The weights add up to zero; negative ones stand at the upper left, positive ones opposite.")
def diagonal_kernel(kernel: Any) -> str | None:
    """Judge a kernel that answers to edges along one diagonal and not to those along the other."""
    kernel, corner = np.asarray(kernel, float), np.array(CORNER)
    if kernel.shape != (3, 3):
        return f"your kernel has the shape {kernel.shape}, expected (3, 3)."
    flat, edge, other = kernel.sum(), (kernel * corner).sum(), (kernel * corner[:, ::-1]).sum()
    if abs(flat) > 1e-6:
        return f"its sum in a flat area of ones is {flat:g}."
    if not edge > 0:
        return f"where the lower right is bright, its sum is {edge:g}."
    return None if abs(other) < 1e-6 else f"where the lower left is bright, its sum is {other:g}."


@judged("02.2", "Copy the list of the baseline, leave out `MaxPooling2D()`, and compare the two summaries.")
def strides_instead_of_pooling(model: Any) -> str | None:
    """Judge the baseline whose blocks end with a convolution of strides 2."""
    if problem := untrained(model):
        return problem
    if layers_of(model, "MaxPooling2D"):
        return "there is still a MaxPooling2D in it."
    strides = [layer.strides[0] for layer in layers_of(model, "Conv2D")]
    if strides != [1, 2, 1, 2, 1, 2]:
        return f"its convolutions have the strides {strides}."
    if model.count_params() != 204_570:
        return f"it has {model.count_params():,} parameters, the baseline 204,570: compare the summaries."
    return None


@judged("02.3", "`keras.models.clone_model(dense)`, then the three calls, with shuffled pictures in `fit`.")
def dense_on_shuffled_pixels(model: Any) -> str | None:
    """Judge a dense network by what it says of shuffled validation images, and of others."""
    if problem := untrained(model):
        return problem
    if layers_of(model, "Conv2D"):
        return "there are convolutions in it: clone `dense`."
    from helpers.data import load_cifar10

    val = load_cifar10(seed=7).val
    order = np.random.default_rng(1).permutation(32 * 32)
    shuffled = val.images.reshape(-1, 32 * 32, 3)[:, order].reshape(val.images.shape)
    on_noise, on_pictures = (
        np.mean(model.predict(images, verbose=0).argmax(axis=1) == val.labels)
        for images in (shuffled, val.images)
    )
    if on_noise > 0.2 and on_noise > on_pictures + 0.05:
        return None
    return f"it is right on {on_noise:.0%} of the shuffled images and on {on_pictures:.0%} of the others."


# Chapter 03

KEY["03.1"] = Key(20_000, "The width shrinks with the square root of the number of images.", 400)
KEY["03.3"] = Key(1 - 0.95**10, "First find the chance that all of them stay quiet.", 5e-3)


@judged("03.2", "`wide` has a column for each model: subtract, then `.mean()` and `.std()`.")
def in_pairs(answer: Any) -> str | None:
    """Judge mean and standard deviation of the differences of two blocks from three, in points."""
    from helpers import records

    runs = records.load_runs("networks")
    wide = 100 * runs.pivot(index="seed", columns="title", values="val_accuracy")
    differences = wide["VGG, 2 blocks"] - wide["VGG, 3 blocks"]
    if np.shape(answer) != (2,):
        return f"your answer has the shape {np.shape(answer)}, expected a list of two numbers."
    off = np.abs(np.asarray(answer, float) - (differences.mean(), differences.std()))
    wrong = [name for name, size in zip(("mean", "standard deviation"), off, strict=True) if not size < 0.02]
    return f"the {' and the '.join(wrong)} should be another." if wrong else None


@judged("03.4", "`train` returns the model and its run: put the second into a list, seed by seed.")
def own_seeds(runs: Any) -> str | None:
    """Judge three records of one network, not TensorFlow's own, trained alike but for their seeds."""
    if not isinstance(runs, list | tuple) or len(runs) != 3 or not all(isinstance(run, Run) for run in runs):
        return "your answer is no list of three runs."
    if sorted(run.seed for run in runs) != [0, 1, 2]:
        return f"the seeds are {[run.seed for run in runs]}."
    alike = [(run.recipe, run.data, run.parameters) for run in runs]
    if alike != [alike[0]] * 3:
        return "recipe, data and network have to be the same in all three."
    return "this is TensorFlow's network, unchanged." if runs[0].parameters == 122_570 else None


# Chapter 04

KEY["04.1"] = Key(1.5, "What comes out is 0 or 3 / 0.8: how often each, and how far from their mean?", 0.05)
SHAPE = "One random number decides about a whole map: which axes of the draw must have length 1?"
KEY["04.3"] = Key(
    math.log(0.5) / math.log(1 - 0.001 * 0.5) / 352,
    "How often must 1 - 0.001 x 0.5 be multiplied by itself until a half is left? Ask the logarithm.",
    tolerance=0.05,
)


@judged("04.2", SHAPE)
def not_whole_maps(spatial_dropout: Callable) -> str | None:
    """Judge whether maps are dropped whole, some of each image, and the others scaled."""
    result = np.asarray(spatial_dropout(np.ones((50, 4, 4, 20)), 0.25, np.random.default_rng(0)))
    if result.shape != (50, 4, 4, 20):
        return f"what comes out has the shape {result.shape}, expected (50, 4, 4, 20)."
    if not np.isclose(result[..., None], (0, 4 / 3)).any(axis=-1).all():
        return "at a rate of 0.25, what comes out should be 0 or 4/3 of what came in."
    if (result != result[:, :1, :1]).any():
        return "a part of a map is dropped and another part is not."
    dropped = result[:, 0, 0] == 0  # images, channels
    drawn = 0.2 < dropped.mean() < 0.3 and not dropped.all(axis=0).any() and not dropped.all(axis=1).any()
    return None if drawn else "a quarter of the maps should be dropped, other ones of each image."


@judged("04.4", "Write `build_network` anew: which of its `Dropout` lines stay?")
def not_one_dropout_at_the_end(network: Any) -> str | None:
    """Judge whether a network has the standard CNN's layers and one dropout at its end, and was trained."""
    if problem := untrained(network):
        return problem
    stack = [layer for layer in network.layers if getattr(layer, "rate", None) != 0]
    rates = [(stack.index(layer), layer.rate) for layer in layers_of(network, "Dropout") if layer.rate]
    if rates != [(len(stack) - 2, 0.5)]:
        return f"it has dropout at these places, with these rates: {rates}; expected one, of rate 0.5."
    if len(layers_of(network, "Conv2D")) != 6:
        return "expected six convolutions."
    history = getattr(getattr(network, "history", None), "history", {})
    if len(history.get("val_accuracy", [])) < 12:
        return "expected `fit` for 12 epochs with `validation_data`."
    return None if history["loss"][-1] < history["loss"][0] else "its loss did not fall in training."
