"""The one training loop of the series: `train` gives a model and the record of how it came about.

What an epoch draws depends on the seed and the epoch alone: on the same machine, a run that was killed and
goes on from its last finished epoch ends with the same weights, bit for bit, as a run that was not.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from helpers import session
from helpers.augment import alternating_flips, random_crop, random_mixup
from helpers.data import Split, TrainingData, profile
from helpers.internal.checkpoint import Checkpoint
from helpers.models import reseed_dropout, set_whitening
from helpers.optimizers import build_in, compile_model, with_input
from helpers.predict import last_activation, over_views
from helpers.recipe import Recipe, Run

CROP_SIDE = 24  # pixels, in the small epochs
TINY = 20
CHECKS = (("images", (32, 32, 3), np.number, 255), ("labels", (), np.integer, 9))  # shape, kind, largest


class TrainingDiverged(ArithmeticError):
    """The loss became infinite or not a number."""


def train(
    build: Callable[[], keras.Model],
    data: TrainingData,
    recipe: Recipe,
    seed: int = 0,
    resume_dir: str | Path | None = None,
    *,
    progress: bool = True,
) -> tuple[keras.Model, Run]:
    """Train a network by a recipe and return it with the record of the run.

    Args:
        build: returns an uncompiled model from raw pixels to logits, such as `helpers.models.vgg`.
        data: `cifar10.for_training()`, which has no test split that one could look at by accident. The
            validation split may be empty (`load_cifar10(val_size=0)`), to train on all images.
        recipe: how to train; in the smoke profile at most two epochs.
        seed: from 0 to 2**32 - 1.
        resume_dir: folder for the state after each epoch, from which the same call goes on; it stays.

    Raises:
        TypeError, ValueError: if the data or the model do not fit; the message names what.
        TrainingDiverged: if an epoch's loss is not finite.
        BlockingIOError: if another process trains in `resume_dir`.
    """
    check_data(data)
    epochs = smoke_epochs(recipe.epochs)
    recipe = replace(recipe, epochs=epochs, small_epochs=min(recipe.small_epochs, epochs // 2))
    keras.utils.set_random_seed(seed)
    precision = session.precision(recipe.precision)
    if recipe.precision == "auto":
        print(f"Trains in {precision}, at which this processor is fastest.")
    model = build_in(precision, build)
    check_model(model)
    set_whitening(model, data.train.images)
    compile_model(model, recipe, steps_per_epoch=-(-len(data.train) // recipe.batch_size))
    record = {"recipe": asdict(recipe), "seed": seed, "data": describe(data)}
    with Checkpoint(resume_dir, model, record) as checkpoint:
        history = train_epochs(model, data, recipe, seed, checkpoint, progress)
    if precision != "float32":
        model = with_weights_of(model, build)
    answers = predict_logits(model, data.val.images).argmax(axis=1) if len(data.val) else data.val.labels
    record["parameters"] = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    seconds = sum(entry["seconds"] for entry in history)
    return model, Run(
        **record, history=history, seconds=seconds, **outcome(answers == data.val.labels, precision)
    )


def with_weights_of(model: keras.Model, build: Callable[[], keras.Model]) -> keras.Model:
    """Return a model of its own that computes in float32, with another one's weights and settings."""
    plain = build_in("float32", build)
    plain.set_weights(model.get_weights())
    plain.compile(model.optimizer, model.loss, metrics=["accuracy"])
    return plain


def train_epochs(
    model: keras.Model, data: TrainingData, recipe: Recipe, seed: int, checkpoint: Checkpoint, shown: bool
) -> list[dict]:
    """Train the epochs that the checkpoint does not have yet, and return the whole history."""
    on_crops = with_input(model, CROP_SIDE) if recipe.small_epochs else model
    on_tiny = with_input(model, TINY) if recipe.tiny_epochs else model
    judged = batches(data.val.images, encode(data.val.labels, recipe)) if len(data.val) else {}
    history = checkpoint.restore()
    steps = -(-len(data.train) // recipe.batch_size)
    done, total = len(history) * steps, recipe.epochs * steps
    with tqdm(initial=done, total=total, disable=not shown, leave=False) as bar:
        step_by_step = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        for epoch in range(len(history), recipe.epochs):
            started = time.perf_counter()
            images, labels = epoch_data(data.train, recipe, seed, epoch)
            reseed_dropout(model, seed, epoch)
            learner = on_crops if epoch < recipe.small_epochs else model
            learner = on_tiny if epoch < recipe.tiny_epochs else learner
            drawn = batches(images, labels, recipe.batch_size)  # in the order that epoch_data drew
            logs = learner.fit(**drawn, shuffle=False, callbacks=[step_by_step], verbose=0).history
            found = model.evaluate(**judged, verbose=0, return_dict=True) if judged else {}
            entry = {"epoch": epoch + 1, "side": images.shape[1]} | {name: v[0] for name, v in logs.items()}
            entry |= {f"val_{name}": value for name, value in found.items()}
            require_finite(entry)
            history.append(entry | {"seconds": time.perf_counter() - started})
            bar.set_postfix(history[-1])
            checkpoint.save(history)
    return history


def require_finite(entry: dict) -> None:
    """Raise TrainingDiverged if a loss of an epoch is infinite or not a number."""
    for name in ("loss", "val_loss"):
        if not np.isfinite(entry.get(name, 0)):
            advice = "lower the learning rate, or look for a mistake in the loss."
            raise TrainingDiverged(f"The {name} became {entry[name]} in epoch {entry['epoch']}: {advice}")


def batches(images: np.ndarray, labels: np.ndarray | None, size: int = 500) -> dict:
    """Return the arguments with which `fit`, `evaluate` and `predict` read batches in the arrays' order.

    On TensorFlow, Keras' own `tf.data` pipeline tunes itself in a thread that sleeps longer each time, and
    TensorFlow 2.21 waits for it at the end: up to as long again as the epoch took. This one does not.
    """
    arrays = {"x": images} if labels is None else {"x": images, "y": labels}
    if keras.backend.backend() != "tensorflow":
        return arrays | {"batch_size": size}
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    pipeline = tf.data.Dataset.from_tensor_slices(tuple(arrays.values())).batch(size).prefetch(2)
    return {"x": pipeline.with_options(options)}


def predict_logits(model: keras.Model, images: np.ndarray, views: int | str = 1) -> np.ndarray:
    """Return a model's logits, float32 (N, classes), averaged over views of each image.

    Args:
        model: takes raw pixels and gives logits, such as those of `helpers.models`.
        images: uint8 or float (N, H, W, 3), values 0 to 255.
        views: 1, 2, 6 or "adaptive", as in `helpers.predict.over_views`.
    """
    return over_views(lambda view: model.predict(**batches(view, None), verbose=0), images, views)


def outcome(correct: np.ndarray, precision: str = "float32") -> dict:
    """Return a record's last fields from one truth value per validation image, bool (N,)."""
    accuracy = float(correct.mean()) if len(correct) else None
    where = {"machine": session.machine() | {"precision": precision}, "versions": session.versions()}
    return {"val_accuracy": accuracy, "val_correct": as_digits(correct), **where}


def as_digits(correct: np.ndarray) -> str:
    """Return truth values, bool (N,), as they are recorded: a "1" for each true one, a "0" for each other."""
    return "".join("01"[int(c)] for c in correct)


def smoke_epochs(epochs: int) -> int:
    """Return the number of epochs that this profile trains: at most two in the smoke profile."""
    return min(epochs, 2) if profile() == "smoke" else epochs


def encode(labels: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Return int labels (N,) as the recipe's loss wants them: soft labels need one-hot rows (N, 10)."""
    return keras.utils.to_categorical(labels, 10) if recipe.soft_labels else labels


def epoch_data(split: Split, recipe: Recipe, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the epoch's images and labels, shuffled and augmented by a generator of (seed, epoch)."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(split))
    images = split.images[order]
    if recipe.augmentation.alternate:
        mirrored = alternating_flips(len(split), seed, epoch)[order]
        images[mirrored] = images[mirrored, :, ::-1]
    images = recipe.augmentation(images, rng)
    if epoch < recipe.small_epochs:
        images = random_crop(images, TINY if epoch < recipe.tiny_epochs else CROP_SIDE, rng)
    labels = encode(split.labels[order], recipe)
    if recipe.augmentation.mixup:
        images, labels = random_mixup(images, labels, recipe.augmentation.mixup, rng)
    return images, labels


def describe(data: TrainingData) -> dict:
    """Return what a record says of the data: source, sha256 of every pixel and label, images per split."""
    digest = hashlib.sha256()
    for array in (data.train.images, data.train.labels, data.val.images, data.val.labels):
        digest.update(np.ascontiguousarray(array))
    sizes = {"train": len(data.train), "val": len(data.val)}
    return {"source": data.source, "sha256": digest.hexdigest(), **sizes}


def check_data(data: TrainingData) -> None:
    """Raise TypeError or ValueError, naming the part at fault, unless the data can be trained on."""
    if not isinstance(data, TrainingData):
        raise TypeError(f"data is a {type(data).__name__}, expected TrainingData: cifar10.for_training().")
    if not len(data.train):
        raise ValueError("data.train is empty, expected at least one image.")
    for part, split in (("train", data.train), ("val", data.val)):
        for name, shape, kind, top in CHECKS:
            where, array, shape = f"data.{part}.{name}", getattr(split, name), (len(split), *shape)
            if array.shape != shape or not np.issubdtype(array.dtype, kind):
                raise ValueError(f"{where} is {array.dtype} {array.shape}, expected {kind.__name__} {shape}.")
            # A comparison with NaN is false, so NaN pixels are found, too.
            if len(array) and not (array.min() >= 0 and array.max() <= top):
                raise ValueError(f"{where} holds {array.min()} to {array.max()}, expected 0 to {top}.")
            if name == "images" and len(array) and 0 < array.max() <= 1:
                raise ValueError(f"{where} holds values from 0 to 1, expected 0 to {top}: multiply by {top}.")


def check_model(model: keras.Model) -> None:
    """Raise ValueError unless this is a model that takes images and gives ten logits."""
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, 32, 32, 3), (None, 10)):
        found = f"{type(model).__name__}, {shapes[0]} -> {shapes[1]}"
        raise ValueError(f"build() gives a {found}, expected a model, (None, 32, 32, 3) -> (None, 10).")
    if (ending := last_activation(model)) in ("softmax", "sigmoid"):
        raise ValueError(f"build() gives a model that ends in a {ending}, expected logits: leave it out.")
