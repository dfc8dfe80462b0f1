"""Ten things, one for each class of the synthetic sample, each drawn from a few polygons."""

import numpy as np

Points = list[tuple[float, float]]
Part = tuple[
    Points, str
]  # a polygon in object coordinates (x right, y down, about -1 to 1) and its colour's name


def oval(x: float, y: float, rx: float, ry: float, corners: int = 14) -> Points:
    """Return the corners of an ellipse around (x, y); few corners make a triangle or a diamond."""
    angles = np.arange(corners) * (2 * np.pi / corners)
    return list(zip((x + rx * np.cos(angles)).tolist(), (y + ry * np.sin(angles)).tolist(), strict=True))


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """Return the corners of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def legs(xs: tuple[float, ...], top: float, bottom: float, width: float, stride: float) -> list[Part]:
    """Return one slanting leg per x; neighbours lean in opposite directions by `stride`."""
    leans = [stride * (-1) ** k for k in range(len(xs))]
    return [
        ([(x, top), (x + width, top), (x + width + lean, bottom), (x + lean, bottom)], "shade")
        for x, lean in zip(xs, leans, strict=True)
    ]


def airplane(rng: np.random.Generator) -> list[Part]:
    """A fuselage, swept wings and a fin."""
    sweep, span = rng.uniform(0.2, 0.6), rng.uniform(0.5, 0.9)
    return [
        ([(0.2, 0), (-sweep, -span), (-sweep - 0.2, -span), (-0.2, 0)], "shade"),
        (oval(0, 0, 1, 0.17), "main"),
        ([(-0.65, 0), (-1, -0.45), (-0.8, -0.45), (-0.35, 0)], "main"),
        ([(0.25, 0.05), (-sweep, span), (-sweep - 0.25, span), (-0.25, 0.05)], "shade"),
        (oval(0.78, -0.03, 0.1, 0.06), "dark"),
    ]


def automobile(rng: np.random.Generator) -> list[Part]:
    """A low body, a cabin with windows and two wheels."""
    front, back = rng.uniform(0.3, 0.6), rng.uniform(-0.75, -0.4)
    return [
        ([(back - 0.1, 0), (back + 0.15, -0.45), (front - 0.3, -0.45), (front + 0.1, 0)], "main"),
        ([(back + 0.05, -0.02), (back + 0.2, -0.36), (front - 0.34, -0.36), (front - 0.05, -0.02)], "light"),
        ([(-1, -0.05), (0.85, -0.05), (1, 0.15), (1, 0.4), (-1, 0.4)], "main"),
        (oval(-0.55, 0.4, 0.22, 0.22), "dark"),
        (oval(0.55, 0.4, 0.22, 0.22), "dark"),
    ]


def bird(rng: np.random.Generator) -> list[Part]:
    """An egg of a body, a small head with a beak, a wing, a tail and thin legs."""
    lift = rng.uniform(-0.8, 0.3)
    return [
        *legs((-0.1, 0.1), 0.3, 0.9, 0.07, rng.uniform(-0.1, 0.1)),
        ([(-0.35, 0.05), (-1, rng.uniform(-0.2, 0.5)), (-0.85, 0.35), (-0.3, 0.3)], "shade"),
        (oval(0, 0.1, 0.55, 0.36), "main"),
        (oval(0.5, -0.3, 0.24, 0.24), "main"),
        ([(0.68, -0.38), (1, -0.25), (0.68, -0.2)], "dark"),
        ([(0.25, 0), (-0.3, lift), (-0.55, lift), (-0.3, 0.2)], "shade"),
        (oval(0.56, -0.35, 0.06, 0.06), "dark"),
    ]


def cat(rng: np.random.Generator) -> list[Part]:
    """A round face with two pointed ears, on a sitting body with a tail."""
    tail = rng.uniform(-0.1, 0.6)
    return [
        ([(0.3, 0.85), (0.9, tail), (1, tail), (0.5, 1)], "shade"),
        (oval(0, 0.65, 0.42, 0.5), "main"),
        ([(-0.5, -0.15), (-0.48, -0.9), (-0.08, -0.5)], "shade"),
        ([(0.5, -0.15), (0.48, -0.9), (0.08, -0.5)], "shade"),
        (oval(0, -0.15, 0.52, 0.45), "main"),
        *face(rng),
    ]


def deer(rng: np.random.Generator) -> list[Part]:
    """A slim body on four thin legs, a raised head with antlers."""
    spread = rng.uniform(0.1, 0.3)
    return [
        *legs((-0.6, -0.4, 0.2, 0.4), 0.2, 0.95, 0.1, rng.uniform(-0.15, 0.15)),
        ([(0.3, 0.15), (0.55, -0.5), (0.75, -0.45), (0.6, 0.25)], "main"),
        (oval(0, 0.1, 0.65, 0.24), "main"),
        (oval(0.72, -0.48, 0.25, 0.13), "main"),
        ([(0.6, -0.55), (0.6 - spread, -1), (0.7 - spread, -1), (0.68, -0.55)], "dark"),
        ([(0.68, -0.55), (0.7 + spread, -1), (0.8 + spread, -1), (0.76, -0.55)], "dark"),
    ]


def dog(rng: np.random.Generator) -> list[Part]:
    """A long face with two hanging ears and a muzzle, on a sitting body."""
    droop = rng.uniform(0.15, 0.45)
    return [
        ([(0.3, 0.85), (0.8, 0.3), (0.9, 0.35), (0.5, 1)], "shade"),
        (oval(0, 0.65, 0.42, 0.5), "main"),
        (oval(0, -0.15, 0.45, 0.5), "main"),
        (oval(-0.5, -0.2, 0.16, droop + 0.15), "shade"),
        (oval(0.5, -0.2, 0.16, droop + 0.15), "shade"),
        (oval(0, 0.12, 0.24, 0.2), "light"),
        *face(rng),
    ]


def face(rng: np.random.Generator) -> list[Part]:
    """Two eyes and a nose, looking a little to one side."""
    x = rng.uniform(-0.12, 0.12)
    return [
        (oval(x + dx, y, r, r), "dark")
        for dx, y, r in ((-0.2, -0.22, 0.08), (0.2, -0.22, 0.08), (0, 0.05, 0.09))
    ]


def frog(rng: np.random.Generator) -> list[Part]:
    """A flat wide body, two eyes that stand out on top, folded legs."""
    knee = rng.uniform(0.75, 1)
    return [
        (oval(-0.7, 0.35, knee - 0.45, 0.3), "shade"),
        (oval(0.7, 0.35, knee - 0.45, 0.3), "shade"),
        (oval(0, 0.2, 0.75, 0.42), "main"),
        (oval(-0.32, -0.22, 0.2, 0.2), "main"),
        (oval(0.32, -0.22, 0.2, 0.2), "main"),
        (oval(-0.32, -0.24, 0.1, 0.1), "dark"),
        (oval(0.32, -0.24, 0.1, 0.1), "dark"),
        ([(-0.45, 0.2), (0.45, 0.2), (0, rng.uniform(0.25, 0.4))], "dark"),
    ]


def horse(rng: np.random.Generator) -> list[Part]:
    """A strong body on four legs, a neck with a mane and a hanging tail."""
    nod = rng.uniform(-0.2, 0.35)
    return [
        *legs((-0.65, -0.42, 0.22, 0.45), 0.2, 0.95, 0.16, rng.uniform(-0.2, 0.2)),
        ([(-0.6, -0.1), (-1, 0.1), (-1, 0.7), (-0.8, 0.2)], "dark"),
        ([(0.1, -0.05), (0.5, -0.65 + nod), (0.8, -0.5 + nod), (0.65, 0.3)], "main"),
        (oval(0, 0.1, 0.72, 0.32), "main"),
        ([(0.45, -0.75 + nod), (0.7, -0.65 + nod), (1, -0.2 + nod), (0.85, -0.1 + nod)], "main"),
        ([(0.05, -0.1), (0.45, -0.75 + nod), (0.58, -0.7 + nod), (0.25, -0.05)], "dark"),
    ]


def ship(rng: np.random.Generator) -> list[Part]:
    """A hull, a deckhouse and a mast or a funnel."""
    left, height, mast = rng.uniform(-0.6, -0.1), rng.uniform(0.25, 0.5), rng.uniform(-0.3, 0.4)
    return [
        (box(mast, -rng.uniform(0.5, 0.95), mast + rng.uniform(0.05, 0.22), 0.2), "dark"),
        (box(left, 0.15 - height, left + 0.8, 0.2), "light"),
        (box(left + 0.1, 0.25 - height, left + 0.7, 0.33 - height), "dark"),
        ([(-1, 0.1), (1, 0.1), (0.7, 0.6), (-0.75, 0.6)], "main"),
    ]


def truck(rng: np.random.Generator) -> list[Part]:
    """A high load, a cab with a window and two wheels."""
    top, cab = rng.uniform(-0.7, -0.35), rng.uniform(0.35, 0.5)
    return [
        (box(-1, top, cab - 0.05, 0.3), "main"),
        (box(cab, top + 0.3, 0.95, 0.35), "shade"),
        (box(cab + 0.15, top + 0.37, 0.88, top + 0.6), "light"),
        (box(-1, 0.25, 1, 0.4), "shade"),
        (oval(-0.6, 0.42, 0.22, 0.22), "dark"),
        (oval(0.6, 0.42, 0.22, 0.22), "dark"),
    ]


# In the order of `CLASS_NAMES`; each takes a random generator and returns its parts, back to front.
OBJECTS = (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)
