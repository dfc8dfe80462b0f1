"""Train one network on several workers, with Keras on JAX; each runs this script.

    python data_parallel_jax.py NUMBER ADDRESSES FILE

NUMBER is the worker's own, from 0; ADDRESSES are those of all workers, with commas:
10.0.0.1:4321,10.0.0.2:4321; FILE holds images and labels, written by `np.savez`.
Prints what happened, as JSON.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from keras import layers

number, addresses, file = int(sys.argv[1]), sys.argv[2], sys.argv[3]
workers = len(addresses.split(","))
BATCH, EPOCHS = 256, 3  # BATCH images for each step of all workers together

keras.utils.set_random_seed(0)  # the same weights to start from on every worker
if workers > 1:
    keras.distribution.initialize(addresses, workers, number)
    everywhere = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(everywhere)

stack = [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255)]
for filters in (32, 64):
    stack += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]
model = keras.Sequential([*stack, layers.Flatten(), layers.Dense(10)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)


def share(array):
    """Return this worker's part of each batch, one batch after the other."""
    steps, part = len(array) // BATCH, BATCH // workers
    batches = array[: steps * BATCH].reshape(steps, workers, part, *array.shape[1:])
    return batches[:, number].reshape(steps * part, *array.shape[1:])


data = np.load(file)
images, labels = share(data["images"]), share(data["labels"])
losses, seconds = [], []
for _ in range(EPOCHS):
    began = time.perf_counter()
    told = model.fit(
        images, labels, batch_size=BATCH // workers, shuffle=False, verbose=0
    )
    losses += told.history["loss"]
    seconds.append(time.perf_counter() - began)
weights = [float(np.asarray(w).sum()) for w in model.trainable_weights]
print(json.dumps({"losses": losses, "seconds": seconds, "weights": weights}))
