"""A session is reproducible, and says on what it runs."""

import json
import random

import keras
import numpy as np
import pytest

from helpers import session


def draw():
    numpy = np.random.random()  # noqa: NPY002 (what a reader may well use)
    return random.random(), numpy, keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist()


def test_the_profile_is_standard_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv("TUTORIAL_PROFILE", raising=False)
    assert session.profile() == "standard"
    monkeypatch.setenv("TUTORIAL_PROFILE", "")
    assert session.profile() == "standard"
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert session.profile() == "smoke"


def test_an_unknown_profile_is_named_in_one_line(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"^TUTORIAL_PROFILE is 'fast', expected one of standard, smoke: "):
        session.profile()


def test_a_start_seeds_python_numpy_and_keras(capsys):
    session.start(seed=5)
    first = draw()
    session.start(seed=5)
    assert draw() == first
    session.start(seed=6)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_a_start_prints_one_line_that_says_what_runs_on_what(capsys):
    session.start(seed=7)
    output, errors = capsys.readouterr()
    assert len(output.splitlines()) == 1
    for part in (f"Keras {keras.__version__}", session.accelerator(), "seed 7", "profile 'smoke'"):
        assert part in output
    assert errors == ""


def test_a_record_says_where_and_with_what_it_was_made():
    machine, versions = session.machine(), session.versions()
    assert set(machine) == {"processor", "accelerator", "system"}
    assert {"python", "keras", "numpy", keras.backend.backend()} == set(versions)
    assert all(json.loads(json.dumps({**machine, **versions})).values())
    assert versions["numpy"] == np.__version__


def test_the_accelerator_is_counted(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "gpu:0", "gpu:1"])
    assert session.accelerator() == "2 GPU"
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0"])
    assert session.accelerator().endswith(" CPU cores")
