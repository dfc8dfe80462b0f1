"""The glossary has an entry, which makes sense alone, for each term that a chapter sets in bold."""

import re

import nbformat

from tests.notebooks.contract.book import FENCE
from tools.pages import ENTRY, GLOSSARY
from tools.store import chapters

BOLD = re.compile(r"\*\*(.+?)\*\*")
LABEL = re.compile(r"\d.*|.*[.:?]")  # "**1.**" and "**Needs:**" are no terms
PAGE = GLOSSARY.read_text(encoding="utf-8")


def terms(cells):
    """Return what text cells set in bold before the exercises: no code, tables or headings."""
    texts = [FENCE.sub("", cell.source) for cell in cells if cell.cell_type == "markdown"]
    text = "\n".join(texts).partition("\n## Exercises")[0]
    prose = "\n".join(line for line in text.splitlines() if not line.startswith(("|", "#")))
    return [term.casefold() for term in BOLD.findall(prose) if not LABEL.fullmatch(term)]


def test_every_term_of_the_chapters_has_an_entry_that_leads_to_the_first_that_names_it_and_no_other_has():
    introduced = {}
    for path in chapters():
        for term in terms(nbformat.read(path, as_version=4).cells[1:]):  # the first cell is the contract
            introduced.setdefault(term, (path.name[:2], path.name))
    assert {term.casefold(): place for term, _, *place in ENTRY.findall(PAGE)} == {
        term: list(place) for term, place in introduced.items()
    }


def test_entries_are_in_order_below_their_letter_and_start_with_their_term():
    names = [term for term, *_ in ENTRY.findall(PAGE)]
    assert re.findall(r"^### (.+)", PAGE, re.MULTILINE) == names, "an entry in another form"
    assert names == sorted(names, key=str.casefold)
    letters = re.findall(r"^## (.)$", PAGE, re.MULTILINE)
    assert letters == list(dict.fromkeys(name[0].upper() for name in names))
    for term, words, *_ in ENTRY.findall(PAGE):
        assert re.match(rf"(The |An? |To )?{re.escape(term)}\b", words, re.IGNORECASE), words
