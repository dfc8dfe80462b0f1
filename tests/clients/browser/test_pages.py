"""The pages of `make run` on a phone: nothing is cut off, nothing scrolls sideways, nothing is fetched."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import store as notebooks
from tools.chapters import chapters

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SMALLEST_TEXT = 13  # CSS pixels, of prose and code
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """() => { // what reaches beyond the screen and cannot be scrolled into view
    const scrolls = (element) => element && element !== document.body &&
        (["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.querySelectorAll("main *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
        .map((element) => element.textContent.slice(0, 60));
}"""
TEXT_SIZES = """() => [...document.querySelectorAll("main :is(p, li, td, pre)")]
    .map((element) => parseFloat(getComputedStyle(element).fontSize))"""
TOO_WIDE = (
    "[...document.images].filter(img => img.getBoundingClientRect().width > innerWidth).map(img => img.alt)"
)
MISSING = "[...document.images].filter(img => !img.naturalWidth || !img.alt).map(img => img.alt || img.src)"

WIDE = Path("wide_things.ipynb")  # a toy: whatever may be wider than a phone
DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # one pixel


def wide_things():
    """Return a notebook with a wide table in the text, and wide code, words, table and picture below it."""
    names = [f"column_number_{k}" for k in range(20)]
    table = f"|{'|'.join(names)}|\n{'|---' * len(names)}|\n|{'|'.join(names)}|"
    row = "".join(f"<td>{name}</td>" for name in names)
    figure = f'<img src="data:image/gif;base64,{DOT}" alt="a wide dot" width="1600">'
    shown = [
        new_output("stream", name="stdout", text="word_" * 100),
        new_output("display_data", data={"text/html": f"<table><tr>{row}</tr></table>"}),
        new_output("display_data", data={"text/html": figure}),
    ]
    cells = [new_markdown_cell(f"# Wide things\n\n{table}"), new_code_cell(f"x = {names}", outputs=shown)]
    return new_notebook(cells=cells)


def stored(path):
    """Return what stands in the place of `notebooks.execute`: the stored outputs, and no error."""
    return wide_things() if path == WIDE else nbformat.read(path, as_version=4), None


@pytest.fixture(scope="module", params=[*chapters(), WIDE], ids=lambda path: path.stem)
def opened(request, browser, outside, screenshots, tmp_path_factory):
    """A chapter's page, made of its stored outputs, on a phone's screen, and what it asked of others."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "execute", stored)
        notebooks.html(request.param, folder)
    asked_before = len(outside.asked)
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
    outside.watch(context)
    page = context.new_page()
    page.goto((folder / f"{request.param.stem}.html").as_uri())
    below = page.evaluate("document.documentElement.scrollHeight") - PHONE["height"]
    for part, top in {"top": 0, "middle": below // 2, "end": below}.items():
        page.evaluate("top => scrollTo(0, top)", top)
        page.screenshot(path=screenshots / f"{request.param.stem}-phone-{part}.png")
    yield page, outside.asked[asked_before:]
    context.close()


@pytest.fixture
def page(opened):
    """The page alone."""
    return opened[0]


def test_the_page_does_not_scroll_sideways(page):
    assert page.evaluate(SIDEWAYS) <= 0


def test_nothing_is_cut_off(page):
    assert page.evaluate(CUT_OFF) == []


def test_figures_fit_the_screen(page):
    assert page.evaluate(TOO_WIDE) == []


def test_texts_are_large_enough(page):
    assert min(page.evaluate(TEXT_SIZES)) >= SMALLEST_TEXT


def test_every_picture_is_there_and_has_alt_text(page):
    assert page.evaluate(MISSING) == []


def test_the_page_asks_nothing_of_another_machine(opened):
    assert opened[1] == []
