"""Saved networks and exports: whole or not at all, run and compared before they are kept."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import types
import zipfile
from unittest.mock import Mock

import keras
import numpy as np
import pytest

from helpers import export
from helpers.export import compare_logits, export_all, runner, save_model
from helpers.internal.files import ROOT
from helpers.internal.network_file import MEMBERS, UNSET
from helpers.models import vgg
from helpers.predict import FINAL_MODEL, ModelError, load_model
from tests.clients.browser.outside import Outside

MISSING = [name for name in ("onnx", "tf2onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
needs_onnx = pytest.mark.skipif(bool(MISSING), reason=f"optional packages are missing: {', '.join(MISSING)}")
HERE = ["keras", "savedmodel", "litert", "litert_int8"]  # formats that take no optional package


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(export, "REPEATS", 1)


@pytest.fixture(scope="module")
def images():
    pictures = np.random.default_rng(0).integers(0, 256, (120, 32, 32, 3), "uint8")
    pictures[:40, :16] //= 8
    pictures[40:80, :, :16] //= 8
    return pictures


@pytest.fixture(scope="module")
def model():
    """A small network that was trained for a step, with an optimizer and parts that draw at random."""
    keras.utils.set_random_seed(0)
    model = vgg(1, width=4, dense_units=8, dropout=0.3, batch_norm=True)
    model.compile("adam", "mse")
    model.fit(np.ones((2, 32, 32, 3)), np.zeros((2, 10)), verbose=0)
    return model


def record_of(path):
    """Return the JSON beside a network's file, which it describes."""
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    return record


# Saving


def test_a_loaded_network_gives_the_same_logits_to_the_bit(model, images, tmp_path):
    weights, optimizer = model.get_weights(), model.optimizer
    save_model(model, tmp_path / "new" / "model.keras")
    loaded = load_model(tmp_path / "new" / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images, training=False), strict=True)
    assert model.optimizer is optimizer
    assert all(map(np.array_equal, weights, model.get_weights())), "what is saved stays as it is"


def test_the_file_holds_neither_optimizer_nor_what_older_keras_does_not_know(model, tmp_path):
    save_model(model, tmp_path / "bare.keras")
    model.save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "bare.keras") as archive:
        assert sorted(archive.namelist()) == MEMBERS
        config = archive.read("config.json").decode()
    assert not json.loads(config).get("compile_config")
    assert [name for name in UNSET if f'"{name}"' in config] == []
    assert '"momentum": 0.9' in config
    assert not keras.saving.load_model(tmp_path / "bare.keras").compiled
    assert (tmp_path / "bare.keras").stat().st_size < (tmp_path / "whole.keras").stat().st_size


def test_the_json_says_which_file_it_is_and_where_it_comes_from(model, tmp_path):
    about, path = {"study": "final", "accuracy": {"value": 0.94}}, tmp_path / "model.keras"
    record = save_model(model, path, about)
    assert record == record_of(path)
    assert record.keys() == {"sha256", "bytes", "date", "versions", "about"}
    assert (record["about"], record["bytes"]) == (about, path.stat().st_size)
    assert record["versions"]["keras"] == keras.__version__


def test_the_published_network_is_the_one_that_its_json_describes():
    assert record_of(FINAL_MODEL)["about"]["study"] == "final"


@pytest.mark.parametrize(
    ("classes", "about", "said"),
    [(3, None, r"expected \(None, 32, 32, 3\) and \(None, 10\)"), (10, {"x": float("nan")}, "not JSON")],
)
def test_what_could_not_be_loaded_replaces_nothing(model, tmp_path, classes, about, said):
    layers = [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(classes)]
    save_model(model, tmp_path / "model.keras")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises((ModelError, ValueError), match=said):
        save_model(keras.Sequential(layers), tmp_path / "model.keras", about)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# What is an export, and what is none


def test_rounding_is_allowed_and_of_int8_other_logits_but_not_other_classes():
    logits = np.random.default_rng(0).normal(0, 5, (100, 10)).astype("float32")
    assert compare_logits("onnx", logits, logits + 1e-5)[1] >= 0.99
    assert compare_logits("litert_int8", np.eye(10), 0.9 * np.eye(10)) == (pytest.approx(0.1), 1.0)
    none = np.full((100, 10), np.nan)
    others = {"onnx": logits + np.float32(0.01), "litert_int8": np.roll(logits, 1, axis=1), "litert": none}
    for name, found in [*others.items(), ("litert_int8", none)]:
        with pytest.raises(ModelError, match="not kept: logits differ by .* keep their class"):
            compare_logits(name, logits, found)


class Pixels:
    """What stands in for a network: ten pixels of each image."""

    @staticmethod
    def predict(images, **options):
        return images.reshape(len(images), -1)[:, :10].astype("float32")


@pytest.fixture
def formats(monkeypatch):
    """Writing takes no time: a format is a folder or a text, and a runner answers as `Pixels` does."""

    def write(model, path, calibration=None):
        path.mkdir() if path.suffix == "" else None
        (path / "part" if path.suffix == "" else path).write_text(path.name)

    answers = dict.fromkeys(export.FORMATS, Pixels.predict)
    monkeypatch.setattr(export, "WRITERS", dict.fromkeys(export.FORMATS, write))
    monkeypatch.setattr(export, "runner", lambda name, path: answers[name])
    return answers


def test_exports_are_written_and_written_again(formats, images, tmp_path):
    for _ in range(2):
        table = export_all(Pixels, tmp_path / "new", images, images)
    files = ["model.keras", "saved_model", "model.tflite", "model_int8.tflite", "model.onnx"]
    assert sorted(part.name for part in (tmp_path / "new").iterdir()) == sorted(files)
    assert table.index.tolist() == list(export.FORMATS)
    assert table["path"].tolist() == [str(tmp_path / "new" / name) for name in files]
    assert table["bytes"].tolist() == [len(name) for name in files]
    assert (table["problem"] == "").all()
    assert (table["largest difference"] == 0).all()
    assert (table["agreement"] == 1).all()
    assert (table["median ms"] > 0).all()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda images: np.zeros((len(images), 10)), "not kept: logits differ"),
        (Mock(side_effect=MemoryError("no\nroom")), "no room"),
    ],
)
def test_what_answers_otherwise_or_not_at_all_is_told_and_not_kept(formats, images, tmp_path, answer, said):
    formats["onnx"] = answer
    table = export_all(Pixels, tmp_path, images, images)
    assert table.loc["litert", "problem"] == ""
    assert table.loc["onnx", "problem"].startswith(said)
    assert table.loc["onnx"].drop("problem").isna().all()
    assert {part.name for part in tmp_path.iterdir()} == {*export.FORMATS.values()} - {"model.onnx"}


@pytest.mark.parametrize("name", ["tf2onnx", "onnxruntime"])
def test_without_its_packages_onnx_says_what_to_install(tmp_path, monkeypatch, name):
    for other in ("tf2onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, other, types.ModuleType(other))
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    with pytest.raises(ModelError, match=f"{name}.* pip install onnx tf2onnx onnxruntime"):
        runner("onnx", tmp_path / "model.onnx")
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


# The real formats


@pytest.mark.slow
def test_every_format_answers_as_keras_does_and_in_silence(model, images, tmp_path, capfd, monkeypatch):
    folder = tmp_path / "[1]"  # which TensorFlow cannot read a SavedModel from
    monkeypatch.setattr(export, "FORMATS", {name: export.FORMATS[name] for name in HERE})
    table = export_all(model, folder, images, images)
    assert table["problem"].tolist() == [""] * 4
    assert "INFO" not in capfd.readouterr().err
    assert table.loc["keras", "largest difference"] == 0
    assert (table["agreement"] >= export.INT8_AGREEMENT).all()
    assert table.loc["litert_int8", "bytes"] < table.loc["litert", "bytes"]
    assert table.loc["litert_int8", "largest difference"] > table.loc["litert", "largest difference"]
    (folder / "saved_model").rename(tmp_path / "saved_model")
    table.loc["savedmodel", "path"] = str(tmp_path / "saved_model")
    for name in HERE:
        run = runner(name, table.loc[name, "path"])
        whole = run(images)
        assert (whole.shape, whole.dtype) == ((120, 10), np.float32)
        for count in (1, 3, 1, 101):  # the number of images may change from call to call
            np.testing.assert_allclose(run(images[:count]), whole[:count], rtol=1e-3, atol=2e-2)


@pytest.mark.slow
@needs_onnx
def test_onnx_gives_keras_logits_and_running_it_calls_nobody(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "FORMATS", {"onnx": "model.onnx"})
    table = export_all(model, tmp_path, images, images)
    assert table.loc["onnx", "problem"] == ""
    assert runner("onnx", table.loc["onnx", "path"])(images[:1]).shape == (1, 10)
    outside = Outside()
    code = "import sys, time; from helpers.export import runner; runner('onnx', sys.argv[1]); time.sleep(10)"
    command = [sys.executable, "-c", code, table.loc["onnx", "path"]]  # it calls within 5 seconds, if at all
    environment = os.environ | outside.variables
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert outside.asked == []
