"""The chapters in JupyterLab, as a reader meets them: opened, looked at in both themes, and one run."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.clients.browser.lab import look_at, opened, told, write_notebook
from tools.store import chapters

pytestmark = pytest.mark.browser

DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # one transparent pixel
SIGHT = (
    "from ipywidgets import IntSlider\nfrom IPython.display import HTML, display\nfrom tqdm.auto import tqdm",
    "for _ in tqdm(range(3)):\n    pass",
    "bar = tqdm(total=3)\nbar.update()",
    f"display(IntSlider(), HTML('<img src=\"data:image/gif;base64,{DOT}\">'))",
    "display(HTML('<p style=\"color: #222\">dark ink</p>'))",
    "import sys, urllib.request\nprint('careful', file=sys.stderr)",
    "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'none', 'version_major': 2, "
    "'version_minor': 0}}, raw=True)",
    "try:\n    urllib.request.urlopen('http://example.org/data')\nexcept OSError:\n    pass",
    "1 / 0",
    "'never reached'",
)


@pytest.fixture
def look(browser, server, outside, screenshots):
    """A function that opens a notebook, runs it if asked to, and returns what was shown and asked for."""

    def look(path, run=False):
        pictures, before = screenshots / path.replace("/", "-").removesuffix(".ipynb"), len(outside.asked)
        with opened(browser, server, path, outside, pictures, run) as page:
            return look_at(page, pictures) | {"asked": outside.asked[before:]}

    return look


def test_what_the_tests_look_for_is_seen(look, copy):
    markdown = new_markdown_cell("# Toy\n\n![gone](https://example.org/gone.png)")
    write_notebook(copy / "toy.ipynb", [markdown] + [new_code_cell(text) for text in SIGHT])
    shown = look("toy.ipynb", run=True)
    assert shown["counts"] == [*range(1, 10), None]
    assert told(shown, "error") == ["code cell 9: division by zero"]
    assert "code cell 6: careful" in told(shown, "stderr")
    assert shown["bars"] == [{"full": True, "failed": False}, {"full": False, "failed": False}]
    assert [widget["drawn"] for widget in shown["widgets"]] == [True, True, True, False]
    pictures = [(p["output"], p["width"], p["solid"]) for p in shown["pictures"]["Dark"]]
    assert pictures == [(False, 0, True), (True, 1, False)]
    assert shown["faint"] == {"Light": [], "Dark": ["dark ink"]}
    assert {"https://example.org/gone.png", "GET http://example.org/data"} <= set(shown["asked"])


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_a_chapter_can_be_read_in_both_themes(look, path):
    check_sight(look(f"notebooks/{path.name}"))


def test_a_chapter_with_every_kind_of_output_runs(look):
    shown = look("notebooks/08_save_load_predict.ipynb", run=True)
    check_sight(shown)
    assert told(shown, "error") == []
    assert shown["counts"] == list(range(1, len(shown["counts"]) + 1))
    assert [line for line in told(shown, "stderr") if "%|" not in line] == []
    assert [bar for bar in shown["bars"] if bar["failed"] or not bar["full"]] == []
    assert shown["widgets"]
    assert [widget["text"] for widget in shown["widgets"] if not widget["drawn"]] == []


def check_sight(shown):
    """Assert that pictures can be seen and bring their own ground, texts be read, and nothing is fetched."""
    for pictures in shown["pictures"].values():
        assert [p for p in pictures if not (p["width"] and p["visible"] and p["solid"])] == []
        assert any(p["output"] for p in pictures)
        assert [p for p in pictures if not (p["alt"] or p["output"])] == []
    assert shown["faint"] == {"Light": [], "Dark": []}
    assert shown["asked"] == []
