"""How a network is trained, apart from network, data and seed: `Recipe`; and the record of it: `Run`."""

from dataclasses import dataclass, field
from math import inf

from helpers.augment import Augmentation, check_types, require

OPTIMIZERS = ("adam", "sgd", "muon")
SCHEDULES = ("constant", "triangular")


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but network, data and seed; ValueError names a value out of range.

    Args:
        epochs: passes over the training images, 1 or more.
        batch_size: images per step, 1 or more.
        optimizer: "adam", "sgd" (with Nesterov momentum) or "muon" (that, and `helpers.optimizers.Muon`'s
            steps for the kernels of convolutions).
        learning_rate: step size at its largest, above 0.
        schedule: "constant" or "triangular" (`helpers.optimizers.Triangular`; Page 2018).
        weight_decay: decoupled decay of kernels, times the learning rate; 0 or more (arXiv 1711.05101).
        label_smoothing: share of each label spread evenly over all classes, 0 to below 1.
        augmentation: what is done to training images; validation images are never touched.
        averaging: of how many last epochs the weights are averaged; 0 or 1: of none (arXiv 1803.05407).
        momentum: share of the last step that "sgd" and "muon" keep, 0 to below 1; "adam" has its own.
        shift_rate: factor of the learning rate for batch normalisation's shifts, above 0; not for "adam"
            (arXiv 2404.00498 uses 64).
        kernel_rate: learning rate of "muon" for kernels of convolutions, above 0; it follows the schedule.
        small_epochs: in so many epochs at the start, 0 to half of them, images are cropped to 24 x 24
            pixels at random places, which costs about half. The network's weights must fit both sizes.
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
        for name in ("epochs", "batch_size"):
            require(self, name, getattr(self, name) >= 1, "1 or more")
        for name in ("learning_rate", "shift_rate", "kernel_rate"):
            require(self, name, 0 < getattr(self, name) < inf, "a number above 0")
        for name in ("label_smoothing", "momentum"):
            require(self, name, 0 <= getattr(self, name) < 1, "0 to below 1")
        require(self, "optimizer", self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}")
        require(self, "schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}")
        require(self, "weight_decay", 0 <= self.weight_decay < inf, "0 or more")
        require(self, "averaging", 0 <= self.averaging <= self.epochs, f"0 to epochs ({self.epochs})")
        half = self.epochs // 2
        require(self, "small_epochs", 0 <= self.small_epochs <= half, f"0 to {half}")

    @property
    def soft_labels(self) -> bool:
        """Whether an image may belong to several classes in shares, so that labels are rows of ten."""
        return bool(self.label_smoothing or self.augmentation.mixup)


@dataclass(frozen=True)
class Run:
    """The record of one training run; everything in it can be written as JSON."""

    recipe: dict  # with the epochs that were trained
    seed: int  # of initial weights, shuffling, augmentation and dropout
    data: dict  # source ("official" or "sample"), sha256 of all pixels and labels, images per split
    parameters: int  # number of trainable weights
    # One dictionary per epoch: epoch (from 1), side of the images in pixels, seconds, val_loss, val_accuracy,
    # loss and accuracy; these two are means over batches as trained on, with dropout and augmentation.
    history: list[dict]
    seconds: float  # wall time of all epochs, validation included
    val_accuracy: float | None  # of the final weights; None (and nothing in the history) without validation
    val_correct: str  # per validation image a "1" if the final weights classify it rightly, else a "0"
    machine: dict
    versions: dict
