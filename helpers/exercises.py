"""The key to the exercises: what is expected, and a hint. Spoilers: `helpers.checks` reads it for you."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

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


KEY["00.1"] = Key(10, "Look at the class balance.")  # of the template
KEY["00.2"] = Key("frog", "`CLASS_NAMES` is a list: what is at place 6?")
KEY["00.3"] = Key(0.1, "Divide the number of cats by the number of images.")

# Chapter 01

KEY["01.1"] = Key(0.6, "How many of the ten classes are animals? All classes are equally large.")


@judged("01.2", "Average over rows, columns and channels; `np.argmax` tells where the largest number stands.")
def brightest_image(answer: Any) -> str | None:
    """Take the index of the brightest image of the training split: of CIFAR-10, or of the sample."""
    found = isinstance(answer, int | np.integer) and answer in (5265, 1180)
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
    found = any(abs(answer - accuracy) <= 0.003 for accuracy in (0.44, 0.382))
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


def untrained(model: Any) -> str | None:
    """Return why an answer is no trained network from images to ten logits, or None if it is one."""
    import keras

    if not isinstance(model, keras.Model):
        return f"your answer is a {type(model).__name__}, expected a network of Keras."
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, 32, 32, 3), (None, 10)):
        return f"it leads from {shapes[0]} to {shapes[1]}, expected (None, 32, 32, 3) to (None, 10)."
    steps = int(model.optimizer.iterations) if getattr(model, "optimizer", None) else 0
    return None if steps else "it is not trained yet: `compile`, then `fit`."


@judged("02.2", "Copy the list of the baseline, leave out `MaxPooling2D()`, and compare the two summaries.")
def strides_instead_of_pooling(model: Any) -> str | None:
    """Judge the baseline whose blocks end with a convolution of strides 2."""
    if problem := untrained(model):
        return problem
    kinds = [type(layer).__name__ for layer in model.layers]
    if pooling := [kind for kind in kinds if "Pool" in kind]:
        return f"there is still a {pooling[0]} in it."
    strides = [layer.strides[0] for layer in model.layers if type(layer).__name__ == "Conv2D"]
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
    if {type(layer).__name__ for layer in model.layers} & {"Conv2D", "MaxPooling2D"}:
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

    runs = records.load_runs("baseline")
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
    from keras import Model, layers

    if not isinstance(network, Model):
        return f"your answer is a {type(network).__name__}, expected the trained network."
    stack = [layer for layer in network.layers if getattr(layer, "rate", None) != 0]
    rates = [(stack.index(layer), layer.rate) for layer in stack if isinstance(layer, layers.Dropout)]
    if rates != [(len(stack) - 2, 0.5)]:
        return f"it has dropout at these places, with these rates: {rates}; expected one, of rate 0.5."
    if sum(isinstance(layer, layers.Conv2D) for layer in stack) != 6 or network.output_shape != (None, 10):
        return "expected six convolutions, and ten logits at the end."
    history = getattr(getattr(network, "history", None), "history", {})
    if len(history.get("val_accuracy", [])) < 12:
        return "expected `fit` for 12 epochs with `validation_data`."
    return None if history["loss"][-1] < history["loss"][0] else "its loss did not fall in training."


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
    found = _layers(network)
    kinds = [type(layer).__name__ for layer in found]
    for kind in ("RandomFlip", "RandomTranslation", "RandomRotation", "Conv2D"):
        if kind not in kinds:
            return f"there is no layer {kind} in it."
    turn = kinds.index("RandomRotation")
    if turn > kinds.index("Conv2D"):
        return "the pictures are turned after the first convolution."
    if not np.allclose(np.abs(found[turn].factor), 15 / 360, atol=1e-3):
        return f"it turns by up to {360 * max(np.abs(found[turn].factor)):.0f} degrees."
    optimizer = getattr(network, "optimizer", None)  # none before `compile`
    return None if optimizer and int(optimizer.iterations) > 10 else "it is not trained yet."


def _layers(network: Any) -> list:
    """Return the layers of a Keras model in their order, those of a model within it in its place."""
    found = []
    for layer in network.layers:
        found += _layers(layer) if hasattr(layer, "layers") else [layer]
    return found


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
        return "the function still returns `...`."
    folded, bias = answer
    factor = norm.gamma / np.sqrt(norm.moving_variance + norm.epsilon)
    if not np.allclose(folded, kernel * factor):
        return "the kernel is another one."
    expected = (inputs @ kernel - norm.moving_mean) * factor + norm.beta
    return None if np.allclose(inputs @ folded + bias, expected) else "the kernel is right, the bias is not."


@judged("06.3", "Which layer stands in front of each batch normalisation now, and which one should?")
def behind_the_relu(model: Any) -> str | None:
    """Say what is wrong with a trained network whose batch normalisations stand behind their ReLUs."""
    kinds = [type(layer).__name__ for layer in model.layers]
    places = [place for place, kind in enumerate(kinds) if kind == "BatchNormalization"]
    if len(places) != 7 or model.output_shape != (None, 10):
        return f"it has {len(places)} batch normalisations, expected 7 in a network with ten logits."
    for place in places:
        before = model.layers[place - 1]
        activation = getattr(getattr(before, "activation", None), "__name__", None)
        if kinds[place - 1] != "ReLU" and activation != "relu":
            return f"layer {place} is a batch normalisation behind a {kinds[place - 1]} without ReLU."
    steps = int(model.optimizer.iterations) if model.optimizer else 0
    return None if steps >= 10 else f"it was trained for {steps} steps; train it for an epoch or more."


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
    problem = lacks_training(answer, steps=30)
    if problem:
        return problem
    kernels = [tuple(w.shape) for w in answer.trainable_weights if len(w.shape) == 4]
    expected = [(3, 3, 3, 16), (3, 3, 16, 16), (3, 3, 16, 64), (3, 3, 64, 64)]
    return None if kernels == expected else f"its kernels have the shapes {kernels}."


def lacks_training(model: Any, steps: int) -> str | None:
    """Return why this is no Keras model of images and ten logits, trained for so many steps; or None."""
    import keras  # here, since it takes seconds

    if not isinstance(model, keras.Model):
        return f"your answer is a {type(model).__name__}, expected a keras.Model."
    if (model.input_shape, model.output_shape) != ((None, 32, 32, 3), (None, 10)):
        return f"it leads from {model.input_shape} to {model.output_shape}."
    if not getattr(model, "optimizer", None):
        return "it has not been compiled."
    done = int(model.optimizer.iterations)
    return None if done >= steps else f"it was trained for {done} steps, expected {steps} or more."


# Chapter 08


def draw_shape(kind, rng):
    """Return a picture of a shape, 64 x 64 pixels; colours, place, size by chance."""
    corners = {"circle": 40, "diamond": 4, "square": 4, "triangle": 3}[kind]
    x, y, radius = rng.integers((24, 24, 14), (40, 40, 24)).tolist()
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
        temperature = float(function(logits, labels))
        if not temperature > 0:
            return f"your temperature is {temperature:g}, expected a number above 0."
        said = softmax(logits / temperature, axis=1).max(axis=1).mean()
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
    return (
        None
        if kept.size and kept.max() < 1e-6
        else "it returns other numbers, not the same in new directions."
    )


KEY["A1.2"] = Key(2.0, "How does the grey line depend on the decay: is it a factor, a square, a root?", 0.01)


@judged("A1.3", "`dataclasses.replace(recipe, setting=value)` gives a recipe with one change.")
def judge_one_change(answer: Any) -> str | None:
    from helpers.recipe import Run

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
