"""What is declared before a training: `Recipe`, `Variant`, `Study`; and the record of one: `Run`."""

from dataclasses import dataclass, field
from math import inf

from helpers.augment import Augmentation, check_types, require

OPTIMIZERS = ("adam", "sgd", "muon")
SCHEDULES = ("constant", "triangular")
PRECISIONS = ("float32", "auto")


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
        momentum: share of the last step that "sgd" and "muon" keep, 0 to below 1; "adam" has its own.
        shift_rate: factor of the learning rate for batch normalisation's shifts, above 0; not for "adam"
            (arXiv 2404.00498 uses 64).
        kernel_rate: learning rate of "muon" for kernels of convolutions, above 0; it follows the schedule.
        small_epochs: in so many epochs at the start, 0 to half of them, images are cropped to 24 x 24
            pixels at random places, which costs about half. The network's weights must fit both sizes.
        precision: "float32"; or "auto", which computes in bfloat16 (weights, logits and loss stay in
            float32) on processors with instructions for it; elsewhere that would be many times slower.
    """

    epochs: int = 15
    batch_size: int = 128
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    momentum: float = 0.9
    shift_rate: float = 1.0
    kernel_rate: float = 0.06
    small_epochs: int = 0
    tiny_epochs: int = 0
    precision: str = "float32"

    def __post_init__(self):
        check_types(self)
        for name in ("epochs", "batch_size"):
            require(self, name, getattr(self, name) >= 1, "1 or more")
        for name in ("learning_rate", "shift_rate", "kernel_rate"):
            require(self, name, 0 < getattr(self, name) < inf, "a number above 0")
        for name in ("label_smoothing", "momentum"):
            require(self, name, 0 <= getattr(self, name) < 1, "0 to below 1")
        require(self, "optimizer", self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}")
        require(self, "precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
        require(self, "schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}")
        require(self, "weight_decay", 0 <= self.weight_decay < inf, "0 or more")
        require(self, "small_epochs", 0 <= self.small_epochs < self.epochs, f"0 to {self.epochs - 1}")

    @property
    def soft_labels(self) -> bool:
        """Whether an image may belong to several classes in shares, so that labels are rows of ten."""
        return bool(self.label_smoothing or self.augmentation.mixup)


@dataclass(frozen=True)
class Variant:
    """One arm of a study: a network with its options, and the recipe that trains it."""

    name: str  # unique within the study; also the name of its files
    title: str  # what tables and figures call it
    model: str  # name of a function in `helpers.models`, or "hog_svm"
    options: dict = field(default_factory=dict)  # keyword arguments of that function, fit for JSON
    recipe: Recipe | None = None  # None for "hog_svm", whose options say how to train


@dataclass(frozen=True)
class Study:
    """Variants that are compared at one equal budget; the first is what the others are compared with."""

    name: str  # on the command line, and of the folder in `data/runs/`
    question: str  # what the study asks, in one sentence
    variants: tuple[Variant, ...]
    seeds: int = 3  # how many are trained; `split` says which images each validates on
    first_seed: int = 0  # studies that choose have seeds of their own: what chooses must not judge
    views: tuple[int | str, ...] = ()  # by how many views (`training.predict_logits`) each network is judged
    val_size: int = 5000
    folds: int = 1  # so many seeds share a shuffle, and each of them validates on a fold of its own
    final: bool = False  # trained on all 50,000 images, judged on the test images: nothing can be chosen

    def __getitem__(self, name: str) -> Variant:
        """Return the variant of that name; KeyError if there is none."""
        return {variant.name: variant for variant in self.variants}[name]

    def split(self, seed: int) -> dict[str, int]:
        """Return what `load_cifar10` needs to hold out the images that a seed validates on."""
        if self.final:
            return {"val_size": 0, "seed": seed}
        split = {"val_size": self.val_size, "seed": seed // self.folds}
        return split | ({"fold": seed % self.folds} if self.folds > 1 else {})


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
