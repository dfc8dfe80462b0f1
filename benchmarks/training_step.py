"""Compare our training of `fast_net` on the processor with plain Keras `fit` and with PyTorch: a ratio.

Every contender trains the same network on whole pictures in every epoch, in a process of its own with the
same number of threads; they take turns. Against Keras, with flip and shift; against PyTorch, without.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/training_step.py
"""

import argparse
import dataclasses
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
GOALS = {"Keras": 1.5, "PyTorch": 2.0}
CHECK_STEPS = 3  # of training, in which ours and PyTorch must agree
PLAIN = [
    "-".join(form) for form in itertools.product(("model", "pipeline"), ("RandomTranslation", "RandomCrop"))
]
RANGES = {"beta": (-0.5, 0.5), "moving_mean": (-0.5, 0.5), "moving_variance": (0.5, 2)}


def recipe_of(options, augmented: bool = False):
    """Return the full recipe with these batches and epochs, without its small crops and its averaging."""
    from helpers.augment import Augmentation
    from helpers.studies import STUDIES

    recipe = STUDIES["full"].variants[0].recipe
    changes = {"epochs": options.epochs, "batch_size": options.batch_size, "small_epochs": 0, "averaging": 0}
    augmentation = recipe.augmentation if augmented else Augmentation()
    return dataclasses.replace(recipe, augmentation=augmentation, **changes)


def training_data(images: int):
    """Return so many training images, repeated where there are not enough, and none to validate on."""
    from helpers.data import Split, TrainingData, load_cifar10

    data = load_cifar10("official" if os.environ.get("CIFAR10_DIR") else "sample")
    train = Split(np.resize(data.train.images, (images, 32, 32, 3)), np.resize(data.train.labels, images))
    return TrainingData(train, Split(train.images[:0], train.labels[:0]), data.source)


def new_model(options, images: np.ndarray):
    """Return `fast_net` with its whitening computed, from the same random weights every time."""
    import keras

    from helpers import models

    keras.utils.set_random_seed(0)
    model = models.fast_net(options.width)
    models.set_whitening(model, images)
    return model


def ours(options, augmented: bool) -> list[float]:
    """Train with `helpers.training.train`; return seconds per epoch."""
    from helpers import models
    from helpers.training import train

    data, recipe = training_data(options.images), recipe_of(options, augmented)
    _, run = train(lambda: models.fast_net(options.width), data, recipe, progress=False)
    return [epoch["seconds"] for epoch in run.history]


def plain(options, place: str, shift: str) -> list[float]:
    """Train as keras.io's guides do, flips and shifts by Keras' layers; return seconds per epoch.

    Args:
        place: "model" (the layers come first in the model) or "pipeline" (`tf.data` maps them over batches).
        shift: "RandomTranslation", or "RandomCrop" after padding (one offset for the whole batch).
    """
    import keras
    import tensorflow as tf
    from keras import layers

    from helpers.optimizers import compile_model
    from helpers.training import encode

    recipe, split = recipe_of(options, augmented=True), training_data(options.images).train
    pixels, model, labels = (
        recipe.augmentation.shift,
        new_model(options, split.images),
        encode(split.labels, recipe),
    )
    moves = {
        "RandomTranslation": [layers.RandomTranslation(pixels / 32, pixels / 32)],
        "RandomCrop": [layers.ZeroPadding2D(pixels), layers.RandomCrop(32, 32)],
    }
    augment = keras.Sequential([layers.RandomFlip("horizontal"), *moves[shift]])
    inputs = {"x": split.images, "y": labels, "batch_size": options.batch_size}
    if place == "model":
        model = keras.Sequential([keras.Input((32, 32, 3)), augment, model])
    else:
        pipeline = tf.data.Dataset.from_tensor_slices((split.images, labels)).shuffle(options.images)
        pipeline = pipeline.batch(options.batch_size)
        pipeline = pipeline.map(lambda x, y: (augment(x, training=True), y), tf.data.AUTOTUNE)
        inputs = {"x": pipeline.prefetch(tf.data.AUTOTUNE), "shuffle": False}
    compile_model(model, recipe, -(-options.images // options.batch_size))
    ends = [time.perf_counter()]
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    model.fit(**inputs, epochs=options.epochs, callbacks=[clock], verbose=0)
    return np.diff(ends).tolist()


def export(options, folder: str) -> None:
    """Write network, weights and data for torch_net.py, and in answer.json what must come out equal there.

    The shifts, means and variances of batch normalisation are random, the rates large: else mistakes would
    not show. The rate is constant: after a change, momentum keeps past steps in Keras, gradients in PyTorch.
    """
    from helpers.optimizers import compile_model
    from helpers.training import encode

    changes = {"schedule": "constant", "learning_rate": 0.1, "weight_decay": 0.5}
    recipe, split = dataclasses.replace(recipe_of(options), **changes), training_data(options.images).train
    model, rng = new_model(options, split.images), np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in RANGES:
            weight.assign(rng.uniform(*RANGES[weight.name], weight.shape))
    layers = [layer for layer in model.get_config()["layers"] if layer["class_name"] != "InputLayer"]
    described = {"layers": layers, "recipe": dataclasses.asdict(recipe)}
    Path(folder, "network.json").write_text(json.dumps(described, default=str), encoding="utf-8")
    weights = {f"{layer.name}/{w.name}": w.numpy() for layer in model.layers for w in layer.weights}
    np.savez(Path(folder, "weights.npz"), **weights)
    np.savez(Path(folder, "data.npz"), images=split.images, labels=split.labels)
    first, labels = split.images[: options.batch_size], encode(split.labels[: options.batch_size], recipe)
    logits = model.predict(first, verbose=0).tolist()
    compile_model(model, recipe, CHECK_STEPS)
    one = {"x": first, "y": labels, "batch_size": len(first), "verbose": 0}
    losses = [model.fit(**one).history["loss"][0] for _ in range(CHECK_STEPS)]
    answer = json.dumps({"logits": logits, "losses": losses})
    Path(folder, "answer.json").write_text(answer, encoding="utf-8")


def in_new_process(options, command: list[str]) -> dict:
    """Return the JSON that a contender prints at last, in a process of its own without graphics cards."""
    threads = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    own = {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow", "TUTORIAL_PROFILE": "standard"}
    environment = os.environ | dict.fromkeys(threads, str(options.threads)) | own
    sizes = [f"--{name}={getattr(options, name)}" for name in ("width", "batch_size", "images", "epochs")]
    done = subprocess.run([*command, *sizes], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(options, rival: str, commands: dict[str, list[str]]) -> None:
    """Let ours and all others take turns; print their rates and our ratio to the fastest of the others."""
    seconds = {name: [] for name in commands}
    for turn in range(options.repeats):
        for name in list(commands)[:: -1 if turn % 2 else 1]:
            answer = in_new_process(options, commands[name])
            seconds[name].append(statistics.median(answer["seconds"][1:]))  # the first epoch compiles
    median = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in median.items():
        print(f"  {name:34}{options.images / value:>9,.0f} images per second")
    fastest = min(list(median)[1:], key=median.get)
    ratios = [theirs / own for theirs, own in zip(seconds[fastest], seconds["ours"], strict=True)]
    print(
        f"Ours is {statistics.median(ratios):.2f} times as fast as {fastest} ({min(ratios):.2f} to "
        f"{max(ratios):.2f} in {len(ratios)} turns); the goal is at least {GOALS[rival]}."
    )


def main() -> None:
    """Measure what is asked for; with --contender, be one contender."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in {
        "width": 64,
        "batch_size": 500,
        "images": 2000,
        "epochs": 4,
        "repeats": 3,
        "threads": 2,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--contender", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        import helpers.session  # noqa: F401  starts TensorFlow without its notes

        name, *arguments = options.contender
        work = {
            "ours": lambda what: ours(options, what == "augmented"),
            "export": lambda to: export(options, to),
        }
        work["plain"] = lambda form: plain(options, *form.split("-"))
        return print(json.dumps({"seconds": work[name](*arguments)}))
    me = [sys.executable, __file__, "--contender"]
    print(f"fast_net({options.width}), {options.images:,} images in batches of {options.batch_size}")
    fits = {f"fit, {form}": [*me, "plain", form] for form in PLAIN}
    compare(options, "Keras", {"ours": [*me, "ours", "augmented"]} | fits)
    torch = [options.torch_python, str(HERE / "torch_net.py")]
    if subprocess.run([torch[0], "-c", "import torch"], capture_output=True, check=False).returncode:
        return print(
            f"No PyTorch in {torch[0]}: pip install -r benchmarks/requirements.txt, or --torch-python."
        )
    with tempfile.TemporaryDirectory() as folder:
        in_new_process(options, [*me, "export", folder])
        others = {name: [*torch, folder, name] for name in ("PyTorch", "PyTorch, torch.compile")}
        return compare(options, "PyTorch", {"ours": [*me, "ours", "plain"]} | others)


if __name__ == "__main__":
    main()
