"""Rules on what is stored: as one clean run left it, and nothing of the machine it ran on."""

import re

from tests.notebooks.contract.book import Book, Problems, output_text, rule
from tools.store import METADATA, WIDGET, kept

MAX_BYTES = 700_000  # GitHub still shows such a file, and a clone stays small
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<~-])/(?:[\w.-]+/)+[\w.-]+|\b[A-Za-z]:\\[\w.-]+\\")
ADDRESS_IN_MEMORY = re.compile(r"\b0x[0-9a-fA-F]{6,}")
HOME = re.compile(r"(?<![\w.])/(?:home|Users|root|tmp|work|content)/\w|\b[A-Z]:\\Users\\")


@rule()
def executed_in_order(book: Book) -> Problems:
    """Every code cell was executed, from top to bottom: the counts are 1, 2, 3, ..."""
    for expected, (number, cell) in enumerate(book.cells("code"), 1):
        if cell.execution_count != expected:
            yield number, f"the count is {cell.execution_count}, expected {expected}"
            return  # the later ones can only be wrong, too


@rule()
def clean_outputs(book: Book) -> Problems:
    """No output is an error, a warning, anything else on stderr, or what a progress bar or widget left."""
    for number, output in book.outputs():
        if output.output_type == "error" or output.get("name") == "stderr":
            yield number, f"an error, or written to stderr: {output.get('ename') or output.text[:80]!r}"
        if WIDGET in output.get("data", {}) or re.search(r"\d+%\||\r", output_text(output)):
            yield number, "a progress bar or a widget is stored"


@rule()
def nothing_of_this_machine(book: Book) -> Problems:
    """No output shows an absolute path or an address in memory, no cell names a home folder."""
    for number, output in book.outputs():
        for pattern in (ABSOLUTE_PATH, ADDRESS_IN_MEMORY):
            if match := pattern.search(output_text(output)):
                yield number, f"shows {match.group()!r}"
    for number, cell in book.cells():
        if match := HOME.search(cell.source):
            yield number, f"names {match.group()!r}"


@rule()
def normal_metadata(book: Book) -> Problems:
    """Metadata says Python 3 and nothing else; a cell may have tags, and be folded away for all readers."""
    if book.notebook.metadata != METADATA:
        yield None, "the notebook's metadata differ from what `python -m tools.store` leaves"
    for number, cell in book.cells():
        if cell.metadata != kept(cell.metadata):
            yield number, f"metadata {dict(cell.metadata)}, expected {dict(kept(cell.metadata))}"


@rule()
def cell_ids(book: Book) -> Problems:
    """Every cell has an id of its own (notebook format 4.5)."""
    ids = {cell.get("id") for _, cell in book.cells()}
    if book.notebook.nbformat_minor < 5 or None in ids or len(ids) < len(book.cells()):
        yield None, "a cell without an id, or two with the same"


@rule()
def small_file(book: Book) -> Problems:
    """The file takes at most 700 KB."""
    if book.size > MAX_BYTES:
        yield None, f"{book.size:,} bytes"
