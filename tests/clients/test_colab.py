"""Every chapter as Google Colab runs it: the notebook alone in a folder, with Colab's Python and versions."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.support.checkout import copy_repository
from tests.support.matrix import COLAB, ENVIRONMENTS, NoPython, make
from tools.chapters import chapters

pytestmark = pytest.mark.colab

NOT_ON_COLAB = {"jupyterlab", "jupytext", "nbval", "ruff"}  # what requirements.txt asks for and Colab lacks
CELL_SECONDS = 600
SHOW_USED = """\
import sys
from importlib.metadata import packages_distributions
packages = packages_distributions()
print(*sorted({name for module in sys.modules for name in packages.get(module, [])}))
"""


@dataclass(frozen=True)
class Executed:
    """What became of a chapter.

    Attributes:
        folder: where it was executed, the only file at first.
        error: what stopped it; "" if nothing did.
        used: the packages that it imported, directly or through others.
        before, after: what was installed, one "name==version" per package.
    """

    folder: Path
    error: str
    used: set[str]
    before: list[str]
    after: list[str]


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python of the environment with Colab's versions; made if it is not there."""
    try:
        return make(ENVIRONMENTS["colab"])
    except NoPython as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def repository(tmp_path_factory) -> str:
    """The address of a git repository that holds this one's files as they are now."""
    folder = copy_repository(tmp_path_factory.mktemp("origin"))
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--message", "all"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder.as_uri()


def installed(python: Path) -> list[str]:
    """Return what is installed beside an interpreter, one "name==version" per package."""
    freeze = subprocess.run(
        [python, "-m", "pip", "freeze", "--all"], capture_output=True, text=True, check=True
    )
    return freeze.stdout.splitlines()


@pytest.fixture(scope="module", params=chapters(), ids=lambda path: path.stem)
def executed(request, python, repository, tmp_path_factory) -> Executed:
    """A chapter that was executed as on Colab, with a last cell that tells what it used."""
    folder, elsewhere = tmp_path_factory.mktemp("content"), tmp_path_factory.mktemp("elsewhere")
    notebook = nbformat.read(request.param, as_version=4)
    notebook.cells.append(new_code_cell(SHOW_USED))
    nbformat.write(notebook, folder / request.param.name)
    own = {"TUTORIAL_REPOSITORY": repository, "TUTORIAL_PROFILE": "smoke", "IPYTHONDIR": str(elsewhere)}
    own |= {"JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_CONFIG_DIR": str(elsewhere)}
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | own
    command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", request.param.name]
    command += [f"--output-dir={elsewhere}", f"--ExecutePreprocessor.timeout={CELL_SECONDS}"]
    before = installed(python)
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    used = set()
    if done.returncode == 0:
        result = nbformat.read(elsewhere / request.param.name, as_version=4)
        used = set(result.cells[-1].outputs[-1].text.split())
    error = "" if done.returncode == 0 else done.stderr[-3000:]
    return Executed(folder, error, used, before, installed(python))


def test_no_cell_fails(executed):
    assert executed.error == ""


def test_the_setup_cell_fetches_the_series(executed):
    assert (executed.folder / "cifar10-tutorial" / "helpers" / "data.py").is_file()


def test_nothing_is_installed(executed):
    assert executed.after == executed.before


def test_nothing_is_used_that_colab_lacks(executed):
    assert executed.used & NOT_ON_COLAB == set()


def test_the_versions_are_those_of_colab(python):
    pins = {line.replace("_", "-").lower() for line in COLAB.splitlines() if line[:1].isalpha()}
    packages = {line.replace("_", "-").lower() for line in installed(python)}
    names = {line.partition("==")[0] for line in packages}
    assert {pin for pin in pins if pin.partition("==")[0] in names} <= packages
    assert "tensorflow" in names
