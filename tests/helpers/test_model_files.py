"""Saving a network: what is in the two files, what is refused, and what a kill in the middle leaves.

`KILLS=100` in the environment kills that many processes that save, at random moments; else 4 are killed.
"""

import json
import multiprocessing
import os
import random
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.model_files import UNSET, save_model, verify_model_file
from helpers.models import softmax_regression
from helpers.predict import DEFAULT_MODEL, MEMBERS, ModelError, load_model, read_config
from tests.support.tiny import build

KILLS = int(os.environ.get("KILLS", "4"))
PAUSE = 0.1  # seconds that each step of a save is held, so that kills also fall there
layers = keras.layers


def network(number: float = 0) -> keras.Model:
    """Return a network that wears its number: every weight has that value."""
    model = softmax_regression()
    model.set_weights([np.full(weight.shape, number, "float32") for weight in model.weights])
    return model


def number_of(model: keras.Model) -> float:
    """Return the number that a network wears."""
    (number,) = {float(value) for weight in model.get_weights() for value in np.unique(weight)}
    return number


@pytest.fixture
def trained():
    """A network that was trained for a step, with an optimizer and parts that draw at random."""
    keras.utils.set_random_seed(0)
    model = build()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((2, 32, 32, 3)), np.zeros((2, 10)), verbose=0)
    return model


@pytest.fixture
def path(tmp_path):
    """A saved network whose number is 1."""
    path = tmp_path / "model.keras"
    save_model(network(1), path, {"number": 1})
    return path


# What is written


def test_a_loaded_network_gives_the_same_logits_to_the_bit(trained, tmp_path):
    save_model(trained, tmp_path / "new" / "model.keras")
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3)).astype("float32")
    loaded = load_model(tmp_path / "new" / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), trained.predict(images, verbose=0), strict=True
    )


def test_the_file_holds_neither_optimizer_nor_compilation(trained, tmp_path):
    save_model(trained, tmp_path / "bare.keras")
    trained.save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "bare.keras") as archive:
        assert sorted(archive.namelist()) == MEMBERS
        assert not json.loads(archive.read("config.json")).get("compile_config")
    assert not keras.saving.load_model(tmp_path / "bare.keras").compiled
    assert (tmp_path / "bare.keras").stat().st_size < (tmp_path / "whole.keras").stat().st_size


def test_what_is_not_set_is_left_out_so_that_older_keras_can_load_it(tmp_path):
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.BatchNormalization(momentum=0.8)])
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    save_model(model, tmp_path / "model.keras")
    written = read_config(tmp_path / "model.keras")["config"]["layers"]
    assert [name for name in UNSET if f'"{name}"' in json.dumps(written)] == []
    assert written[1]["config"]["momentum"] == 0.8


def test_the_published_network_is_loaded_by_the_keras_that_runs_here():
    assert verify_model_file(DEFAULT_MODEL)["about"]["study"] == "final"
    assert load_model(DEFAULT_MODEL).output_shape == (None, 10)
    assert DEFAULT_MODEL.stat().st_size < 10e6


def test_the_model_that_is_saved_stays_as_it_is(trained, tmp_path):
    weights, optimizer = trained.get_weights(), trained.optimizer
    save_model(trained, tmp_path / "model.keras")
    assert trained.optimizer is optimizer
    assert all(map(np.array_equal, weights, trained.get_weights()))


def test_the_json_says_which_file_it_is_and_where_it_comes_from(tmp_path):
    about = {"study": "final", "seed": 3, "accuracy": {"value": 0.94, "interval": [0.935, 0.945]}}
    path = tmp_path / "model.keras"
    record = save_model(network(), path, about)
    assert record == json.loads(path.with_suffix(".json").read_text()) == verify_model_file(path)
    assert record.keys() == {"sha256", "bytes", "date", "versions", "about"}
    assert record["about"] == about
    assert record["bytes"] == path.stat().st_size
    assert record["versions"]["keras"] == keras.__version__
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.json", "model.keras"]


def test_a_second_network_takes_the_place_of_the_first(path):
    save_model(network(2), path, {"number": 2})
    assert verify_model_file(path)["about"]["number"] == number_of(load_model(path)) == 2


# What is refused when saving


def assert_unchanged(path):
    assert verify_model_file(path)["about"]["number"] == number_of(load_model(path)) == 1
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.json", "model.keras"]


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ([layers.Lambda(lambda x: x), layers.Flatten(), layers.Dense(10)], "Lambda (keras.layers)"),
        ([layers.Flatten(), layers.Dense(3)], "to (None, 3), expected"),
    ],
    ids=["code of its own", "three classes"],
)
def test_a_network_that_could_not_be_loaded_replaces_none(path, stack, said):
    with pytest.raises(ModelError) as told:
        save_model(keras.Sequential([keras.Input((32, 32, 3)), *stack]), path)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert_unchanged(path)


def test_a_name_of_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="ends in .keras"):
        save_model(network(), tmp_path / "model.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("accuracy", [float("nan"), {0.94}])
def test_what_json_does_not_know_is_refused_before_anything_is_replaced(path, accuracy):
    with pytest.raises((ValueError, TypeError)):
        save_model(network(2), path, {"accuracy": accuracy})
    assert_unchanged(path)


@pytest.mark.parametrize("call", [1, 2], ids=["network", "JSON"])
def test_a_full_disk_leaves_the_pair_that_was_there(path, monkeypatch, call):
    calls = []

    def no_room(number):
        calls.append(number)
        if len(calls) == call:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        save_model(network(2), path, {"number": 2})
    assert verify_model_file(path)["about"]["number"] == number_of(load_model(path)) == 1
    assert [file.name for file in path.parent.glob("*.keras")] == ["model.keras"]


# What is refused when reading


def test_between_the_two_renames_the_pair_is_refused(path):
    other = path.with_name("other.keras")
    save_model(network(2), other, {"number": 2})
    other.with_suffix(".json").replace(path.with_suffix(".json"))
    with pytest.raises(ModelError, match="is not the file that model.json describes"):
        verify_model_file(path)
    assert number_of(load_model(path)) == 1, "the network itself is whole"


def test_a_network_without_its_json_is_refused(path):
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="cannot be verified by model.json: No such file"):
        verify_model_file(path)


@pytest.mark.parametrize(
    "content", [b"", b'{"sha256": ', b"[]", b"{}", b"\xff\xfe", b"[" * 100_000], ids=range(6)
)
def test_a_damaged_json_is_told_in_one_line(path, content):
    path.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be verified by model\.json: ") as told:
        verify_model_file(path)
    assert "\n" not in str(told.value)


def test_a_missing_or_damaged_network_is_told_as_when_loading(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="is damaged or cut off"):
        verify_model_file(path)
    path.unlink()
    with pytest.raises(ModelError, match="There is no model at"):
        verify_model_file(path)


# Killed


def save_for_ever(path: Path, first: int, step) -> None:
    """Save networks with rising numbers until killed; hold each of a save's four steps for a moment."""
    sync, replace = os.fsync, Path.replace

    def hold():
        step.value += 1
        time.sleep(PAUSE)

    def slow_sync(number):
        hold()
        sync(number)

    def slow_replace(self, target):
        replace(self, target)
        hold()

    os.fsync, Path.replace = slow_sync, slow_replace
    for number in range(first, first + 1000):
        save_model(network(number), path, {"number": number})


@pytest.mark.skipif(sys.platform != "linux", reason="needs SIGKILL, and a process with Keras that can fork")
def test_a_kill_while_saving_never_leaves_files_that_load_wrongly(tmp_path):
    path, chance, found = tmp_path / "model.keras", random.Random(0), Counter()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.test_model_files"])  # Keras is imported once for all
    for kill in range(KILLS):
        step = processes.Value("i", 0)
        process = processes.Process(target=save_for_ever, args=(path, 1000 * kill, step))
        process.start()
        while step.value < 5 + kill % 4:  # the first save is done; the next is at one of its steps
            assert process.is_alive(), "the process that saves has failed"
            time.sleep(PAUSE / 50)
        time.sleep(chance.uniform(0, 1.5 * PAUSE))
        process.kill()
        process.join()

        number = number_of(load_model(path))  # the network is whole and of one piece
        described = json.loads(path.with_suffix(".json").read_text())["about"]["number"]
        if described == number:
            assert verify_model_file(path)["about"]["number"] == number
        else:
            with pytest.raises(ModelError, match="is not the file that model.json describes"):
                verify_model_file(path)
        found[described - number] += 1
    assert found.keys() <= {0, 1}, "only the newest JSON can be ahead of its network"
    print(f"{KILLS} kills, {found[1]} of them between the two renames")
    save_model(network(1), path, {"number": 1})
    assert_unchanged(path)
