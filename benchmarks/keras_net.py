"""The TensorFlow and NumPy sides of training_step.py, which starts them in processes of their own: our
training as `train` does it, plain Keras `fit` with Keras' preprocessing layers, and matrix multiplication.
"""

import dataclasses
import functools
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from turns import CHECK_STEPS, ROOT, serve

sys.path.insert(0, str(ROOT))
RANGES = {"beta": (-0.5, 0.5), "moving_mean": (-0.5, 0.5), "moving_variance": (0.5, 2)}
EPOCHS = 1000  # of the recipe: more than are trained, so that the learning rate never gets to zero


def recipe_of(batch_size: int, augmented: bool = False):
    """Return chapter 06's full recipe with this batch size, and without augmentation unless `augmented`.

    Without its small crops, too: every contender trains on whole pictures in every epoch.
    """
    from helpers.augment import Augmentation
    from helpers.studies import STUDIES

    recipe = STUDIES["full"].variants[0].recipe
    augmentation = recipe.augmentation if augmented else Augmentation()
    changes = {"epochs": EPOCHS, "small_epochs": 0, "batch_size": batch_size}
    return dataclasses.replace(recipe, augmentation=augmentation, **changes)


@functools.cache
def split(images: int):
    """Return so many training images, repeated where there are not enough."""
    from helpers.data import Split, load_cifar10

    data = load_cifar10("official" if os.environ.get("CIFAR10_DIR") else "sample")
    return Split(np.resize(data.train.images, (images, 32, 32, 3)), np.resize(data.train.labels, images))


def new_model(width: int, images: int):
    """Return `fast_net` with its whitening computed, from the same random weights every time."""
    import keras

    from helpers import models

    keras.utils.set_random_seed(0)
    model = models.fast_net(width)
    models.set_whitening(model, split(images).images)
    return model


def ours(width: int, batch_size: int, images: int, augmented: bool) -> Callable:
    """Return what trains our network for some epochs, as `train` does, without validation and saving."""
    from helpers.batches import batches
    from helpers.recipe import compile_model
    from helpers.training import epoch_data

    recipe, data, numbers = recipe_of(batch_size, augmented), split(images), itertools.count()
    model = new_model(width, images)
    compile_model(model, recipe, -(-images // batch_size))

    def work(epochs: int, clock):
        for epoch in itertools.islice(numbers, epochs):
            pipeline = batches(*epoch_data(data, recipe, 0, epoch), batch_size)
            model.fit(pipeline, shuffle=False, callbacks=[clock], verbose=0)

    return work


def plain(width: int, batch_size: int, images: int, place: str, shift: str) -> Callable:
    """Return what trains the same network as keras.io's guides do, flips and shifts by Keras' layers.

    Args:
        width, batch_size, images: as for `ours`; loss and optimizer are the same, too.
        place: "model" (the layers come first in the model, which is fitted on arrays) or "tf.data"
            (the arrays become a pipeline that maps the layers over batches).
        shift: "RandomTranslation", or "RandomCrop" after padding (one offset for the whole batch).
    """
    import keras
    import tensorflow as tf
    from keras import layers

    from helpers.recipe import compile_model
    from helpers.training import encode

    recipe, data, network = recipe_of(batch_size), split(images), new_model(width, images)
    pixels = recipe_of(batch_size, augmented=True).augmentation.shift
    labels = encode(data.labels, recipe)
    moves = {
        "RandomTranslation": lambda: [layers.RandomTranslation(pixels / 32, pixels / 32)],
        "RandomCrop": lambda: [layers.ZeroPadding2D(pixels), layers.RandomCrop(32, 32)],
    }
    augment = keras.Sequential([layers.RandomFlip("horizontal"), *moves[shift]()])
    if place == "model":
        model = keras.Sequential([keras.Input((32, 32, 3)), augment, network])
        inputs = {"x": data.images, "y": labels, "batch_size": batch_size}
    else:
        model = network
        pipeline = tf.data.Dataset.from_tensor_slices((data.images, labels)).shuffle(images).batch(batch_size)
        pipeline = pipeline.map(lambda x, y: (augment(x, training=True), y), tf.data.AUTOTUNE)
        inputs = {"x": pipeline.prefetch(tf.data.AUTOTUNE), "shuffle": False}
    compile_model(model, recipe, -(-images // batch_size))
    return lambda epochs, clock: model.fit(**inputs, epochs=epochs, callbacks=[clock], verbose=0)


@functools.cache
def work_of(contender: str, **setting) -> Callable:
    """Return a contender's work, its model made at the first call."""
    return {"ours": ours, "plain": plain}[contender](**setting)


def step_clock():
    """Return a Keras callback whose `seconds` are those from the start of an epoch's first step to its last's
    end, over all epochs."""
    import keras

    class StepClock(keras.callbacks.Callback):
        seconds = 0.0

        def on_train_batch_begin(self, batch, logs=None):
            if batch == 0:
                self.last = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            now = time.perf_counter()
            self.seconds, self.last = self.seconds + now - self.last, now

    return StepClock()


def turn(epochs: int = 1, **setting) -> dict:
    """Train for some epochs; return seconds per epoch, and those of them that are outside the steps."""
    work, clock = work_of(**setting), step_clock()
    began = time.perf_counter()
    work(epochs, clock)
    seconds = time.perf_counter() - began
    return {"seconds": seconds / epochs, "between": (seconds - clock.seconds) / epochs}


def export(folder: str, width: int, batch_size: int, images: int) -> dict:
    """Write network, weights and data for PyTorch; return what must come out equal there.

    The shifts, means and variances of batch normalisation are random, the rates large: else mistakes would
    not show. The rate is constant: after a change, momentum keeps past steps in Keras, gradients in PyTorch.
    """
    from helpers.batches import batches
    from helpers.recipe import compile_model
    from helpers.training import encode

    changes = {"schedule": "constant", "learning_rate": 0.1, "weight_decay": 0.5}
    recipe = dataclasses.replace(recipe_of(batch_size), **changes)
    model, data, rng = new_model(width, images), split(images), np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in RANGES:
            weight.assign(rng.uniform(*RANGES[weight.name], weight.shape))
    layers = [layer for layer in model.get_config()["layers"] if layer["class_name"] != "InputLayer"]
    described = {"layers": layers, "recipe": dataclasses.asdict(recipe)}
    Path(folder, "network.json").write_text(json.dumps(described, default=str), encoding="utf-8")
    weights = {f"{layer.name}/{w.name}": w.numpy() for layer in model.layers for w in layer.weights}
    np.savez(Path(folder, "weights.npz"), **weights)
    np.savez(Path(folder, "data.npz"), images=data.images, labels=data.labels.astype("int64"))

    first, labels = data.images[:batch_size], encode(data.labels[:batch_size], recipe)
    logits = model.predict(first, batch_size=batch_size, verbose=0).tolist()
    compile_model(model, recipe, CHECK_STEPS)
    one_step = batches(first, labels, batch_size)
    losses = [model.fit(one_step, shuffle=False, verbose=0).history["loss"][0] for _ in range(CHECK_STEPS)]
    return {"logits": logits, "parameters": learned(model), "losses": losses}


def learned(model) -> int:
    """Return the number of trainable weights."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def flops(width: int) -> dict:
    """Return floating-point operations per image, from the convolutions and dense layers alone.

    A multiplication and an addition count as two; padding counts as if it were pixels. "forward" is one
    pass; "needed" is forward and backward without the gradients that nothing asks for: those of fixed
    weights, and those of what enters the first layer that learns.
    """
    from helpers import models

    forward, needed, below = 0, 0, False
    for layer in models.fast_net(width).layers:
        if not hasattr(layer, "kernel"):
            continue
        positions = int(np.prod(layer.output.shape[1:-1], initial=1))
        own = 2 * int(np.prod(layer.kernel.shape)) * positions
        forward += own
        needed += own * (1 + layer.trainable + below)
        below = below or layer.trainable
    return {"forward": forward, "needed": needed}


def multiply(library: str, size: int, seconds: float) -> dict:
    """Multiply two float32 matrices over and over; return the best GFLOP/s (2 * size ** 3 operations)."""
    a, b = np.random.default_rng(0).random((2, size, size), dtype=np.float32)
    product = np.matmul
    if library == "TensorFlow":
        import tensorflow as tf

        a, b, product = tf.constant(a), tf.constant(b), lambda a, b: tf.matmul(a, b).numpy()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or best == float("inf"):
        began = time.perf_counter()
        product(a, b)
        best = min(best, time.perf_counter() - began)
    return {"gflops": 2 * size**3 / best / 1e9}


def about() -> dict:
    """Return machine and versions, for the record."""
    from helpers import session

    return session.machine() | session.versions()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        import helpers.session  # noqa: F401  starts TensorFlow without its notes

        serve({"turn": turn, "export": export, "flops": flops, "multiply": multiply, "about": about})
    else:
        print("These are the TensorFlow and NumPy sides of training_step.py; run that.")
