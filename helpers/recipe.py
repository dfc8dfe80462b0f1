"""How a network is trained, apart from network, data and seed: `Recipe`; and the record of it: `Run`."""

from dataclasses import dataclass, field
from math import inf

from helpers.augment import Augmentation, check_types

OPTIMIZERS = ("adam", "sgd", "muon")
SCHEDULES = ("constant", "triangular")


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but the network, the data and the seed.

    Args:
        epochs: passes over the training images, 1 or more.
        batch_size: images per step, 1 or more.
        optimizer: "adam", "sgd" (with Nesterov momentum) or "muon" (that, but the kernels of
            convolutions take orthogonalised steps; Jordan and others 2024).
        learning_rate: step size at its largest, above 0.
        schedule: "constant" or "triangular" (rises from zero in the first twentieth of the steps,
            then falls to zero; Page 2018, How to train your ResNet).
        weight_decay: decoupled weight decay per step, times the learning rate; 0 or more. Biases
            and the scales of batch normalisation are left alone (arXiv 1711.05101).
        label_smoothing: share of each label spread evenly over all classes, 0 to below 1.
        augmentation: what is done to training images; validation images are never touched.
        averaging: the final weights are the mean of the weights after each of the last
            `averaging` epochs; 0 or 1 means no averaging (arXiv 1803.05407).
        momentum: share of the last step that "sgd" and "muon" keep, 0 to below 1; "adam" has its own.
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
        check_types(self)
        for name, holds, expected in (
            ("epochs", self.epochs >= 1, "1 or more"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("optimizer", self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
            ("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
            ("learning_rate", 0 < self.learning_rate < inf, "a number above 0"),
            ("shift_rate", 0 < self.shift_rate < inf, "a number above 0"),
            ("kernel_rate", 0 < self.kernel_rate < inf, "a number above 0"),
            ("weight_decay", 0 <= self.weight_decay < inf, "0 or more"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "0 to below 1"),
            ("momentum", 0 <= self.momentum < 1, "0 to below 1"),
            ("averaging", 0 <= self.averaging <= self.epochs, f"0 to epochs ({self.epochs})"),
            ("small_epochs", 0 <= self.small_epochs <= self.epochs // 2, f"0 to {self.epochs // 2}"),
        ):
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}.")

    @property
    def soft_labels(self) -> bool:
        """Whether an image may belong to several classes in shares, so that labels are rows of ten."""
        return bool(self.label_smoothing or self.augmentation.mixup)


@dataclass(frozen=True)
class Run:
    """The record of one training run; everything in it can be written as JSON.

    Args:
        recipe: the recipe as a dictionary, with the epochs that were trained.
        seed: the seed of initial weights, shuffling, augmentation and dropout.
        data: source ("official" or "sample"), sha256 of all pixels and labels, images per split.
        parameters: number of trainable weights.
        history: one dictionary per epoch: epoch (from 1), side of the images in pixels, loss,
            accuracy, val_loss, val_accuracy (0 to 1), seconds. `accuracy` is the mean over the
            epoch's batches as they were trained on, with dropout and augmentation at work.
        seconds: wall time of all epochs, validation included.
        val_accuracy: of the final weights, 0 to 1; None (and nothing in the history) without validation.
        val_correct: a "1" for each validation image that the final weights classify rightly and a
            "0" for each other, in the split's order: what a paired test needs.
        machine, versions: where and with what the run was made.
    """

    recipe: dict
    seed: int
    data: dict
    parameters: int
    history: list[dict]
    seconds: float
    val_accuracy: float | None
    val_correct: str
    machine: dict
    versions: dict
