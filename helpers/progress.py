"""The progress bar of a training run, and the watch over its loss."""

import keras
import numpy as np
from tqdm.auto import tqdm

from helpers.recipe import Recipe


class TrainingDiverged(ArithmeticError):
    """The loss became infinite or not a number."""


class ProgressBar(keras.callbacks.Callback):
    """A tqdm bar over all steps of a run; stops the run when the loss is no longer finite."""

    def __init__(self, recipe: Recipe, images: int, done: int, shown: bool):
        super().__init__()
        self.epochs, self.epoch = recipe.epochs, done
        steps = -(-images // recipe.batch_size)
        self.bar = tqdm(
            total=self.epochs * steps,
            initial=done * steps,
            disable=not shown,
            leave=False,
            unit="step",
            mininterval=0.5,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(logs["loss"]):
            raise TrainingDiverged(
                f"The loss became {logs['loss']} in epoch {self.epoch + 1}, step {batch + 1}: "
                "lower the learning rate, or look for a mistake in the loss."
            )
        self.bar.update()

    def finish_epoch(self, entry: dict) -> None:
        """Show the finished epoch's loss and accuracies; raise TrainingDiverged if its last step failed."""
        judged = "val_loss" in entry  # not where there is no validation split
        if judged and not np.isfinite(entry["val_loss"]):
            raise TrainingDiverged(
                f"The validation loss became {entry['val_loss']} in epoch {entry['epoch']}: "
                "lower the learning rate, or look for a mistake in the loss."
            )
        self.epoch = entry["epoch"]
        self.bar.set_postfix_str(
            f"epoch {self.epoch}/{self.epochs}, loss {entry['loss']:.3f}, "
            f"train {entry['accuracy']:.1%}" + (f", validation {entry['val_accuracy']:.1%}" if judged else "")
        )
