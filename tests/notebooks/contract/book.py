"""A notebook as the contract's rules see it, and the register of the rules."""

import ast
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.internal.files import ROOT

Problems = Iterator[tuple[int | None, str]]  # number of the cell (from 1, text included) and what is wrong
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?[^)]*\)|(?:href|src)=[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Book:
    """A notebook, where it lies, and how many bytes it takes."""

    path: Path
    notebook: NotebookNode
    size: int
    root: Path = ROOT

    @property
    def kind(self) -> str:
        """Either "chapter" (the template too) or "solution"."""
        named = self.path.parent.name == "solutions" or self.path.stem == "solution"
        return "solution" if named else "chapter"

    @property
    def partner(self) -> str:
        """The link from a chapter to its solutions, or from these to the chapter."""
        if self.path.parent.name == "template":
            return {"chapter": "solution.ipynb", "solution": "chapter.ipynb"}[self.kind]
        return {"chapter": "solutions/", "solution": "../"}[self.kind] + self.path.name

    def cells(self, cell_type: str | None = None) -> list[tuple[int, NotebookNode]]:
        """Return the cells with their numbers: all, or those of one type ("code", "markdown")."""
        numbered = enumerate(self.notebook.cells, 1)
        return [(number, cell) for number, cell in numbered if cell_type in (None, cell.cell_type)]

    def prose(self) -> list[tuple[int, str]]:
        """Return the numbers and sources of the text cells, without what they quote as code blocks."""
        return [(number, FENCE.sub("", cell.source)) for number, cell in self.cells("markdown")]

    def headings(self) -> list[tuple[int, int, str]]:
        """Return (number of the cell, level, text) of every heading."""
        return [(n, len(found[1]), found[2]) for n, text in self.prose() for found in HEADING.finditer(text)]

    def links(self) -> list[tuple[int, str]]:
        """Return (number of the cell, target) of every link and picture in the text."""
        return [(number, target) for number, source in self.prose() for target in targets(source)]

    def trees(self) -> list[tuple[int, ast.Module]]:
        """Return the syntax tree of every code cell that is Python, with its number."""
        found = []
        for number, cell in self.cells("code"):
            with contextlib.suppress(SyntaxError):  # `valid_python` tells it
                found.append((number, ast.parse(cell.source)))
        return found

    def outputs(self) -> list[tuple[int, NotebookNode]]:
        """Return every output with the number of its cell."""
        return [(number, output) for number, cell in self.cells("code") for output in cell.outputs]


def output_text(output: NotebookNode) -> str:
    """Return all that a reader can read in an output, HTML included, pictures left out."""
    texts = [output.get("text", "")]
    texts += [str(text) for kind, text in output.get("data", {}).items() if not kind.startswith("image/")]
    return "\n".join(texts)


def targets(text: str) -> list[str]:
    """Return where the links and pictures of a text lead."""
    return [match[1] or match[2] for match in LINK.finditer(text)]


RULES: dict[str, Callable[[Book], Problems]] = {}


def rule(*kinds: str) -> Callable:
    """Register a function as a rule for these kinds of notebook, or all; its docstring is its `sentence`."""

    def register(find: Callable[[Book], Problems]) -> Callable[[Book], Problems]:
        find.kinds, find.sentence = kinds or ("chapter", "solution"), find.__doc__.strip()
        RULES[find.__name__] = find
        return find

    return register


def read(path: Path, root: Path = ROOT) -> Book:
    """Return the notebook of a file."""
    return Book(path, nbformat.read(path, as_version=4), path.stat().st_size, root)


def violations(book: Book, *names: str) -> list[str]:
    """Return what breaks these rules, or any rule: a line for each notebook, cell, fault and rule."""
    place, lines = book.path.relative_to(book.root / "notebooks").as_posix(), []
    for rule in [RULES[name] for name in names or RULES]:
        for number, problem in rule(book) if book.kind in rule.kinds else ():
            where = f"cell {number}" if number else "as a whole"
            lines.append(f"{place}, {where}: {problem} (rule: {rule.sentence})")
    return lines
