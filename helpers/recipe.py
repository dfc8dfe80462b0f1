"""How a network is trained, apart from the network, the data and the seed: `Recipe`."""

from dataclasses import dataclass, field

import keras

from helpers.augment import Augmentation

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but the network, the data and the seed.

    Args:
        epochs: passes over the training images, 1 or more.
        batch_size: images per step, 1 or more.
        optimizer: "adam", "adamw" or "sgd" (Nesterov momentum 0.9).
        learning_rate: step size at the start, above 0.
        schedule: "constant", or "cosine" (falls to zero at the last step; arXiv 1608.03983).
        weight_decay: decoupled weight decay per step, times the learning rate; 0 or more. Biases
            and the scales of batch normalisation are left alone (arXiv 1711.05101).
        label_smoothing: share of each label spread evenly over all classes, 0 to below 1.
        augmentation: what is done to training images; validation images are never touched.
        averaging: the final weights are the mean of the weights after each of the last
            `averaging` epochs; 0 or 1 means no averaging (arXiv 1803.05407).

    Raises:
        ValueError: if a value is out of range; the message names it.
    """

    epochs: int = 15
    batch_size: int = 128
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    averaging: int = 0

    def __post_init__(self):
        def require(holds: bool, name: str, expected: str) -> None:
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}.")

        for name in ("epochs", "batch_size", "averaging"):
            require(type(getattr(self, name)) is int, name, "a whole number")
        for name in ("learning_rate", "weight_decay", "label_smoothing"):
            require(type(getattr(self, name)) in (int, float), name, "a number")
        for name in ("epochs", "batch_size"):
            require(getattr(self, name) >= 1, name, "a whole number of 1 or more")
        require(self.optimizer in OPTIMIZERS, "optimizer", f"one of {', '.join(OPTIMIZERS)}")
        require(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        require(0 < self.learning_rate < float("inf"), "learning_rate", "a number above 0")
        require(0 <= self.weight_decay < float("inf"), "weight_decay", "0 or more")
        require(0 <= self.label_smoothing < 1, "label_smoothing", "0 to below 1")
        require(
            0 <= self.averaging <= self.epochs,
            "averaging",
            f"a whole number from 0 to epochs ({self.epochs})",
        )
        require(isinstance(self.augmentation, Augmentation), "augmentation", "an Augmentation")

    @property
    def soft_labels(self) -> bool:
        """Whether an image may belong to several classes in shares, so that labels are rows of ten."""
        return bool(self.label_smoothing or self.augmentation.mixup)


def compile_model(model: keras.Model, recipe: Recipe, steps_per_epoch: int) -> None:
    """Give the model the recipe's optimizer and loss, and accuracy as its metric."""
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, recipe.epochs * steps_per_epoch)
    # Keras' AdamW refuses None, which stands for "no decay" elsewhere.
    no_decay = 0.0 if recipe.optimizer == "adamw" else None
    options = {"learning_rate": rate, "weight_decay": recipe.weight_decay or no_decay}
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=0.9, nesterov=True, **options)
    else:
        optimizer = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}[recipe.optimizer](
            **options
        )
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if recipe.soft_labels:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
