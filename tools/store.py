"""Store a notebook as a clean run leaves it: execute, tidy, write.

python -m tools.store notebooks/01_explore_the_data.ipynb
python -m tools.store setup     # puts the template's Setup cell into every notebook, and runs nothing
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from helpers.internal.files import ROOT, write_text

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # JupyterLab's word for it, and Colab's
CELL_SECONDS = 1800
WIDGET = "application/vnd.jupyter.widget-view+json"
# What means nothing in a stored notebook: tqdm's bar where it has no widgets, TensorFlow's start-up notes.
RESIDUE = re.compile(
    r".*\d+%\|.*\|.*|.*\d+\w* \[\d\d:\d\d.*\]|\s*"
    r"|WARNING: All log messages before absl.*|[IWE]\d{4} [\d:.]+ +\d+ \w+\.cc:\d+\].*"
)
COLOUR = re.compile(r"\x1b\[[\d;]*m")


class NotebookError(Exception):
    """What is wrong with a notebook, told to its author in a line or two."""


def chapters(root: Path = ROOT) -> list[Path]:
    """Return the chapters in reading order, then the appendices: `NN_name.ipynb`, `A1_name.ipynb`."""
    return sorted((root / "notebooks").glob("[0-9A][0-9]_*.ipynb"))


def all_notebooks(root: Path = ROOT) -> list[Path]:
    """Return every notebook of the repository: the chapters, their solutions and the template."""
    found = (root / "notebooks").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def execute(path: Path) -> tuple[NotebookNode, str | None]:
    """Run a notebook from top to bottom in its own folder, in a fresh kernel of this Python.

    Returns it with its new outputs (`path` is not touched), and what stopped it in which cell, counted from
    1, text included: None if nothing did.
    """
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # not a kernel of the same name in the user's folder
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute(stderr=subprocess.DEVNULL)  # what cells write there arrives as their output
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        reached = max(number for number, cell in enumerate(notebook.cells, 1) if cell.get("execution_count"))
        return notebook, f"{path.name}, cell {reached}: {COLOUR.sub('', str(error))}"
    return notebook, None


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tidy(notebook: NotebookNode) -> None:
    """Remove, in place, what differs from machine to machine or means nothing in a stored notebook.

    Kept: sources, cell ids, tags, folding, outputs and their metadata. Dropped: other metadata, widgets
    (progress bars among them) and what else a start or a progress bar leaves on stderr.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = kept(cell.metadata)
    for cell in code_cells(notebook):
        outputs = joined([output for output in cell.outputs if WIDGET not in output.get("data", {})])
        cell.outputs = joined([output for output in outputs if not is_residue(output)])


def kept(metadata: NotebookNode) -> NotebookNode:
    """Return the part of a cell's metadata that is stored: its tags, and that it is folded away."""
    tags = {"tags": metadata["tags"]} if metadata.get("tags") else {}
    folded = metadata.get("cellView") or metadata.get("jupyter", {}).get("source_hidden")
    return nbformat.from_dict(tags | (FOLDED if folded else {}))


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return the outputs with neighbouring pieces of one stream as one: where it is cut depends on timing."""
    whole = []
    for output in outputs:
        last = whole[-1] if whole else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            whole.append(output)
    return whole


def is_residue(output: NotebookNode) -> bool:
    """Return whether an output is nothing but what a progress bar or TensorFlow's start left on stderr."""
    lines = re.split(r"[\r\n]+", output.get("text", ""))
    return output.get("name") == "stderr" and all(RESIDUE.fullmatch(line) for line in lines)


def store(path: Path) -> None:
    """Execute a notebook, tidy it, and write it back; NotebookError, and nothing written, if a cell fails."""
    notebook, error = execute(path)
    if error:
        raise NotebookError(f"{error}\nNothing was stored: mend the cell and store again.")
    tidy(notebook)
    nbformat.validate(notebook)
    write_text(path, nbformat.writes(notebook) + "\n")
    print(f"{path.name}: stored; `make check` says whether it keeps the contract's rules.")


def put_setup(root: Path = ROOT) -> None:
    """Put the template's Setup cell in the place of the first code cell of every other notebook."""
    template = root / "notebooks" / "template" / "chapter.ipynb"
    setup = code_cells(nbformat.read(template, as_version=4))[0]
    for path in all_notebooks(root):
        notebook = nbformat.read(path, as_version=4)
        first = code_cells(notebook)[0]
        first.source, first.metadata = setup.source, setup.metadata
        write_text(path, nbformat.writes(notebook) + "\n")


def main(names: Sequence[str]) -> None:
    """Store the notebooks of these files; exit with the first one's error, if there is one."""
    if names == ["setup"]:
        return put_setup()
    for name in names:
        try:
            store(Path(name))
        except (NotebookError, OSError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
