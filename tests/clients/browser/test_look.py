"""The browser tests see what they look for: a toy notebook with one fault of each kind, and one without."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.clients.browser.lab import open_and_run, write_notebook

pytestmark = pytest.mark.browser

DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # one transparent pixel
GOOD = (
    "from ipywidgets import IntSlider\nfrom tqdm.auto import tqdm",
    "for _ in tqdm(range(3)):\n    pass",
    "for _ in tqdm(range(3), leave=False):\n    pass",
    "IntSlider()",
)
BAD = (
    "from IPython.display import HTML, display\nimport sys, urllib.request",
    "from tqdm.auto import tqdm\nbar = tqdm(total=3)\nbar.update()",
    f"display(HTML('<img src=\"data:image/gif;base64,{DOT}\">'))",
    'display(HTML(\'<img alt="gone" src="https://example.org/gone.png">\'))',
    "display(HTML('<p style=\"color: #222\">dark ink</p>'))",
    "print('careful', file=sys.stderr)",
    "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'none', 'version_major': 2, "
    "'version_minor': 0}}, raw=True)",
    "try:\n    urllib.request.urlopen('http://example.org/data')\nexcept OSError:\n    pass",
    "1 / 0",
    "'never reached'",
)


@pytest.fixture(scope="module")
def look(browser, server, copy, outside, screenshots):
    """A function that writes a toy notebook into the server's folder, runs it and returns what was shown."""

    def run(name, markdown, sources):
        cells = [new_markdown_cell(text) for text in markdown] + [new_code_cell(text) for text in sources]
        write_notebook(copy / f"{name}.ipynb", cells)
        return open_and_run(browser, server, f"{name}.ipynb", outside, screenshots / name)

    return run


def test_a_sound_notebook_passes(look):
    shown = look("toy-sound", ["# Toy", "## Part"], GOOD)
    assert shown.counts == [1, 2, 3, 4]
    assert shown.errors == shown.warnings == shown.asked == []
    assert shown.headings == [1, 2]
    assert shown.bars == [{"full": True, "failed": False}]
    assert [widget["drawn"] for widget in shown.widgets] == [True, True]
    assert shown.faint == {"light": [], "dark": []}


def test_each_fault_is_seen(look):
    shown = look("toy-faulty", ["# Toy", "### Too deep"], BAD)
    assert shown.counts == [*range(1, 10), None]
    assert shown.errors == ["code cell 9: ZeroDivisionError: division by zero"]
    assert shown.warnings == ["code cell 6: careful"]
    assert shown.headings == [1, 3]
    assert shown.bars == [{"full": False, "failed": False}]
    assert shown.pictures["dark"] == [
        {"alt": "", "width": 1, "visible": True, "solid": False},
        {"alt": "gone", "width": 0, "visible": True, "solid": True},
    ]
    assert shown.faint == {"light": [], "dark": ["dark ink"]}
    assert [widget["drawn"] for widget in shown.widgets] == [True, False]
    assert "https://example.org/gone.png" in shown.asked
    assert "GET http://example.org/data" in shown.asked
