"""Data augmentation on whole batches of images in NumPy: each image gets its own draw.

The draws come from the generator that is passed in, so what an epoch sees depends on nothing else.
"""

from dataclasses import dataclass

import numpy as np

CHUNK = 500  # images padded at a time: few enough to stay in the processor's cache


@dataclass(frozen=True)
class Augmentation:
    """What happens to every training image before the network sees it; nothing by default.

    Args:
        flip: mirror each image left to right with probability one half.
        alternate: with `flip`, draw for the first epoch only and turn each image over in every
            epoch after it, so that two epochs show both sides of every image (arXiv 2404.00498).
            It needs to know the epoch, so `helpers.training` does it.
        shift: move each image by up to this many pixels in x and y, 0 to 16 (padded crop; the
            border is filled by reflection).
        cutout: side of the square that is set to grey in each image, in pixels, 0 to 32
            (DeVries & Taylor 2017, arXiv 1708.04552).
        mixup: alpha of mixup, 0 or more: each image is blended with another one, and its label
            with that one's (Zhang et al. 2018, arXiv 1710.09412). It needs the labels, so calling
            an Augmentation leaves it out: `helpers.training` calls `random_mixup` afterwards.
    """

    flip: bool = False
    shift: int = 0
    cutout: int = 0
    mixup: float = 0.0
    alternate: bool = False

    def __post_init__(self):
        check_types(self)
        for name, holds, expected in (
            ("shift", 0 <= self.shift <= 16, "0 to 16 pixels"),
            ("cutout", 0 <= self.cutout <= 32, "0 to 32 pixels"),
            ("mixup", 0 <= self.mixup < float("inf"), "0 or more"),
            ("alternate", self.flip or not self.alternate, "False without flip=True"),
        ):
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}.")

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return uint8 or float images (N, H, W, 3) flipped, shifted and cut; the input is not changed."""
        if self.flip and not self.alternate:
            images = random_flip(images, rng)
        if self.shift:
            images = random_shift(images, self.shift, rng)
        if self.cutout:
            images = random_cutout(images, self.cutout, rng)
        return images


def check_types(settings: object) -> None:
    """Raise ValueError unless the settings of a dataclass have its types; an int may stand for a float."""
    for name, kind in type(settings).__annotations__.items():
        value = getattr(settings, name)
        if type(value) is not kind and (type(value), kind) != (int, float):
            raise ValueError(f"{name} is {value!r}, expected {kind.__name__}.")


def random_flip(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the images (N, H, W, C), each mirrored left to right with probability one half."""
    mirrored = rng.random(len(images)) < 0.5
    images = images.copy()
    images[mirrored] = images[mirrored, :, ::-1]
    return images


def alternating_flips(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return which of `count` images to mirror in this epoch, bool (count,): the others in the next one."""
    first = np.random.default_rng([seed, count]).random(count) < 0.5
    return first if epoch % 2 == 0 else ~first


def random_shift(images: np.ndarray, pixels: int, rng: np.random.Generator) -> np.ndarray:
    """Return the images (N, H, W, C), each moved by -pixels to +pixels in x and in y.

    All (2 * pixels + 1) ** 2 shifts are equally likely; the border is filled by reflection.
    """
    count, height, width, _ = images.shape
    border = ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0))
    corners = rng.integers(0, 2 * pixels + 1, size=(count, 2))
    shifted = np.empty_like(images)
    for first in range(0, count, CHUNK):
        padded = np.pad(images[first : first + CHUNK], border, mode="reflect")
        for i, (y, x) in enumerate(corners[first : first + CHUNK].tolist()):
            shifted[first + i] = padded[i, y : y + height, x : x + width]
    return shifted


def random_crop(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return a square of `side` pixels from each of the images (N, H, W, C), all places equally likely."""
    count, height, width, channels = images.shape
    tops, lefts = rng.integers(0, (height - side + 1, width - side + 1), size=(count, 2)).T.tolist()
    crops = np.empty((count, side, side, channels), images.dtype)
    for i, (y, x) in enumerate(zip(tops, lefts, strict=True)):
        crops[i] = images[i, y : y + side, x : x + side]
    return crops


def random_cutout(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return the images (N, H, W, C), each with a grey square (value 128) of `side` pixels.

    The square's centre is uniform over the image, so part of the square may lie outside.
    """
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

    Image i becomes `share * image i + (1 - share) * image i - 1`, and so does its row of labels;
    each image draws its own share from Beta(alpha, alpha). The images are in random order already,
    so the neighbour is a random partner. uint8 images are rounded.

    Raises:
        ValueError: if the labels are not rows (a blended label is no whole number), or alpha is not
            a number above 0.
    """
    if not 0 < alpha < float("inf"):
        raise ValueError(f"alpha is {alpha!r}, expected a number above 0.")
    if labels.ndim != 2:
        raise ValueError(
            f"labels has shape {labels.shape}, expected one row of shares per image: use to_categorical."
        )
    share = rng.beta(alpha, alpha, size=len(images)).astype(np.float32)
    mixed = np.empty_like(images)
    partner = np.roll(np.arange(len(images)), 1)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        weight = share[part, None, None, None]
        blend = weight * images[part] + (1 - weight) * images[partner[part]]
        mixed[part] = np.rint(blend) if np.issubdtype(images.dtype, np.integer) else blend
    return mixed, share[:, None] * labels + (1 - share[:, None]) * labels[partner]
