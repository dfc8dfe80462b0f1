"""What chapter 09 needs beside the functions that it defines itself: calibration, maps, damaged pictures."""

import io

import numpy as np
import pandas as pd
from PIL import Image
from scipy.special import softmax
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


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Return an image as it comes out of a JPEG file of a quality from 1 to 95."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
