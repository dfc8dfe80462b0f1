"""The PyTorch side of training_step.py: `fast_net`, its loss and its optimizer once more. It first proves
that it is the same network, trained in the same way.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np
import race
import torch
from torch import nn

COEFFICIENTS, ITERATIONS, TINY = (3.4445, -4.7750, 2.0315), 3, 1e-7  # as in helpers/optimizers.py


class FastNet(nn.Sequential):
    """`helpers.models.fast_net` for uint8 images (N, 32, 32, 3), with weights in the order that Keras has."""

    def __init__(self, weights: list[np.ndarray], mean: np.ndarray, std: np.ndarray):
        channels = len(weights[0].T)
        stack = [nn.Conv2d(3, channels, 2, bias=False), nn.SiLU()]
        for filters in [kernel.shape[-1] for kernel in weights if kernel.ndim == 4][1::2]:
            stack += [nn.Conv2d(channels, filters, 3, padding="same", bias=False), nn.MaxPool2d(2)]
            stack += [nn.BatchNorm2d(filters, eps=1e-3, momentum=0.2), nn.SiLU()]
            stack += [nn.Conv2d(filters, filters, 3, padding="same", bias=False)]
            stack += [nn.BatchNorm2d(filters, eps=1e-3, momentum=0.2), nn.SiLU()]
            channels = filters
        super().__init__(*stack, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(channels, 10, bias=False))
        self.mean, self.std = (torch.tensor(v, dtype=torch.float32).view(1, 3, 1, 1) for v in (mean, std))
        for own, theirs in zip(self.values(), weights, strict=True):
            theirs = theirs.transpose(3, 2, 0, 1) if theirs.ndim == 4 else theirs.T
            own.data.copy_(torch.from_numpy(theirs.copy()))
        self[0].requires_grad_(False)
        self.to(memory_format=torch.channels_last)

    def values(self):
        """Yield all weights and moving averages; the scales of batch normalisation stay at 1."""
        for layer in self:
            if isinstance(layer, nn.BatchNorm2d):
                layer.weight.requires_grad_(False)
                yield from (layer.bias, layer.running_mean, layer.running_var)
            elif isinstance(layer, nn.Conv2d | nn.Linear):
                yield layer.weight

    def forward(self, pixels):
        """Return logits (N, 10)."""
        return super().forward((pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std) / 9


class Trainer:
    """Muon for the convolutions' kernels, SGD for the rest, both with Nesterov momentum; decoupled decay."""

    def __init__(self, model: FastNet, recipe: dict, compiled: bool, half: bool):
        self.model, self.recipe, self.half = model, recipe, half
        learned = [p for p in model.parameters() if p.requires_grad]
        self.kernels = {p: torch.zeros_like(p) for p in learned if p.ndim == 4}  # and their momentum
        self.dense = [p for p in learned if p.ndim == 2]
        shifts = [p for p in learned if p.ndim == 1]
        groups = [{"params": self.dense, "factor": 1}, {"params": shifts, "factor": recipe["shift_rate"]}]
        settings = {"momentum": recipe["momentum"], "nesterov": True, "fused": True}
        self.optimizer = torch.optim.SGD(groups, lr=0.0, **settings)
        self.loss = torch.compile(self.smoothed_loss) if compiled else self.smoothed_loss

    def smoothed_loss(self, images, labels):
        """Return the loss of a batch."""
        smoothing = self.recipe["label_smoothing"]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            logits = self.model(images)
        return nn.functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing)

    def orthogonal_step(self, kernel, past, rate: float) -> None:
        """Move a kernel (filters, channels, height, width) as `helpers.optimizers.Muon` does."""
        momentum = self.recipe["momentum"]
        past.mul_(momentum).add_(kernel.grad)
        matrix = kernel.grad.add(past, alpha=momentum).flatten(1)
        matrix = matrix / (matrix.norm() + TINY)
        a, b, c = COEFFICIENTS
        for _ in range(ITERATIONS):
            square = matrix @ matrix.T
            matrix = a * matrix + (b * square + c * square @ square) @ matrix
        kernel.mul_(len(kernel) ** 0.5 / (kernel.norm() + TINY))
        factor = self.recipe["kernel_rate"] / self.recipe["learning_rate"]
        kernel.sub_(matrix.view_as(kernel), alpha=rate * factor)

    def step(self, images, labels, rate: float):
        """Train on one batch at this learning rate; return the loss."""
        loss = self.loss(images, labels)
        self.model.zero_grad(set_to_none=True)  # the optimizer does not know the kernels
        loss.backward()
        with torch.no_grad():
            for weights in self.dense:
                weights.mul_(1 - rate * self.recipe["weight_decay"])
            for kernel, past in self.kernels.items():
                self.orthogonal_step(kernel, past, rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimizer.step()
        return loss.detach()

    def epoch_seconds(self, images, labels, batch_size: int) -> float:
        """Train for one epoch, shuffled, at a rate that falls with every step; return its seconds."""
        began = time.perf_counter()
        order = torch.randperm(len(labels)).split(batch_size)
        for place, rows in enumerate(order):
            loss = self.step(images[rows], labels[rows], 0.01 * (1 - place / len(order)))
        loss.item()
        return time.perf_counter() - began


def require_same(trainer: Trainer, images, labels, logits: np.ndarray, losses: np.ndarray) -> None:
    """Exit unless logits in inference mode and the losses of the first steps equal ours."""
    with torch.inference_mode():
        own = trainer.model.eval()(images).numpy()
    trainer.model.train()
    steps = [trainer.step(images, labels, trainer.recipe["learning_rate"]).item() for _ in losses]
    apart = [np.abs(own - logits).max(), np.abs(np.subtract(steps, losses)).max()]
    if not max(apart) < (0.1 if trainer.half else 1e-3):  # with 8 bits, a step goes a little elsewhere
        sys.exit("Not the network that ours is: logits differ by {:.1e}, losses by {:.1e}.".format(*apart))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The PyTorch side of training_step.py; run that.")
    parser.add_argument("file")
    parser.add_argument("name")
    for name in ("width", "batch", "images", "epochs", "repeats", "threads"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args()
    with np.load(options.file) as told:
        weights = [told[f"arr_{place}"] for place in range(len(told.files) - 7)]
        net = FastNet(weights, told["mean"], told["std"])
        pixels, classes = torch.from_numpy(told["pixels"]), torch.from_numpy(told["classes"])
        half, size = "bfloat16" in options.name, options.batch
        own = Trainer(net, json.loads(str(told["recipe"])), "compile" in options.name, half)
        require_same(own, pixels[:size], classes[:size], told["logits"], told["losses"])
    seconds = [own.epoch_seconds(pixels, classes, size) for _ in range(options.epochs)]
    race.tell(statistics.median(seconds[1:]))
