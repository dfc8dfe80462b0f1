"""The page that runs a network in the browser, from a file, as somebody meets it to whom it was sent."""

import base64

import numpy as np
import pytest

from helpers.predict import FINAL_MODEL, load_model, load_photo
from tools import page as builder

pytestmark = pytest.mark.browser

COMPUTED = """Promise.all(PAGE.examples.map(async (example) => {
  const pixels = shrink(await decode(fileOf(example.file)));
  return { file: example.file, pixels: [...pixels], logits: [...inside.network.run(pixels).at(-1).values] };
}))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the page lies, in one file."""
    folder = tmp_path_factory.mktemp("page") / "page"
    builder.main(["--out", str(folder)])
    return folder.with_suffix(".html").as_uri()


@pytest.fixture
def opened(browser, address, outside):
    """A function that opens the page and waits for its first answer; page.asked: what it asked for."""
    contexts = []

    def opened(**options):
        contexts.append(browser.new_context(**options))
        outside.watch(contexts[-1])
        page = contexts[-1].new_page()
        page.set_default_timeout(180_000)  # generous: a busy machine is no fault of the page
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.asked.append(str(error)))
        page.goto(address)
        says(page, "%")
        return page

    yield opened
    for context in contexts:
        context.close()


def says(page, words):
    """Wait until the answer has these words in it."""
    page.locator("#said", has_text=words).wait_for()


def press(page, *keys):
    """Press keys, one after the other."""
    for key in keys:
        page.keyboard.press(key)


def tab_to(page, selector):
    """Go on by the Tab key until the focus is on what the selector names."""
    for _ in range(60):
        press(page, "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} by the Tab key")


def test_it_sees_the_pixels_of_load_photo_computes_what_keras_does_and_asks_for_nothing(opened, address):
    page = opened()
    found, model = page.evaluate(COMPUTED), load_model(FINAL_MODEL)
    assert len(found) == builder.EXAMPLES
    for example in found:
        pixels = np.array(example["pixels"], "uint8").reshape(32, 32, 3)
        photo = load_photo(base64.b64decode(example["file"].partition(",")[2]))
        assert np.abs(pixels.astype(int) - photo.pixels).max() <= 2  # another decoder of JPEG
        logits = np.asarray(model(pixels[None].astype("float32"), training=False))[0]
        np.testing.assert_allclose(example["logits"], logits, atol=3e-3 * np.abs(logits).max())
    assert [url for url in page.asked if url != address and not url.startswith(("blob:", "data:"))] == []


def test_the_keyboard_alone_reaches_and_drives_everything(opened):
    page = opened()
    tab_to(page, "#examples li:nth-child(2) button")
    press(page, "Enter")
    says(page, "Picture: cat")
    tab_to(page, "#small")
    press(page, "ArrowRight", "ArrowDown")
    says(page, "partly hidden")
    press(page, "Escape")
    tab_to(page, "#layers input")
    press(page, "ArrowRight", "ArrowRight")
    tab_to(page, "#maps")
    press(page, "ArrowRight")
    sum_before = page.inner_text("#sum")
    tab_to(page, "#map")
    press(page, "ArrowUp", "ArrowUp", "ArrowUp")
    assert page.inner_text("#sum") != sum_before
    page.locator("#draw").focus()
    press(page, "Enter", "Space", *["ArrowRight"] * 5)
    says(page, "your drawing")


def test_a_file_that_is_no_picture_is_told_and_the_answer_stays(opened):
    page = opened()
    page.set_input_files("#file", files=[{"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"}])
    page.get_by_role("alert").filter(has_text="a.txt is no picture").wait_for()
    assert "Picture: bird" in page.inner_text("#said")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_its_window(opened, screenshots, theme, width):
    page = opened(viewport={"width": width, "height": 844}, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.screenshot(path=screenshots / f"page-{theme}-{width}.png", full_page=True)
