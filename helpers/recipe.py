"""How a network is trained, apart from the network, the data and the seed: `Recipe`."""

from dataclasses import dataclass, field

import keras

from helpers.augment import Augmentation
from helpers.optimizers import Muon, ShiftRateSGD, Triangular

OPTIMIZERS = ("adam", "adamw", "sgd", "muon")
SCHEDULES = ("constant", "cosine", "triangular")


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but the network, the data and the seed.

    Args:
        epochs: passes over the training images, 1 or more.
        batch_size: images per step, 1 or more.
        optimizer: "adam", "adamw", "sgd" (with Nesterov momentum) or "muon" (that, but the kernels of
            convolutions take orthogonalised steps; Jordan and others 2024).
        learning_rate: step size at its largest, above 0.
        schedule: "constant", "cosine" (falls to zero at the last step; arXiv 1608.03983) or
            "triangular" (rises from zero in the first twentieth of the steps, then falls to zero; Page
            2018, How to train your ResNet).
        weight_decay: decoupled weight decay per step, times the learning rate; 0 or more. Biases
            and the scales of batch normalisation are left alone (arXiv 1711.05101).
        label_smoothing: share of each label spread evenly over all classes, 0 to below 1.
        augmentation: what is done to training images; validation images are never touched.
        averaging: the final weights are the mean of the weights after each of the last
            `averaging` epochs; 0 or 1 means no averaging (arXiv 1803.05407).
        momentum: share of the last step that "sgd" and "muon" keep, 0 to below 1; other optimizers
            have their own.
        shift_rate: "sgd" and "muon" multiply the learning rate of batch normalisation's shifts by
            this, above 0 (Jordan 2024, arXiv 2404.00498, uses 64).
        small_epochs: in so many epochs at the start, images are cropped to 24 x 24 pixels at random
            places, which costs about half; 0 to half of the epochs. The network has to take images
            of both sizes (a form of progressive resizing; Howard 2018, fast.ai).
        kernel_rate: the step size of "muon" for kernels of convolutions at its largest, above 0; it
            follows the schedule. At 1 each filter would move as far as it is long.

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
    momentum: float = 0.9
    shift_rate: float = 1.0
    kernel_rate: float = 0.06
    small_epochs: int = 0

    def __post_init__(self):
        def require(holds: bool, name: str, expected: str) -> None:
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}.")

        for name in ("epochs", "batch_size", "averaging", "small_epochs"):
            require(type(getattr(self, name)) is int, name, "a whole number")
        rates = ("learning_rate", "shift_rate", "kernel_rate")
        for name in (*rates, "weight_decay", "label_smoothing", "momentum"):
            require(type(getattr(self, name)) in (int, float), name, "a number")
        for name in ("epochs", "batch_size"):
            require(getattr(self, name) >= 1, name, "a whole number of 1 or more")
        require(self.optimizer in OPTIMIZERS, "optimizer", f"one of {', '.join(OPTIMIZERS)}")
        require(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        for name in rates:
            require(0 < getattr(self, name) < float("inf"), name, "a number above 0")
        require(0 <= self.weight_decay < float("inf"), "weight_decay", "0 or more")
        require(0 <= self.label_smoothing < 1, "label_smoothing", "0 to below 1")
        require(0 <= self.momentum < 1, "momentum", "0 to below 1")
        require(
            0 <= self.averaging <= self.epochs,
            "averaging",
            f"a whole number from 0 to epochs ({self.epochs})",
        )
        require(
            0 <= self.small_epochs <= self.epochs // 2,
            "small_epochs",
            f"a whole number from 0 to half of epochs ({self.epochs // 2})",
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
    elif recipe.schedule == "triangular":
        rate = Triangular(rate, recipe.epochs * steps_per_epoch)
    # Keras' AdamW refuses None, which stands for "no decay" elsewhere.
    no_decay = 0.0 if recipe.optimizer == "adamw" else None
    options = {"learning_rate": rate, "weight_decay": recipe.weight_decay or no_decay}
    if recipe.optimizer in ("sgd", "muon"):
        options |= {"momentum": recipe.momentum, "nesterov": True, "shift_rate": recipe.shift_rate}
        if recipe.optimizer == "muon":
            optimizer = Muon(kernel_factor=recipe.kernel_rate / recipe.learning_rate, **options)
        else:
            optimizer = ShiftRateSGD(**options)
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
