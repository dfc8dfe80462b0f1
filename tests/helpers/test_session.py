"""A session is reproducible whatever the reader's settings, and says on what it runs."""

import json
import os
import random
import subprocess
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import session
from helpers.internal.files import ROOT

WAY_OUT = "On Colab choose Runtime > Change runtime type.*; elsewhere: pip install -r requirements.txt"


def draw():
    numpy = np.random.random()  # noqa: NPY002 (what a reader may well use)
    return random.random(), numpy, keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist()


def test_a_start_seeds_python_numpy_and_keras_and_says_in_one_line_what_runs_on_what(capsys):
    session.start(seed=5)
    first = draw()
    session.start(seed=5)
    assert draw() == first
    capsys.readouterr()
    session.start(seed=7)
    assert all(a != b for a, b in zip(draw(), first, strict=True))
    output, errors = capsys.readouterr()
    assert (output.count("\n"), errors) == (1, "")
    for part in (f"Keras {keras.__version__}", session.accelerator(), "seed 7", "profile 'smoke'"):
        assert part in output


def test_a_start_undoes_what_settings_files_changed():
    plt.rcParams["axes.grid"] = True
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_epsilon(1)
    session.start()
    assert keras.config.epsilon() == 1e-7
    assert keras.config.image_data_format() == "channels_last"
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"
    assert not plt.rcParams["axes.grid"]


def test_a_record_says_where_and_with_what_it_was_made():
    machine, versions = session.machine(), session.versions()
    assert set(machine) == {"processor", "accelerator", "system"}
    assert {"python", "keras", "numpy", keras.backend.backend()} == set(versions)
    assert all(json.loads(json.dumps({**machine, **versions})).values())


def test_the_accelerator_is_counted_and_named(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "gpu:0", "gpu:1"])
    assert session.accelerator() == "2 GPU"
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    jax = type("jax", (), {"devices": lambda: [type("GPU", (), {"device_kind": "A GPU"})]})
    monkeypatch.setitem(sys.modules, "jax", jax)
    assert session.machine()["processor"] == "A GPU"


def test_quietly_drops_what_is_written_past_python_and_lets_errors_through(capfd):
    with pytest.raises(ZeroDivisionError), session.quietly():
        print(os.write(2, b"noise") / 0)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_missing_or_old_tensorflow_is_told_with_the_way_out(monkeypatch):
    monkeypatch.setattr(sys.modules["tensorflow"], "__version__", "2.19.0-rc1")
    with pytest.raises(ImportError, match=f"and this is 2.19.0-rc1. {WAY_OUT}"):
        session.start_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(ImportError, match="KERAS_BACKEND is 'theano', which is not installed: unset or"):
        session.start_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(session.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=f"and it is not here. {WAY_OUT}"):
        session.start_tensorflow()


@pytest.mark.slow
def test_a_fresh_session_is_quiet_and_takes_no_backend_from_a_settings_file(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax", "image_data_format": "channels_first"}')
    code = "from helpers.session import keras, start; print(keras.config.image_data_format()); start()"
    command = [sys.executable, "-c", code]
    variables = os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("channels_last\n")
    assert "on tensorflow" in done.stdout


@pytest.mark.parametrize(
    ("wanted", "flags", "device", "found"),
    [
        ("auto", "avx2 avx512_bf16", "cpu:0", "bfloat16"),
        ("auto", "amx_bf16 amx_tile", "cpu:0", "bfloat16"),
        ("auto", "avx2 avx512_bf16_not avx512f", "cpu:0", "float32"),
        ("auto", "avx512_bf16", "gpu:0", "float32"),
        ("float32", "avx512_bf16", "cpu:0", "float32"),
    ],
)
def test_bfloat16_is_for_processors_that_are_fast_at_it(monkeypatch, tmp_path, wanted, flags, device, found):
    (tmp_path / "cpuinfo").write_text(f"model name\t: X\nflags\t\t: fpu {flags}\n")
    read = session.cpuinfo
    monkeypatch.setattr(session, "cpuinfo", lambda: read(tmp_path / "cpuinfo"))
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: [device])
    assert session.precision(wanted) == found
    assert session.machine()["processor"] == "X"
    assert read(tmp_path / "nothing") == {}
