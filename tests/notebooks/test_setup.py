"""The Setup cell finds the series' files from wherever a notebook runs, and on Colab fetches them."""

import os
import subprocess
import sys

import nbformat
import pytest

from helpers.internal.files import ROOT
from tests.support.checkout import commit_all, served_as
from tools.store import code_cells

SETUP = code_cells(nbformat.read(ROOT / "notebooks/template/chapter.ipynb", as_version=4))[0].source
ADDRESS = "https://github.com/owner/name"
STAND_IN = "from pathlib import Path\ndef start(seed):\n    print(Path(__file__).resolve().parents[1])\n"


@pytest.fixture
def repository(tmp_path):
    """A folder cifar10-tutorial with the one file that Setup looks for; it prints where it lies."""
    folder = tmp_path / "cifar10-tutorial"
    (folder / "helpers").mkdir(parents=True)
    (folder / "helpers" / "session.py").write_text(STAND_IN)
    (folder / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "beside" / "deeper").mkdir(parents=True)
    return folder


def run_setup(folder, source=SETUP, **variables):
    """Run the cell in a folder; return what it printed, and what it wrote to stderr."""
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True)
    return done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize("place", [".", "notebooks/solutions", "..", "../beside/deeper"])
def test_it_finds_the_files_from_any_folder_in_the_repository_and_beside_it(repository, place):
    assert run_setup(repository / place) == (str(repository), "")


def test_without_files_and_address_it_says_what_to_do_and_fetches_nothing(tmp_path):
    told = run_setup(tmp_path)[1].splitlines()[-1]
    assert told == "FileNotFoundError: Open this notebook in its repository, or set REPOSITORY."
    assert list(tmp_path.iterdir()) == []


def test_with_an_address_it_clones_the_series_beside_the_notebook_once(repository, tmp_path_factory):
    commit_all(repository)
    setup = SETUP.replace("https://github.com/your_name/cifar10-tutorial", ADDRESS)
    folder = tmp_path_factory.mktemp("content")
    cloned = (str(folder / "cifar10-tutorial"), "")
    (git := repository.parent / "git").write_text(
        '#!/bin/sh\nfor last; do :; done; touch "$last/a"; kill -9 $$\n'
    )
    git.chmod(0o755)
    assert "CalledProcessError" in run_setup(folder, setup, PATH=f"{git.parent}:{os.environ['PATH']}")[1]
    assert run_setup(folder, setup, **served_as(ADDRESS, repository)) == cloned
    assert run_setup(folder, setup) == cloned
