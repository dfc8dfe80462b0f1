"""The unit tests on other Pythons and other versions, each in an environment that is made once and kept.

python -m tests.support.matrix            # every environment below
python -m tests.support.matrix colab      # Google Colab's Python and versions, which are near the oldest allowed

They are kept in build/environments, 3 GB each, or in the folder that TUTORIAL_ENVIRONMENTS names.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from helpers.install import works
from tools.chapters import ROOT

REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
COLAB = (ROOT / "tests" / "clients" / "colab-constraints.txt").read_text(encoding="utf-8")
KEPT = Path(os.environ.get("TUTORIAL_ENVIRONMENTS") or ROOT / "build" / "environments")
SHOW_VERSION = "import ensurepip, sys, venv; print('{}.{}'.format(*sys.version_info))"
SHOW_PACKAGES = (
    "import platform; from importlib.metadata import version; print('Python', platform.python_version(), "
    "*(f'{name} {version(name)}' for name in ('tensorflow', 'keras', 'numpy')), sep=', ')"
)


class NoPython(Exception):
    """There is no interpreter of the wanted version here."""


@dataclass(frozen=True)
class Environment:
    """A Python and versions to test with.

    Attributes:
        name: what the command line calls it.
        python: the interpreter's version, like "3.13".
        constraints: pins in pip's format for what requirements.txt names; "" takes the newest releases.
    """

    name: str
    python: str
    constraints: str

    @property
    def folder(self) -> Path:
        """Where it is kept: another Python or other pins, another folder."""
        content = f"{self.python}\n{self.constraints}"
        return KEPT / f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    @property
    def interpreter(self) -> Path:
        """The environment's own Python."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def oldest(requirements: str) -> str:
    """Return requirements with each lower bound as the one version allowed."""
    return re.sub(r">=(?=[\d.]+\s*$)", "==", requirements, flags=re.MULTILINE)


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment("colab", "3.13", COLAB),
        Environment("oldest", "3.11", oldest(REQUIREMENTS)),
        Environment("newest", "3.13", ""),
    )
}


def find_python(version: str) -> str | None:
    """Return an interpreter of a version, like "3.13", that can make environments; None if there is none."""
    candidates = [sys.executable, f"python{version}"]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        candidates += map(str, Path(root).glob(f"versions/{version}.*/bin/python"))
    return next((python for python in candidates if version_of(python) == version), None)


def version_of(python: str) -> str | None:
    """Return an interpreter's version, like "3.13"; None if it does not run or cannot make environments."""
    try:
        return subprocess.run([python, "-c", SHOW_VERSION], capture_output=True, text=True).stdout.strip()
    except OSError:
        return None


def make(environment: Environment) -> Path:
    """Return an environment's interpreter; make it, or bring it up to date, where that is needed.

    Raises:
        NoPython: if there is no interpreter of its version.
        subprocess.CalledProcessError: if pip fails; it has said why.
    """
    folder, python = environment.folder, environment.interpreter
    complete = folder / "complete.txt"  # the requirements that it has been made for
    if environment.constraints and complete.is_file() and complete.read_text() == REQUIREMENTS:
        return python
    if not works(str(python)):
        base = find_python(environment.python)
        if base is None:
            raise NoPython(f"there is no Python {environment.python} here that can make environments")
        print(f"Making the environment {environment.name!r}: about 3 GB, some minutes.", flush=True)
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
    pins = folder / "constraints.txt"
    pins.write_text(environment.constraints)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    install += ["--upgrade-strategy", "eager", "--requirement", "requirements.txt", "--constraint", str(pins)]
    subprocess.run([python, *install], cwd=ROOT, check=True)
    complete.write_text(REQUIREMENTS)
    return python


def unit_tests(python: Path) -> bool:
    """Run the unit tests, no notebook, with an interpreter; return whether they passed."""
    command = [python, "-m", "pytest", "-q", "--disable-warnings", "-p", "no:cacheprovider", "tests"]
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(command, cwd=ROOT, env=variables).returncode == 0


def outcome(environment: Environment) -> str:
    """Make an environment and run the unit tests in it; return in a line how it went."""
    start = time.monotonic()
    try:
        python = make(environment)
    except NoPython as error:
        return f"skipped: {error}"
    except subprocess.CalledProcessError:
        return "FAILED: pip could not install it, see above"
    made = time.monotonic()
    packages = subprocess.run([python, "-c", SHOW_PACKAGES], capture_output=True, text=True).stdout.strip()
    result = "passed" if unit_tests(python) else "FAILED"
    return f"{result}: {packages}; made in {made - start:.0f} s, tested in {time.monotonic() - made:.0f} s"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.matrix", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(ENVIRONMENTS)}; default: all"
    )
    names = parser.parse_args(arguments).names or list(ENVIRONMENTS)
    if unknown := [name for name in names if name not in ENVIRONMENTS]:
        parser.error(f"no environment is called {unknown[0]}: there are {', '.join(ENVIRONMENTS)}")
    results = {name: outcome(ENVIRONMENTS[name]) for name in names}
    for name, result in results.items():
        print(f"{name}: {result}")
    return int(any(result.startswith("FAILED") for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
