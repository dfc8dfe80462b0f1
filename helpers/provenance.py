"""Where a recorded run comes from and what it cost: date, commit, processor, arithmetic."""

import functools
import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from helpers.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")  # what the speed of training depends on
PEAK_SIDE = 2048


def date() -> str:
    """Return the time of now in UTC, to the second: "2026-11-27T09:30:00+00:00"."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit(root: Path = ROOT) -> str | None:
    """Return the hash of the checkout's commit, with "+changes" if tracked files differ; None without git."""
    try:
        found, changed = (
            subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=60, check=True)
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() + ("+changes" if changed.stdout else "")


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return those of `FLAGS` that the processor has; none where the system has no such file."""
    if not cpuinfo.exists():
        return []
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    present = next((line.split() for line in lines if line.startswith("flags")), [])
    return [flag for flag in FLAGS if flag in present]


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@functools.cache
def peak_gflops(side: int = PEAK_SIDE, tries: int = 4) -> float:
    """Return how many GFLOP per second the backend does in a float32 product of two square matrices.

    The best of a few tries, once per process, under a second on two cores. On a busy machine it is too
    low: of several runs on one machine, the largest is the peak.
    """
    rng = np.random.default_rng(0)
    matrix = keras.ops.convert_to_tensor(rng.standard_normal((side, side), np.float32))
    seconds = []
    for _ in range(tries):
        started = time.perf_counter()
        keras.ops.convert_to_numpy(keras.ops.matmul(matrix, matrix))
        seconds.append(time.perf_counter() - started)
    return round(2 * side**3 / min(seconds) / 1e9, 1)


def training_pflop(model: keras.Sequential, recipe: Recipe, images: int, crop_side: int) -> float:
    """Return the arithmetic of a training in PFLOP (10^15 products and sums).

    Convolutions and dense layers alone, each weight a product and a sum at each place of the output.
    A training step counts as three forward passes: forward, gradient of the weights, gradient of the
    input. That is what is usually counted; it counts the first layer's input gradient, which nobody
    needs, and a frozen layer as if it were trained. Validation is left out.

    Args:
        model: whose layers are counted, at 32 x 32 pixels and, in the small epochs, on crops.
        recipe: its `epochs` and `small_epochs`.
        images: how many training images an epoch has.
        crop_side: side of the crops in pixels.
    """
    whole = recipe.epochs - recipe.small_epochs
    per_image = whole * forward_flop(model, 32)
    if recipe.small_epochs:
        per_image += recipe.small_epochs * forward_flop(model, crop_side)
    return 3 * per_image * images / 1e15


def forward_flop(model: keras.Sequential, side: int) -> int:
    """Return the products and sums of convolutions and dense layers for one image of `side` pixels."""
    total, shape = 0, (1, side, side, 3)
    for layer in model.layers:
        shape = layer.compute_output_shape(shape)
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            places = int(np.prod(shape[1:-1]))  # one for a dense layer
            total += 2 * places * int(np.prod(layer.kernel.shape))
    return total
