"""A stored notebook as the website shows it."""

from types import SimpleNamespace

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.internal.files import ROOT
from tools.address import address
from tools.pages import adapt

SITE = SimpleNamespace(srcdir=ROOT)


def page(*cells, name="notebooks/04_a", title="# A title"):
    """Return the cells that stand on the page of a chapter with these cells."""
    source = [nbformat.writes(new_notebook(cells=[new_markdown_cell(title), *cells]))]
    adapt(SITE, name, source)
    return nbformat.reads(source[0], as_version=4).cells


def test_the_title_has_its_number_and_the_badge_is_a_link():
    cell = page(name="notebooks/A1_a", title="# A\n\n[![Open](https://b/c.svg)](https://d)")[0]
    assert cell.source == "# A1 A\n\n[Open](https://d)"


def test_a_term_of_an_earlier_chapter_is_linked_once_in_the_prose_and_nowhere_else():
    text = (
        "## Batch\n\n`batch` **batch** [batch](https://a)\n\n| batch |\n\nTwo rebatches, 3 tensors, a batch, "
    )
    text += "another batch, dropout."
    cell = page(new_markdown_cell(text))[1].source
    assert cell.startswith(text.partition("Two")[0])
    assert cell.count("glossary.md#") == 2
    assert '3 [tensors](glossary.md#tensor "A tensor is' in cell
    assert ', a [batch](glossary.md#batch "A batch is a stack' in cell
    assert cell.endswith(", another batch, dropout."), "chapter 04 introduces it"


def test_what_is_stored_folded_is_so_and_exercises_stand_without_an_answer():
    said = new_output("stream", text="Not answered yet: put your answer")
    table = new_output("display_data", {"text/html": "<style scoped>\na</style><table></table>"})
    exercise = new_code_cell('a = ...\ncheck("04.1", a);', outputs=[said])
    _, drawing, plain, exercise = page(
        new_code_cell("# @title Draw it\nx = 1"), new_code_cell("x", outputs=[table]), exercise
    )
    assert drawing.metadata == {"tags": ["hide-input"], "mystnb": {"code_prompt_show": "Draw it"}}
    assert plain.metadata == {}
    assert plain.outputs[0].data == {"text/html": "<table></table>"}
    assert exercise.metadata["tags"] == ["hide-input"]
    assert exercise.outputs == []
    assert page(new_code_cell("x"), name="notebooks/solutions/04_a")[1].metadata["tags"] == ["hide-input"]


def test_a_link_to_what_is_no_page_leads_to_the_repository():
    source = ["[a](../README.md#b) [c](../helpers) [d](#e) [f](https://g)"]
    adapt(SITE, "docs/setup", source)
    assert source == [
        f"[a](../README.md#b) [c](https://github.com/{address()}/blob/main/helpers) [d](#e) [f](https://g)"
    ]
