"""Compare `Augmentation(flip=True, shift=4)` with Keras' `RandomFlip` and `RandomTranslation` layers.

Keras' layers get batches in the ways that a careful user would choose: a compiled function, and a `tf.data`
pipeline that maps the layers over batches on all cores. They move by fractions of a pixel and return float32;
ours moves by whole pixels, in uint8. A training epoch of the standard CNN says what share of it ours takes.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/augmentation.py
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import race

BATCH_SIZE, SHIFT = 128, 4
GOAL = "at most 0.2 of Keras' layers, at most 0.05 of a training epoch"


def median_seconds(work: Callable[[], object], passes: int = 5) -> float:
    """Return the median seconds of a pass; a first one, which compiles and warms up, is left out."""
    ends = []
    for _ in range(passes + 2):
        ends.append(time.perf_counter())
        work()
    return statistics.median(after - before for before, after in pairwise(ends[1:]))


def require_own_draws(augment: Callable, picture) -> None:
    """Exit unless copies of one picture come out different: a no-op would win every race."""
    import numpy as np

    results = np.asarray(augment(np.repeat(picture[None], BATCH_SIZE, axis=0).astype("float32")))
    if len(np.unique(results.reshape(BATCH_SIZE, -1), axis=0)) < 2:
        sys.exit("An augmentation gives every picture the same draw: nothing to compare.")


def ours(options) -> float:
    """Augment all images in one call, as `train` does."""
    import numpy as np

    from helpers.augment import Augmentation

    images = race.training_data(options.images).train.images
    augment, rng = Augmentation(flip=True, shift=SHIFT), np.random.default_rng(0)
    require_own_draws(lambda pictures: augment(pictures, rng), images[0])
    return median_seconds(lambda: augment(images, rng))


def keras_layers(images) -> Callable:
    """Return Keras' layers as a function of a batch, at work as in training."""
    import keras

    shift = keras.layers.RandomTranslation(SHIFT / 32, SHIFT / 32)
    layers = keras.Sequential([keras.layers.RandomFlip("horizontal"), shift])
    require_own_draws(lambda batch: layers(batch, training=True), images[0])
    return lambda batch: layers(batch, training=True)


def keras_function(options) -> float:
    """Augment all images with Keras' layers in a compiled function, batch by batch."""
    import tensorflow as tf

    images = race.training_data(options.images).train.images
    augment = tf.function(keras_layers(images), reduce_retracing=True)
    starts = range(0, len(images), BATCH_SIZE)
    parts = [tf.constant(images[start : start + BATCH_SIZE], tf.float32) for start in starts]
    return median_seconds(lambda: [augment(batch) for batch in parts])


def keras_pipeline(options) -> float:
    """Augment all images with Keras' layers in a `tf.data` pipeline."""
    import tensorflow as tf

    images = race.training_data(options.images).train.images
    settings = tf.data.Options()
    settings.autotune.enabled = False  # its thread makes TensorFlow 2.21 wait at the end
    pipeline = tf.data.Dataset.from_tensor_slices(images).batch(BATCH_SIZE)
    pipeline = pipeline.map(keras_layers(images), num_parallel_calls=os.cpu_count(), deterministic=False)
    pipeline = pipeline.prefetch(2).with_options(settings)
    return median_seconds(lambda: [None for _ in pipeline])


def training(options) -> float:
    """Train the standard CNN for one epoch."""
    from helpers import models
    from helpers.optimizers import compile_model
    from helpers.recipe import Recipe

    train, model = race.training_data(options.images).train, models.vgg(3)
    compile_model(model, Recipe(batch_size=BATCH_SIZE), -(-len(train.images) // BATCH_SIZE))
    return median_seconds(lambda: model.fit(train.images, train.labels, BATCH_SIZE, verbose=0), passes=1)


CONTENDERS = {
    "Augmentation(flip=True, shift=4)": ours,
    "Keras' layers, tf.function": keras_function,
    "Keras' layers, tf.data": keras_pipeline,
    "a training epoch of vgg(3)": training,
}

if __name__ == "__main__":
    given = race.options(__doc__, CONTENDERS, images=45_000, repeats=3)
    race.compare({name: race.command(name) for name in CONTENDERS}, given, GOAL)
