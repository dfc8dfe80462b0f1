"""Make .venv and fill it from requirements.txt: what `make lab` and `make test` do first.

Any Python 3 can run this file, also one that is too old: it must get as far as being told so.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_GB = 4  # .venv takes 2.8 GB when full, and pip unpacks beside it

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = str(VENV / ("Scripts" if os.name == "nt" else "bin") / "python")
STAMP = VENV / ".installed"  # newer than requirements.txt: nothing to do


def obstacle(version, has_venv, free_bytes, installed_bytes=0):
    """Return in one line what stands against an installation, and what to do; None if nothing does.

    Args:
        version: the interpreter's version, as in `sys.version_info`.
        has_venv: whether it can make virtual environments.
        free_bytes: free disk space.
        installed_bytes: what an earlier installation, perhaps an interrupted one, takes already.
    """
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        fault = "old" if tuple(version[:2]) < OLDEST else "new"
        return "Python {}.{} is too {}: the tutorial needs 3.11, 3.12 or 3.13. {}".format(
            version[0], version[1], fault, other_python()
        )
    if not has_venv:
        advice = "This Python lacks its venv module. On Debian and Ubuntu: sudo apt install python{}.{}-venv"
        return advice.format(version[0], version[1])
    if free_bytes + installed_bytes < NEEDED_GB * 1e9:
        advice = "The disk is too full: {:.1f} GB free, the installation needs {:.1f} GB. Free some space."
        return advice.format(free_bytes / 1e9, NEEDED_GB - installed_bytes / 1e9)
    return None


def other_python():
    """Return the advice for somebody whose `python3` does not fit."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        if works("python3.{}".format(minor)):
            return "Python 3.{0} is here too: make lab PYTHON=python3.{0}".format(minor)
    return "Get one from python.org, then: make lab PYTHON=python3.12"


def size(folder):
    """Return the bytes that the files of a folder take; 0 if there is no such folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) if folder.is_dir() else 0


def works(python):
    """Return whether an interpreter runs, has pip, and is of a version that the tutorial supports."""
    check = "import sys, pip; sys.exit(not {} <= sys.version_info[:2] <= {})".format(OLDEST, NEWEST)
    try:
        return subprocess.call([python, "-c", check], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def main():
    """Install, or say in one line why not; return the exit status."""
    has_venv = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    problem = obstacle(sys.version_info, has_venv, shutil.disk_usage(str(ROOT)).free, size(VENV))
    if problem:
        print(problem, file=sys.stderr)
        return 1
    print("Installing requirements.txt into .venv: about 3 GB, some minutes the first time.", flush=True)
    if not works(VENV_PYTHON):
        subprocess.check_call([sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    if subprocess.call([*pip, "--requirement", str(ROOT / "requirements.txt")]) != 0:
        print("The installation stopped; pip says why above. The same command goes on.", file=sys.stderr)
        return 1
    STAMP.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
