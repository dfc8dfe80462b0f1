"""The first command a newcomer types: it installs once, or says in one line why it cannot."""

import os
import shutil
import subprocess
import sys

import pytest

from helpers.install import NEEDED_GB, obstacle
from tools.chapters import ROOT

PLENTY = 100e9
posix_make = pytest.mark.skipif(
    os.name == "nt" or shutil.which("make") is None, reason="needs make and a POSIX shell"
)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 7), (3, 13, 9)])
def test_a_supported_python_with_room_has_no_obstacle(version):
    assert obstacle(version, True, PLENTY) is None


@pytest.mark.parametrize(
    ("version", "fault"), [((3, 6, 15), "3.6 is too old"), ((3, 10, 1), "too old"), ((3, 14, 0), "too new")]
)
def test_another_python_is_told_which_ones_fit(version, fault):
    line = obstacle(version, True, PLENTY)
    assert fault in line
    assert "3.11, 3.12 or 3.13" in line
    assert "PYTHON=" in line


def test_a_missing_venv_module_is_named_with_the_package_that_has_it():
    assert "apt install python3.11-venv" in obstacle((3, 11, 2), False, PLENTY)


def test_a_full_disk_is_told_before_the_installation():
    assert "1.5 GB free" in obstacle((3, 11, 2), True, 1.5e9)


def test_what_is_installed_already_needs_no_room():
    assert obstacle((3, 11, 2), True, 1.5e9, installed_bytes=(NEEDED_GB - 1) * 1e9) is None


# The same through make, in a small copy of the repository, with a `python3` that pretends.


@pytest.fixture
def copy(tmp_path):
    """A folder with the Makefile, the installer and the requirements."""
    (tmp_path / "helpers").mkdir()
    for name in ("Makefile", "requirements.txt", "helpers/install.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    return tmp_path


def make(copy, pretence):
    """Run `make lab` where `python3` is this Python after a line of pretence."""
    python = copy / "bin" / "python3"
    run = "import runpy; runpy.run_path(sys.argv[1], run_name='__main__')"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; {pretence}; {run}" "$@"\n')
    python.chmod(0o755)
    path = f"{copy / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "PYTHON"))}
    return subprocess.run(
        ["make", "lab"], cwd=copy, env=environment | {"PATH": path}, capture_output=True, text=True
    )


@posix_make
@pytest.mark.parametrize(
    ("pretence", "line"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.9 is too old"),
        ("sys.modules['ensurepip'] = None", "lacks its venv module"),
        (
            "import shutil, types; shutil.disk_usage = lambda p: types.SimpleNamespace(free=10**9)",
            "disk is too full",
        ),
    ],
)
def test_make_says_it_in_one_line_and_makes_nothing(copy, pretence, line):
    done = make(copy, pretence)
    assert done.returncode != 0
    told = [said for said in done.stderr.splitlines() if not said.startswith("make")]
    assert len(told) == 1
    assert line in told[0]
    assert not (copy / ".venv").exists()


@posix_make
def test_a_missing_python_is_told_in_one_line(copy):
    done = subprocess.run(["make", "lab", "PYTHON=no-such-python"], cwd=copy, capture_output=True, text=True)
    assert done.returncode != 0
    assert "No no-such-python here" in done.stderr


@posix_make
def test_a_second_call_installs_nothing(copy):
    (copy / ".venv").mkdir()
    (copy / ".venv" / ".installed").touch()
    done = subprocess.run(["make", ".venv/.installed"], cwd=copy, capture_output=True, text=True, check=True)
    assert "up to date" in done.stdout


@posix_make
def test_changed_requirements_are_installed_again(copy):
    (copy / ".venv").mkdir()
    (copy / ".venv" / ".installed").touch()
    os.utime(copy / ".venv" / ".installed", (1, 1))
    assert subprocess.run(["make", "--question", ".venv/.installed"], cwd=copy, check=False).returncode == 1
