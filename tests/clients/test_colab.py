"""Every chapter as Google Colab runs it: the notebook alone in a folder, with Colab's Python and versions.

TUTORIAL_CLIENT names another environment of `tests.support.matrix`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import commit_all, copy_repository, served_as
from tests.support.matrix import make
from tools.address import write
from tools.store import chapters

pytestmark = pytest.mark.colab

ADDRESS = "owner/name"  # what the copy's Setup cells clone; git finds the copy there


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of the environment; made if it is not there."""
    return make(os.environ.get("TUTORIAL_CLIENT", "colab")) or pytest.skip("needs another Python")


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A git repository that holds this one's files as they are now, with an address of its own."""
    folder = copy_repository(tmp_path_factory.mktemp("origin"))
    write(ADDRESS, folder)
    commit_all(folder)
    return folder


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_a_chapter_runs_alone(python, repository, tmp_path, path):
    content, elsewhere = tmp_path / "content", tmp_path / "elsewhere"
    content.mkdir()
    shutil.copy(repository / "notebooks" / path.name, content)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables |= {"TUTORIAL_PROFILE": "smoke", "JUPYTER_PREFER_ENV_PATH": "1"}
    variables |= {"IPYTHONDIR": str(elsewhere), "JUPYTER_CONFIG_DIR": str(elsewhere)}
    variables |= served_as(f"https://github.com/{ADDRESS}", repository)
    command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", path.name]
    command += [f"--output-dir={elsewhere}", "--ExecutePreprocessor.timeout=600"]
    done = subprocess.run(command, cwd=content, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (content / "cifar10-tutorial" / "helpers" / "data.py").is_file()
