"""Compare our training of `fast_net` with plain Keras `fit`, with PyTorch and with the processor's peak.

All train the same network on whole pictures in every epoch, with as many threads; the first epoch, which
compiles, is left out. Against Keras, with flip and shift; against the others without, in float32 and in
bfloat16. At the peak, the products and sums of an epoch are those of large matrices; nothing else is done.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/training_step.py
PyTorch, if it is elsewhere: TORCH_PYTHON=... names an interpreter that has it.
"""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from functools import partial
from pathlib import Path

import race

CHECK_STEPS = 3  # of training, in which ours and PyTorch must agree
RANGES = {"beta": (-0.5, 0.5), "moving_mean": (-0.5, 0.5), "moving_variance": (0.5, 2)}
PRECISIONS = ("float32", "bfloat16")
GOALS = {"float32": "at most 0.5 of the faster PyTorch"}
GOALS |= {"bfloat16": "not behind PyTorch, at most 0.7 of float32"}
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def recipe_of(options, augmented: bool, precision: str = "float32"):
    """Return the full recipe with these batches and epochs, without its small crops."""
    from helpers.augment import Augmentation
    from helpers.studies import STUDIES

    recipe = STUDIES["full"].variants[0].recipe
    changes = {"epochs": options.epochs, "batch_size": options.batch, "small_epochs": 0}
    changes["precision"] = "auto" if precision == "bfloat16" else precision
    augmentation = recipe.augmentation if augmented else Augmentation()
    return dataclasses.replace(recipe, augmentation=augmentation, **changes)


def new_model(options, images):
    """Return the full recipe's network with its whitening, from the same random weights every time."""
    import keras

    from helpers import models, studies

    keras.utils.set_random_seed(0)
    model = models.fast_net(options.width, **studies.SHAPE)
    models.set_whitening(model, images)
    return model


def ours(options, augmented: bool, precision: str = "float32") -> float:
    """Train with `helpers.training.train`, without validation."""
    from helpers import models, studies
    from helpers.data import Split
    from helpers.training import train

    data, recipe = race.training_data(options.images), recipe_of(options, augmented, precision)
    data = dataclasses.replace(data, val=Split(data.val.images[:0], data.val.labels[:0]))
    _, run = train(lambda: models.fast_net(options.width, **studies.SHAPE), data, recipe, progress=False)
    if run.machine["precision"] != precision:
        sys.exit(f"This processor has no fast {precision}.")
    return statistics.median(epoch["seconds"] for epoch in run.history[1:])


def at_peak(options, precision: str) -> float:
    """Return the seconds of an epoch if all of its products and sums were those of large matrices."""
    import keras

    from helpers import experiments, models, studies

    matrix = keras.ops.ones((4096, 4096), precision)
    tries = timeit.repeat(lambda: keras.ops.convert_to_numpy(matrix @ matrix), number=1, repeat=5)
    net = models.fast_net(options.width, **studies.SHAPE)
    step = 3 * experiments.forward_flop(net, 32)  # forward, and twice backward
    return step * options.images * min(tries) / (2 * 4096**3)


def plain(options, place: str, shift: str) -> float:
    """Train as keras.io's guides do, flips and shifts by Keras' layers.

    Args:
        place: "model" (the layers come first in the model) or "pipeline" (`tf.data` maps them over batches).
        shift: "RandomTranslation", or "RandomCrop" after padding (one offset for the whole batch).
    """
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import layers

    from helpers.optimizers import compile_model
    from helpers.training import encode

    recipe, split = recipe_of(options, True), race.training_data(options.images).train
    pixels, model = recipe.augmentation.shift, new_model(options, split.images)
    labels = encode(split.labels, recipe)
    moves = [layers.RandomTranslation(pixels / 32, pixels / 32)]
    if shift == "RandomCrop":
        moves = [layers.ZeroPadding2D(pixels), layers.RandomCrop(32, 32)]
    augment = keras.Sequential([layers.RandomFlip("horizontal"), *moves])
    inputs = {"x": split.images, "y": labels, "batch_size": options.batch}
    if place == "model":
        model = keras.Sequential([keras.Input((32, 32, 3)), augment, model])
    else:
        pipeline = tf.data.Dataset.from_tensor_slices((split.images, labels)).shuffle(options.images)
        pipeline = pipeline.batch(options.batch)
        pipeline = pipeline.map(lambda x, y: (augment(x, training=True), y), tf.data.AUTOTUNE)
        inputs = {"x": pipeline.prefetch(tf.data.AUTOTUNE), "shuffle": False}
    compile_model(model, recipe, -(-options.images // options.batch))
    ends = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    model.fit(**inputs, epochs=options.epochs, callbacks=[clock], verbose=0)
    return statistics.median(np.diff(ends).tolist())


def export(options) -> float:
    """Write weights and data for torch_net.py into the file TOLD, and what must come out equal there.

    The shifts, means and variances of batch normalisation are random, the rates large: else mistakes would
    not show. The rate is constant: after a change, momentum keeps past steps in Keras, gradients in PyTorch.
    """
    import numpy as np

    from helpers.models import CHANNEL_MEAN, CHANNEL_STD
    from helpers.optimizers import compile_model
    from helpers.training import encode

    changes = {"schedule": "constant", "learning_rate": 0.1, "weight_decay": 0.5}
    recipe = dataclasses.replace(recipe_of(options, False), **changes)
    split = race.training_data(options.images).train
    model, rng = new_model(options, split.images), np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in RANGES:
            weight.assign(rng.uniform(*RANGES[weight.name], weight.shape))
    told = {"pixels": split.images, "classes": split.labels.astype("int64")}
    told |= {"mean": np.multiply(255, CHANNEL_MEAN), "std": np.multiply(255, CHANNEL_STD)}
    told["recipe"] = json.dumps(dataclasses.asdict(recipe))
    weights = [weight.numpy() for weight in model.weights]
    first, labels = split.images[: options.batch], encode(split.labels[: options.batch], recipe)
    told["logits"] = model.predict(first, verbose=0)
    compile_model(model, recipe, CHECK_STEPS)
    one = {"x": first, "y": labels, "batch_size": len(first), "verbose": 0}
    told["losses"] = [model.fit(**one).history["loss"][0] for _ in range(CHECK_STEPS)]
    np.savez(os.environ["TOLD"], *weights, **told)
    return 0.0


FITS = [(place, shift) for place in ("model", "pipeline") for shift in ("RandomTranslation", "RandomCrop")]
CONTENDERS = {"ours, flip and shift": partial(ours, augmented=True)}
CONTENDERS |= {f"fit, {shift} in {place}": partial(plain, place=place, shift=shift) for place, shift in FITS}


def main() -> None:
    """Compare with Keras, and with PyTorch where it is installed."""
    own = {"export": export}
    for kind in PRECISIONS:
        own[f"ours, {kind}"] = partial(ours, augmented=False, precision=kind)
        own[f"peak, {kind}"] = partial(at_peak, precision=kind)
    sizes = {"width": 64, "batch": 500, "images": 2000, "epochs": 4, "repeats": 3, "threads": 2}
    options = race.options(__doc__, CONTENDERS | own, **sizes)
    os.environ |= dict.fromkeys(THREADS, str(options.threads))
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    os.environ["TUTORIAL_PROFILE"] = "standard"
    race.compare({name: race.command(name) for name in CONTENDERS}, options, "at most 0.67 of the fastest")
    torch = os.environ.get("TORCH_PYTHON", sys.executable)
    if subprocess.run([torch, "-c", "import torch"], capture_output=True, check=False).returncode:
        hint = "pip install -r benchmarks/requirements.txt, or set TORCH_PYTHON"
        sys.exit(f"No PyTorch in {torch}: {hint}.")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOLD"] = f"{folder}/told.npz"
        race.in_new_process(race.command("export"), options)
        script = [torch, str(Path(__file__).with_name("torch_net.py")), os.environ["TOLD"]]
        for kind in PRECISIONS:
            own = dict.fromkeys((f"ours, {kind}", f"peak, {kind}", "ours, float32"))
            names = [f"PyTorch, {kind}", f"PyTorch, torch.compile, {kind}"]
            commands = {name: race.command(name) for name in own} | {name: [*script, name] for name in names}
            race.compare(commands, options, GOALS[kind])


if __name__ == "__main__":
    main()
