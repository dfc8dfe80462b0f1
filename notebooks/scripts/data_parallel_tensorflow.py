"""Train one network on several workers, with Keras on TensorFlow; each runs this.

    python data_parallel_tensorflow.py NUMBER ADDRESSES FILE

NUMBER is the worker's own, from 0; ADDRESSES are those of all workers, with commas:
10.0.0.1:4321,10.0.0.2:4321; FILE holds images and labels, written by `np.savez`.
Prints what happened, as JSON. `fit` does not work here with Keras 3: we write its step.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np

number, addresses, file = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3]
workers = len(addresses)
BATCH, EPOCHS = 256, 3  # BATCH images for each step of all workers together
task = {"type": "worker", "index": number}
os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before anything is computed
import keras
from keras import layers

keras.utils.set_random_seed(0)  # the same weights to start from on every worker
with strategy.scope():
    stack = [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255)]
    for filters in (32, 64):
        stack += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]
    model = keras.Sequential([*stack, layers.Flatten(), layers.Dense(10)])
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    optimizer.build(model.trainable_variables)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def step(images, labels):
    """Train on one batch, of which each worker has its part; return the mean loss."""

    def on_each(images, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))  # Keras: / workers
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)  # adds up all workers'
        return loss

    losses = strategy.run(on_each, (images, labels))
    return strategy.reduce("SUM", losses, axis=None)


def share(array):
    """Return this worker's part of each batch: steps, images of a step, and so on."""
    steps, part = len(array) // BATCH, BATCH // workers
    batches = array[: steps * BATCH].reshape(steps, workers, part, *array.shape[1:])
    return batches[:, number]


data = np.load(file)
images, labels = share(data["images"]), share(data["labels"])
losses, seconds = [], []
for _ in range(EPOCHS):
    began = time.perf_counter()
    told = []
    for batch in zip(images, labels, strict=True):
        told.append(step(*map(tf.constant, batch)))
    losses.append(float(np.mean(told)))
    seconds.append(time.perf_counter() - began)
weights = [float(w.numpy().sum()) for w in model.trainable_variables]
print(json.dumps({"losses": losses, "seconds": seconds, "weights": weights}))
