"""The chapters' files: where they lie, a new one, and the repository's address, stamped into all of them."""

import os
import re
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
BADGE = re.compile(
    r"https://colab\.research\.google\.com/github/[^/\s]+/[^/\s]+/blob/[^/\s]+/([^\s)\"]+\.ipynb)"
)
SETUP_ADDRESS = re.compile(r'("TUTORIAL_REPOSITORY", ")[^"]*(")')
CITED_ADDRESS = re.compile(r'^(repository-code: ")[^"]*(")', re.MULTILINE)
CLONE_ADDRESS = re.compile(r"(git clone [^\n]*?)https://\S+")
PAGES = ("README.md", "CONTRIBUTING.md", "CITATION.cff")  # beside the notebooks, these name the address


class NotebookError(Exception):
    """What is wrong with a notebook, told to its author in a line or two."""


def chapters(root: Path = ROOT) -> list[Path]:
    """Return the chapters in reading order: `notebooks/NN_name.ipynb`."""
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def all_notebooks(root: Path = ROOT) -> list[Path]:
    """Return every notebook of the repository: the chapters, their solutions and the template."""
    found = (root / "notebooks").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def settings(root: Path = ROOT) -> dict[str, str]:
    """Return `[tool.tutorial]` of pyproject.toml: the `repository`'s address and its `branch`."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["tutorial"]


def with_address(text: str, notebook: str | None = None, root: Path = ROOT) -> str:
    """Return text whose addresses (badge, Setup cell, `git clone`, citation) are those of pyproject.toml.

    Args:
        text: a cell's source, or a Markdown file.
        notebook: path of the notebook inside the repository; None leaves each badge's own path as it is.
    """
    repository, branch = settings(root)["repository"], settings(root)["branch"]
    colab = repository.replace("https://github.com/", "https://colab.research.google.com/github/")
    text = BADGE.sub(lambda badge: f"{colab}/blob/{branch}/{notebook or badge[1]}", text)
    text = CITED_ADDRESS.sub(rf"\g<1>{repository}\g<2>", text)
    text = SETUP_ADDRESS.sub(rf"\g<1>{repository}\g<2>", text)
    return CLONE_ADDRESS.sub(rf"\g<1>{repository}", text)


def stamp(write: bool = True, root: Path = ROOT) -> list[Path]:
    """Write the repository's address into every notebook and page; return the files that lacked it."""
    changed = []
    for path in all_notebooks(root):
        notebook = nbformat.read(path, as_version=4)
        before = [cell.source for cell in notebook.cells]
        for cell in notebook.cells:
            cell.source = with_address(cell.source, path.relative_to(root).as_posix(), root)
        if before != [cell.source for cell in notebook.cells]:
            changed.append(path)
            if write:
                write_text(path, nbformat.writes(notebook) + "\n")
    for path in (root / name for name in PAGES if (root / name).exists()):
        text = path.read_text(encoding="utf-8")
        if with_address(text, root=root) != text:
            changed.append(path)
            if write:
                write_text(path, with_address(text, root=root))
    return changed


def new(name: str, title: str, root: Path = ROOT) -> list[Path]:
    """Copy the template as a new chapter `notebooks/NAME.ipynb` and its solutions; return both paths.

    Raises:
        NotebookError: if the name is not like 08_look_inside, or such a chapter exists.
    """
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise NotebookError(f"{name!r} is no chapter's name: give two digits and words, like 08_look_inside.")
    folder = root / "notebooks"
    targets = {"chapter": folder / f"{name}.ipynb", "solution": folder / "solutions" / f"{name}.ipynb"}
    for path in targets.values():
        if path.exists():
            raise NotebookError(f"{path} exists already: choose another name.")
    for part, path in targets.items():
        notebook = nbformat.read(folder / "template" / f"{part}.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            cell.source = cell.source.replace("A chapter's title", title)
            cell.source = cell.source.replace("](solution.ipynb)", f"](solutions/{name}.ipynb)")
            cell.source = cell.source.replace("](chapter.ipynb)", f"](../{name}.ipynb)")
            cell.source = with_address(cell.source, path.relative_to(root).as_posix(), root)
        write_text(path, nbformat.writes(notebook) + "\n")
    return list(targets.values())


def write_text(path: Path, text: str) -> None:
    """Write a file beside and rename it, so that no reader ever sees half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)
