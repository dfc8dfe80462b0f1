"""The one training loop of the series: `train` gives a model and the record of how it came about.

Shuffling, augmentation and dropout at an epoch depend on the seed and the epoch alone. So a run
that was killed goes on from its last finished epoch and ends with the weights, bit for bit, of a
run that was not (on the same machine, with the same versions).
"""

import dataclasses
import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from helpers import session
from helpers.augment import alternating_flips, random_crop, random_mixup
from helpers.batches import batches
from helpers.data import Split, TrainingData, profile
from helpers.internal.checkpoint import Checkpoint
from helpers.models import set_whitening
from helpers.optimizers import compile_model
from helpers.progress import ProgressBar, TrainingDiverged
from helpers.recipe import Recipe, Run

SMOKE_EPOCHS = 2
CROP_SIDE = 24  # pixels, in the small epochs

__all__ = ["Recipe", "Run", "TrainingDiverged", "train"]


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
        build: function without arguments that returns an uncompiled model which takes raw pixels
            and gives logits, such as `helpers.models.vgg`.
        data: training and validation split (`cifar10.for_training()`); the test split is not
            part of this type, so it cannot be looked at by accident. The validation split may be
            empty (`load_cifar10(val_size=0)`), for a last training on all images.
        recipe: how to train. In the smoke profile at most two epochs are trained.
        seed: from 0 to 2**32 - 1.
        resume_dir: folder for the state after each epoch. Called again with the same arguments,
            `train` goes on from there. The state stays until the caller deletes the folder, so
            nothing is lost between the last epoch and the moment the result is safe.
        progress: whether to show a progress bar.

    Returns:
        The trained model and its `Run`.

    Raises:
        TypeError, ValueError: if the data or the model do not fit; the message names what.
        TrainingDiverged: if the loss is no longer finite.
    """
    check_data(data)
    epochs = smoke_epochs(recipe.epochs)
    recipe = dataclasses.replace(
        recipe,
        epochs=epochs,
        averaging=min(recipe.averaging, epochs),
        small_epochs=min(recipe.small_epochs, epochs // 2),
    )
    keras.utils.set_random_seed(seed)
    model = build()
    check_model(model, data)
    set_whitening(model, data.train.images)
    compile_model(model, recipe, steps_per_epoch=-(-len(data.train) // recipe.batch_size))
    on_crops = with_input(model, CROP_SIDE) if recipe.small_epochs else model

    record = {"recipe": dataclasses.asdict(recipe), "seed": seed, "data": describe(data)}
    identity = record | {"network": fingerprint(model)} if resume_dir else record
    checkpoint = Checkpoint(resume_dir, identity)
    history = checkpoint.restore(model)
    validation = None
    if len(data.val):
        validation = batches(data.val.images, encode(data.val.labels, recipe), size=500)
    with ProgressBar(recipe, len(data.train), done=len(history), shown=progress) as bar:
        for epoch in range(len(history), recipe.epochs):
            started = time.perf_counter()
            images, labels = epoch_data(data.train, recipe, seed, epoch)
            reseed_dropout(model, seed, epoch)
            learner = on_crops if epoch < recipe.small_epochs else model
            logs = learner.fit(
                batches(images, labels, recipe.batch_size),
                shuffle=False,  # epoch_data has shuffled
                callbacks=[bar],
                verbose=0,
            ).history
            logs = {name: values[0] for name, values in logs.items()}
            if validation is not None:
                found = model.evaluate(validation, verbose=0, return_dict=True)
                logs |= {f"val_{name}": value for name, value in found.items()}
            entry = {"epoch": epoch + 1, "side": images.shape[1], **logs}
            history.append(entry | {"seconds": time.perf_counter() - started})
            bar.finish_epoch(history[-1])
            checkpoint.save(model, history, average=epoch >= recipe.epochs - recipe.averaging)
    checkpoint.finish(model, averaged=recipe.averaging > 1)

    correct = np.empty(0, bool)
    if validation is not None:
        correct = model.predict(validation, verbose=0).argmax(axis=1) == data.val.labels
    run = Run(
        **record,
        parameters=sum(int(np.prod(w.shape)) for w in model.trainable_weights),
        history=history,
        seconds=sum(entry["seconds"] for entry in history),
        **outcome(correct),
    )
    return model, run


def predict_logits(
    model: keras.Model, images: np.ndarray, views: int = 1, batch_size: int = 500
) -> np.ndarray:
    """Return a model's logits for images, averaged over several views of each: test-time augmentation.

    Args:
        model: takes raw pixels and gives logits, such as those of `helpers.models`.
        images: uint8 or float (N, H, W, 3), values 0 to 255.
        views: 1, the image as it is; 2, also its mirror image; 6, also both of them moved by one
            pixel down and right, and up and left, where the moved ones count half.
        batch_size: images per step.

    Returns:
        float32 (N, classes).

    Raises:
        ValueError: if `views` is none of these.
    """
    if views not in (1, 2, 6):
        raise ValueError(f"views is {views!r}, expected 1, 2 or 6.")
    weighted = [(1.0, images)]
    if views == 6:
        height, width = images.shape[1:3]
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        weighted += [(0.5, padded[:, start:, start:][:, :height, :width]) for start in (0, 2)]
    if views > 1:
        weighted += [(weight, view[:, :, ::-1]) for weight, view in weighted]
    total, no_labels = sum(weight for weight, _ in weighted), np.zeros(len(images))
    return sum(
        weight / total * model.predict(batches(view, no_labels, batch_size), verbose=0)
        for weight, view in weighted
    )


def outcome(correct: np.ndarray) -> dict:
    """Return a record's last fields from one truth value per validation image, bool (N,)."""
    return {
        "val_accuracy": float(correct.mean()) if len(correct) else None,
        "val_correct": as_digits(correct),
        "machine": session.machine(),
        "versions": session.versions(),
    }


def as_digits(correct: np.ndarray) -> str:
    """Return truth values, bool (N,), as they are recorded: a "1" for each true one, a "0" for each other."""
    return "".join("01"[c] for c in correct.astype(int))


def smoke_epochs(epochs: int) -> int:
    """Return the number of epochs that this profile trains: at most two in the smoke profile."""
    return min(epochs, SMOKE_EPOCHS) if profile() == "smoke" else epochs


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
        images = random_crop(images, CROP_SIDE, rng)
    labels = encode(split.labels[order], recipe)
    if recipe.augmentation.mixup:
        images, labels = random_mixup(images, labels, recipe.augmentation.mixup, rng)
    return images, labels


def with_input(model: keras.Model, side: int) -> keras.Model:
    """Return the same layers, weights and optimizer as a model for images of `side` x `side` pixels.

    Raises:
        ValueError: if the network does not take images of that size.
    """
    try:
        other = keras.Sequential([keras.Input((side, side, 3)), *model.layers])
    except ValueError:
        raise ValueError(
            f"{model.name} does not take images of {side} x {side} pixels, as small_epochs needs: "
            "its weights must not depend on the size, as those of fast_net do not."
        ) from None
    other.compile(model.optimizer, model.loss, metrics=["accuracy"])
    return other


def reseed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Set every random layer's generator to a state that depends on (seed, epoch, layer) alone."""
    states = [v for v in model.variables if v.path.endswith("seed_generator_state")]
    for layer, state in enumerate(states):
        words = np.random.SeedSequence([seed, epoch, layer]).generate_state(2, np.uint32)
        state.assign(words.astype(state.dtype))


def fingerprint(model: keras.Model) -> str:
    """Return the sha256 of a network's layers and their settings, the same in every process.

    Keras numbers layers through within a process (dense, dense_1, ...): such numbers are left out.
    """
    return hashlib.sha256(re.sub(r'_\d+"', '"', model.to_json()).encode()).hexdigest()


def describe(data: TrainingData) -> dict:
    """Return what a record says of the data: source, sha256 of every pixel and label, images per split."""
    digest = hashlib.sha256()
    for array in (data.train.images, data.train.labels, data.val.images, data.val.labels):
        digest.update(np.ascontiguousarray(array))
    return {
        "source": data.source,
        "sha256": digest.hexdigest(),
        "train": len(data.train),
        "val": len(data.val),
    }


def check_data(data: TrainingData) -> None:
    """Raise TypeError or ValueError, naming the part at fault, unless the data can be trained on."""
    if not isinstance(data, TrainingData):
        raise TypeError(
            f"data is a {type(data).__name__}, expected TrainingData: pass cifar10.for_training()."
        )
    for name, split in (("data.train", data.train), ("data.val", data.val)):
        images, labels = split.images, split.labels
        if len(labels) == 0 and split is data.train:
            raise ValueError(f"{name} is empty, expected at least one image.")
        if images.shape != (len(labels), 32, 32, 3):
            raise ValueError(f"{name}.images has shape {images.shape}, expected ({len(labels)}, 32, 32, 3).")
        if labels.shape != (len(labels),) or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"{name}.labels is {labels.dtype} {labels.shape}, expected integers ({len(labels)},)."
            )
        if len(labels) == 0:  # an empty validation split has no values to check
            continue
        if labels.min() < 0 or labels.max() > 9:
            raise ValueError(
                f"{name}.labels holds {labels.min()} to {labels.max()}, expected labels from 0 to 9."
            )
        # A comparison with NaN is false, so NaN pixels are found, too.
        if images.dtype != np.uint8 and not (images.min() >= 0 and images.max() <= 255):
            raise ValueError(
                f"{name}.images holds values from {images.min()} to {images.max()}, "
                "expected pixels from 0 to 255, none of them NaN."
            )


def check_model(model: keras.Model, data: TrainingData) -> None:
    """Raise TypeError or ValueError unless this model takes the data's images and gives ten logits."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"build() gives a {type(model).__name__}, expected a keras.Model.")
    expected = (None, *data.train.images.shape[1:])
    if model.input_shape != expected or model.output_shape != (None, 10):
        raise ValueError(
            f"build() gives a model of {model.input_shape} -> {model.output_shape}, "
            f"expected {expected} -> (None, 10)."
        )
