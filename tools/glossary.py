"""The glossary: each term in bold, in the words of the chapter that introduces it.

`python -m tools.glossary` writes notebooks/glossary.md from the chapters; nothing in it is typed by hand.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import nbformat

from helpers.internal.files import ROOT, write_text
from tools.store import chapters

PAGE = "notebooks/glossary.md"  # beside the chapters, so that a link in their words leads where it did
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
BOLD = re.compile(r"\*\*(.+?)\*\*")
LABEL = re.compile(r"\d.*|.*[.:?]")  # "**1.**" and "**Needs:**" are no terms
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.) +")
SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\")]))\s+(?=[\"(\[*]*[A-Z`])")
SOURCE = re.compile(r" \(\[[^]]*\]\([^)]*\)\)")
POINTS_BACK = re.compile(
    r"^(?:It|Its|They|Their|This|That|These|Those|There|So|Both)\b|^\(|\b(?:[Ss]uch|them|call(?:ed)? this)\b"
)
SHORT = 9  # words: a sentence of fewer seldom stands alone
HEAD = """# Glossary

The terms of the series, each in the words of the chapter that introduces it.
`python -m tools.glossary` writes this page from the chapters, so change the chapter and not the page.
"""


class Entry(NamedTuple):
    """A term, the Markdown that introduces it, the chapter's file name, and the heading it stands under."""

    term: str
    words: str
    chapter: str
    section: str


def paragraphs(source: str) -> Iterator[str]:
    """Yield the headings, list items and paragraphs of a text cell, a line each; no code and no tables."""
    lines = []
    for line in [*FENCE.sub("", source).splitlines(), ""]:
        if lines and (not line.strip() or line.startswith(("#", "|")) or ITEM.match(line)):
            yield " ".join(lines)
            lines = []
        if line.startswith("#"):
            yield line
        elif line.strip() and not line.startswith("|"):
            lines.append(ITEM.sub("", line, count=1).strip())


def introduced(path: Path) -> Iterator[Entry]:
    """Yield what a chapter sets in bold between its first cell, which is its contract, and its exercises."""
    section = ""
    for cell in nbformat.read(path, as_version=4).cells[1:]:
        for text in paragraphs(cell.source) if cell.cell_type == "markdown" else ():
            if text.startswith("#"):
                section = BOLD.sub(r"\1", text).strip("# ")
                if section == "Exercises":
                    return
                continue
            sentences = SENTENCE_END.split(text)
            for place, sentence in enumerate(sentences):
                for term in BOLD.findall(sentence):
                    if not LABEL.fullmatch(term):
                        yield Entry(term, in_context(sentences, place, term), path.name, section)


def in_context(sentences: list[str], place: int, term: str) -> str:
    """Return the sentence at `place`, with a neighbour where it does not stand alone, and nothing in bold."""
    bare = [SOURCE.sub("", BOLD.sub(r"\1", sentence)) for sentence in sentences]
    short = len(bare[place].split()) < SHORT
    first = last = place
    if short and (place == 0 or bare[place].startswith(term)):  # "Pooling does so, too." What it does follows
        last += 1
    elif short:
        first -= 1
    while first and POINTS_BACK.search(bare[first]):
        first -= 1
    return BOLD.sub(r"\1", " ".join(sentences[first : last + 1]))


def entries(root: Path = ROOT) -> list[Entry]:
    """Return each term's first introduction, sorted by term."""
    first = {}
    for path in chapters(root):
        for entry in introduced(path):
            first.setdefault(entry.term.casefold(), entry)
    return [first[term] for term in sorted(first)]


def page(root: Path = ROOT) -> str:
    """Return the glossary as Markdown."""
    parts = [HEAD]
    for letter, group in groupby(entries(root), lambda entry: entry.term[0].upper()):
        parts.append(f"\n## {letter}\n\n")
        for term, words, chapter, section in group:
            name = term[0].upper() + term[1:]
            parts.append(f"- **{name}**: {words} *[Chapter {chapter[:2]}]({chapter}), {section}*\n")
    return "".join(parts)


if __name__ == "__main__":
    write_text(ROOT / PAGE, page())
