"""The photo widget in JupyterLab, used as a reader uses it: upload, pick, draw, ask for the truth."""

import pytest
from nbformat.v4 import new_code_cell

from helpers.widget import PHOTOS
from tests.clients.browser.lab import opened, write_notebook

pytestmark = pytest.mark.browser

NOTEBOOK = """
import sys

sys.path.insert(0, "..")
from helpers.session import start
from helpers.data import load_cifar10
from helpers.predict import FINAL_MODEL, load_model
from helpers.widget import photo_widget

start(seed=0)
data = load_cifar10()
photo_widget(load_model(FINAL_MODEL), data.test, source=data.source)
"""


@pytest.fixture(scope="module")
def page(browser, server, copy, outside, screenshots):
    """A page with nothing but the widget, run."""
    write_notebook(copy / "notebooks" / "widget.ipynb", [new_code_cell(NOTEBOOK)])
    path, pictures = "notebooks/widget.ipynb", screenshots / "widget"
    with opened(browser, server, path, outside, pictures, run=True) as page:
        yield page


def upload(page, path):
    """Upload a file by the widget's button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a photo").click()
    chooser.value.set_files(path)


def wait_for(page, words, role="status"):
    """Wait until the widget says these words."""
    page.locator(f"p[role={role}]", has_text=words).wait_for()


def test_an_uploaded_photo_brings_the_answer_and_its_picture(page, screenshots):
    for photo in ("cat.jpg", "dog.jpg", "cat.jpg"):
        upload(page, PHOTOS / photo)
        wait_for(page, photo)
        picture = page.locator(".widget-html img")
        assert photo in picture.get_attribute("alt")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
    page.screenshot(path=screenshots / "widget-upload.png")


def test_a_file_that_is_no_picture_is_told_in_a_line_and_the_next_one_is_answered(page, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    upload(page, tmp_path / "broken.jpg")
    wait_for(page, "broken.jpg", role="alert")
    page.locator(".widget-dropdown select").select_option(label="deer.jpg")
    wait_for(page, "deer.jpg")


def test_the_truth_of_a_drawn_image_is_told_when_asked_for(page, screenshots):
    page.get_by_role("button", name="Surprise me").click()
    wait_for(page, "synthetic image")  # the smoke profile draws no test image
    assert "labelled" not in page.locator("p[role=status]").inner_text()
    page.get_by_role("button", name="Show the truth").click()
    wait_for(page, "It is labelled")
    page.screenshot(path=screenshots / "widget-truth.png")
