"""`python -m tools.store`: what it stores is clean, and it refuses what is not."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.internal.files import ROOT
from tools.store import FOLDED, METADATA, NotebookError, execute, is_residue, main, put_setup, store


def write(path, *sources):
    """Write a notebook of code cells that has never been run."""
    cells = [new_markdown_cell("# Toy")] + [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata={"colab": {"provenance": []}}), path)
    return path


@pytest.mark.slow
def test_storing_keeps_what_means_something_drops_the_rest_and_again_changes_nothing(tmp_path):
    path = write(
        tmp_path / "toy.ipynb",
        "import ipywidgets, os\nfrom tqdm import tqdm\nfrom tqdm.auto import tqdm as bar",
        "for _ in bar(range(3), leave=False):\n    print('step', flush=True)",
        "for _ in tqdm(range(3)):\n    pass\nipywidgets.IntSlider()",
        "os.path.basename(os.getcwd())",
        "display({'image/png': 'AAAA', 'text/plain': 'a'}, metadata={'image/png': {'alt': 'a'}}, raw=True)",
    )
    before = nbformat.read(path, as_version=4)
    before.cells[1].metadata = {"tags": ["nbval-check-output"], "collapsed": True}
    before.cells[2].metadata = {"jupyter": {"source_hidden": True, "outputs_hidden": False}}
    nbformat.write(before, path)
    store(path)
    first = path.read_text(encoding="utf-8")
    store(path)
    assert path.read_text(encoding="utf-8") == first
    after = nbformat.read(path, as_version=4)
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert after.metadata == METADATA
    tags = {"tags": ["nbval-check-output"]}
    assert [cell.metadata for cell in after.cells[:4]] == [{}, tags, FOLDED, {}]
    cells = after.cells[1:]
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5]
    assert [output.text for output in cells[1].outputs] == ["step\nstep\nstep\n"]
    assert cells[2].outputs == [], "no progress bar, no widget"
    assert cells[3].outputs[0].data["text/plain"] == repr(tmp_path.name), "it runs in its own folder"
    assert cells[4].outputs[0].metadata == {"image/png": {"alt": "a"}}


def test_nothing_is_stored_of_a_notebook_that_stops(monkeypatch, tmp_path):
    path = write(tmp_path / "toy.ipynb", "1 / 0")
    before, error = path.read_bytes(), "toy.ipynb, cell 2: ZeroDivisionError"
    monkeypatch.setattr("tools.store.execute", lambda path: (nbformat.read(path, as_version=4), error))
    with pytest.raises(NotebookError, match=f"{error}\nNothing was stored"):
        store(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_cell_that_fails_is_named(tmp_path):
    notebook, error = execute(write(tmp_path / "toy.ipynb", "'first'", "1 / 0", "'never'"))
    assert error.startswith("toy.ipynb, cell 3: ")
    assert "ZeroDivisionError: division by zero" in error
    assert "\x1b" not in error
    assert notebook.cells[3].execution_count is None


def test_the_command_tells_an_error_without_a_traceback_of_its_own(tmp_path):
    with pytest.raises(SystemExit, match=r"missing\.ipynb"):
        main([str(tmp_path / "missing.ipynb")])


@pytest.mark.parametrize(
    ("text", "residue"),
    [
        ("\r  0%|          | 0/5 [00:00<?, ?it/s]\r100%|####| 5/5 [00:00<00:00, 9.6it/s]\n", True),
        (
            "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
            "I0000 00:00:1795262270.491599   14948 port.cc:153] oneDNN custom operations are on.\n",
            True,
        ),
        ("UserWarning: 40% of the values are missing\n", False),
        ("  0%|          | 0/5\nUserWarning: careful\n", False),
    ],
)
def test_a_warning_is_no_residue(text, residue):
    assert is_residue(new_output("stream", name="stderr", text=text)) is residue


def test_the_templates_setup_cell_is_put_into_every_notebook_and_nothing_else_changes(tmp_path):
    (tmp_path / "notebooks" / "template").mkdir(parents=True)
    template = write(tmp_path / "notebooks" / "template" / "chapter.ipynb", "setup = 1")
    other = write(tmp_path / "notebooks" / "01_a.ipynb", "setup = 0", "import math")
    notebook = nbformat.read(template, as_version=4)
    notebook.cells[1].metadata = FOLDED
    nbformat.write(notebook, template)
    before = nbformat.read(other, as_version=4)
    put_setup(tmp_path)
    after = nbformat.read(other, as_version=4)
    assert (after.cells[1].source, after.cells[1].metadata) == ("setup = 1", FOLDED)
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert [after.cells[0], after.cells[2]] == [before.cells[0], before.cells[2]]


# What a failing cell does to the rest of its notebook, in a test run of its own.


@pytest.mark.slow
def test_a_failing_cell_stops_its_notebook_and_axes_need_labels(tmp_path):
    toys = {
        "stops": ("a = 1", "b = missing", "c = b", "d = c"),
        "draws": (
            "assert 'install' not in globals()\nlabels = 3\nimport matplotlib.pyplot as plt",
            "plt.imshow([[1, 2]])\nplt.axis('off')\nplt.show()",
            "plt.plot([1, 2])\nplt.xlabel('s')\nplt.ylabel('m')\nplt.show()",
            "fig, axs = plt.subplots(1, 2)\naxs[0].set(xlabel='s', ylabel='m')\naxs[1].set(xlabel='s')",
            "plt.plot([1, 2])\nplt.xlabel('s')\nplt.show()",
        ),
        "smokes": (
            "import os, sys\nassert os.environ['TUTORIAL_PROFILE'] == 'smoke'",
            f"assert sys.executable == {sys.executable!r}",
        ),
    }
    paths = [write(tmp_path / f"{name}.ipynb", *cells) for name, cells in toys.items()]
    command = [sys.executable, "-m", "pytest", "--color=no", "-c", ROOT / "pyproject.toml", *paths]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert "2 failed, 7 passed, 2 skipped" in said
    assert "'missing' is not defined" in said
    assert "'b' is not defined" not in said
    assert "a figure has no label on: y axis of panel 1" in said
