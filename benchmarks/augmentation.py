"""Compare `Augmentation(flip=True, shift=4)` with Keras' `RandomFlip` and `RandomTranslation` layers: images
per second. And say what share of a training step of the standard CNN ours takes.

Ours augments an epoch in one call, as `train` does. Keras' layers get batches of 128 in the ways that a
careful user would choose: a compiled function (`tf.function`) called batch by batch, and a `tf.data` pipeline
that maps the layers over batches on all cores. All take turns in one process.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/augmentation.py
"""
# ruff: noqa: E402  (the series' files must be found before they are imported)

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import keras
import numpy as np
import tensorflow as tf

import helpers.session  # noqa: F401  starts TensorFlow without its notes
from helpers import models, session
from helpers.augment import Augmentation
from helpers.data import load_cifar10
from helpers.optimizers import compile_model
from helpers.recipe import Recipe

BATCH_SIZE = 128
SHIFT = 4
GOAL_RATIO, GOAL_SHARE = 5, 0.05
Work = Callable[[], None]  # one pass over all images


def ours(images: np.ndarray) -> Work:
    """Return what augments all images with the tutorial's code."""
    augment, rng = Augmentation(flip=True, shift=SHIFT), np.random.default_rng(0)
    require_own_draws(lambda pictures: augment(pictures, rng), images[0])
    return lambda: augment(images, rng)


def keras_layers(interpolation: str = "bilinear") -> Callable[[tf.Tensor], tf.Tensor]:
    """Return Keras' layers as a function of a batch, at work as in training. "bilinear" is their default."""
    shift = keras.layers.RandomTranslation(SHIFT / 32, SHIFT / 32, interpolation=interpolation)
    layers = keras.Sequential([keras.layers.RandomFlip("horizontal"), shift])
    return lambda batch: layers(batch, training=True)


def keras_function(images: np.ndarray) -> Work:
    """Return what augments all images with Keras' layers in a compiled function, batch by batch."""
    augment = tf.function(keras_layers(), reduce_retracing=True)
    require_own_draws(augment, images[0])
    starts = range(0, len(images), BATCH_SIZE)
    parts = [tf.constant(images[start : start + BATCH_SIZE], tf.float32) for start in starts]

    def augment_all():
        for batch in parts:
            augment(batch)

    return augment_all


def keras_pipeline(images: np.ndarray, interpolation: str = "bilinear") -> Work:
    """Return what augments all images with Keras' layers in a `tf.data` pipeline."""
    augment = keras_layers(interpolation)
    require_own_draws(augment, images[0])
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread makes TensorFlow 2.21 wait at the end
    pipeline = (
        tf.data.Dataset.from_tensor_slices(images)
        .batch(BATCH_SIZE)
        .map(augment, num_parallel_calls=os.cpu_count(), deterministic=False)
        .prefetch(2)
        .with_options(options)
    )

    def augment_all():
        for _ in pipeline:
            pass

    return augment_all


def training(images: np.ndarray, labels: np.ndarray) -> Work:
    """Return what trains the standard CNN for one epoch."""
    model = models.vgg(3)
    compile_model(model, Recipe(batch_size=BATCH_SIZE), -(-len(images) // BATCH_SIZE))
    return lambda: model.fit(images, labels, BATCH_SIZE, verbose=0)


def require_own_draws(augment: Callable, picture: np.ndarray) -> None:
    """Exit unless copies of one picture come out different: a no-op would win every race."""
    copies = np.repeat(picture[None], BATCH_SIZE, axis=0)
    results = np.asarray(augment(copies.astype("float32")))
    if len(np.unique(results.reshape(BATCH_SIZE, -1), axis=0)) < 2:
        sys.exit("An augmentation gives every picture the same draw: nothing to compare.")


def measure(work: dict[str, Work], repeats: int) -> dict[str, list[float]]:
    """Let all take turns, forwards and backwards; return seconds per pass. A first round is left out."""
    seconds = {name: [] for name in work}
    for repeat in range(repeats + 1):
        for name in list(work)[:: -1 if repeat % 2 else 1]:
            began = time.perf_counter()
            work[name]()
            if repeat:  # the first round compiles and warms up
                seconds[name].append(time.perf_counter() - began)
    return seconds


def report(seconds: dict[str, list[float]], images: int, source: str) -> None:
    """Print images per second, ours against Keras' layers, and our share of a training step."""
    machine = session.machine()
    own, function, pipeline, _, epoch = median = [statistics.median(values) for values in seconds.values()]
    print(
        f"{images:,} images ({source}), mirrored and moved by up to {SHIFT} pixels, {machine['processor']}, "
        f"{machine['accelerator']}; medians of {len(next(iter(seconds.values())))} turns"
    )
    for (name, values), middle in zip(seconds.items(), median, strict=True):
        print(
            f"  {name:42}{images / middle:>10,.0f} images per second "
            f"({images / max(values):,.0f} to {images / min(values):,.0f}), {middle / own:.1f} x our time"
        )
    print(
        f"Ours is {min(function, pipeline) / own:.1f} times as fast as Keras' layers with their defaults, "
        f"in the faster of two ways (goal: at least {GOAL_RATIO})."
    )
    batch = 1e3 * BATCH_SIZE / images
    print(
        f"For {BATCH_SIZE} images, ours takes {own * batch:.2f} ms, a training step {epoch * batch:.1f} ms: "
        f"{own / epoch:.1%} (goal: at most {GOAL_SHARE:.0%})."
    )
    print(
        "Keras moves by fractions of a pixel and returns float32; ours moves by whole pixels, in uint8. "
        "All images are in memory beforehand, for the tf.function as float32."
    )


def main() -> None:
    """Measure all contenders in turns and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=45_000, help="training images at most")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each that count")
    options = parser.parse_args()
    data = load_cifar10("official" if os.environ.get("CIFAR10_DIR") else "sample")
    images, labels = data.train.images[: options.images], data.train.labels[: options.images]
    keras.utils.set_random_seed(0)
    work = {
        "Augmentation(flip=True, shift=4)": ours(images),
        "Keras' layers, tf.function": keras_function(images),
        "Keras' layers, tf.data": keras_pipeline(images),
        "Keras' layers, tf.data, nearest pixel": keras_pipeline(images, "nearest"),
        "vgg(3), one training epoch": training(images, labels),
    }
    report(measure(work, options.repeats), len(images), data.source)


if __name__ == "__main__":
    main()
