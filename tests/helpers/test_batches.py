"""Batches come in the arrays' order, whole, on TensorFlow and on every other backend."""

import keras
import numpy as np
import pytest

from helpers.batches import ArrayBatches, batches

IMAGES = np.random.default_rng(0).integers(0, 256, (23, 4, 4, 3), dtype=np.uint8)
LABELS = np.arange(23)


@pytest.fixture(params=["tensorflow", "jax"])
def read(request, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)
    return batches(IMAGES, LABELS, 5)


def test_all_images_come_once_in_order_with_their_labels(read):
    parts = [(np.asarray(images), np.asarray(labels)) for images, labels in read]
    assert [len(labels) for _, labels in parts] == [5, 5, 5, 5, 3] == [len(images) for images, _ in parts]
    assert np.array_equal(np.concatenate([images for images, _ in parts]), IMAGES)
    assert np.array_equal(np.concatenate([labels for _, labels in parts]), LABELS)


def test_tensorflow_does_not_tune_the_pipeline():
    assert batches(IMAGES, LABELS, 5).options().autotune.enabled is False


def test_other_backends_get_the_same_training():
    def fit(data):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(23)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss)
        return model.fit(data, epochs=1, shuffle=False, verbose=0).history["loss"]

    assert fit(batches(IMAGES, LABELS, 5)) == pytest.approx(fit(ArrayBatches(IMAGES, LABELS, 5)))
