"""A synthetic stand-in for CIFAR-10: small drawings of its ten classes, made from a seed, for work offline.

They have CIFAR-10's shapes and dtypes and none of its photographs: a number that was measured on them says
nothing about CIFAR-10. A few flaws are there to be found: copies of training images, and wrong labels.
"""

import numpy as np
from PIL import Image, ImageDraw

Points = list[tuple[float, float]]  # a polygon in object coordinates: x right, y down, about -1 to 1
Part = tuple[Points, str]  # with its colour's name
TRAIN_COUNT, TEST_COUNT, SIDE, CLASSES = 2000, 1000, 32, 10
LARGE = 128  # pixels a side as drawn; averaged down to 32 for soft edges
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
COPIED = tuple(range(30, TEST_COUNT, 50))  # test indices: copies of training images, in another light
MISLABELLED = tuple(range(55, TEST_COUNT, 160))  # and drawings of another class than the label says
TYPICAL_SHARE = 0.5  # of the images of a class have its ground, and as many its coat; the others have any


def make_sample(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw 200 images per class to train on and 100 per class to test on, in mixed order, from a seed.

    Return images uint8 (2000, 32, 32, 3) and labels int64 (2000,), and those to test on, (1000, 32, 32, 3)
    and (1000,); labels are 0 to 9 in the order of `CLASS_NAMES`.
    """
    rng = np.random.default_rng(seed)
    balanced = np.arange(TRAIN_COUNT, dtype=np.int64) % CLASSES
    labels = np.concatenate([rng.permutation(balanced), rng.permutation(balanced[:TEST_COUNT])])
    wrong = TRAIN_COUNT + np.array(MISLABELLED)
    shown = labels.copy()
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


def draw(label: int, rng: np.random.Generator) -> np.ndarray:
    """Return one drawing of a class as uint8 (32, 32, 3)."""
    image = Image.new("RGB", (LARGE, LARGE))
    pencil = ImageDraw.Draw(image)
    draw_background(pencil, label, rng)
    coat = main_colour(label, rng)
    colours = {"main": as_colour(coat), "shade": as_colour(coat * 0.6), "dark": DARK, "light": LIGHT}
    transform, shift = pose(rng)
    for points, colour in OBJECTS[label](rng):
        pencil.polygon(to_pixels(np.array(points) @ transform + shift), fill=colours[colour])
    draw_clutter(pencil, rng, count=rng.integers(0, 3), size=0.24)
    return np.asarray(image.reduce(LARGE // SIDE))


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
    return [tuple(point) for point in ((points + 1) * (LARGE / 2)).tolist()]


def draw_background(pencil: ImageDraw.ImageDraw, label: int, rng: np.random.Generator) -> None:
    """Fill the picture with an upper and a lower colour and some clutter."""
    any_ground = tuple(GROUNDS)[rng.integers(len(GROUNDS))]
    ground = HABITATS[label] if rng.random() < TYPICAL_SHARE else any_ground
    upper, lower = np.array(GROUNDS[ground]) + rng.normal(0, 22, (2, 3))
    horizon, tilt = rng.uniform(-0.3, 0.7), rng.uniform(-0.15, 0.15)
    pencil.rectangle((0, 0, LARGE, LARGE), fill=as_colour(upper))
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


def oval(x: float, y: float, rx: float, ry: float, corners: int = 14) -> Points:
    """Return the corners of an ellipse around (x, y); few corners make a triangle or a diamond."""
    angles = np.arange(corners) * (2 * np.pi / corners)
    return list(zip((x + rx * np.cos(angles)).tolist(), (y + ry * np.sin(angles)).tolist(), strict=True))


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """Return the corners of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def legs(xs: tuple[float, ...], top: float, bottom: float, width: float, stride: float) -> list[Part]:
    """Return one slanting leg per x; neighbours lean in opposite directions by `stride`."""
    parts = []
    for k, x in enumerate(xs):
        lean = stride * (-1) ** k
        foot = [(x + width + lean, bottom), (x + lean, bottom)]
        parts.append(([(x, top), (x + width, top), *foot], "shade"))
    return parts


def face(rng: np.random.Generator) -> list[Part]:
    """Two eyes and a nose, looking a little to one side."""
    x = rng.uniform(-0.12, 0.12)
    places = ((-0.2, -0.22, 0.08), (0.2, -0.22, 0.08), (0, 0.05, 0.09))
    return [(oval(x + dx, y, r, r), "dark") for dx, y, r in places]


# The parts of each class, back to front; pairs, such as two wheels, stand in one line.
# fmt: off
def airplane(rng: np.random.Generator) -> list[Part]:
    sweep, span = rng.uniform(0.2, 0.6), rng.uniform(0.5, 0.9)
    return [([(0.2, 0), (-sweep, -span), (-sweep - 0.2, -span), (-0.2, 0)], "shade"),
            (oval(0, 0, 1, 0.17), "main"), ([(-0.65, 0), (-1, -0.45), (-0.8, -0.45), (-0.35, 0)], "main"),
            ([(0.25, 0.05), (-sweep, span), (-sweep - 0.25, span), (-0.25, 0.05)], "shade"),
            (oval(0.78, -0.03, 0.1, 0.06), "dark")]

def automobile(rng: np.random.Generator) -> list[Part]:
    front, back = rng.uniform(0.3, 0.6), rng.uniform(-0.75, -0.4)
    glass = [(back + 0.05, -0.02), (back + 0.2, -0.36), (front - 0.34, -0.36), (front - 0.05, -0.02)]
    return [([(back - 0.1, 0), (back + 0.15, -0.45), (front - 0.3, -0.45), (front + 0.1, 0)], "main"),
            (glass, "light"), ([(-1, -0.05), (0.85, -0.05), (1, 0.15), (1, 0.4), (-1, 0.4)], "main"),
            (oval(-0.55, 0.4, 0.22, 0.22), "dark"), (oval(0.55, 0.4, 0.22, 0.22), "dark")]

def bird(rng: np.random.Generator) -> list[Part]:
    lift = rng.uniform(-0.8, 0.3)
    return [*legs((-0.1, 0.1), 0.3, 0.9, 0.07, rng.uniform(-0.1, 0.1)),
            ([(-0.35, 0.05), (-1, rng.uniform(-0.2, 0.5)), (-0.85, 0.35), (-0.3, 0.3)], "shade"),
            (oval(0, 0.1, 0.55, 0.36), "main"), (oval(0.5, -0.3, 0.24, 0.24), "main"),
            ([(0.68, -0.38), (1, -0.25), (0.68, -0.2)], "dark"),
            ([(0.25, 0), (-0.3, lift), (-0.55, lift), (-0.3, 0.2)], "shade"),
            (oval(0.56, -0.35, 0.06, 0.06), "dark")]

def cat(rng: np.random.Generator) -> list[Part]:
    tail = rng.uniform(-0.1, 0.6)
    ears = [[(side * 0.5, -0.15), (side * 0.48, -0.9), (side * 0.08, -0.5)] for side in (-1, 1)]
    return [([(0.3, 0.85), (0.9, tail), (1, tail), (0.5, 1)], "shade"), (oval(0, 0.65, 0.42, 0.5), "main"),
            (ears[0], "shade"), (ears[1], "shade"), (oval(0, -0.15, 0.52, 0.45), "main"), *face(rng)]

def deer(rng: np.random.Generator) -> list[Part]:
    spread = rng.uniform(0.1, 0.3)
    return [*legs((-0.6, -0.4, 0.2, 0.4), 0.2, 0.95, 0.1, rng.uniform(-0.15, 0.15)),
            ([(0.3, 0.15), (0.55, -0.5), (0.75, -0.45), (0.6, 0.25)], "main"),
            (oval(0, 0.1, 0.65, 0.24), "main"), (oval(0.72, -0.48, 0.25, 0.13), "main"),
            ([(0.6, -0.55), (0.6 - spread, -1), (0.7 - spread, -1), (0.68, -0.55)], "dark"),
            ([(0.68, -0.55), (0.7 + spread, -1), (0.8 + spread, -1), (0.76, -0.55)], "dark")]

def dog(rng: np.random.Generator) -> list[Part]:
    droop = rng.uniform(0.15, 0.45)
    ears = [(oval(x, -0.2, 0.16, droop + 0.15), "shade") for x in (-0.5, 0.5)]
    return [([(0.3, 0.85), (0.8, 0.3), (0.9, 0.35), (0.5, 1)], "shade"),
            (oval(0, 0.65, 0.42, 0.5), "main"), (oval(0, -0.15, 0.45, 0.5), "main"), *ears,
            (oval(0, 0.12, 0.24, 0.2), "light"), *face(rng)]

def frog(rng: np.random.Generator) -> list[Part]:
    knee = rng.uniform(0.75, 1)
    return [(oval(-0.7, 0.35, knee - 0.45, 0.3), "shade"), (oval(0.7, 0.35, knee - 0.45, 0.3), "shade"),
            (oval(0, 0.2, 0.75, 0.42), "main"),
            (oval(-0.32, -0.22, 0.2, 0.2), "main"), (oval(0.32, -0.22, 0.2, 0.2), "main"),
            (oval(-0.32, -0.24, 0.1, 0.1), "dark"), (oval(0.32, -0.24, 0.1, 0.1), "dark"),
            ([(-0.45, 0.2), (0.45, 0.2), (0, rng.uniform(0.25, 0.4))], "dark")]

def horse(rng: np.random.Generator) -> list[Part]:
    nod = rng.uniform(-0.2, 0.35)
    return [*legs((-0.65, -0.42, 0.22, 0.45), 0.2, 0.95, 0.16, rng.uniform(-0.2, 0.2)),
            ([(-0.6, -0.1), (-1, 0.1), (-1, 0.7), (-0.8, 0.2)], "dark"),
            ([(0.1, -0.05), (0.5, -0.65 + nod), (0.8, -0.5 + nod), (0.65, 0.3)], "main"),
            (oval(0, 0.1, 0.72, 0.32), "main"),
            ([(0.45, -0.75 + nod), (0.7, -0.65 + nod), (1, -0.2 + nod), (0.85, -0.1 + nod)], "main"),
            ([(0.05, -0.1), (0.45, -0.75 + nod), (0.58, -0.7 + nod), (0.25, -0.05)], "dark")]

def ship(rng: np.random.Generator) -> list[Part]:
    left, height, mast = rng.uniform(-0.6, -0.1), rng.uniform(0.25, 0.5), rng.uniform(-0.3, 0.4)
    return [(box(mast, -rng.uniform(0.5, 0.95), mast + rng.uniform(0.05, 0.22), 0.2), "dark"),
            (box(left, 0.15 - height, left + 0.8, 0.2), "light"),
            (box(left + 0.1, 0.25 - height, left + 0.7, 0.33 - height), "dark"),
            ([(-1, 0.1), (1, 0.1), (0.7, 0.6), (-0.75, 0.6)], "main")]

def truck(rng: np.random.Generator) -> list[Part]:
    top, cab = rng.uniform(-0.7, -0.35), rng.uniform(0.35, 0.5)
    return [(box(-1, top, cab - 0.05, 0.3), "main"), (box(cab, top + 0.3, 0.95, 0.35), "shade"),
            (box(cab + 0.15, top + 0.37, 0.88, top + 0.6), "light"), (box(-1, 0.25, 1, 0.4), "shade"),
            (oval(-0.6, 0.42, 0.22, 0.22), "dark"), (oval(0.6, 0.42, 0.22, 0.22), "dark")]
# fmt: on


OBJECTS = (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)
