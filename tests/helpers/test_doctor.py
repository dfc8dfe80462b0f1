"""The reader's trouble: set-ups broken on purpose, each with its diagnosis, and a healthy one."""

import ast
import contextlib
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import types
import venv
from importlib import metadata
from pathlib import Path

import psutil
import pytest
import requests

from helpers import doctor, install, installation, predict, records
from helpers.internal import cache, download
from tests import small_cifar, tiny
from tests.support.mirror_server import Handler, Mirror, MirrorServer
from tools import chapters

ROOT = Path(doctor.__file__).parents[1]
IMPORT_FAULTS = installation.import_faults
SIZE = small_cifar.BINARY.size
RUN = {
    "study": "tiny",
    "variant": "base",
    "model": "softmax_regression",
    "options": {},
    "recipe": dataclasses.asdict(tiny.STUDY["base"].recipe),
    "seed": 0,
    "data": {"source": "official", "sha256": "0"},
    "parameters": 1,
    "history": [],
    "seconds": 1.0,
    "val_accuracy": 0.5,
    "val_correct": "10",
    "machine": {},
    "versions": {},
}


class Machine:
    """A machine on which every chapter runs, and the ways to break it."""

    def __init__(self, folder, monkeypatch, stack):
        self.folder, self.patch, self.stack = folder, monkeypatch, stack

    def setenv(self, name, value):
        self.patch.setenv(name, str(value))

    def version(self, name, version):
        """Pretend that a package is installed in that version; None: it is missing."""
        original = metadata.version

        def pretended(asked):
            if asked == name and version is None:
                raise metadata.PackageNotFoundError(name)
            return version if asked == name else original(asked)

        self.patch.setattr(metadata, "version", pretended)

    def require(self, old, new):
        """Change a line of requirements.txt."""
        text = installation.REQUIREMENTS.read_text(encoding="utf-8")
        assert old in text
        path = self.folder / "requirements.txt"
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.patch.setattr(installation, "REQUIREMENTS", path)

    def imports(self, **faults):
        self.patch.setattr(installation, "import_faults", lambda names: faults)

    def damage_cache(self):
        path = cache.path_of("train_images")
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)

    def lose_data(self, announced=None):
        """Remove the decoded copy; no mirror answers but, if given, one that announces so many bytes."""
        for name in small_cifar.ARRAYS:
            cache.path_of(name).unlink()
        if announced is not None:
            url = self.stack.enter_context(MirrorServer()).add(Mirror(b"", announced=announced))
            self.patch.setattr(download, "MIRRORS", (*download.MIRRORS, (small_cifar.BINARY, url)))
            self.patch.setattr(Handler, "do_HEAD", Handler.do_GET, raising=False)

    def kernel(self, argv):
        folder = self.folder / "jupyter" / "kernels" / "python3"
        folder.mkdir(parents=True)
        text = (
            argv
            if isinstance(argv, str)
            else json.dumps({"argv": argv, "display_name": "x", "language": "python"})
        )
        (folder / "kernel.json").write_text(text)
        self.setenv("JUPYTER_PATH", self.folder / "jupyter")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    tiny.use_study(monkeypatch, tmp_path)
    small_cifar.install(monkeypatch.setattr)
    monkeypatch.setattr(install, "VENV", Path(sys.prefix))  # whichever Python runs the tests is the right one
    for name in ("CIFAR10_DIR", "KERAS_BACKEND", "JUPYTER_PATH"):
        monkeypatch.setenv(name, "")  # also restores what the doctor changes
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.chdir(tmp_path)
    for folder in ("cache", "keras", "runs/tiny", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    cache.store(small_cifar.ARRAYS)
    records.write_json(tmp_path / "runs/tiny/base-seed0.json", RUN)
    (tmp_path / "notebooks/01_it.ipynb").write_text(json.dumps({"source": 'load_runs("tiny")'}))
    monkeypatch.setattr(chapters, "chapters", lambda: sorted((tmp_path / "notebooks").iterdir()))
    monkeypatch.setattr(predict, "DEFAULT_MODEL", tmp_path / "final.keras")
    monkeypatch.setattr(download, "MIRRORS", ((small_cifar.BINARY, "http://127.0.0.1:9/"),))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=8e9))
    with contextlib.ExitStack() as stack:
        machine = Machine(tmp_path, monkeypatch, stack)
        machine.imports()  # trying them takes long: one test does
        yield machine


@pytest.fixture
def examine(capsys):
    """Run the command; return its exit status and what each check said."""

    def run():
        status = doctor.main(["--json"])
        captured = capsys.readouterr()
        assert captured.err == ""
        checks = json.loads(captured.out)["checks"]
        assert all("\n" not in check["message"] for check in checks)
        return status, {check["check"]: (check["status"], check["message"]) for check in checks}

    return run


def names_of(found, status):
    return {name for name, (given, _) in found.items() if given == status}


# Set-ups in which a chapter would fail, or would not run on CIFAR-10


def damaged_official_files(machine):
    machine.lose_data()
    place = small_cifar.put_folder(machine.folder / "official", "cifar-10-batches-bin")
    (place / "test_batch.bin").write_bytes(
        bytes(len(small_cifar.FILES["cifar-10-batches-bin"]["test_batch.bin"]))
    )
    machine.setenv("CIFAR10_DIR", place)


def cache_below_a_file(machine):
    machine.lose_data(SIZE)
    (machine.folder / "file").write_text("")
    machine.setenv("TUTORIAL_CACHE", machine.folder / "file" / "cache")


def full_disk(machine):
    machine.lose_data(SIZE)
    machine.patch.setattr(doctor.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=10**8))


def another_interpreter(machine):
    python = machine.folder / "python"
    python.write_text("#!/bin/sh\necho /elsewhere\n")
    python.chmod(0o755)
    machine.kernel([str(python)])


def no_run(machine):
    (machine.folder / "runs/tiny/base-seed0.json").unlink()


def failing_check(machine):
    def fail():
        raise RuntimeError("two\nlines")

    machine.patch.setattr(cache, "load", fail)


BROKEN = {
    "package missing": (
        lambda m: m.version("keras", None),
        "packages",
        "keras is missing (needed: >=3.13.2). Run: ",
    ),
    "package too old": (
        lambda m: m.version("numpy", "1.26.4"),
        "packages",
        "numpy 1.26.4 is too old (needed: >=2.0). Run: ",
    ),
    "package too new": (
        lambda m: m.require("pandas>=2.2.2", "pandas>=1.0,<1.5"),
        "packages",
        "is too new (needed: <1.5,>=1.0). Run: ",
    ),
    "package half installed": (
        lambda m: m.version("scipy", ""),
        "packages",
        "scipy is half installed. Run: ",
    ),
    "TensorFlow cannot be imported": (
        lambda m: m.imports(tensorflow="ImportError: DLL load failed", keras="ImportError: DLL load failed"),
        "imports",
        "tensorflow: ImportError: DLL load failed. Run: ",
    ),
    "wrong profile": (
        lambda m: m.setenv("TUTORIAL_PROFILE", "fast"),
        "profile",
        "is 'fast', expected one of standard",
    ),
    "wrong backend": (lambda m: m.setenv("KERAS_BACKEND", "theano"), "backend", "KERAS_BACKEND is 'theano'"),
    "wrong backend in Keras' settings": (
        lambda m: (m.folder / "keras/keras.json").write_text('{"backend": "cntk"}'),
        "backend",
        "keras.json is 'cntk'",
    ),
    "CIFAR10_DIR leads nowhere": (
        lambda m: m.setenv("CIFAR10_DIR", m.folder / "nowhere"),
        "data",
        "nowhere, and no CIFAR-10 is there",
    ),
    "CIFAR10_DIR leads to damaged files": (
        damaged_official_files,
        "data",
        "so it is damaged. CIFAR10_DIR has to",
    ),
    "no data and no mirror": (lambda m: m.lose_data(), "network", "No mirror of CIFAR-10 answers"),
    "no data and a mirror with something else": (
        lambda m: m.lose_data(SIZE - 1),
        "network",
        "No mirror of CIFAR-10 answers",
    ),
    "no data and nowhere to keep them": (
        cache_below_a_file,
        "cache folder",
        "or set TUTORIAL_CACHE to another folder",
    ),
    "no data and a full disk": (full_disk, "disk", "0.1 GB free"),
    "little memory": (
        lambda m: m.patch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=1e9)),
        "memory",
        "1.0 GB free, a chapter takes 2 GB",
    ),
    "damaged model": (
        lambda m: (m.folder / "final.keras").write_bytes(b"PK"),
        "model",
        "is damaged or cut off: File is not a zip file. Restore it: ",
    ),
    "damaged run": (
        lambda m: (m.folder / "runs/tiny/base-seed0.json").write_text('{"study": '),
        "recorded runs",
        "base-seed0.json is damaged",
    ),
    "no run that a chapter reads": (no_run, "recorded runs", "No run of tiny is recorded: "),
    "kernel without interpreter": (
        lambda m: m.kernel([str(m.folder / "no-python"), "-m", "ipykernel_launcher"]),
        "Jupyter",
        "The kernel python3 does not start: ",
    ),
    "kernel of another Python": (another_interpreter, "Jupyter", "The kernel python3 is another Python, "),
    "damaged kernel": (lambda m: m.kernel("{"), "Jupyter", "The kernel python3 does not start: "),
    "widgets too new": (
        lambda m: m.version("ipywidgets", "9.0.1"),
        "Jupyter",
        "ipywidgets 9.0.1, expected 7 or 8",
    ),
    "a check that fails": (failing_check, "data", "this check failed itself: RuntimeError: two lines"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_set_up_gets_its_diagnosis_and_no_other(machine, examine, name):
    if name == "kernel of another Python" and os.name == "nt":
        pytest.skip("needs a POSIX shell")
    break_it, check, words = BROKEN[name]
    break_it(machine)
    status, found = examine()
    assert names_of(found, "problem") == {check}
    assert words in found[check][1]
    assert status == 1


# Set-ups in which every chapter runs


def test_a_healthy_set_up_has_no_problem(machine, examine):
    machine.patch.setattr(installation, "import_faults", IMPORT_FAULTS)  # for once
    status, found = examine()
    assert names_of(found, "problem") == set()
    assert list(found) == [name for name, *_ in doctor.CHECKS]
    assert status == 0


def damaged_copy(machine):
    machine.damage_cache()
    small_cifar.put_folder(machine.folder / "keras/datasets/cifar-10-batches-py", "cifar-10-batches-py")


def data_elsewhere_and_no_cache(machine):
    cache_below_a_file(machine)
    machine.setenv("CIFAR10_DIR", small_cifar.put_folder(machine.folder / "official", "cifar-10-batches-bin"))


def jax(machine):
    machine.setenv("KERAS_BACKEND", "jax")
    original = importlib.util.find_spec
    machine.patch.setattr(importlib.util, "find_spec", lambda name: name == "jax" or original(name))


def graphics_card(machine):
    machine.patch.setattr("helpers.session.accelerator", lambda: "2 CPU cores")
    machine.patch.setattr(installation.shutil, "which", lambda name: f"/usr/bin/{name}")


def smoke_without_data(machine):
    machine.setenv("TUTORIAL_PROFILE", "smoke")
    machine.lose_data()
    machine.patch.setattr(requests, "head", None)  # the network is not asked


NOTED = {
    "no model yet": (lambda m: None, "model", "is not there"),
    "damaged copy, others left": (
        damaged_copy,
        "data",
        "is damaged or not whole, and is made anew. CIFAR-10 is in ",
    ),
    "no data, but a mirror": (lambda m: m.lose_data(SIZE), "data", "the next load downloads 170 MB"),
    "data that cannot be kept": (data_elsewhere_and_no_cache, "cache folder", "cannot be written"),
    "the smoke profile needs no data": (smoke_without_data, "profile", "TUTORIAL_PROFILE is smoke"),
    "another backend": (jax, "backend", "KERAS_BACKEND is jax, but the chapters are taught"),
    "a tool missing": (lambda m: m.version("nbval", None), "packages", "nbval is missing"),
    "psutil missing": (lambda m: m.patch.setitem(sys.modules, "psutil", None), "memory", "not checked"),
    "a card that is not used": (graphics_card, "accelerator", "2 CPU cores, although an NVIDIA card"),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_no_chapter_fails_for_is_a_note(machine, examine, name):
    break_it, check, words = NOTED[name]
    break_it(machine)
    status, found = examine()
    assert names_of(found, "problem") == set()
    assert found[check][0] == "note"
    assert words in found[check][1]
    assert status == 0


# Packages that cannot be imported: tried in a process of their own


@pytest.fixture
def stubs(tmp_path, monkeypatch):
    """Write modules that other processes import; those that come first hide what is installed."""

    def write(**sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return write


def test_each_module_is_told_with_its_own_fault(stubs):
    stubs(
        good="import os; print('works'); os.write(1, b'noise'); os.write(2, b'noise')",
        essay="try:\n 1 / 0\nexcept ArithmeticError:\n raise ImportError('Traceback of\\nmany lines')",
        leaver="raise SystemExit(3)",
        crash="import os; os._exit(132)",
        after="import crash",
    )
    faults = IMPORT_FAULTS(["good", "essay", "leaver", "crash", "after", "no_such_module", "json"])
    assert faults == {
        "essay": "ZeroDivisionError: division by zero",
        "leaver": "SystemExit: 3",
        "crash": "it ends Python (exit status 132)",
        "after": "ModuleNotFoundError: import of crash halted; None in sys.modules",
        "no_such_module": "ModuleNotFoundError: No module named 'no_such_module'",
    }


def test_an_import_that_hangs_is_given_up(stubs, monkeypatch):
    monkeypatch.setattr(installation, "SECONDS", 1)
    stubs(hangs="import time; time.sleep(60)")
    assert IMPORT_FAULTS(["json", "hangs"]) == {"hangs": "it is not imported after 1 s"}


# The command as the reader types it


def command(*arguments, python=sys.executable, **variables):
    """Run the doctor in a process of its own; return its exit status, lines, and lines on standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, *(arguments or ("-m", "helpers.doctor"))],
        **{"cwd": ROOT, "env": environment | variables, "capture_output": True, "text": True},
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def test_a_python_without_packages_is_told_to_install_them(tmp_path):
    venv.create(tmp_path / "bare", symlinks=os.name != "nt")
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    status, lines, errors = command(python=python)
    assert [line for line in lines if line.startswith("problem")] == [lines[1]]
    assert "packaging is missing" in lines[1]
    assert len(lines) == len(doctor.CHECKS) + 2
    assert (status, errors) == (1, [])


@pytest.mark.parametrize(
    ("version", "fault"), [("3, 9, 2", "3.9 is too old"), ("3, 14, 0", "3.14 is too new")]
)
def test_another_python_is_told_so_and_nothing_else(version, fault):
    pretence = f"import runpy, sys; sys.version_info = ({version}); sys.argv = ['doctor']; "
    status, lines, errors = command(
        "-c", pretence + "runpy.run_module('helpers.doctor', run_name='__main__')"
    )
    assert fault in lines[0]
    assert lines[1:] == ["", "1 to mend."]
    assert (status, errors) == (1, [])


@pytest.mark.parametrize("name", ["__init__", "doctor", "installation", "install"])
def test_python_3_9_understands_what_it_reads(name):
    tree = ast.parse((ROOT / "helpers" / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 9))
    unions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) and isinstance(node.annotation, ast.BinOp)
    ]
    assert unions == []


def test_a_broken_tensorflow_is_told_in_one_line(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise ImportError('DLL load failed')")
    status, lines, errors = command(PYTHONPATH=str(tmp_path), TUTORIAL_PROFILE="smoke")
    problems = [line for line in lines if line.startswith("problem")]
    assert len(problems) == 1
    assert "tensorflow: ImportError: DLL load failed. Run: " in problems[0]
    assert "--force-reinstall tensorflow." in problems[0]
    assert (status, errors) == (1, [])


def test_a_python_beside_the_tutorials_own_is_sent_to_it(monkeypatch, tmp_path):
    own = tmp_path / "python"
    own.touch()
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "VENV_PYTHON", str(own))
    assert installation.remedy() == f"This is {sys.executable}, but the tutorial's Python is {own}: use that."
