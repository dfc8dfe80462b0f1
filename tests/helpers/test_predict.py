"""What a network sees in a photo: probabilities that are some, and the command that says them."""

import json
import os
import subprocess
import sys
from unittest.mock import Mock

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from helpers import predict
from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT
from helpers.models import vgg
from helpers.predict import ModelError, load_model, load_photo, main, pictures_in
from helpers.training import predict_logits

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    vgg(1, width=2, dense_units=8).save(path)
    return path


@pytest.fixture(scope="module")
def model(model_path):
    return load_model(model_path)


@pytest.fixture
def album(tmp_path):
    """A folder with two pictures of noise and a text."""
    for seed, name in enumerate(("a.png", "b.jpg")):
        noise = np.random.default_rng(seed).integers(0, 256, (40 + seed, 60, 3), "uint8")
        Image.fromarray(noise).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def command(model, model_path, capsys, monkeypatch):
    """Run the command; return its exit status, its lines, and its lines on standard error."""
    monkeypatch.setattr(predict, "load_model", lambda path: model)

    def run(*words, model=model_path):
        status = main([*map(str, words), "--model", str(model)])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines()

    return run


def start(name, *arguments, **variables):
    """Run a command in a process of its own; return its exit status and what it writes to standard error."""
    command = [sys.executable, "-m", name, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_guesses_are_the_most_probable_classes_of_the_models_own_logits(model, album):
    photos = [load_photo(path) for path in pictures_in(album)]
    pixels = np.stack([photo.pixels for photo in photos])
    expected = softmax(predict_logits(model, pixels, "adaptive"), axis=1)
    for row, guesses in zip(expected, predict.guesses(model, photos), strict=True):
        assert [name for name, _ in guesses] == [CLASS_NAMES[label] for label in np.argsort(-row)]
        np.testing.assert_allclose([share for _, share in guesses], np.sort(row)[::-1], rtol=1e-5)
    with pytest.raises(ValueError, match="views is 3, expected"):
        predict.probabilities(model, pixels, 3)


def test_a_network_that_ends_in_a_softmax_is_not_given_a_second_one():
    shares = np.random.default_rng(0).dirichlet(np.ones(10), 3)
    found = predict.probabilities(lambda images, training: shares, np.zeros((3, 32, 32, 3), "uint8"))
    np.testing.assert_array_equal(found, shares)


def test_the_temperature_beside_a_network_calibrates_its_probabilities(model_path, tmp_path):
    path, noise = tmp_path / "model.keras", np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), "uint8")
    path.write_bytes(model_path.read_bytes())
    plain = load_model(path)
    for told in ('{"about": {"temperature": 2.0}}', "no JSON", '{"about": {"temperature": []}}'):
        path.with_suffix(".json").write_text(told)
        number = 2.0 if "2.0" in told else 1.0
        expected = softmax(plain(noise, training=False) / number, axis=1)
        np.testing.assert_allclose(predict.probabilities(load_model(path), noise), expected, rtol=1e-5)


def test_numbers_that_are_no_probabilities_are_said_in_one_line():
    images = np.zeros((1, 32, 32, 3), "uint8")
    with pytest.raises(ModelError, match="not finite: its weights are damaged"):
        predict.probabilities(lambda images, training: np.full((1, 10), np.nan), images)
    with pytest.raises(ModelError, match=r"The model does not run: no room\."):
        predict.probabilities(Mock([], side_effect=MemoryError("no\nroom")), images)


@pytest.mark.parametrize("kind", ["dense", "layer", "within"])
def test_a_network_that_ends_in_a_sigmoid_is_told(kind):
    dense = keras.layers.Dense(10, activation="sigmoid" if kind == "dense" else None)
    last = keras.Sequential([dense]) if kind == "within" else dense
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), last])
    if kind != "dense":
        model.add(keras.layers.Activation("sigmoid"))
    with pytest.raises(ModelError, match="ends in a sigmoid, expected logits or a softmax"):
        predict.probabilities(model, np.zeros((1, 32, 32, 3)))


SCALES = {
    "0 to 1": lambda pixels: pixels / 255,
    "-1 to 1": lambda pixels: pixels / 127.5 - 1,
    "whole numbers, 0 and 1": lambda pixels: pixels // 255,
    "up to 65,535": lambda pixels: pixels * 257.0,
    "no number": lambda pixels: np.where(pixels, np.nan, 0),
    "one picture, without its axis": lambda pixels: pixels[0],
    "channels first": lambda pixels: pixels.transpose(0, 3, 1, 2),
}


@pytest.mark.parametrize("scale", SCALES)
def test_pixels_on_another_scale_and_other_shapes_are_told_and_no_fault_of_the_network(scale, model):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), "uint8")
    pixels[:, 0] = 255
    with pytest.raises(ValueError, match=r"expected \(N, 32, 32, 3\) with pixels from 0 to 255"):
        predict.probabilities(model, SCALES[scale](pixels))
    night = pixels[:1] // 255
    for right in (pixels, pixels.astype(float), pixels.tolist(), night, 0 * pixels):
        assert np.isfinite(predict.probabilities(model, right)).all()


def test_a_line_for_each_photo_names_its_classes_and_bad_ones_among_them_are_told(command, album, model):
    status, lines, errors = command(album / "none.jpg", album, album / "notes.txt", album / "b.jpg")
    photos = [*pictures_in(album), album / "b.jpg"]
    for line, path in zip(lines, photos, strict=True):
        top = predict.guesses(model, [load_photo(path)])[0][:3]
        assert line == f"{path}  " + ", ".join(f"{name} {share:.1%}" for name, share in top)
    assert status == 1
    assert [line.partition(": ")[0] for line in errors] == [
        f"{album / name}" for name in ("none.jpg", "notes.txt")
    ]
    status, lines, errors = command("--json", album / "none.jpg", album / "b.jpg")
    wrong, right = map(json.loads, lines)
    assert (status, errors, list(wrong), len(right["classes"])) == (1, [], ["path", "error"], 10)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_names_cannot_break_lines_or_command_the_terminal(command, album):
    name = "x\n\x1b[31m\u202e\udcff.png"
    (album / name).write_bytes((album / "a.png").read_bytes())
    status, lines, errors = command(album / name, f"{name}.gone")
    assert (status, len(lines), len(errors)) == (1, 1, 1)
    assert all(line.isprintable() for line in lines + errors)
    assert r"x\n\x1b[31m\u202e\udcff.png" in lines[0]
    assert errors[0].endswith(".gone: it cannot be read: expected a file, or a folder with pictures in it")


def test_a_missing_model_is_said_before_any_photo_is_looked_at(command, album, tmp_path):
    missing = tmp_path / "none.keras"
    assert command(album, model=missing) == (1, [], [f"{missing} is not loaded: there is no such file."])


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "imported"),
    [("helpers.predict", "scipy"), ("helpers.doctor", "packaging"), ("tools.readme", "pandas")],
)
def test_ctrl_c_ends_a_command_without_a_traceback_while_it_starts_too(name, imported, tmp_path):
    (tmp_path / f"{imported}.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    assert start(name, "photo.jpg", PYTHONPATH=str(tmp_path)) == (130, "")


def test_a_setting_by_which_keras_cannot_start_is_told_in_one_line(model_path):
    told = "Keras does not start: KERAS_BACKEND is 'no_backend', which is not installed: unset or correct it."
    found = start("helpers.predict", "data/photos/cat.jpg", "--model", model_path, KERAS_BACKEND="no_backend")
    assert found == (1, f"{told}\n")


def test_without_a_good_photo_keras_is_not_started(model_path):
    status, errors = start("helpers.predict", "gone.jpg", "--model", model_path, KERAS_BACKEND="no_backend")
    assert (status, errors.partition(":")[0]) == (1, "gone.jpg")


@pytest.mark.parametrize("needed", [0.4, 1, 3])
def test_the_fitted_temperature_is_that_by_which_the_labels_were_drawn(needed):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4000, 10))
    labels = (logits / needed + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert predict.fit_temperature(logits, labels) == pytest.approx(needed, rel=0.07)
