"""The page that runs a network in the browser, opened from a file, as somebody does to whom it was sent."""

import base64

import numpy as np
import pytest

from helpers.predict import FINAL_MODEL, load_model, load_photo
from tools.page import EXAMPLES, main

pytestmark = pytest.mark.browser

COMPUTED = """Promise.all(PAGE.examples.map(async ({ file }) => {
  const pixels = shrink(await decode(fileOf(file)));
  return [file, [...pixels], [...inside.network.run(pixels).at(-1).values]];
}))"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """The page in one file, with its first answer; page.asked: what it asked for, and its errors."""
    folder = tmp_path_factory.mktemp("page") / "page"
    main(["--out", str(folder)])
    page = browser.new_page()
    page.asked = []
    page.set_default_timeout(180_000)  # generous: a busy machine is no fault of the page
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.asked.append(str(error)))
    page.goto(folder.with_suffix(".html").as_uri())
    says(page, "Picture: bird")
    yield page
    page.close()


def says(page, words):
    """Wait until the answer has these words in it."""
    page.locator("#said", has_text=words).wait_for()


def tab_to(page, selector, *keys):
    """Press the Tab key until what the selector names has the focus, then the other keys."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return [page.keyboard.press(key) for key in keys]
    raise AssertionError(f"the Tab key does not lead to {selector}")


def test_it_sees_what_load_photo_sees_and_computes_what_keras_computes(page):
    files, pixels, logits = zip(*page.evaluate(COMPUTED), strict=True)
    pixels = np.array(pixels, "uint8").reshape(EXAMPLES, 32, 32, 3)
    for seen, file in zip(pixels, files, strict=True):
        np.testing.assert_array_equal(seen, load_photo(base64.b64decode(file.partition(",")[2])).pixels)
    expected = np.asarray(load_model(FINAL_MODEL)(pixels.astype("float32"), training=False))
    np.testing.assert_allclose(logits, expected, atol=1e-3 * np.abs(expected).max())


def test_the_keyboard_alone_drives_it(page):
    tab_to(page, "#draw", "Enter", "Space", "ArrowRight")
    says(page, "Picture: your drawing")
    page.keyboard.press("Shift+Tab")  # back among the examples
    page.keyboard.press("Enter")
    says(page, "Picture: drawn bird")
    tab_to(page, "#small", "ArrowRight")
    says(page, "partly hidden")
    tab_to(page, "#layers input", "ArrowRight", "ArrowRight")
    tab_to(page, "#map")
    before = page.inner_text("#place")  # the sums of two places may be the same, rounded
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#place") != before


def test_a_file_that_is_no_picture_is_told_and_the_answer_stays(page):
    page.set_input_files("#file", files=[{"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"}])
    page.get_by_role("alert").filter(has_text="a.txt is no picture").wait_for()
    assert "Picture: drawn bird" in page.inner_text("#said")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_its_window(page, screenshots, theme, width):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 844})
    page.screenshot(path=screenshots / f"page-{theme}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_it_asks_for_nothing_and_meets_no_error(page):
    assert [asked for asked in page.asked if not asked.startswith(("blob:", "data:"))] == [page.url]
