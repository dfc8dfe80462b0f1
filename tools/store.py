"""The authors' command: store a notebook as a clean run leaves it, render it, stamp the address, start one.

python -m tools.store store notebooks/01_explore_the_data.ipynb
python -m tools.store html
python -m tools.store stamp
python -m tools.store new 08_look_inside "Look inside the model"
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.chapters import ROOT, NotebookError, chapters, new, stamp, write_text

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MAX_BYTES = 500_000  # of a stored notebook: GitHub still shows it, and a clone stays small
CELL_SECONDS = 1800
WIDGET = "application/vnd.jupyter.widget-view+json"
# What means nothing in a stored notebook: tqdm's bar where it has no widgets, TensorFlow's start-up notes.
RESIDUE = re.compile(
    r".*\d+%\|.*\|.*|.*\d+\w* \[\d\d:\d\d.*\]|\s*"
    r"|WARNING: All log messages before absl.*|[IWE]\d{4} [\d:.]+ +\d+ \w+\.cc:\d+\].*"
)
REMOTE_PICTURE = re.compile(r"!\[([^]]*)\]\(https?:[^)]*\)")
LOCAL_LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")
COLOUR = re.compile(r"\x1b\[[\d;]*m")
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<~-])/(?:[\w.-]+/)+[\w.-]+|\b[A-Za-z]:\\[\w.-]+\\")
DATA_URI = re.compile(r"data:[\w/+-]+;base64,[\w+/=\s]+")


def execute(path: Path) -> tuple[NotebookNode, str | None]:
    """Run a notebook from top to bottom in its own folder, in a fresh kernel of this Python.

    Returns:
        The notebook with its new outputs (`path` is not touched), and what stopped it: None if nothing did.
        Cells are counted from 1, text included.
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

    Kept: sources, cell ids, tags, outputs. Dropped: other metadata, widgets (progress bars among them) and
    what else a start or a progress bar leaves on stderr.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    for cell in code_cells(notebook):
        outputs = joined([output for output in cell.outputs if WIDGET not in output.get("data", {})])
        cell.outputs = joined([output for output in outputs if not is_residue(output)])


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
    return output.get("name") == "stderr" and not messages(output.text)


def messages(text: str) -> list[str]:
    """Return the lines of what was written to stderr that are no residue."""
    return [line for line in re.split(r"[\r\n]+", text) if not RESIDUE.fullmatch(line)]


def output_text(output: NotebookNode) -> str:
    """Return all that a reader can read in an output, HTML included, pictures left out."""
    texts = [output.get("text", "")]
    texts += [str(text) for kind, text in output.get("data", {}).items() if not kind.startswith("image/")]
    return DATA_URI.sub("", "\n".join(texts))


def complaints(notebook: NotebookNode) -> list[str]:
    """Return what forbids storing an executed notebook, each with the number of its cell."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                found.append(f"cell {number} wrote to stderr: {messages(output.text)[0][:200]!r}")
            if path := ABSOLUTE_PATH.search(output_text(output)):
                found.append(f"cell {number} shows a path of this machine: {path.group()!r}")
    return found


def store(path: Path) -> None:
    """Execute a notebook, tidy it, and write it back, all or nothing.

    Raises:
        NotebookError: if a cell fails, writes to stderr or shows a path, or if the file exceeds `MAX_BYTES`.
    """
    notebook, error = execute(path)
    if error:
        raise NotebookError(f"{error}\nNothing was stored: mend the cell and store again.")
    tidy(notebook)
    if found := complaints(notebook):
        raise NotebookError(f"{path.name}: " + "; ".join(found) + ". Nothing was stored.")
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise NotebookError(
            f"{path.name} would take {len(text.encode()):,} bytes, at most {MAX_BYTES:,} are allowed: "
            "draw fewer or smaller figures. Nothing was stored."
        )
    write_text(path, text)
    print(f"{path.name}: stored, {len(text.encode()):,} bytes")


def html(path: Path, folder: Path) -> None:
    """Execute a notebook and write it as `folder`/NAME.html, also where it stopped at an error.

    The page fetches nothing: a picture from elsewhere (the badge) becomes its alt text.

    Raises:
        NotebookError: if a cell failed, after the page was written.
    """
    from jinja2 import FileSystemLoader
    from nbconvert import HTMLExporter

    notebook, error = execute(path)
    tidy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            source = REMOTE_PICTURE.sub(r"\1", cell.source)
            cell.source = LOCAL_LINK.sub(lambda link: f"]({page_link(link[1])})", source)
    exporter = HTMLExporter(extra_loaders=[FileSystemLoader(ROOT / "helpers")], template_file="page.html.j2")
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{path.stem}.html", page)
    if error:
        raise NotebookError(error)
    print(f"{path.name}: executed, see {folder.name}/{path.stem}.html")


def page_link(link: str) -> str:
    """Return where a chapter's link leads from its HTML page: to another page, or to the file itself."""
    chapter = re.fullmatch(r"(\d\d_\w+)\.ipynb", link)
    return f"{chapter[1]}.html" if chapter else f"../notebooks/{link}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.store", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("store", help="execute, tidy, check, write").add_argument(
        "paths", nargs="+", type=Path
    )
    pages = commands.add_parser("html", help="execute into build/*.html")
    pages.add_argument("paths", nargs="*", type=Path, help="default: all chapters")
    stamping = commands.add_parser("stamp", help="write the repository's address everywhere")
    stamping.add_argument(
        "--check", action="store_true", help="change nothing, fail if something is out of date"
    )
    chapter = commands.add_parser("new", help="a chapter and its solutions, from the template")
    chapter.add_argument("name", help="two digits and words, like 08_look_inside")
    chapter.add_argument("title")
    options = parser.parse_args(arguments)

    if options.command == "new":
        return attempt(lambda: print(*new(options.name, options.title), sep="\n"))
    if options.command == "stamp":
        changed = stamp(write=not options.check)
        for path in changed:
            print(f"{path}: {'out of date, run: make stamp' if options.check else 'stamped'}")
        return int(options.check and bool(changed))
    if options.command == "store":
        return max(attempt(lambda path=path: store(path)) for path in options.paths)
    return max(attempt(lambda path=path: html(path, ROOT / "build")) for path in options.paths or chapters())


def attempt(work: Callable[[], None]) -> int:
    """Do the work; tell an error on stderr in its own words. Return the exit status."""
    try:
        work()
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
