"""Image classification before deep learning, as a row of a study: HOG features and a linear SVM."""

import time

import numpy as np
from joblib import Parallel, delayed
from skimage.feature import hog
from sklearn.linear_model import SGDClassifier

from helpers.data import TrainingData
from helpers.training import Run, check_data, describe, outcome, smoke_epochs


def hog_features(images: np.ndarray) -> np.ndarray:
    """Return histograms of oriented gradients, float32 (N, 1764), of uint8 images (N, 32, 32, 3).

    Each cell of 4 x 4 pixels gives the strength of its edges in 9 directions, normalised over
    blocks of 2 x 2 cells (Dalal & Triggs 2005).
    """
    cells = {"pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}

    def features(batch):
        return np.stack([hog(i, orientations=9, channel_axis=-1, **cells) for i in batch]).astype("float32")

    batches = np.array_split(images, max(1, len(images) // 500))
    return np.concatenate(Parallel(n_jobs=-1)(delayed(features)(batch) for batch in batches))


def train_hog_svm(data: TrainingData, seed: int, passes: int, alpha: float) -> Run:
    """Train HOG + linear SVM with `passes` over the training images and return the record.

    Stochastic gradient descent on the hinge loss, with the mean of its steps as the result: its budget counts
    in passes, as a network's does in epochs. `alpha` is the factor of the L2 penalty.
    """
    check_data(data)
    passes = smoke_epochs(passes)
    started = time.perf_counter()
    options = {"loss": "hinge", "average": True, "tol": None, "n_jobs": -1}
    svm = SGDClassifier(alpha=alpha, max_iter=passes, random_state=seed, **options)
    svm.fit(hog_features(data.train.images), data.train.labels)
    correct = svm.predict(hog_features(data.val.images)) == data.val.labels
    seconds = time.perf_counter() - started
    recipe = {"epochs": passes, "alpha": alpha, "loss": "hinge"}
    parameters = svm.coef_.size + svm.intercept_.size
    return Run(recipe, seed, describe(data), parameters, [], seconds, **outcome(correct))
