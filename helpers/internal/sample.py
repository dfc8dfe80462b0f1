"""A synthetic stand-in for CIFAR-10: small drawings of its ten classes, made from a seed, for work offline.

The drawings have the names, shapes and dtypes of CIFAR-10 and none of its photographs: a number that was
measured on them says nothing about CIFAR-10. Pose, colours, background, size, light and noise vary. Like
CIFAR-10, the sample has a few flaws to be found: copies of training images among the test images, and
wrong labels.
"""

import numpy as np
from PIL import Image, ImageDraw

from helpers.internal.drawings import OBJECTS, Points, oval

TRAIN_COUNT, TEST_COUNT, SIDE = 5000, 1000, 32
SUPERSAMPLING = 4  # drawn at 128 x 128 and averaged down, for soft edges
CLASSES = 10
DARK, LIGHT = (30, 30, 34), (235, 235, 228)

# Grounds as (upper colour, lower colour), and which of them a class likes best.
GROUNDS = {
    "sky": ((140, 185, 235), (195, 215, 240)),
    "sea": ((190, 210, 225), (50, 95, 140)),
    "road": ((170, 175, 170), (105, 105, 110)),
    "grass": ((165, 195, 190), (95, 140, 70)),
    "wood": ((60, 95, 55), (110, 100, 60)),
    "room": ((205, 185, 160), (150, 110, 85)),
}
HABITATS = ("sky", "road", "sky", "room", "wood", "room", "wood", "grass", "sea", "road")
# The most frequent colour of cat, deer, dog, frog and horse; the others have none.
COATS = {3: (150, 130, 110), 4: (160, 115, 70), 5: (130, 95, 65), 6: (90, 140, 60), 7: (110, 65, 40)}
# The sample's flaws, as test indices.
COPIED = tuple(range(30, TEST_COUNT, 50))  # copies of training images, in another light
MISLABELLED = tuple(range(55, TEST_COUNT, 160))  # drawings of another class than the label says
TYPICAL_SHARE = 0.5  # of the images of a class have its ground, and as many its coat; the others have any


def make_sample(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw 6,000 images: 500 per class to train on and 100 per class to test on, in mixed order.

    Args:
        seed: the drawings depend on it alone.

    Returns:
        train_images uint8 (5000, 32, 32, 3), train_labels int64 (5000,), test_images uint8 (1000, 32, 32, 3),
        test_labels int64 (1000,); labels are 0 to 9 in the order of `CLASS_NAMES`.
    """
    rng = np.random.default_rng(seed)
    labels = np.concatenate([balanced_labels(TRAIN_COUNT, rng), balanced_labels(TEST_COUNT, rng)])
    shown = labels.copy()
    wrong = TRAIN_COUNT + np.array(MISLABELLED)
    shown[wrong] = shown_class(labels[wrong])
    images = np.stack([draw(label, rng) for label in shown])
    images[TRAIN_COUNT + np.array(COPIED)] = copies(images, labels, rng)
    images = develop(images, rng)
    return images[:TRAIN_COUNT], labels[:TRAIN_COUNT], images[TRAIN_COUNT:], labels[TRAIN_COUNT:]


def shown_class(label):
    """Return the class that a mislabelled drawing shows, from its label; int or int64 array."""
    return (label + 2) % CLASSES


def copies(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a training image of the right class for each index in `COPIED`, every second one mirrored."""
    donors = [rng.choice(np.flatnonzero(labels[:TRAIN_COUNT] == labels[TRAIN_COUNT + i])) for i in COPIED]
    chosen = images[donors]
    chosen[::2] = chosen[::2, :, ::-1]
    return chosen


def balanced_labels(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return int64 (count,) labels, each class equally often, shuffled."""
    return rng.permutation(np.arange(count, dtype=np.int64) % CLASSES)


def draw(label: int, rng: np.random.Generator) -> np.ndarray:
    """Return one drawing of a class as uint8 (32, 32, 3)."""
    side = SIDE * SUPERSAMPLING
    image = Image.new("RGB", (side, side))
    pencil = ImageDraw.Draw(image)
    draw_background(pencil, label, rng)
    coat = main_colour(label, rng)
    colours = {"main": as_colour(coat), "shade": as_colour(coat * 0.6), "dark": DARK, "light": LIGHT}
    transform, shift = pose(rng)
    for points, colour in OBJECTS[label](rng):
        pencil.polygon(to_pixels(np.array(points) @ transform + shift), fill=colours[colour])
    draw_clutter(pencil, rng, count=rng.integers(0, 3), size=0.24)
    return np.asarray(image.reduce(SUPERSAMPLING))


def develop(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary the light of each image and add camera noise; uint8 (N, 32, 32, 3) in and out."""
    count = len(images)
    contrast = rng.uniform(0.55, 1.1, (count, 1, 1, 1)).astype(np.float32)
    light = rng.uniform(80, 170, (count, 1, 1, 1)).astype(np.float32)
    tint = rng.normal(0, 8, (count, 1, 1, 3)).astype(np.float32)
    grain = 8 * rng.standard_normal(images.shape, dtype=np.float32)
    shifted = (images - np.float32(127.5)) * contrast + (light + tint) + grain
    return np.clip(shifted, 0, 255).astype(np.uint8)


def pose(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a random 2 x 2 matrix (mirror, lean, size) and a shift of 2 numbers, in object coordinates."""
    angle, size, mirror = rng.uniform(-0.35, 0.35), rng.uniform(0.5, 0.95), rng.choice((-1, 1))
    stretch = np.diag((mirror * rng.uniform(0.8, 1.2), rng.uniform(0.8, 1.15)))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return size * stretch @ turn, rng.uniform(-0.25, 0.25, 2)


def main_colour(label: int, rng: np.random.Generator) -> np.ndarray:
    """Return the object's colour as 3 numbers: near the class's coat in half of the images, else any."""
    if label in COATS and rng.random() < TYPICAL_SHARE:
        return np.array(COATS[label]) + rng.normal(0, 18, 3)
    return rng.uniform(20, 236, 3)


def to_pixels(points: np.ndarray) -> Points:
    """Turn object coordinates, -1 to 1 over the picture, into pixels of the large drawing."""
    return [tuple(point) for point in ((points + 1) * (SIDE * SUPERSAMPLING / 2)).tolist()]


def draw_background(pencil: ImageDraw.ImageDraw, label: int, rng: np.random.Generator) -> None:
    """Fill the picture with an upper and a lower colour and some clutter."""
    any_ground = tuple(GROUNDS)[rng.integers(len(GROUNDS))]
    ground = HABITATS[label] if rng.random() < TYPICAL_SHARE else any_ground
    upper, lower = np.array(GROUNDS[ground]) + rng.normal(0, 22, (2, 3))
    horizon, tilt = rng.uniform(-0.3, 0.7), rng.uniform(-0.15, 0.15)
    pencil.rectangle((0, 0, 200, 200), fill=as_colour(upper))
    below = np.array([(-1, horizon - tilt), (1, horizon + tilt), (1, 1), (-1, 1)])
    pencil.polygon(to_pixels(below), fill=as_colour(lower))
    draw_clutter(pencil, rng, count=rng.integers(1, 6), size=0.45)


def draw_clutter(pencil: ImageDraw.ImageDraw, rng: np.random.Generator, count: int, size: float) -> None:
    """Draw `count` blobs and blocks of up to `size` (half width, in object coordinates) anywhere."""
    for _ in range(count):
        centre, radii = rng.uniform(-1, 1, 2), rng.uniform(0.2, 1, 2) * size
        shape = oval(0, 0, *radii, corners=int(rng.choice((3, 4, 4, 10))))
        pencil.polygon(to_pixels(np.array(shape) + centre), fill=as_colour(rng.integers(20, 236, 3)))


def as_colour(values: np.ndarray) -> tuple[int, int, int]:
    """Return three numbers as a colour of whole numbers from 0 to 255."""
    return tuple(min(255, max(0, int(value))) for value in values)
