"""The glossary says what the chapters say, and only that."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.internal.files import ROOT
from tools import glossary

FIRST = """## Why a **batch**

A **tensor** is a block of numbers, see [the data](../data/README.md). Its **rank** says in how many
directions it extends. A **batch** is as many of them as one step of training looks at.

| **Origin** | a table |

- the **loss** ([A. and B. 1999](https://example.org)): what learning makes small

```python
a = "**code**"
```"""
SECOND = """One looks at few images at a time. The rest waits until they are needed. That is a **batch**.

**Pooling** does so too. It keeps the largest of four values. Nothing else.

**Needs:** nothing. What lies here is longer than that and can stand **alone**! "Why?" `x` knows."""


@pytest.fixture
def root(tmp_path):
    """Two chapters: contract, text, code, exercises."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, text in (("01_a", FIRST), ("02_b", SECOND)):
        texts = ("# A title\n\n**You will learn** much", text, "## Exercises\n\n**1.** What is a **kernel**?")
        cells = [new_markdown_cell(text) for text in texts]
        nbformat.write(new_notebook(cells=[*cells, new_code_cell("# **no term**")]), folder / f"{name}.ipynb")
    return tmp_path


@pytest.fixture
def words(root):
    """Term to the words that introduce it."""
    return {entry.term: entry.words for entry in glossary.entries(root)}


def test_the_glossary_is_that_of_the_chapters():
    stored = (ROOT / glossary.PAGE).read_text(encoding="utf-8")
    assert stored == glossary.page(), "out of date: make glossary"


def test_contract_tables_code_labels_and_exercises_hold_no_terms(words):
    assert list(words) == ["alone", "batch", "loss", "Pooling", "rank", "tensor"]


def test_a_sentence_that_stands_alone_is_taken_alone(words):
    assert words["tensor"] == "A tensor is a block of numbers, see [the data](../data/README.md)."
    assert words["alone"] == "What lies here is longer than that and can stand alone!"


def test_a_list_item_is_a_paragraph_and_keeps_its_source(words):
    assert words["loss"] == "the loss ([A. and B. 1999](https://example.org)): what learning makes small"


def test_a_sentence_that_points_back_brings_the_one_before(words):
    assert words["rank"].startswith("A tensor is a block")
    assert words["rank"].endswith("Its rank says in how many directions it extends.")


def test_a_short_sentence_on_the_term_brings_the_one_after(words):
    assert words["Pooling"] == "Pooling does so too. It keeps the largest of four values."


def test_the_page_has_each_term_once_with_a_link_to_the_chapter_that_introduces_it(root):
    page = glossary.page(root)
    assert "\n## T\n\n- **Tensor**: A tensor is" in page
    assert "*[Chapter 01](01_a.ipynb), Why a batch*" in page
    assert page.count("- **Batch**") == 1
    assert "The rest waits" not in page
