"""Compare `helpers.training.train` with a bare `model.compile(); model.fit()`: seconds per epoch, and memory.

Both train `vgg(3)` with Adam on the same images in batches of 128 and validate after every epoch; `train`
also shuffles by seed and epoch, watches the loss and saves its state. The first epoch is left out.

Run on CIFAR-10 (on the sample where it is not at hand): CIFAR10_DIR=... python benchmarks/harness_cost.py
"""

import os
import statistics
import tempfile
import time

import race

BATCH_SIZE = 128


def bare(options) -> float:
    """Train with Keras alone; return seconds per epoch, validation included."""
    import keras
    import numpy as np

    from helpers import models

    data, model = race.training_data(options.images), models.vgg(3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    moments = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: moments.append(time.perf_counter()))
    settings = {"batch_size": BATCH_SIZE, "validation_batch_size": 500, "callbacks": [clock], "verbose": 0}
    validation = data.val.images, data.val.labels
    train = data.train.images, data.train.labels
    model.fit(*train, epochs=options.epochs, validation_data=validation, **settings)
    return statistics.median(np.diff(moments).tolist())


def ours(options) -> float:
    """Train with `train`, its state saved after every epoch; that time is shared out among them."""
    from helpers import models
    from helpers.recipe import Recipe
    from helpers.training import train

    data, recipe = race.training_data(options.images), Recipe(epochs=options.epochs, batch_size=BATCH_SIZE)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _, run = train(lambda: models.vgg(3), data, recipe, resume_dir=folder, progress=False)
    between = (time.perf_counter() - began - run.seconds) / options.epochs
    return statistics.median(epoch["seconds"] for epoch in run.history[1:]) + between


CONTENDERS = {"train()": ours, "model.fit()": bare}

if __name__ == "__main__":
    os.environ["TUTORIAL_PROFILE"] = "standard"
    given = race.options(__doc__, CONTENDERS, images=45_000, epochs=3, repeats=3)
    race.compare({name: race.command(name) for name in CONTENDERS}, given, "at most 1.05")
