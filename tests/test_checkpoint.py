"""A run that is killed at any moment goes on, and nothing is lost, half written or mixed up.

Each kill costs a start of TensorFlow, so four are done, one in each phase of a run. `KILLS=20` in the
environment does that many, at random moments.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.checkpoint import Checkpoint
from helpers.data import load_cifar10
from helpers.recipe import compile_model
from helpers.training import fingerprint, train
from tests.tiny import NETWORK, RECIPE, build, tiny_data

ROOT = Path(__file__).resolve().parent.parent
KILLS = int(os.environ.get("KILLS", "4"))
PHASES = ("starting", "training", "writing the state", "writing the record")
DATA = tiny_data(60, 20)


@pytest.fixture(autouse=True)
def standard_profile(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")


# Killed


class Target:
    """A process that trains the study in a folder; `phase` is the last one that it announced."""

    def __init__(self, folder: Path, seeds: int):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill_target", folder, str(seeds)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.phase, self.output, self.errors = "starting", [], []
        self.readers = [threading.Thread(target=self.read), threading.Thread(target=self.read_errors)]
        for reader in self.readers:
            reader.start()

    def read(self):
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("phase: "):
                self.phase = line.removeprefix("phase: ").strip()

    def read_errors(self):
        self.errors += self.process.stderr

    def running(self) -> bool:
        return self.process.poll() is None

    def wait_for(self, phase: str) -> None:
        while self.running() and self.phase != phase:
            time.sleep(0.01)

    def end(self) -> int:
        code = self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def put_sample(folder: Path) -> Path:
    cifar10 = load_cifar10("sample")
    arrays = {}
    for part, count in (("train", 300), ("val", 100)):
        split = getattr(cifar10, part)
        arrays |= {f"{part}_images": split.images[:count], f"{part}_labels": split.labels[:count]}
    folder.mkdir()
    np.savez(folder / "sample.npz", **arrays)
    return folder


def results(folder: Path) -> dict:
    """Return all records, without dates and times, and the bytes of all final weights."""
    found = {}
    for path in sorted(folder.glob("runs/sample/killed/*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        for timed in (run, *run["history"]):
            del timed["seconds"]
        del run["date"], run["machine"]["peak_gflops"]
        with np.load(folder / f"weights{run['seed']}.npz") as weights:
            found[path.name] = run, [weights[name].tobytes() for name in weights.files]
    return found


def check_what_is_on_disk(folder: Path) -> None:
    """Every record and every state can be read whole, at any moment."""
    for path in folder.glob("runs/sample/killed/*.json"):
        assert len(json.loads(path.read_text(encoding="utf-8"))["history"]) == RECIPE.epochs
    for path in folder.rglob("checkpoint.npz"):
        with np.load(path) as state:
            assert all(state[name] is not None for name in state.files)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_runs_that_are_killed_again_and_again_end_like_runs_that_were_not(tmp_path):
    chance = random.Random(0)
    seeds = max(1, KILLS // 2)
    calm, killed = put_sample(tmp_path / "calm"), put_sample(tmp_path / "killed")
    target = Target(calm, seeds)
    target.wait_for("training")
    started = time.monotonic()
    assert target.end() == 0, target.errors
    # So long that all kills together fall into about one run.
    longest = 1.6 * (time.monotonic() - started) / KILLS

    hits = []
    while len(hits) < KILLS:
        target = Target(killed, seeds)
        if len(PHASES) >= KILLS:
            phase = PHASES[len(hits)]
            target.wait_for(phase)
            time.sleep(0.5 if phase in PHASES[:2] else 0.02)
        else:
            if chance.random() < 0.9:  # a start is a long phase in which little happens
                target.wait_for("training")
            time.sleep(chance.uniform(0, longest))
        assert target.running(), f"ended before kill {len(hits) + 1}: {target.errors}"
        hits.append(target.phase)
        target.process.kill()
        target.end()
        check_what_is_on_disk(killed)
    target = Target(killed, seeds)
    assert target.end() == 0, target.errors
    print(f"{len(hits)} kills:", {phase: hits.count(phase) for phase in PHASES})
    assert len(results(calm)) == seeds
    assert results(killed) == results(calm)
    assert not list(killed.rglob("*.tmp"))
    assert not list(killed.rglob("checkpoint.npz")), "the state of a finished run is deleted"


# Interrupted while the state is written


@pytest.fixture
def model():
    model = build()
    compile_model(model, RECIPE, steps_per_epoch=2)
    model.fit(DATA.train.images, keras.utils.to_categorical(DATA.train.labels, 10), verbose=0)
    return model


def variables(model):
    return [keras.ops.convert_to_numpy(v).copy() for v in [*model.variables, *model.optimizer.variables]]


def fresh_model():
    model = build()
    compile_model(model, RECIPE, steps_per_epoch=2)
    return model


def test_weights_optimizer_random_states_history_and_average_come_back(model, tmp_path):
    saved = Checkpoint(tmp_path, {"seed": 1})
    saved.save(model, [{"epoch": 1, "loss": 0.1 + 0.2}], average=True)
    other, restored = fresh_model(), Checkpoint(tmp_path, {"seed": 1})
    assert restored.restore(other) == [{"epoch": 1, "loss": 0.1 + 0.2}]
    for before, after in zip(variables(model), variables(other), strict=True):
        np.testing.assert_array_equal(before, after)
    assert restored.averaged == 1
    for before, after in zip(saved.sums, restored.sums, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_state_that_is_not_written_to_its_end_leaves_the_one_before(model, tmp_path, monkeypatch):
    Checkpoint(tmp_path, {}).save(model, [{"epoch": 1}], average=False)

    def no_room(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        Checkpoint(tmp_path, {}).save(model, [{"epoch": 1}, {"epoch": 2}], average=False)
    assert Checkpoint(tmp_path, {}).restore(fresh_model()) == [{"epoch": 1}]


def test_without_a_folder_nothing_is_written(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = Checkpoint(None, {})
    checkpoint.save(model, [{"epoch": 1}], average=True)
    assert checkpoint.restore(model) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_state_is_a_new_run(tmp_path):
    assert Checkpoint(tmp_path / "none", {}).restore(fresh_model()) == []


# Refused


@pytest.mark.parametrize("content", [b"", b"not a state", b"PK\x03\x04 cut off"])
def test_a_damaged_state_is_refused_in_one_line(content, tmp_path):
    (tmp_path / "checkpoint.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"checkpoint\.npz cannot be read .*: delete it to start") as error:
        Checkpoint(tmp_path, {}).restore(fresh_model())
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The folder with the state of a finished run."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTORIAL_PROFILE", "smoke")
        train(build, DATA, RECIPE, 0, folder, progress=False)
    return folder


@pytest.mark.parametrize(
    "change",
    [
        {"data": tiny_data(60, 20, seed=1)},
        {"recipe": RECIPE.__class__(epochs=4)},
        {"seed": 1},
        {"build": lambda: build(dropout=0.5)},  # the same weights, another network
        {"build": lambda: build(width=3)},
    ],
    ids=["data", "recipe", "seed", "dropout", "width"],
)
def test_the_state_of_another_run_is_refused(change, state, monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    before = (state / "checkpoint.npz").read_bytes()
    arguments = {"build": build, "data": DATA, "recipe": RECIPE, "seed": 0} | change
    with pytest.raises(ValueError, match="is from another recipe, seed, network or dataset: use another"):
        train(**arguments, resume_dir=state, progress=False)
    assert (state / "checkpoint.npz").read_bytes() == before


def test_a_finished_run_is_not_trained_again(state, monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    monkeypatch.setattr(keras.Model, "fit", None)
    _, run = train(build, DATA, RECIPE, 0, state, progress=False)
    assert len(run.history) == 2


def test_a_networks_fingerprint_depends_on_its_settings_and_not_on_what_was_built_before():
    first = fingerprint(build())
    assert fingerprint(build()) == first
    assert len({first, *(fingerprint(build(**{name: other(value)})) for name, value in NETWORK.items())}) == 6


def other(value):
    return not value if isinstance(value, bool) else value / 2 if isinstance(value, float) else value + 1
