"""The reader's trouble: set-ups broken on purpose, each with its diagnosis."""

import ast
import os
import subprocess
import sys
import types
import venv
from importlib import metadata

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from helpers import doctor, predict, records
from helpers.internal import official

ROOT = doctor.ROOT


@pytest.fixture
def examine(monkeypatch, capsys):
    """Run the command with TensorFlow not tried; return its exit status and what each check said."""
    monkeypatch.setattr(doctor.keras, "__code__", (lambda: "not tried").__code__)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=8e9))

    def run():
        status = doctor.main()
        captured = capsys.readouterr()
        assert captured.err == ""
        lines = [line.split(maxsplit=2) for line in captured.out.splitlines()[:-2]]
        return status, {check: (result, message) for result, check, message in lines}

    return run


def pretend_version(monkeypatch, name, version):
    """Let a package have another version; None: let it be missing."""
    original = metadata.version

    def pretended(asked):
        if asked == name and version is None:
            raise metadata.PackageNotFoundError(name)
        return version if asked == name else original(asked)

    monkeypatch.setattr(metadata, "version", pretended)


def no_data(monkeypatch, folder):
    """Let CIFAR-10 be nowhere, and its cache be this folder."""
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setattr(official, "load", lambda: None)
    monkeypatch.setattr(official, "usual_candidates", list)
    monkeypatch.setattr(official, "folder", lambda: folder)


def kernel(monkeypatch, *argv):
    monkeypatch.setattr(
        KernelSpecManager, "get_kernel_spec", lambda self, name: types.SimpleNamespace(argv=argv)
    )


def cache_below_a_file(m, folder):
    (folder / "file").write_text("")
    no_data(m, folder / "file" / "cache")


def full_disk(m, folder):
    no_data(m, folder)
    m.setattr(doctor.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=10**8))


def damaged_official_files(m, folder):
    no_data(m, folder)
    (folder / "cifar-10-batches-bin").mkdir()
    (folder / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(b"no images")
    m.setenv("CIFAR10_DIR", str(folder))


def another_interpreter(m, folder):
    (folder / "python").write_text("#!/bin/sh\necho /elsewhere\n")
    (folder / "python").chmod(0o755)
    kernel(m, str(folder / "python"))


def damaged_model(m, folder):
    (folder / "final.keras").write_bytes(b"PK")
    m.setattr(predict, "FINAL_MODEL", folder / "final.keras")


def damaged_run(m, folder):
    def fail(name):
        raise records.StudyError(f"{name}-seed0.json is damaged")

    m.setattr(records, "load_runs", fail)


BROKEN = {  # how it is broken, the check that finds it, what it says
    "Python too old": (
        lambda m, f: m.setattr(sys, "version_info", (3, 9, 2)),
        "python",
        "Python 3.9 does not fit",
    ),
    "Python too new": (lambda m, f: m.setattr(sys, "version_info", (3, 14, 0)), "python", "Python 3.14 does"),
    "package missing": (lambda m, f: pretend_version(m, "keras", None), "packages", "keras is missing (ne"),
    "package too old": (lambda m, f: pretend_version(m, "numpy", "1.26.4"), "packages", "numpy 1.26.4 (ne"),
    "half a package": (lambda m, f: pretend_version(m, "scipy", ""), "packages", "scipy"),
    "wrong profile": (lambda m, f: m.setenv("TUTORIAL_PROFILE", "fast"), "settings", "'fast', expected one"),
    "wrong backend": (
        lambda m, f: m.setenv("KERAS_BACKEND", "theano"),
        "settings",
        "KERAS_BACKEND is 'theano'",
    ),
    "no such CIFAR10_DIR": (
        lambda m, f: m.setenv("CIFAR10_DIR", str(f / "no")),
        "dataset",
        "no, and no CIFAR-10",
    ),
    "damaged files": (damaged_official_files, "dataset", "Mend or remove it, or unset CIFAR10_DIR"),
    "nowhere to keep data": (cache_below_a_file, "dataset", "TUTORIAL_CACHE can name another folder"),
    "full disk": (full_disk, "dataset", "0.1 GB free"),
    "little memory": (
        lambda m, f: m.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=1e9)),
        "memory",
        "1.0 GB free, a chapter takes 2 GB",
    ),
    "damaged model": (damaged_model, "files", "final.keras"),
    "damaged run": (damaged_run, "files", "-seed0.json is damaged. Restore what git keeps"),
    "no kernel": (lambda m, f: kernel(m, str(f / "no-python")), "jupyter", "-m ipykernel install"),
    "another kernel": (another_interpreter, "jupyter", "The kernel python3 is another Python"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_set_up_gets_its_diagnosis_and_no_other(examine, monkeypatch, tmp_path, name):
    if name == "another kernel" and os.name == "nt":
        pytest.skip("needs a POSIX shell")
    break_it, check, words = BROKEN[name]
    break_it(monkeypatch, tmp_path)
    status, found = examine()
    assert {name for name, (given, _) in found.items() if given == "problem"} == {check}
    assert words in found[check][1]
    assert status == 1


def test_a_machine_without_the_data_has_no_problem(examine, monkeypatch, tmp_path):
    no_data(monkeypatch, tmp_path / "new" / "cache")
    status, found = examine()
    assert (status, len(found)) == (0, 8)
    assert found["dataset"] == ("ok", "CIFAR-10 is not on this machine: the next load downloads 170 MB")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ImportError('DLL load failed')", "ImportError: DLL load failed"),
        ("import os; os._exit(132)", "It ends Python (exit status 132)"),
    ],
)
def test_a_broken_tensorflow_is_told_in_one_line(monkeypatch, tmp_path, source, told):
    (tmp_path / "tensorflow.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError) as error:
        doctor.keras()
    assert str(error.value) == told


@pytest.mark.slow
def test_a_working_tensorflow_says_what_it_runs_on():
    assert "on tensorflow" in doctor.keras()


def test_a_python_without_packages_is_told_to_install_them(tmp_path):
    venv.create(tmp_path / "bare", symlinks=os.name != "nt")
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [python, "-m", "helpers.doctor"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert "packages  No module named 'packaging'. Use .venv/bin/python, or run: " in done.stdout
    assert done.stdout.endswith("\n\n1 to mend.\n")
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("name", ["__init__", "doctor"])
def test_python_3_6_understands_what_it_reads(name):
    text = (ROOT / "helpers" / f"{name}.py").read_text(encoding="utf-8")
    assert ast.parse(text, feature_version=(3, 6))
