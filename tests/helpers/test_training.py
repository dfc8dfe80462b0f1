"""Training is reproducible and resumable to the last bit, and says in one line what was wrong."""

import dataclasses
import functools
import json
import re

import keras
import numpy as np
import pytest

from helpers import models, training
from helpers.augment import Augmentation
from helpers.data import TrainingData
from helpers.internal.checkpoint import Checkpoint
from helpers.training import Recipe, TrainingDiverged, predict_logits, train
from tests.support.tiny import QUICK, RECIPE, build, changed, tiny_cifar10, tiny_data

DATA, FEW = tiny_data(), tiny_data(60, 20)
SOFTMAX = models.softmax_regression
CROPS = Recipe(epochs=4, batch_size=30, optimizer="muon", learning_rate=0.1, small_epochs=2)
fast = functools.partial(models.fast_net, 4)


class Interrupted(Exception):
    """Stands for whatever stops a run: an exception, a closed notebook, a power cut."""


@pytest.fixture(autouse=True)
def standard_profile(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")


def weights(model):
    return [keras.ops.convert_to_numpy(w).copy() for w in model.weights]


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def without_seconds(history):
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in history]


@functools.cache  # rather than a fixture of the module, which would not run eagerly
def uninterrupted():
    """Return what an undisturbed run left: model and record."""
    return train(build, FEW, RECIPE, seed=3, progress=False)


def train_until_stopped(when, folder):
    """Stop a training at the end of its first epoch, before or after its state is saved."""
    save = Checkpoint.save

    def stopping(self, *args, **kwargs):
        if when == "after":
            save(self, *args, **kwargs)
        raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "save", stopping)
        with pytest.raises(Interrupted):
            train(build, FEW, RECIPE, 3, folder, progress=False)


@pytest.mark.slow
def test_a_run_that_is_stopped_ends_with_the_weights_and_history_of_one_that_was_not(tmp_path):
    """Dropout, batch normalisation, augmentation, schedule and optimizer state all go on."""
    for when in ("after", "before", "after"):
        train_until_stopped(when, tmp_path)
    model, resumed = train(build, FEW, RECIPE, seed=3, resume_dir=tmp_path, progress=False)
    undisturbed, run = uninterrupted()
    assert equal(weights(model), weights(undisturbed))
    assert without_seconds(resumed.history) == without_seconds(run.history)
    assert resumed.val_correct == run.val_correct


def test_a_run_depends_on_its_seed_and_not_on_what_was_drawn_before_it():
    first, _ = train(SOFTMAX, FEW, QUICK, progress=False)
    keras.utils.set_random_seed(99)
    second, third = (train(SOFTMAX, FEW, QUICK, seed, progress=False)[0] for seed in (0, 1))
    assert equal(weights(first), weights(second))
    assert not equal(weights(first), weights(third))


def test_an_epoch_shows_each_image_once_with_its_own_label():
    images, labels = training.epoch_data(DATA.train, Recipe(), 0, 0)
    position = {image.tobytes(): i for i, image in enumerate(DATA.train.images)}
    order = [position[image.tobytes()] for image in images]
    assert sorted(order) == list(range(len(DATA.train))) != order
    np.testing.assert_array_equal(labels, DATA.train.labels[order])


def test_shuffling_and_augmentation_depend_on_seed_and_epoch_alone():
    draws = [training.epoch_data(DATA.train, RECIPE, *drawn)[0] for drawn in ((0, 5), (0, 5), (0, 6), (5, 0))]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert len({draw.tobytes() for draw in draws}) == 3


def test_dropout_is_reseeded_in_every_epoch(monkeypatch):
    reseeded = []
    monkeypatch.setattr(training, "reseed_dropout", lambda model, *drawn: reseeded.append(drawn))
    train(SOFTMAX, FEW, Recipe(epochs=2, batch_size=60), seed=3, progress=False)
    assert reseeded == [(3, 0), (3, 1)]


def test_alternating_flips_show_both_sides_of_every_image_in_two_epochs():
    recipe = Recipe(augmentation=Augmentation(flip=True, alternate=True))
    epochs = [training.epoch_data(DATA.train, recipe, 0, epoch)[0] for epoch in (0, 1, 2)]
    sides = [{image.tobytes() for image in images} for images in epochs]
    both = {i.tobytes() for i in DATA.train.images} | {i[:, ::-1].tobytes() for i in DATA.train.images}
    assert sides[0] | sides[1] == both
    assert sides[0] == sides[2]
    assert 0.3 < np.mean([i.tobytes() in sides[0] for i in DATA.train.images]) < 0.7


def test_the_smoke_profile_trains_two_epochs_and_the_record_says_so(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    _, run = train(SOFTMAX, FEW, Recipe(epochs=30), progress=False)
    assert len(run.history) == run.recipe["epochs"] == 2


@pytest.mark.slow
def test_the_first_epochs_are_trained_on_crops_with_the_same_weights_and_optimizer():
    model, run = train(fast, FEW, CROPS, progress=False)
    assert [entry["side"] for entry in run.history] == [24, 24, 32, 32]
    assert int(model.optimizer.iterations) == 4 * 2
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert model.input_shape == (None, 32, 32, 3)
    images, labels = training.epoch_data(FEW.train, CROPS, 0, 0)
    assert (images.shape, images.dtype, len(labels)) == ((60, 24, 24, 3), np.uint8, 60)


def test_the_record_says_what_was_done_and_how_good_the_returned_model_is():
    model, run = uninterrupted()
    assert json.loads(json.dumps(vars(run), allow_nan=False)) == vars(run)
    assert run.recipe == dataclasses.asdict(RECIPE)
    assert [entry["epoch"] for entry in run.history] == [1, 2, 3]
    named = {"epoch", "side", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    assert set(run.history[-1]) == named
    assert run.seconds == pytest.approx(sum(entry["seconds"] for entry in run.history))
    assert (run.data["source"], run.data["train"], run.data["val"], run.seed) == ("sample", 60, 20, 3)
    right = model.predict(FEW.val.images, verbose=0).argmax(axis=1) == FEW.val.labels
    assert run.val_correct == "".join("1" if r else "0" for r in right)
    assert run.val_accuracy == run.val_correct.count("1") / 20
    assert run.parameters == sum(v.size for v in map(keras.ops.convert_to_numpy, model.trainable_weights))


def test_without_validation_images_nothing_is_said_about_them():
    _, run = train(SOFTMAX, changed(FEW, "val", **NONE), QUICK, progress=False)
    assert (run.val_accuracy, run.val_correct, run.data["val"]) == (None, "", 0)
    assert set(run.history[0]) == {"epoch", "side", "loss", "accuracy", "seconds"}


def test_the_record_changes_with_any_pixel_or_label():
    hashes = {training.describe(DATA)["sha256"]}
    for part in ("train", "val"):
        images, labels = getattr(DATA, part).images.copy(), getattr(DATA, part).labels.copy()
        images[-1, -1, -1, -1] ^= 1
        labels[-1] ^= 1
        hashes.add(training.describe(changed(DATA, part, images=images))["sha256"])
        hashes.add(training.describe(changed(DATA, part, labels=labels))["sha256"])
    assert len(hashes) == 5


@pytest.mark.slow
def test_training_learns_and_shows_its_steps_and_numbers_if_asked(capfd):
    recipe = Recipe(epochs=2, batch_size=16, learning_rate=1e-2)
    _, run = train(SOFTMAX, DATA, recipe, progress=False)
    assert run.val_accuracy > 0.5  # chance is 0.1
    assert capfd.readouterr() == ("", "")
    train(SOFTMAX, DATA, recipe)
    shown = capfd.readouterr().err
    assert "18/18" in shown
    assert "epoch=2" in shown
    assert "val_accuracy=" in shown


@pytest.mark.parametrize(("batch_size", "loss"), [(30, "loss"), (60, "val_loss")])
def test_a_loss_that_is_not_finite_stops_the_run_and_says_where(batch_size, loss):
    recipe = Recipe(epochs=3, batch_size=batch_size, optimizer="sgd", learning_rate=1e38)
    with pytest.raises(TrainingDiverged, match=f"^The {loss} became (nan|inf) in epoch 1: lower the"):
        train(SOFTMAX, FEW, recipe, progress=False)


IMAGES, LABELS = FEW.val.images, FEW.val.labels
NONE = {"images": np.zeros((0, 32, 32, 3)), "labels": LABELS[:0]}
BAD_DATA = {
    "images is uint8 (20, 32, 32), expected number (20, 32, 32, 3).": {"images": IMAGES[..., 0]},
    "images holds nan to nan, expected 0 to 255.": {"images": np.full((20, 32, 32, 3), np.nan)},
    "images holds -1 to 254, expected 0 to 255.": {"images": np.where(IMAGES, 254, -1)},
    "images holds 0 to 256, expected 0 to 255.": {"images": np.where(IMAGES, 256, 0)},
    "images holds values from 0 to 1, expected 0 to 255: multiply by 255.": {"images": IMAGES / 255},
    "labels holds 1 to 10, expected 0 to 9.": {"labels": LABELS + 1},
    "labels is float64 (20,), expected integer (20,).": {"labels": LABELS.astype(float)},
}


@pytest.mark.parametrize("problem", BAD_DATA)
def test_data_that_cannot_be_trained_on_is_named_in_one_line(problem):
    with pytest.raises(ValueError, match="expected") as error:
        train(SOFTMAX, changed(FEW, "val", **BAD_DATA[problem]), QUICK, progress=False)
    assert str(error.value) == f"data.val.{problem}"
    with pytest.raises(ValueError, match=r"^data\.train is empty, expected at least one image\.$"):
        train(SOFTMAX, changed(FEW, "train", **NONE), QUICK, progress=False)


@pytest.mark.parametrize("data", [tiny_cifar10(), DATA.train])
def test_only_data_without_a_test_split_can_be_trained_on(data):
    with pytest.raises(TypeError, match=r"^data is a \w+, expected TrainingData: cifar10.for_training\(\)"):
        train(SOFTMAX, data, QUICK, progress=False)
    assert [field.name for field in dataclasses.fields(TrainingData)] == ["train", "val", "source"]


def dense(shape, classes, ending=None):
    stack = [keras.layers.Flatten(), keras.layers.Dense(classes, activation=ending)]
    return keras.Sequential([keras.Input(shape), *stack])


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (lambda: dense((28, 28, 1), 10), "Sequential, (None, 28, 28, 1) -> (None, 10), expected a model"),
        (lambda: dense((32, 32, 3), 7), "Sequential, (None, 32, 32, 3) -> (None, 7), expected a model"),
        (lambda: None, "NoneType, None -> None, expected a model"),
        (lambda: dense((32, 32, 3), 10, "softmax"), "model that ends in a softmax, expected logits"),
        (lambda: dense((32, 32, 3), 10, "sigmoid"), "model that ends in a sigmoid, expected logits"),
    ],
)
def test_what_is_no_network_of_ours_is_named(other, found):
    with pytest.raises(ValueError, match=rf"^build\(\) gives a {re.escape(found)}"):
        train(other, FEW, QUICK, progress=False)


def test_all_images_come_once_in_order_and_other_backends_get_the_arrays_themselves(monkeypatch):
    pipeline = training.batches(DATA.val.images, DATA.val.labels, 15)["x"]
    images, labels = zip(*((np.asarray(x), np.asarray(y)) for x, y in pipeline), strict=True)
    assert [len(part) for part in labels] == [15, 15, 10]
    np.testing.assert_array_equal(np.concatenate(images), DATA.val.images)
    np.testing.assert_array_equal(np.concatenate(labels), DATA.val.labels)
    assert pipeline.options().autotune.enabled is False
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    plain = training.batches(DATA.val.images, DATA.val.labels, 15)
    assert plain == {"x": DATA.val.images, "y": DATA.val.labels, "batch_size": 15}


class Corner:
    """Stands for a model: its "logits" are pixels of the image, so that views can be told apart."""

    def predict(self, x, verbose):
        return np.concatenate([np.asarray(images)[:, :2, 0, 0].astype("float32") for (images,) in x])


@pytest.mark.parametrize("views", [1, 2, 6])
def test_logits_are_the_weighted_mean_over_the_views(views):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    plain, mirrored = images[..., 0].astype(float), images[:, :, ::-1, 0].astype(float)
    expected = {1: plain[:, :2, 0], 2: (plain + mirrored)[:, :2, 0] / 2}
    # Moved up and left by one pixel, row 0 shows row 1; moved down and right, the reflected row 1, too.
    moved = sum(v[:, [1, 2], 1] + v[:, [1, 0], 1] for v in (plain, mirrored))
    expected[6] = ((plain + mirrored)[:, :2, 0] + moved / 2) / 4
    assert predict_logits(Corner(), images, views) == pytest.approx(expected[views])
    with pytest.raises(ValueError, match="views is 3, expected 1, 2, 6 or"):
        predict_logits(Corner(), images, views=3)


def test_only_unsure_images_are_looked_at_six_times():
    images = np.zeros((3, 8, 8, 3), np.uint8)
    images[:, 0, 0, 0] = 9, 1, 9  # how far the first logit is ahead
    images[:, 1, 1] = 50
    adaptive, one, six = (predict_logits(Corner(), images, views) for views in ("adaptive", 1, 6))
    assert np.allclose(adaptive, [one[0], six[1], one[2]])
    assert not np.allclose(one[1], six[1])


@pytest.mark.slow
def test_half_the_bits_leave_a_model_in_float32_that_is_about_the_same(monkeypatch):
    recipe = Recipe(epochs=2, batch_size=30, optimizer="muon", learning_rate=0.1, precision="auto")
    runs, kinds, compiled = {}, set(), training.compile_model

    def watched(model, *args, **kwargs):
        kinds.update(layer.compute_dtype for layer in model.layers)
        compiled(model, *args, **kwargs)

    monkeypatch.setattr(training, "compile_model", watched)
    for precision in ("float32", "bfloat16"):
        monkeypatch.setattr(training.session, "precision", lambda wanted, found=precision: found)
        model, run = train(fast, FEW, recipe, progress=False)
        runs[precision] = weights(model)
        assert {layer.compute_dtype for layer in model.layers} == {"float32"}
        assert run.machine["precision"] == precision
    assert kinds == {"float32", "bfloat16"}
    assert keras.config.dtype_policy().name == "float32"
    both = [np.concatenate([w.ravel() for w in found]) for found in runs.values()]
    assert 0.99 < np.corrcoef(both)[0, 1] < 1
