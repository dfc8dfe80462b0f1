"""Notebooks as pages of the website: a Sphinx extension, which docs/conf.py names."""

import os
import re
from functools import partial
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.internal.files import ROOT
from tools.address import address

GLOSSARY = ROOT / "notebooks" / "glossary.md"
ENTRY = re.compile(r"^### (.+)\n\n(.+) \*\[Chapter (\w\w)\]\((.+)\)\*$", re.MULTILINE)
ENTRIES = {term.casefold(): entry for term, *entry in ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))}
EVERYDAY = {"arms", "balanced", "folds", "freeze", "identity", "power", "rank", "run", "shape", "study"}
ALL = "|".join(sorted(ENTRIES.keys() - EVERYDAY, key=len, reverse=True))  # the longest one first
TERM = re.compile(rf"\b({ALL})s?\b", re.IGNORECASE)
NO_PROSE = re.compile(r"(```.*?```|^[#|].*?$|`[^`]*`|\*\*.*?\*\*|!?\[.*?\]\(.*?\))", re.DOTALL | re.MULTILINE)
STYLE = re.compile(r"<style scoped>.*?</style>", re.DOTALL)  # pandas writes it, and EPUB does not know it
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
HOME = f"https://github.com/{address()}"


def adapt(app, name: str, source: list[str]) -> None:
    """Put a page in the place of a notebook's text, and lead links to what is no page to the repository."""
    if found := re.match(r"notebooks/(solutions/)?(\w\w)_", name):
        notebook, (solution, number) = nbformat.reads(source[0], as_version=4), found.groups()
        title = re.sub(r"^# ", f"# {number} ", notebook.cells[0].source)
        notebook.cells[0].source = re.sub(r"\[!\[(.*?)\]\(.*?\)\]", r"[\1]", title)
        fold(notebook.cells, bool(solution))
        link_terms(notebook.cells, number, "../glossary.md" if solution else "glossary.md")
        source[0] = nbformat.writes(notebook)
    else:
        source[0] = LINK.sub(partial(at_home, Path(app.srcdir), name), source[0])


def at_home(book: Path, name: str, found: re.Match) -> str:
    """Return a link of a page; one to what is no page of the site leads to the repository."""
    target = (book / name).parent / found[1]
    if target.is_file():
        return found[0]
    return f"]({HOME}/blob/main/{os.path.relpath(target, book)}"


def fold(cells: list[NotebookNode], solution: bool) -> None:
    """Fold, in place, what is stored so, solutions, and exercises, which nobody can answer on a page."""
    for cell in cells:
        for output in (out for out in cell.get("outputs", []) if "text/html" in out.get("data", {})):
            output.data["text/html"] = STYLE.sub("", output.data["text/html"])
        title = re.match(r"# @title (.*)", cell.source)
        if cell.cell_type == "code" and (title or solution or "\ncheck(" in cell.source):
            shown = {"code_prompt_show": title[1] if title else "A solution" if solution else "To fill in"}
            cell.metadata = nbformat.from_dict({"tags": ["hide-input"], "mystnb": shown})
            cell.outputs = [out for out in cell.outputs if "Not answered yet" not in out.get("text", "")]


def link_terms(cells: list[NotebookNode], number: str, page: str) -> None:
    """Link, in place, each term of an earlier chapter to the glossary where the prose first names it."""
    seen = {term for term, (_, chapter, _) in ENTRIES.items() if chapter >= number}

    def linked(found: re.Match) -> str:
        word, term = found[0], found[1].casefold()
        if term in seen:
            return word
        seen.add(term)
        told = re.sub(r"[`*[]|\]\([^)]*\)", "", ENTRIES[term][0])
        return f'[{word}]({page}#{re.sub(r"[^a-z0-9]+", "-", term)} "{told}")'

    for cell in (cell for cell in cells if cell.cell_type == "markdown"):
        pieces = NO_PROSE.split(cell.source)
        pieces[::2] = [TERM.sub(linked, piece) for piece in pieces[::2]]
        cell.source = "".join(pieces)


def setup(app) -> None:
    """Have Sphinx read each page as `adapt` leaves it."""
    app.connect("source-read", adapt)
