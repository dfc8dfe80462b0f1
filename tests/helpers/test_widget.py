"""The photo widget without a browser: its handlers are called as ipywidgets 7 and 8 call them."""

import html
import io
import re
from datetime import UTC, datetime
from unittest.mock import Mock

import ipywidgets as widgets
import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from PIL import Image

from helpers import predict, widget
from helpers.data import CLASS_NAMES, Split
from helpers.models import softmax_regression
from helpers.predict import load_photo, pictures_in
from helpers.widget import PHOTOS, PhotoViewer, photo_figure, photo_widget, show_photo
from tests.support.labelled_axes import unlabelled

CAT = PHOTOS / "cat.jpg"


class Upload7(widgets.Button):
    """What the upload control of ipywidgets 7 is to a program: its value is a dict that cannot be set."""

    accept = traitlets.Unicode()
    value = traitlets.Dict(read_only=True)


def value_of(control, name, content):
    """Return the value that an upload leaves in a control of either version."""
    told = {"name": name, "type": "image/jpeg", "size": len(content), "last_modified": datetime.now(UTC)}
    if isinstance(control.value, dict):
        return {name: {"metadata": told, "content": content}}
    return (told | {"content": memoryview(content)},)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return softmax_regression()


@pytest.fixture(scope="module")
def images():
    chance = np.random.default_rng(0)
    return Split(chance.integers(0, 256, (40, 32, 32, 3), "uint8"), np.arange(40) % 10)


@pytest.fixture(params=[widgets.FileUpload])
def viewer(request, monkeypatch, model, images):
    """A viewer with surprises, whose upload control may be another; it leaves no figure open."""
    monkeypatch.setattr(widgets, "FileUpload", request.param)
    yield PhotoViewer(model, images, "official")
    assert plt.get_fignums() == []


def send(viewer, content, name="mine.jpg"):
    """Upload a file."""
    viewer.upload.set_trait("value", value_of(viewer.upload, name, content))


def alt(page):
    """Return the alt text in HTML, None where there is no picture."""
    found = re.search(r'<img src="data:image/\w+;base64,[^"]+" alt="([^"]*)"', page)
    return found and html.unescape(found[1])


def words(page):
    """Return what HTML says beside its picture."""
    return html.unescape(re.search(r"<p[^>]*>(.*)</p>", page)[1])


@pytest.mark.slow
@pytest.mark.parametrize("viewer", [widgets.FileUpload, Upload7], indirect=True)
def test_an_uploaded_photo_is_shown_with_its_three_most_probable_classes_again_and_again(viewer, model):
    send(viewer, CAT.read_bytes())
    top = predict.guesses(model, [load_photo(CAT)])[0][:3]
    said = ", ".join(f"{name} {100 * probability:.1f}%" for name, probability in top)
    shown = viewer.page.value
    assert words(shown) == f"mine.jpg: {said}."
    assert alt(shown).startswith("mine.jpg, 451 x 300 pixels")
    assert alt(shown).endswith(f"Most probable: {said}.")
    viewer.surprise.click()
    assert viewer.page.value != shown
    send(viewer, CAT.read_bytes())
    assert viewer.page.value == shown
    assert not viewer.upload.value


def test_a_bad_upload_gives_one_line_and_the_widget_goes_on(viewer):
    viewer.surprise.click()
    send(viewer, b"To whom it may concern", "bad.jpg")
    assert words(viewer.page.value).startswith("bad.jpg: it is no JPEG, PNG, GIF, WebP or BMP picture")
    assert (alt(viewer.page.value), viewer.tell.disabled) == (None, True)
    send(viewer, CAT.read_bytes())
    assert alt(viewer.page.value)


def test_a_files_name_cannot_act_as_html(viewer):
    for content in (CAT.read_bytes(), b"no picture"):
        send(viewer, content, '<script>alert("$x^$")</script>\n.jpg')
        assert "<script" not in viewer.page.value
        assert words(viewer.page.value).startswith('<script>alert("$x^$")</script>\\n.jpg: ')


def test_a_model_that_does_not_run_is_said_in_one_line(viewer):
    viewer.model = Mock([], side_effect=MemoryError("no room"))
    viewer.surprise.click()
    assert re.match(r"test image \d+: The model does not run: no room\.", words(viewer.page.value))
    assert viewer.tell.disabled


@pytest.mark.slow
def test_a_photo_can_be_picked_and_again_after_another_picture(viewer):
    assert [label for label, _ in viewer.choice.options] == [
        "choose a photo",
        *(path.name for path in pictures_in(PHOTOS)),
    ]
    viewer.choice.value = CAT
    shown = viewer.page.value
    assert words(shown).startswith("cat.jpg: ")
    viewer.surprise.click()
    viewer.choice.value = CAT
    assert viewer.page.value == shown


def test_a_surprise_keeps_its_truth_until_asked(viewer, images):
    viewer.surprise.click()
    index = int(re.match(r"test image (\d+): ", words(viewer.page.value))[1])
    np.testing.assert_array_equal(viewer.photo.pixels, images.images[index])
    assert "labelled" not in viewer.page.value
    assert "truth" not in viewer.page.value
    assert not viewer.tell.disabled
    truth = CLASS_NAMES[images.labels[index]]
    viewer.tell.click()
    verdict = "right" if viewer.guesses[0].class_name == truth else "wrong"
    assert words(viewer.page.value).endswith(f" It is labelled {truth}: {verdict}.")
    assert alt(viewer.page.value).endswith(f" The truth is {truth}.")
    assert viewer.tell.disabled
    viewer.surprise.click()
    viewer.choice.value = CAT
    assert viewer.tell.disabled, "of another photo it is not known"


def test_surprises_of_the_sample_say_so_and_photos_do_not(viewer):
    viewer.kind = PhotoViewer(viewer.model, None, "sample").kind
    viewer.surprise.click()
    for told in (words(viewer.page.value), alt(viewer.page.value)):
        assert told.startswith("synthetic image, not CIFAR-10, ")
    viewer.choice.value = CAT
    assert "synthetic" not in viewer.page.value


def test_each_control_says_what_it_does_and_no_test_image_is_needed_before_the_button_is_pressed(model):
    controls = [child.description for child in photo_widget(model, None).children[0].children]
    assert controls == ["Upload a photo", "or pick one:", "Surprise me", "Show the truth"]


def test_the_bars_are_the_probabilities_in_the_order_of_the_classes(model):
    photo = load_photo(CAT)
    (guesses,) = predict.guesses(model, [photo])
    figure = photo_figure(photo, guesses, truth="cat")
    whole, small, bars = figure.axes
    shares = {guess.class_name: 100 * guess.probability for guess in guesses}
    assert [bar.get_width() for bar in bars.patches] == [shares[name] for name in CLASS_NAMES]
    labels = [label.get_text() for label in bars.get_yticklabels()]
    assert labels == [f"{name} (truth)" if name == "cat" else name for name in CLASS_NAMES]
    np.testing.assert_array_equal(small.images[0].get_array(), photo.pixels)
    pale = {(patch.get_x(), patch.get_width()) for patch in whole.patches}
    left, _, right, _ = photo.crop
    assert {(0, left), (right, 451 - right)} <= pale
    assert unlabelled(figure) == []


def test_tiny_and_narrow_pictures_are_drawn(viewer):
    for size in ((1, 1), (900, 3)):
        Image.new("RGB", size, "teal").save(file := io.BytesIO(), "png")
        send(viewer, file.getvalue())
        assert alt(viewer.page.value).startswith(f"mine.jpg, {size[0]} x {size[1]} pixels")


def test_a_photo_on_the_page_has_alt_text_and_no_folder(monkeypatch, model):
    shown = []
    monkeypatch.setattr(widget, "show", lambda figure, alt: shown.append((figure, alt)))
    show_photo(model, CAT)
    ((figure, told),) = shown
    assert len(figure.axes) == 3
    assert told.startswith("cat.jpg, 451 x 300 pixels")
    assert str(PHOTOS) not in told
