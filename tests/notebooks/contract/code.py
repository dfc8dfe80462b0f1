"""Rules on the code cells: how long, how many, and what they must not hold."""

import ast
import re
from functools import cache
from pathlib import Path

import numpy as np

from tests.notebooks.contract.book import Book, Problems, rule

LONGEST, MEDIAN, P90, MOST_CELLS = 25, 6, 15, 40
FOREIGN = re.compile(r"^# ?%%|^# In ?\[|^#.*\bNBVAL_|get_ipython\(", re.MULTILINE)
TESTING = re.compile(r"TUTORIAL_PROFILE|\bsmoke\b", re.IGNORECASE)
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def lengths(book: Book) -> dict[int, int]:
    """Return how many lines each code cell has, blank ones left out, by the number of the cell."""
    lines = {number: cell.source.splitlines() for number, cell in book.cells("code")}
    return {number: sum(bool(line.strip()) for line in found) for number, found in lines.items()}


@rule()
def no_long_code_cell(book: Book) -> Problems:
    """No code cell has more than 25 lines."""
    for number, length in lengths(book).items():
        if length > LONGEST:
            yield number, f"{length} lines of code"


@rule("chapter")
def short_code_cells(book: Book) -> Problems:
    """At most 40 code cells; the median one has at most 6 lines, the 90th percentile at most 15."""
    found = list(lengths(book).values())
    median, p90 = np.percentile(found, [50, 90])
    if len(found) > MOST_CELLS or median > MEDIAN or p90 > P90:
        yield None, f"{len(found)} code cells: median {median:g} lines, 90th percentile {p90:g}"


@rule()
def words_between(book: Book) -> Problems:
    """At most two code cells in a row without a word between them."""
    kinds = [cell.cell_type for cell in book.notebook.cells]
    for number in range(3, len(kinds) + 1):
        if kinds[number - 3 : number] == ["code"] * 3:
            yield number, "the third code cell in a row"


@rule()
def no_test_machinery(book: Book) -> Problems:
    """No cell mentions the profile that the tests run under."""
    for number, cell in book.cells():
        if TESTING.search(cell.source) or (cell.cell_type == "code" and "profile(" in cell.source):
            yield number, "mentions what is for the tests"


@rule()
def plain_python(book: Book) -> Problems:
    """Every code cell is Python as it stands, without magics or traces of tools; no cell is empty."""
    python = {number for number, _ in book.trees()}
    for number, cell in book.cells():
        if not cell.source.strip():
            yield number, "is empty"
        if cell.cell_type == "code" and (number not in python or FOREIGN.search(cell.source)):
            yield number, "a syntax error, or a trace of another tool"


@rule()
def teach_once(book: Book) -> Problems:
    """A function or class that `helpers` has too is defined here in the same words (docstrings apart)."""
    shared = definitions(book.root / "helpers")
    for number, tree in book.trees():
        for node in tree.body:
            if isinstance(node, DEFINITION) and meaning(node) not in shared.get(node.name, [meaning(node)]):
                yield number, f"{node.name} differs from the one in helpers"


@cache
def definitions(folder: Path) -> dict[str, list[str]]:
    """Return the public functions and classes of a folder's modules: name, and what each definition says."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, DEFINITION) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(meaning(node))
    return found


def meaning(definition: ast.AST) -> str:
    """Return a definition's syntax tree as text, without docstrings."""
    tree = ast.parse(ast.unparse(definition))
    for node in ast.walk(tree):
        if isinstance(node, DEFINITION) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
