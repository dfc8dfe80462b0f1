"""Print each notebook's figures, and what it violates: `python -m tests.notebooks.contract`."""

import sys

import numpy as np

from tests.notebooks.contract import Book, read, violations
from tests.notebooks.contract.code import lengths
from tests.notebooks.contract.text import pictures, words
from tools.store import all_notebooks


def figures(book: Book) -> str:
    """Return one line on a notebook: cells, lines, words, pictures, size."""
    lines = np.percentile(lengths(book), [50, 90, 100])
    text = np.percentile([words(source) for _, source in book.prose()], [50, 90])
    alts = [alt for _, output in book.outputs() for _, alt in pictures(output)]
    return (
        f"{book.path.relative_to(book.root / 'notebooks')!s:36} {len(lengths(book)):5} "
        f"{lines[0]:6g} {lines[1]:4.3g} {lines[2]:4g} {text[0]:6.3g} {text[1]:4.3g} "
        f"{len(alts):8} {sum(map(bool, alts)):4} {book.size / 1000:6.0f}"
    )


def main() -> int:
    """Print all; return 1 if anything is violated."""
    print(f"{'':36}  code  lines per cell  words/cell   figures        size")
    print(f"{'notebook':36} cells    50%  90%  max    50%  90%      all  alt     KB")
    books = [read(path) for path in all_notebooks()]
    for book in books:
        print(figures(book))
    problems = [problem for book in books for problem in violations(book)]
    print(*problems, sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
