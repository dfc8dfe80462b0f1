"""Every notebook in JupyterLab, as a reader meets it: opened, Run All, and looked at in both themes."""

from itertools import pairwise

import pytest

from tests.clients.browser.lab import THEMES, open_and_run
from tools.chapters import ROOT, all_notebooks, chapters

pytestmark = pytest.mark.browser

SOLUTIONS = [path for path in all_notebooks() if path.parent.name == "solutions"]
NOTEBOOKS = [path.relative_to(ROOT).as_posix() for path in (*chapters(), *SOLUTIONS)]
themes = pytest.mark.parametrize("theme", THEMES)


@pytest.fixture(scope="module", params=NOTEBOOKS)
def shown(request, browser, server, outside, screenshots):
    """What the page showed after Run All."""
    name = request.param.removeprefix("notebooks/").removesuffix(".ipynb").replace("/", "-")
    return open_and_run(browser, server, request.param, outside, screenshots / name)


def test_no_cell_shows_an_error(shown):
    assert shown.errors == []


def test_every_code_cell_has_run_in_its_order(shown):
    assert shown.counts == list(range(1, len(shown.counts) + 1))


def test_nothing_stands_on_red_ground(shown):
    assert shown.warnings == []


def test_progress_bars_have_come_to_their_end(shown):
    assert [bar for bar in shown.bars if bar["failed"] or not bar["full"]] == []


def test_widgets_are_drawn(shown):
    assert [widget["text"] for widget in shown.widgets if not widget["drawn"]] == []


@themes
def test_every_picture_can_be_seen_and_read_aloud(shown, theme):
    assert shown.pictures[theme]
    assert [p for p in shown.pictures[theme] if not (p["alt"] and p["width"] and p["visible"])] == []


@themes
def test_every_figure_brings_its_own_ground(shown, theme):
    assert [picture["alt"] for picture in shown.pictures[theme] if not picture["solid"]] == []


@themes
def test_no_text_is_faint(shown, theme):
    assert shown.faint[theme] == []


def test_headings_are_in_order(shown):
    assert shown.headings[0] == 1
    assert shown.headings.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(shown.headings))


def test_nothing_is_asked_of_another_machine(shown):
    assert shown.asked == []
