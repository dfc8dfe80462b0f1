"""The README's results come from the recorded runs, and its other words stay."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.support.recorded import STUDY, record, use_study
from tools import readme


def test_tables_of_the_recorded_runs_are_put_between_the_markers_and_other_words_stay(monkeypatch, tmp_path):
    use_study(monkeypatch, tmp_path)
    monkeypatch.setattr(readme, "STUDIES", {STUDY.name: STUDY})
    for seed, correct in enumerate((24, 25, 26)):
        record(STUDY, "base", seed, correct)
    begin, end = readme.MARKERS
    text = readme.with_part(f"# Title\n{begin}old{end}\n\nThe end.\n", readme.MARKERS, readme.readme_tables())
    assert text.startswith(f"# Title\n{begin}\n**Does it help?**\n")
    assert "| Baseline | 3 | 62.50 (55.42 to 69.58) | 2.50 | 3 |" in text
    assert text.endswith(f"{end}\n\nThe end.\n")


def test_the_command_writes_the_readme_as_it_is_stored(monkeypatch, tmp_path):
    stored = readme.README.read_text(encoding="utf-8")
    for name in ("README", "PICTURE"):
        monkeypatch.setattr(readme, name, tmp_path / name)
    monkeypatch.setattr(readme, "headline", lambda: "recipes")
    (tmp_path / "README").write_text(stored, encoding="utf-8")
    readme.update_readme()
    begin, end = readme.PICTURE_MARKERS
    assert f"{begin}\nrecipes\n{end}" in (tmp_path / "README").read_text(encoding="utf-8")
    assert Image.open(tmp_path / "PICTURE").format == "PNG"


def some_runs(name):
    """Return runs of six epochs of a minute each: one of the full recipe, three of the others."""
    column = "test_accuracy_6" if name == "final" else "val_accuracy_6"
    title = "Quick recipe" if name == "quick" else "Full recipe"
    about = {"title": title, "seconds": 400.0, "parameters": 9, "history": [{"seconds": 60.0}] * 6}
    about |= {"overlap": 0.0, "test_correct_6": np.arange(100) < 91}
    return pd.DataFrame([{column: x} | about for x in ([0.93] if name == "full" else [0.90, 0.91, 0.92])])


@pytest.fixture
def recorded(monkeypatch):
    """The names of the studies that have runs."""
    names = {"quick", "full"}
    monkeypatch.setattr(readme, "recorded", names.__contains__)
    monkeypatch.setattr(readme, "load_runs", some_runs)
    return names


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
    assert "(test images, 6 views; 3 runs, 95% interval 85.29 to 96.71)" in readme.headline()
