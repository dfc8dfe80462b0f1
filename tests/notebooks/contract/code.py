"""Rules on the code cells: how long, how many, and what they must not hold."""

import ast
import re
from functools import cache
from pathlib import Path

import numpy as np

from tests.notebooks.contract.book import Book, Problems, rule

LONGEST, P90, MOST_CELLS, WIDEST = 25, 15, 30, 88
# What stands in a chapter, in cells that are not folded away, as a reader can type it elsewhere.
CALLS = {
    "02_baseline_cnn": "Sequential summary compile fit evaluate predict",
    "04_dropout_and_weight_decay": "Dropout L2 AdamW EarlyStopping fit",
    "05_data_augmentation": "RandomFlip RandomTranslation map fit",
    "06_batch_normalization": "Conv2D BatchNormalization ReLU summary",
    "08_save_load_predict": "save load_model predict softmax image_dataset_from_directory fit",
    "09_look_inside": "train confusion_matrix fit_temperature roc_auc_score GradientTape",
}
DEFINES = {
    "03_test_harness": "train_once",
    "05_data_augmentation": "random_flip random_shift",
    "06_batch_normalization": "normalize_batch",
    "07_fast_training": "fast_net fast_block orthogonalize",
    "09_look_inside": "bootstrap_interval occlusion_map grad_cam corrupt",
}
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
    """At most 30 code cells; the 90th percentile, Setup apart, has at most 15 lines."""
    found = list(lengths(book).values())[1:]
    p90 = np.percentile(found, 90)
    if len(found) >= MOST_CELLS or p90 > P90:
        yield None, f"{len(found) + 1} code cells, 90th percentile {p90:g} lines"


@rule()
def short_lines(book: Book) -> Problems:
    """No line of code has more than 88 characters."""
    for number, cell in book.cells("code"):
        if widest := [line for line in cell.source.splitlines() if len(line) > WIDEST]:
            yield number, f"{len(widest)} lines are longer, such as {widest[0]!r}"


@rule()
def folded_cells_have_a_title(book: Book) -> Problems:
    """A cell that is folded away begins with "# @title" and what it does, which Colab shows in its place."""
    for number, cell in book.cells("code"):
        if bool(cell.metadata.get("cellView")) != cell.source.startswith("# @title "):
            yield number, "folded without a title, or a title without being folded"


@rule("chapter")
def taught_in_sight(book: Book) -> Problems:
    """What a chapter is about is called or defined in it, in cells that are not folded away."""
    folded = {number for number, cell in book.cells("code") if cell.metadata.get("cellView")}
    nodes = [node for number, tree in book.trees() if number not in folded for node in ast.walk(tree)]
    calls = {getattr(n.func, "attr", getattr(n.func, "id", "")) for n in nodes if isinstance(n, ast.Call)}
    defined = {node.name for node in nodes if isinstance(node, DEFINITION)}
    for kind, table, found in (("calls", CALLS, calls), ("defines", DEFINES, defined)):
        for name in sorted(set(table.get(book.path.stem, "").split()) - found):
            yield None, f"no cell {kind} {name}"


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
