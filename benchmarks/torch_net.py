"""The PyTorch side of training_step.py: the same network, loss and optimizer as ours, built from a folder
with the layers, weights and images that our side has written. It first proves that it is the same.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

COEFFICIENTS, ITERATIONS, TINY = (3.4445, -4.7750, 2.0315), 3, 1e-7  # as in helpers/optimizers.py
ACTIVATIONS = {"silu": "SiLU", "relu": "ReLU", "gelu": "GELU", "linear": "Identity"}


def build(layers: list[dict], weights: dict[str, np.ndarray]):
    """Return the network as a `nn.Module` that takes uint8 (N, 32, 32, 3), with copied weights."""
    modules = []
    for layer in layers:
        kind, config = layer["class_name"], layer["config"]
        own = {
            name.split("/")[1]: array
            for name, array in weights.items()
            if name.startswith(config["name"] + "/")
        }
        if kind not in BUILDERS:
            raise ValueError(
                f"Layer {kind} has no counterpart in {Path(__file__).name}: add one to BUILDERS."
            )
        modules.append(BUILDERS[kind](config, own))
        for parameter in modules[-1].parameters():
            parameter.requires_grad_(parameter.requires_grad and config["trainable"])
        if kind in ("Conv2D", "Dense") and config["activation"] != "linear":
            modules.append(activation(config, own))
    return nn.Sequential(*modules)


def convolution(config: dict, own: dict):
    """Return a convolution; Keras keeps its kernel as (height, width, in, out), PyTorch as (out, in, ...)."""
    height, width, channels, filters = own["kernel"].shape
    plain = all(config[name] in (1, [1, 1]) for name in ("strides", "dilation_rate", "groups"))
    if not plain or config["data_format"] != "channels_last":
        raise ValueError("A convolution with stride, dilation or groups is not translated here.")
    module = nn.Conv2d(channels, filters, (height, width), padding=config["padding"], bias=config["use_bias"])
    copy(module.weight, own["kernel"].transpose(3, 2, 0, 1))
    if config["use_bias"]:
        copy(module.bias, own["bias"])
    return module


def dense(config: dict, own: dict):
    """Return a dense layer."""
    module = nn.Linear(*own["kernel"].shape, bias=config["use_bias"])
    copy(module.weight, own["kernel"].T)
    if config["use_bias"]:
        copy(module.bias, own["bias"])
    return module


def batch_norm(config: dict, own: dict):
    """Return batch normalisation; a scale or shift that Keras leaves out stays at 1 or 0."""
    module = nn.BatchNorm2d(len(own["moving_mean"]), eps=config["epsilon"], momentum=1 - config["momentum"])
    for parameter, name in ((module.weight, "gamma"), (module.bias, "beta")):
        parameter.requires_grad_(name in own)
        if name in own:
            copy(parameter, own[name])
    copy(module.running_mean, own["moving_mean"])
    copy(module.running_var, own["moving_variance"])
    return module


def max_pooling(config: dict, own: dict):
    """Return max pooling without padding."""
    if config["padding"] != "valid":
        raise ValueError("Max pooling with padding is not translated here.")
    return nn.MaxPool2d(tuple(config["pool_size"]), tuple(config["strides"]))


def global_max_pooling(config: dict, own: dict):
    """Return the largest value of each channel's map."""
    return function(lambda maps: maps.amax(dim=(2, 3)))


def activation(config: dict, own: dict):
    """Return the activation that the layer names."""
    if config["activation"] not in ACTIVATIONS:
        raise ValueError(f"Activation {config['activation']} is not translated here: add it to ACTIVATIONS.")
    return getattr(torch.nn, ACTIVATIONS[config["activation"]])()


def flatten(config: dict, own: dict):
    """Return what flattens (N, C, H, W) in Keras' order: height, width, channel."""
    return function(lambda images: images.permute(0, 2, 3, 1).flatten(1))


def rescaling(config: dict, own: dict):
    """Return multiplication by a constant and addition of another."""
    return function(lambda values: values * config["scale"] + config["offset"])


def standardize(config: dict, own: dict):
    """Return what turns uint8 pixels (N, H, W, C) into float32 (N, C, H, W), channels last in memory."""
    mean = torch.tensor(config["mean"], dtype=torch.float32).reshape(1, -1, 1, 1)
    deviation = torch.tensor(config["variance"], dtype=torch.float32).sqrt().reshape(1, -1, 1, 1)
    return function(lambda pixels: (pixels.permute(0, 3, 1, 2).float() - mean) / deviation)


def function(forward):
    """Return a module that does what the function does."""
    module = nn.Module()
    module.forward = forward
    return module


def copy(parameter, array: np.ndarray) -> None:
    """Set a parameter's or buffer's values."""
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


BUILDERS = {
    "Normalization": standardize,
    "Conv2D": convolution,
    "MaxPooling2D": max_pooling,
    "GlobalMaxPooling2D": global_max_pooling,
    "BatchNormalization": batch_norm,
    "Activation": activation,
    "Flatten": flatten,
    "Dense": dense,
    "Rescaling": rescaling,
}


class Trainer:
    """The network, its data and its optimizers: Muon for the convolutions' kernels, SGD for the rest.

    Both with Nesterov momentum; weight decay is decoupled and left to the dense layer.
    """

    def __init__(self, folder: str, compiled: bool):
        described = json.loads(Path(folder, "network.json").read_text(encoding="utf-8"))
        self.recipe = described["recipe"]
        with np.load(Path(folder, "weights.npz")) as weights:
            self.model = build(described["layers"], dict(weights)).to(memory_format=torch.channels_last)
        with np.load(Path(folder, "data.npz")) as data:
            self.images, self.labels = (torch.from_numpy(data[name]) for name in ("images", "labels"))
        learned = [p for p in self.model.parameters() if p.requires_grad]
        self.kernels = {p: torch.zeros_like(p) for p in learned if p.ndim == 4}  # and their momentum
        self.decayed = [p for p in learned if p.ndim == 2]
        shifts = [m.bias for m in self.model.modules() if isinstance(m, nn.BatchNorm2d)]
        shifts = [p for p in shifts if p.requires_grad]
        groups = [
            {"params": self.decayed, "factor": 1},
            {"params": shifts, "factor": self.recipe["shift_rate"]},
        ]
        self.optimizer = torch.optim.SGD(
            groups, lr=0.0, momentum=self.recipe["momentum"], nesterov=True, fused=True
        )
        smoothing = self.recipe["label_smoothing"]
        self.loss = lambda images, labels: nn.functional.cross_entropy(
            self.model(images), labels, label_smoothing=smoothing
        )
        if compiled:
            self.loss = torch.compile(self.loss)

    def orthogonal_step(self, kernel, past, rate: float) -> None:
        """Move a kernel (filters, channels, height, width) as `helpers.optimizers.Muon` does."""
        momentum = self.recipe["momentum"]
        past.mul_(momentum).add_(kernel.grad)
        rows = kernel.grad.add(past, alpha=momentum).flatten(1)
        step = orthogonalize(rows).view_as(kernel)
        kernel.mul_(len(kernel) ** 0.5 / (kernel.norm() + TINY))
        kernel.sub_(step, alpha=rate * self.recipe["kernel_rate"] / self.recipe["learning_rate"])

    def step(self, images, labels, rate: float):
        """Train on one batch at this learning rate; return the loss."""
        loss = self.loss(images, labels)
        self.model.zero_grad(set_to_none=True)  # the optimizer does not know the kernels
        loss.backward()
        with torch.no_grad():
            for weights in self.decayed:
                weights.mul_(1 - rate * self.recipe["weight_decay"])
            for kernel, past in self.kernels.items():
                self.orthogonal_step(kernel, past, rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimizer.step()
        return loss.detach()


def orthogonalize(matrix):
    """Return what `helpers.optimizers.orthogonalize` does."""
    a, b, c = COEFFICIENTS
    matrix = matrix / (matrix.norm() + TINY)
    for _ in range(ITERATIONS):
        square = matrix @ matrix.T
        matrix = a * matrix + (b * square + c * square @ square) @ matrix
    return matrix


def require_same(trainer: Trainer, folder: str, batch_size: int) -> None:
    """Exit unless logits in inference mode and the losses of the first steps equal ours."""
    expected = json.loads(Path(folder, "answer.json").read_text(encoding="utf-8"))
    images, labels = trainer.images[:batch_size], trainer.labels[:batch_size]
    with torch.inference_mode():
        logits = trainer.model.eval()(images).numpy()
    trainer.model.train()
    losses = [
        trainer.step(images, labels, trainer.recipe["learning_rate"]).item() for _ in expected["losses"]
    ]
    differences = [
        np.abs(logits - expected["logits"]).max(),
        np.abs(np.subtract(losses, expected["losses"])).max(),
    ]
    if not max(differences) < 1e-3:
        sys.exit(
            "Not the network that ours is: logits differ by {:.1e}, losses by {:.1e}.".format(*differences)
        )


def epoch_seconds(trainer: Trainer, batch_size: int) -> float:
    """Train for one epoch, shuffled, at a rate that falls with every step; return its seconds."""
    began = time.perf_counter()
    order = torch.randperm(len(trainer.labels))
    parts = [(trainer.images[rows], trainer.labels[rows]) for rows in order.split(batch_size)]
    for step, part in enumerate(parts):
        loss = trainer.step(*part, 0.01 * (1 - step / len(parts)))
    loss.item()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The PyTorch side of training_step.py; run that.")
    parser.add_argument("folder")
    parser.add_argument("name")
    for name in ("width", "batch_size", "images", "epochs"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args()
    own = Trainer(options.folder, compiled="compile" in options.name)
    require_same(own, options.folder, options.batch_size)
    print(json.dumps({"seconds": [epoch_seconds(own, options.batch_size) for _ in range(options.epochs)]}))
