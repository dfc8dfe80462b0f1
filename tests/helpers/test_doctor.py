"""The reader's trouble: set-ups broken on purpose, each with its diagnosis."""

import ast
import os
import subprocess
import sys
import venv
from importlib import metadata
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from helpers import doctor, predict, records
from helpers.internal import official

ROOT = doctor.ROOT


@pytest.fixture
def examine(monkeypatch, capsys, tmp_path):
    """Run the command, TensorFlow not tried and CIFAR-10 nowhere; return exit status and lines of checks."""
    monkeypatch.setattr(doctor.session, "__code__", (lambda: "not tried").__code__)
    monkeypatch.setattr(psutil, "virtual_memory", Mock(return_value=Mock(available=8e9)))
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path))
    monkeypatch.setattr(official, "usual_places", list)

    def run():
        status = doctor.main()
        captured = capsys.readouterr()
        assert captured.err == ""
        return status, [line for line in captured.out.splitlines() if line.startswith(("ok", "problem"))]

    return run


def pretend(monkeypatch, name, version):
    """Let a package have another version; None: let there be only half of it."""
    packages = {found.name: found.version for found in metadata.distributions()} | {name: version}
    found = [SimpleNamespace(name=name, version=version) for name, version in packages.items()]
    monkeypatch.setattr(metadata, "distributions", lambda: found)


def an_older_one_in_front(monkeypatch, folder):
    (folder / "numpy-1.21.5.dist-info").mkdir()
    (folder / "numpy-1.21.5.dist-info" / "METADATA").write_text("Name: numpy\nVersion: 1.21.5\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)


def damaged_official_files(monkeypatch, folder):
    (folder / "test_batch.bin").write_bytes(b"no images")
    monkeypatch.setenv("CIFAR10_DIR", str(folder))


def another_interpreter(monkeypatch, folder):
    (folder / "python").write_text("#!/bin/sh\necho /elsewhere\n")
    (folder / "python").chmod(0o755)
    spec = SimpleNamespace(argv=[str(folder / "python")])
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: spec)


def damaged_model(monkeypatch, folder):
    (folder / "final.keras").write_bytes(b"PK")
    monkeypatch.setattr(predict, "FINAL_MODEL", folder / "final.keras")


DAMAGED_RUN = Mock(side_effect=records.StudyError("x-seed0.json is damaged"))
LITTLE = Mock(return_value=Mock(available=1e9))
BROKEN = [  # how it is broken, the check that finds it, what it says
    (lambda m, f: m.setattr(sys, "version_info", (3, 9, 2)), "python", "Python 3.9 does not fit"),
    (lambda m, f: m.setattr(sys, "version_info", (3, 14, 0)), "python", "Python 3.14 does not fit"),
    (lambda m, f: pretend(m, "keras", None), "packages", "keras is missing (needed: "),
    (lambda m, f: pretend(m, "numpy", "1.26.4"), "packages", "numpy 1.26.4 (needed: "),
    (an_older_one_in_front, "packages", "numpy 1.21.5 (needed: >=2.0); PYTHONPATH names other packages"),
    (another_interpreter, "jupyter", "-m ipykernel install"),
    (lambda m, f: m.setattr(psutil, "virtual_memory", LITTLE), "memory", "1.0 GB free, a chapter takes 2 GB"),
    (lambda m, f: m.setenv("CIFAR10_DIR", "no"), "dataset", "no, and no CIFAR-10"),
    (damaged_official_files, "dataset", "Mend or remove it, or unset CIFAR10_DIR"),
    (damaged_model, "files", "final.keras"),
    (lambda m, f: m.setattr(records, "load_runs", DAMAGED_RUN), "files", "is damaged. Restore what git"),
    (lambda m, f: m.setattr(doctor, "CHAPTERS", f), "files", "There are no chapters in"),
]


@pytest.mark.skipif(os.name == "nt", reason="one case needs a POSIX shell")
@pytest.mark.parametrize(("break_it", "check", "words"), BROKEN)
def test_a_broken_set_up_gets_its_diagnosis(examine, monkeypatch, tmp_path, break_it, check, words):
    break_it(monkeypatch, tmp_path)
    status, lines = examine()
    assert lines[-1].split()[:2] == ["problem", check]
    assert words in lines[-1]
    assert status == 1


def test_a_machine_without_the_data_has_no_problem(examine):
    status, lines = examine()
    assert (status, len(lines)) == (0, len(doctor.CHECKS))
    assert "CIFAR-10 is not on this machine: the next load downloads 170 MB" in lines[4]


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
        doctor.session()
    assert str(error.value) == told


@pytest.mark.slow
def test_a_working_tensorflow_says_what_it_runs_on():
    assert "on tensorflow" in doctor.session()


def test_a_python_without_packages_is_told_to_install_them(tmp_path):
    venv.create(tmp_path / "bare", symlinks=os.name != "nt")
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [python, "-m", "helpers.doctor"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert "packages  No module named 'packaging'. Use .venv/bin/python, or run: " in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("name", ["__init__", "doctor"])
def test_python_3_6_understands_what_it_reads(name):
    text = (ROOT / "helpers" / f"{name}.py").read_text(encoding="utf-8")
    assert ast.parse(text, feature_version=(3, 6))
