"""The quick tests on other Pythons and other versions, each in an environment that is made once and kept.

python -m tests.support.matrix colab    # of colab, colab-2026.07 (its past runtime), oldest, newest, tested

They are kept in build/environments, 3 GB each, or in the folder that TUTORIAL_ENVIRONMENTS names.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from helpers.internal.files import ROOT

REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
COLAB = (ROOT / "tests" / "clients" / "colab-constraints.txt").read_text(encoding="utf-8")
OLDEST = re.sub(r">=(?=[\d.]+$)", "==", REQUIREMENTS, flags=re.MULTILINE)
TESTED = (ROOT / "constraints.txt").read_text(encoding="utf-8")
ENVIRONMENTS = {"colab": ("3.13", COLAB), "oldest": ("3.11", OLDEST), "newest": ("3.13", "")}  # Python, pins
ENVIRONMENTS |= {
    "colab-2026.07": ("3.12", re.sub(r"(?m)^numpy==.*", "numpy==2.0.2", COLAB)),
    "tested": ("3.12", TESTED),
}
KEPT = Path(os.environ.get("TUTORIAL_ENVIRONMENTS") or ROOT / "build" / "environments")
SHOW_VERSION = "import ensurepip, sys, venv; print('{}.{}'.format(*sys.version_info))"
INSTALL = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
INSTALL += ["--upgrade", "--upgrade-strategy", "eager"]
QUICK = ["-m", "pytest", "-q", "--disable-warnings", "-p", "no:cacheprovider", "tests"]
QUICK += ["-m", "not slow and not browser and not colab"]


def version_of(python: str | Path) -> str | None:
    """Return an interpreter's version, like "3.13"; None if it does not run or cannot make environments."""
    try:
        return subprocess.run([python, "-c", SHOW_VERSION], capture_output=True, text=True).stdout.strip()
    except OSError:
        return None


def find_python(version: str) -> str | None:
    """Return an interpreter of a version, like "3.13", that can make environments; None if there is none."""
    candidates = [sys.executable, f"python{version}"]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        candidates += map(str, Path(root).glob(f"versions/{version}.*/bin/python"))
    return next((python for python in candidates if version_of(python) == version), None)


def make(name: str) -> Path | None:
    """Return an environment's interpreter, made or brought up to date first; None if its Python is missing.

    Raises:
        subprocess.CalledProcessError: if pip fails; it has said why.
    """
    version, pins = ENVIRONMENTS[name]
    folder = KEPT / name
    python, complete = folder / "bin" / "python", folder / "complete"
    if pins and complete.is_file() and complete.read_text() == REQUIREMENTS + pins:
        return python
    if version_of(python) != version:
        base = find_python(version)
        if base is None:
            return None
        print(f"Making the environment {name!r}: about 3 GB, some minutes.", flush=True)
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
    constraints = folder / "constraints.txt"
    constraints.write_text(pins)
    files = ["--requirement", "requirements.txt", "--constraint", constraints]
    subprocess.run([python, *INSTALL, *files], cwd=ROOT, check=True)
    complete.write_text(REQUIREMENTS + pins)
    return python


def outcome(name: str) -> str:
    """Make an environment and run the quick tests in it; return in words how it went."""
    try:
        python = make(name)
    except subprocess.CalledProcessError:
        return "FAILED: pip could not install it, see above"
    if python is None:
        return f"skipped: there is no Python {ENVIRONMENTS[name][0]} here that can make environments"
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run([python, *QUICK], cwd=ROOT, env=variables)
    return "passed" if done.returncode == 0 else "FAILED"


def main(names: list[str]) -> int:
    """Run these environments, or all; return 1 if one failed."""
    results = {name: outcome(name) for name in names or ENVIRONMENTS}
    print(*(f"{name}: {result}" for name, result in results.items()), sep="\n")
    return int(any(result.startswith("FAILED") for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
