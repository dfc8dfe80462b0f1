"""The finder of dead links sees what is dead, and nothing else."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.notebooks.contract.links import dead_links

PAGE = "# A page: what it holds\n\n## The `first` part, and [more](https://example.org)\n"
PAGE += "\n```sh\n# no heading\n```\n"
GOOD = ["[a](book.ipynb)", "[a](book.ipynb#How%3F)", "[a](a%20file.txt)", "[a](#a-page-what-it-holds)"]
GOOD += ["[a](https://example.org/#x)", '<img src="data:image/png;base64,AA">', "`[a](x.md)`"]
GOOD += ["```\n[a](x.md)\n```", "[a](#the-first-part-and-more)", "[a](book.ipynb#Two-small-parts)"]
DEAD = ["[a](gone.md)", '<img src="gone.png">', "[`a`](gone.md)", "![a](gone.png)", "[a](#gone)"]
DEAD += ["[a](book.ipynb#Gone)", "[a](a%20file.txt#words)", "[a](#no-heading)", "[a](book.ipynb#no-heading)"]


@pytest.fixture
def page(tmp_path):
    """A page beside a notebook and a file; returns its path."""
    cells = [new_markdown_cell("# How?\n\n## Two *small* parts"), new_code_cell("## no heading")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "book.ipynb")
    (tmp_path / "a file.txt").write_text("words")
    (tmp_path / "page.md").write_text(PAGE)
    return tmp_path / "page.md"


def test_good_links_pass_and_each_dead_one_is_found(page):
    assert dead_links(page, "\n".join(GOOD)) == []
    assert [link for link in DEAD if len(dead_links(page, link)) != 1] == []
