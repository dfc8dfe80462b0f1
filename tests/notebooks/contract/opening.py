"""Rules on how a notebook opens and ends, and on its links."""

import ast
import re
from itertools import pairwise

from nbformat import NotebookNode

from tests.notebooks.contract.book import Book, Problems, read, rule
from tests.notebooks.contract.links import dead_links
from tools.address import address
from tools.store import FOLDED, chapters

IMPORT = ast.Import | ast.ImportFrom
BADGE_PICTURE = "](https://colab.research.google.com/assets/colab-badge.svg)]("
COLAB = "https://colab.research.google.com/github/{}/blob/main/{}"


@rule()
def colab_badge(book: Book) -> Problems:
    """The first cell has the Colab badge, and it leads to this very notebook."""
    target = COLAB.format(address(book.root), book.path.relative_to(book.root).as_posix())
    if f"{BADGE_PICTURE}{target})" not in book.notebook.cells[0].source:
        yield 1, f"no badge that leads to {target}"


@rule("chapter")
def opening_contract(book: Book) -> Problems:
    """The first cell says what one will learn (3 to 5 points), what it needs and how long it takes."""
    source = book.notebook.cells[0].source
    points = re.findall(r"^[-*] ", source.partition("You will learn")[2], re.MULTILINE)
    if not 3 <= len(points) <= 5:
        yield 1, f'"You will learn" lists {len(points)} points'
    if not re.search(r"\bneeds?\b", source, re.IGNORECASE):
        yield 1, "does not say what it needs"
    if not re.search(r"\b(minute|second)s?\b", source):
        yield 1, "does not say how long it takes"


@rule()
def setup_first(book: Book) -> Problems:
    """The second cell is the template's Setup cell, folded away."""
    template = read(book.root / "notebooks/template/chapter.ipynb", book.root).cells("code")[0][1]
    number, setup = book.cells("code")[0]
    if number != 2 or setup.source != template.source or setup.metadata != FOLDED:
        yield number, "differs from the template's Setup cell, is not folded, or not the second (make setup)"


@rule()
def imports_second(book: Book) -> Problems:
    """The third cell holds the notebook's other imports, and nothing else; no later cell imports anything."""
    for number, tree in book.trees()[1:]:
        if number == 3 and not all(isinstance(node, IMPORT) for node in tree.body):
            yield number, "holds something else than imports"
        if number != 3 and any(isinstance(node, IMPORT) for node in ast.walk(tree)):
            yield number, "imports something: move it to the third cell"


@rule("chapter")
def ending(book: Book) -> Problems:
    """Ends with "What we know now" (3 to 5 lines, typed or printed by a cell) and then "Exercises"."""
    said = dict(book.prose())
    for number, output in book.outputs():
        said[number] = said.get(number, "") + "\n" + output.get("data", {}).get("text/markdown", "")
    text = "\n".join(said[number] for number in sorted(said))
    found = re.search(r"^##+ What we know now *\n(.*?)^##+ Exercises", text, re.MULTILINE | re.DOTALL)
    known = found[1] if found else ""
    points = re.findall(r"^[-*] ", known, re.MULTILINE) or re.findall(r"[.!?](?:\s|$)", known)
    if not 3 <= len(points) <= 5:
        yield None, f'"What we know now", before "Exercises", has {len(points)} points or sentences'


def exercises(book: Book) -> list[tuple[int, NotebookNode]]:
    """Return the code cells that check an answer, with their numbers."""
    return [(number, cell) for number, cell in book.cells("code") if re.search(r"\bcheck\(", cell.source)]


@rule("chapter")
def exercises_check_themselves(book: Book) -> Problems:
    """3 to 5 exercises, each a code cell with an unanswered `...` and a check by its number."""
    found = exercises(book)
    if not 3 <= len(found) <= 5:
        yield None, f"{len(found)} exercises with a check"
    chapter = "00" if book.path.parent.name == "template" else book.path.name[:2]
    for place, (number, cell) in enumerate(found, 1):
        if "..." not in cell.source:
            yield number, "the exercise is answered, or does not say with ... where the answer goes"
        if not re.search(rf'^check\("{chapter}\.{place}", \w+\);$', cell.source, re.MULTILINE):
            yield number, f'no line like check("{chapter}.{place}", answer);'


@rule("solution")
def solutions_are_complete(book: Book) -> Problems:
    """A solution answers every exercise of its chapter, and its checks said "Right."."""
    asked = len(exercises(read(book.path.parent / book.partner, book.root)))
    if len(exercises(book)) != asked:
        yield None, f"{len(exercises(book))} answers to {asked} exercises"
    for number, cell in exercises(book):
        said = "".join(output.get("text", "") for output in cell.outputs)
        if "Right." not in said or "Not " in said:
            yield number, f"the check said {said.strip()!r}"


@rule()
def links_to_its_neighbours(book: Book) -> Problems:
    """A chapter links to its solutions and, at its end, to the next one; solutions link to the chapter."""
    if book.partner not in {target for _, target in book.links()}:
        yield None, f"no link to {book.partner}"
    end = len(book.notebook.cells)
    last = {target for number, target in book.links() if number >= end - 1}
    following = dict(pairwise(path.name for path in chapters(book.root))).get(book.path.name)
    if book.kind == "chapter" and following and following not in last:
        yield end, f"no link to the next chapter, {following}, at the end"


@rule()
def local_links_resolve(book: Book) -> Problems:
    """Every link to a file of the repository leads to one, and every #part of a link to a heading."""
    for number, source in book.prose():
        for problem in dead_links(book.path, source):
            yield number, problem
