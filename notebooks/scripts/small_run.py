"""Train a small model in NumPy, as one run of many: python small_run.py SEED FILE.

FILE holds images and labels, written by `np.savez`. Prints the loss of the last step.
"""

import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # so that runs at once do not share cores
import numpy as np

rng = np.random.default_rng(int(sys.argv[1]))
data = np.load(sys.argv[2])
images = data["images"].reshape(len(data["images"]), -1).astype("float32") / 255
right = np.eye(10, dtype="float32")[data["labels"]]
weights = rng.normal(0, 0.01, (images.shape[1], 10)).astype("float32")
for _ in range(100):
    logits = images @ weights
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    weights -= 0.01 * images.T @ (shares - right) / len(images)
print(-np.log((shares * right).sum(axis=1)).mean())
