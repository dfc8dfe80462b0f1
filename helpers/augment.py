"""Data augmentation in NumPy: each image of a batch gets draws of its own, from the generator passed in."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """What happens to every training image before the network sees it; nothing by default.

    Args:
        flip: mirror each image left to right with probability one half.
        shift: move each image by up to this many pixels in x and y, 0 to 16, as `random_shift` does.
        cutout: side of a grey square in each image, in pixels, 0 to 32 (arXiv 1708.04552).
        mixup: alpha of `random_mixup`, 0 or more (arXiv 1710.09412).
        alternate: with `flip`, draw for the first epoch only and turn each image over in every epoch after
            it (arXiv 2404.00498). Both need more than images: a call leaves them to `helpers.training`.
    """

    flip: bool = False
    shift: int = 0
    cutout: int = 0
    mixup: float = 0.0
    alternate: bool = False
    jitter: float = 0.0

    def __post_init__(self):
        check_types(self)
        require(self, "shift", 0 <= self.shift <= 16, "0 to 16 pixels")
        require(self, "cutout", 0 <= self.cutout <= 32, "0 to 32 pixels")
        require(self, "mixup", 0 <= self.mixup < float("inf"), "0 or more")
        require(self, "alternate", self.flip or not self.alternate, "False without flip=True")

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return uint8 or float images (N, H, W, 3) flipped, shifted and cut; the input is not changed."""
        if self.flip and not self.alternate:
            images = random_flip(images, rng)
        if self.shift:
            images = random_shift(images, self.shift, rng)
        if self.jitter:
            images = random_jitter(images, self.jitter, rng)
        return random_cutout(images, self.cutout, rng) if self.cutout else images


def check_types(settings: object) -> None:
    """Raise ValueError unless the settings of a dataclass have its types; an int may stand for a float."""
    for name, kind in type(settings).__annotations__.items():
        value = getattr(settings, name)
        require(settings, name, type(value) is kind or (type(value), kind) == (int, float), kind.__name__)


def require(settings: object, name: str, holds: bool, expected: str) -> None:
    """Raise ValueError with a setting's name, its value and what was expected, unless that holds."""
    if not holds:
        raise ValueError(f"{name} is {getattr(settings, name)!r}, expected {expected}.")


def random_flip(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the images (N, H, W, C), each mirrored left to right with probability one half."""
    mirrored = rng.random(len(images)) < 0.5
    images = images.copy()
    images[mirrored] = images[mirrored, :, ::-1]
    return images


def random_jitter(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return images (N, H, W, C), uint8, each with another brightness and contrast, by up to a share."""
    brightness, contrast = rng.uniform(-share, share, (2, len(images), 1, 1, 1)).astype("float32")
    middle = images.mean(axis=(1, 2, 3), keepdims=True, dtype="float32")
    changed = (images - middle) * (1 + contrast) + middle + 128 * brightness
    return np.clip(np.rint(changed), 0, 255).astype(images.dtype)


def alternating_flips(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return which of `count` images to mirror in this epoch, bool (count,): the others in the next one."""
    first = np.random.default_rng([seed, count]).random(count) < 0.5
    return first if epoch % 2 == 0 else ~first


def random_shift(images: np.ndarray, pixels: int, rng: np.random.Generator) -> np.ndarray:
    """Return images (N, H, W, C), each moved by -pixels to +pixels in x and y, the border by reflection."""
    count, height, width, _ = images.shape
    corners = rng.integers(0, 2 * pixels + 1, size=(count, 2))
    border = ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0))
    padded = np.pad(images, border, mode="reflect")
    shifted = np.empty_like(images)
    for i, (y, x) in enumerate(corners):
        shifted[i] = padded[i, y : y + height, x : x + width]
    return shifted


def random_crop(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return a square of `side` pixels from each of the images (N, H, W, C), all places equally likely."""
    count, height, width, _ = images.shape
    corners = rng.integers(0, (height - side + 1, width - side + 1), size=(count, 2)).tolist()
    return np.stack([images[i, y : y + side, x : x + side] for i, (y, x) in enumerate(corners)])


def random_cutout(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return images (N, H, W, C), each with a grey square (128) of `side` pixels, centred anywhere in it."""
    count, height, width, _ = images.shape
    top = rng.integers(0, height, count) - side // 2
    left = rng.integers(0, width, count) - side // 2
    rows, columns = np.arange(height), np.arange(width)
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + side)
    in_columns = (columns >= left[:, None]) & (columns < left[:, None] + side)
    images = images.copy()
    images[in_rows[:, :, None] & in_columns[:, None, :]] = 128
    return images


def random_mixup(
    images: np.ndarray, labels: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, H, W, C) and label rows (N, classes), each blended with those of another image.

    Of image i a share stays, drawn from Beta(alpha, alpha), alpha above 0; the rest comes from image i - 1, a
    random partner, as the images are in random order already. uint8 images are rounded.
    """
    if labels.ndim != 2:
        raise ValueError(f"labels has shape {labels.shape}, expected one row per image: use to_categorical.")
    share = rng.beta(alpha, alpha, size=len(images)).astype(np.float32)
    mixed = np.empty_like(images)
    for i, kept in enumerate(share):  # one by one, which needs no second copy of all images
        blend = kept * images[i] + (1 - kept) * images[i - 1]
        mixed[i] = np.rint(blend) if images.dtype == np.uint8 else blend
    kept = share[:, None]
    return mixed, kept * labels + (1 - kept) * np.roll(labels, 1, axis=0)
