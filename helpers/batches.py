"""Arrays in batches, in their order, for `fit` and `evaluate` on any Keras backend.

On TensorFlow, Keras turns arrays into a `tf.data` pipeline that tunes itself in a thread of its own.
The thread sleeps for twice as long each time, and TensorFlow 2.21 waits for it when the pipeline
ends: up to as long again as the epoch took. This pipeline does not tune itself.
"""

import keras
import numpy as np


class ArrayBatches(keras.utils.PyDataset):
    """Batches of two arrays of equal length, in their order; the last one may be smaller."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, size: int):
        super().__init__()
        self.images, self.labels, self.size = images, labels, size

    def __len__(self):
        return -(-len(self.images) // self.size)

    def __getitem__(self, index):
        part = slice(index * self.size, (index + 1) * self.size)
        return self.images[part], self.labels[part]


def batches(images: np.ndarray, labels: np.ndarray, size: int):
    """Return what `fit` and `evaluate` can read batches of `size` from, in the arrays' order.

    Args:
        images, labels: arrays of equal length.
        size: images per batch, 1 or more.
    """
    if keras.backend.backend() != "tensorflow":
        return ArrayBatches(images, labels, size)
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    pipeline = tf.data.Dataset.from_tensor_slices((images, labels)).batch(size).prefetch(2)
    return pipeline.with_options(options)
