"""The state of a run comes back whole, is written whole, and is used by its own run and one process alone."""

import os

import keras
import numpy as np
import pytest
from filelock import FileLock

from helpers.internal.checkpoint import Checkpoint
from helpers.optimizers import compile_model
from helpers.recipe import Recipe
from helpers.training import train
from tests.support.tiny import RECIPE, build, tiny_data

DATA = tiny_data(60, 20)
HISTORY = [{"epoch": 1, "loss": 0.1 + 0.2}]


@pytest.fixture(autouse=True)
def standard_profile(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")


@pytest.fixture
def model():
    model = build()
    compile_model(model, RECIPE, steps_per_epoch=2)
    return model


def test_a_state_that_is_not_written_to_its_end_leaves_the_one_before(model, tmp_path, monkeypatch):
    def no_room(number):
        raise OSError(28, "No space left on device")

    with Checkpoint(tmp_path, model, {}) as checkpoint:
        checkpoint.save(HISTORY)
        monkeypatch.setattr(os, "fsync", no_room)
        with pytest.raises(OSError, match="No space left"):
            checkpoint.save([*HISTORY, {"epoch": 2}])
    with Checkpoint(tmp_path, model, {}) as again:
        assert again.restore() == HISTORY
    assert {path.name for path in tmp_path.iterdir()} <= {"checkpoint.npz", "lock"}


def test_without_a_folder_nothing_is_written(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Checkpoint(None, model, {}) as checkpoint:
        checkpoint.save(HISTORY)
        assert checkpoint.restore() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError("no locks available"), NotImplementedError("flock")])
def test_a_file_system_without_locks_stands_against_nothing(model, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(FileLock, "acquire", fail)
    with Checkpoint(tmp_path, model, {}) as checkpoint:
        checkpoint.save(HISTORY)
    assert (tmp_path / "checkpoint.npz").is_file()


def test_a_folder_in_which_somebody_trains_is_refused_and_free_afterwards(model, tmp_path):
    with (
        Checkpoint(tmp_path, model, {}),
        pytest.raises(BlockingIOError, match=r"^Another process trains in .*: wait for it\.$"),
    ):
        Checkpoint(tmp_path, model, {})
    with Checkpoint(tmp_path, model, {}) as checkpoint:
        assert checkpoint.restore() == []


@pytest.mark.parametrize("missing", ["meta", "model0", "its end"])
def test_a_damaged_state_is_refused_in_one_line(missing, model, tmp_path):
    path = tmp_path / "checkpoint.npz"
    with Checkpoint(tmp_path, model, {}) as checkpoint:
        checkpoint.save(HISTORY)
        with np.load(path) as saved:
            parts = {name: saved[name] for name in saved if name != missing}
        np.savez(path, **parts)
        if missing == "its end":
            path.write_bytes(path.read_bytes()[:-99])
        with pytest.raises(
            ValueError, match=r"^.*checkpoint\.npz cannot be read .*: delete it to start anew\.$"
        ):
            checkpoint.restore()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The folder with the state of a finished run."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTORIAL_PROFILE", "smoke")
        train(build, DATA, RECIPE, 0, folder, progress=False)
    return folder


CHANGES = {
    "data": {"data": tiny_data(60, 20, seed=1)},
    "recipe": {"recipe": Recipe(epochs=4)},
    "seed": {"seed": 1},
    "dropout": {"build": lambda: build(dropout=0.5)},  # the same weights, another network
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_state_of_another_run_is_refused(change, state, monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    before = (state / "checkpoint.npz").read_bytes()
    arguments = {"build": build, "data": DATA, "recipe": RECIPE, "seed": 0} | CHANGES[change]
    with pytest.raises(ValueError, match="is of another recipe, seed, network or data: use another folder"):
        train(**arguments, resume_dir=state, progress=False)
    assert (state / "checkpoint.npz").read_bytes() == before


def test_a_finished_run_is_not_trained_again(state, monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    monkeypatch.setattr(keras.Model, "fit", None)
    _, run = train(build, DATA, RECIPE, 0, state, progress=False)
    assert len(run.history) == 2
