"""The README's results come from the recorded runs, and its other words stay."""

import dataclasses

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from PIL import Image

from helpers.records import StudyError
from tests.support.recorded import STUDY, record, use_study
from tools import readme

TEXT = (
    "# Title\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nThe end.\n"
    "<!-- picture:begin -->\n<!-- picture:end -->\n"
)


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A README of its own, and a study of which one variant has been trained."""
    study = dataclasses.replace(STUDY, variants=STUDY.variants[:2])
    use_study(monkeypatch, tmp_path, study)
    for seed, correct in enumerate((24, 25, 26)):
        record(study, "base", seed, correct)
    page = tmp_path / "README.md"
    page.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(readme, "README", page)
    monkeypatch.setattr(readme, "STUDIES", {study.name: study})
    return page


def test_the_results_are_put_between_the_markers_and_other_words_stay(page):
    readme.update_readme()
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Title\n\n<!-- results:begin -->\n**Does it help?**\n")
    assert "| Baseline | 3 | 62.50 (56.29 to 68.71) | 2.50 | 3 |" in text
    assert "Not trained yet: Step 0.1.\n<!-- results:end -->\n\nThe end.\n<!-- picture:begin -->\n" in text
    readme.update_readme()
    assert page.read_text(encoding="utf-8") == text


def test_a_readme_without_markers_is_left_alone(page):
    page.write_text("# Title\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"README\.md lacks the markers .* put them back"):
        readme.update_readme()
    assert page.read_text(encoding="utf-8") == "# Title\n"


def some_runs(name):
    """Return runs of six epochs of a minute each: one of the full recipe, three of the others."""
    column = "test_accuracy_6" if name == "final" else "val_accuracy_6"
    title = "Quick recipe" if name == "quick" else "Full recipe"
    about = {"title": title, "seconds": 400.0, "parameters": 9, "history": [{"seconds": 60.0}] * 6}
    return pd.DataFrame([{column: x} | about for x in ([0.93] if name == "full" else [0.90, 0.91, 0.92])])


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """The names of the studies that have runs: those that the picture needs."""
    names = set(readme.PICTURED)
    monkeypatch.setattr(readme, "recorded", lambda *asked: names.issuperset(asked))
    monkeypatch.setattr(readme, "load_runs", some_runs)
    return names


def test_without_the_runs_there_is_no_picture(recorded):
    recorded.remove("quick")
    assert readme.headline() == ""


def test_the_picture_has_alt_text_and_is_followed_by_what_the_recipes_reach(recorded):
    lines = readme.headline().splitlines()
    assert lines[0] == f"![{readme.ALT}](data/accuracy.png)"
    assert lines[2] == (
        "- **Quick recipe: 91.00% in 6 minutes** of training on two CPU cores "
        "(validation images, 6 views; 3 runs, 95% interval 88.52 to 93.48)"
    )
    assert lines[3].endswith("(validation images, 6 views; 1 run)"), "one run has no interval"


def test_the_test_images_are_named_once_they_have_been_used(recorded):
    recorded.add("final")
    assert "**Full recipe: 91.00% in 6 minutes**" in readme.headline()
    assert "(test images, 6 views; 3 runs, 95% interval" in readme.headline()


def test_the_picture_is_a_png(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "PICTURE", tmp_path / "accuracy.png")
    monkeypatch.setattr(readme, "accuracy_against_minutes", lambda final: plt.subplots()[1])
    readme.draw_picture()
    assert Image.open(tmp_path / "accuracy.png").format == "PNG"
