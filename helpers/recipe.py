"""How a network is trained, apart from the network, the data and the seed: `Recipe`."""

from dataclasses import dataclass, field

import keras

from helpers.augment import Augmentation

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine", "triangular")
RISE = 0.2  # share of the steps in which a triangular schedule rises


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but the network, the data and the seed.

    Args:
        epochs: passes over the training images, 1 or more.
        batch_size: images per step, 1 or more.
        optimizer: "adam", "adamw" or "sgd" (with Nesterov momentum).
        learning_rate: step size at its largest, above 0.
        schedule: "constant", "cosine" (falls to zero at the last step; arXiv 1608.03983) or
            "triangular" (rises from zero in the first fifth of the steps, then falls to zero; Page
            2018, How to train your ResNet).
        weight_decay: decoupled weight decay per step, times the learning rate; 0 or more. Biases
            and the scales of batch normalisation are left alone (arXiv 1711.05101).
        label_smoothing: share of each label spread evenly over all classes, 0 to below 1.
        augmentation: what is done to training images; validation images are never touched.
        averaging: the final weights are the mean of the weights after each of the last
            `averaging` epochs; 0 or 1 means no averaging (arXiv 1803.05407).
        momentum: share of the last step that "sgd" keeps, 0 to below 1; other optimizers have
            their own.
        shift_rate: "sgd" multiplies the learning rate of batch normalisation's shifts by this,
            above 0 (Jordan 2024, arXiv 2404.00498, uses 64).

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

    def __post_init__(self):
        def require(holds: bool, name: str, expected: str) -> None:
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}.")

        for name in ("epochs", "batch_size", "averaging"):
            require(type(getattr(self, name)) is int, name, "a whole number")
        for name in ("learning_rate", "weight_decay", "label_smoothing", "momentum", "shift_rate"):
            require(type(getattr(self, name)) in (int, float), name, "a number")
        for name in ("epochs", "batch_size"):
            require(getattr(self, name) >= 1, name, "a whole number of 1 or more")
        require(self.optimizer in OPTIMIZERS, "optimizer", f"one of {', '.join(OPTIMIZERS)}")
        require(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        require(0 < self.learning_rate < float("inf"), "learning_rate", "a number above 0")
        require(0 <= self.weight_decay < float("inf"), "weight_decay", "0 or more")
        require(0 <= self.label_smoothing < 1, "label_smoothing", "0 to below 1")
        require(0 <= self.momentum < 1, "momentum", "0 to below 1")
        require(0 < self.shift_rate < float("inf"), "shift_rate", "a number above 0")
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


@keras.saving.register_keras_serializable("helpers")
class Triangular(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0 to `peak`, then falls linearly to 0 at the last step."""

    def __init__(self, peak: float, steps: int):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        done = (keras.ops.cast(step, "float32") + 0.5) / self.steps
        return self.peak * keras.ops.clip(keras.ops.minimum(done / RISE, (1 - done) / (1 - RISE)), 0, 1)

    def get_config(self) -> dict:
        """Return the arguments that make this schedule again."""
        return {"peak": self.peak, "steps": self.steps}


@keras.saving.register_keras_serializable("helpers")
class ShiftRateSGD(keras.optimizers.SGD):
    """SGD whose learning rate is `shift_rate` times as large for the shifts of batch normalisation."""

    def __init__(self, *args, shift_rate: float = 1.0, **options):
        super().__init__(*args, **options)
        self.shift_rate = shift_rate

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; Keras calls this at every training step."""
        # On TensorFlow this is its own variable, whose name is the path and ":0".
        is_shift = variable.name.removesuffix(":0").split("/")[-1] == "beta"
        factor = self.shift_rate if is_shift else 1.0
        super().update_step(gradient, variable, factor * learning_rate)

    def get_config(self) -> dict:
        """Return the arguments that make this optimizer again."""
        return super().get_config() | {"shift_rate": self.shift_rate}


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
    if recipe.optimizer == "sgd":
        options |= {"momentum": recipe.momentum, "nesterov": True}
        if recipe.shift_rate == 1:
            optimizer = keras.optimizers.SGD(**options)
        else:
            optimizer = ShiftRateSGD(shift_rate=recipe.shift_rate, **options)
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
