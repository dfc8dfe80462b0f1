"""Look inside a network: how honest its probabilities are, what it looks at, how much it can stand."""

import io

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.special import softmax
from skimage.color import hsv2rgb, rgb2hsv
from skimage.transform import resize

# By kind of corruption, from the weakest of five to the strongest, as CIFAR-10-C has them (arXiv 1903.12261).
STRENGTHS = {
    "noise": (0.04, 0.06, 0.08, 0.09, 0.1),
    "blur": (0.4, 0.6, 0.7, 0.8, 1.0),
    "JPEG": (80, 65, 58, 50, 40),
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}


def calibration_table(logits: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return what was said and what was right, in percent, for ten groups of equal size, least sure first.

    Columns "said" (mean probability of the named class) and "right"; logits (N, 10), labels int (N,).
    """
    probabilities = softmax(logits, axis=1)
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    table = pd.DataFrame(columns=["said", "right"])
    for number, group in enumerate(np.array_split(np.argsort(sure), 10), 1):
        table.loc[number] = 100 * sure[group].mean(), 100 * right[group].mean()
    return table


def calibration_error(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the expected calibration error: the mean gap between said and right, in percentage points."""
    table = calibration_table(logits, labels)
    return (table["said"] - table["right"]).abs().mean()


def occlusion_map(model: keras.Model, image: np.ndarray, label: int) -> np.ndarray:
    """Return by how much a grey square lowers the probability of a class: float (32, 32), -1 to 1.

    `image` is uint8 (32, 32, 3). Squares of 8 x 8 pixels, two pixels apart; each pixel has the mean over all
    that cover it (Zeiler & Fergus 2013, arXiv 1311.2901).
    """
    side, step = 8, 2  # pixels
    starts = range(0, 33 - side, step)
    places = [(top, left) for top in starts for left in starts]
    pictures = np.repeat(image[np.newaxis], len(places) + 1, axis=0)
    for number, (top, left) in enumerate(places):
        pictures[number, top : top + side, left : left + side] = 128
    logits = np.asarray(model(pictures.astype("float32"), training=False))
    *chances, untouched = softmax(logits, axis=1)[:, label]
    total, count = np.zeros((2, 32, 32))
    for chance, (top, left) in zip(chances, places, strict=True):
        total[top : top + side, left : left + side] += untouched - chance
        count[top : top + side, left : left + side] += 1
    return total / count


def grad_cam(model: keras.Model, images: np.ndarray, labels: np.ndarray, layer: int) -> np.ndarray:
    """Return where the maps of a layer speak for the labels: float (N, H, W), 0 or more.

    Grad-CAM (Selvaraju and others 2016, arXiv 1610.02391): each map counts by its mean gradient.

    Args:
        model: Sequential, from pixels 0 to 255 to logits.
        images: uint8 or float (N, 32, 32, 3), values 0 to 255.
        labels: int (N,), the class of each image to ask for.
        layer: position in `model.layers` of one that gives maps, (N, H, W, C); -4 is the fourth from the end.
    """
    maps = tf.constant(images, "float32")
    for part in model.layers[: layer + 1]:
        maps = part(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logits = maps
        for part in model.layers[layer + 1 :]:
            logits = part(logits)
        scores = tf.gather(logits, labels, batch_dims=1)
    weights = tf.reduce_mean(tape.gradient(scores, maps), axis=(1, 2), keepdims=True)
    return np.maximum(tf.reduce_sum(weights * maps, axis=-1), 0)


def likeness(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the correlation of two maps of each image, (N, H, W) both: float (N,), 0 where one is flat."""
    with np.errstate(invalid="ignore"):
        pairs = zip(maps, others, strict=True)
        return np.nan_to_num([np.corrcoef(np.ravel(a), np.ravel(b))[0, 1] for a, b in pairs])


def spotlight(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return images (N, 32, 32, 3) that fade to white where a map (N, H, W) is low: float, 0 to 255.

    Each map is stretched over its image and measured by its own largest value; what is below 0 counts as 0.
    """
    shares = np.maximum(resize(np.asarray(maps, float), (len(maps), *images.shape[1:3]), order=1), 0)
    shares /= np.maximum(shares.max(axis=(1, 2), keepdims=True), 1e-12)
    return 255 - (255 - images.astype(float)) * (0.15 + 0.85 * shares[..., np.newaxis])


def corrupt(images: np.ndarray, kind: str, level: int, seed: int = 0) -> np.ndarray:
    """Return images uint8 (N, 32, 32, 3) as CIFAR-10-C defines them: a kind of `STRENGTHS`, level 1 to 5.

    KeyError for another kind. `seed` is that of the noise.
    """
    strength = STRENGTHS[kind][level - 1]
    if kind == "JPEG":
        return np.stack([through_jpeg(image, strength) for image in images])
    pixels = images / 255
    if kind == "noise":
        pixels += np.random.default_rng(seed).normal(0, strength, pixels.shape)
    if kind == "blur":
        pixels = gaussian_filter(pixels, (0, strength, strength, 0), mode="nearest")
    if kind == "brightness":
        pixels = rgb2hsv(pixels)
        pixels[..., 2] = np.minimum(pixels[..., 2] + strength, 1)
        pixels = hsv2rgb(pixels)
    if kind == "contrast":
        means = pixels.mean(axis=(1, 2), keepdims=True)
        pixels = means + strength * (pixels - means)
    return np.uint8(255 * np.clip(pixels, 0, 1))


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Return an image as it comes out of a JPEG file of a quality from 1 to 95."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
