"""The README's front: its picture and its sentences come from the recorded runs, and age with them."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from PIL import Image

from tools import readme

QUICK = (
    "- **Quick recipe: 91.00% in 6 minutes** of training on two CPU cores "
    "(validation images, 6 views; 3 runs, 95% interval 88.52 to 93.48)"
)


def some_runs(name):
    """Return runs of six epochs of a minute each: one of the full recipe, three of the others."""
    column = "test_accuracy_6" if name == "final" else "val_accuracy_6"
    accuracies = [0.93] if name == "full" else [0.90, 0.91, 0.92]
    title = "Quick recipe" if name == "quick" else "Full recipe"
    history = [{"epoch": k + 1, "seconds": 60.0 + k} for k in range(6)]
    rows = [
        {"title": title, column: accuracy, "seconds": 400.0, "parameters": 9, "history": history}
        for accuracy in accuracies
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A file for each study that the picture needs; returns the folder that their folders lie in."""
    for name in readme.PICTURED:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a-seed0.json").write_text(f"{name}\n", encoding="utf-8")
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setattr(readme, "PICTURE", tmp_path / "accuracy.png")
    monkeypatch.setattr(readme, "folder", lambda study: tmp_path / study.name)
    monkeypatch.setattr(readme, "load_runs", some_runs)
    monkeypatch.setattr(readme, "accuracy_against_minutes", lambda final: plt.subplots()[1])
    return tmp_path


def record_final(runs):
    (runs / "final").mkdir()
    (runs / "final" / "full-seed0.json").write_text("final", encoding="utf-8")


def test_without_the_runs_there_is_no_picture(runs):
    (runs / "quick" / "a-seed0.json").unlink()
    assert readme.headline() == ""


def test_the_picture_has_alt_text_and_is_followed_by_what_the_recipes_reach(runs):
    lines = readme.headline().splitlines()
    assert lines[0] == f"![{readme.ALT}](accuracy.png)"
    assert lines[2] == QUICK


def test_one_run_has_no_interval(runs):
    assert readme.headline().endswith("(validation images, 6 views; 1 run)")


def test_the_test_images_are_named_once_they_have_been_used(runs):
    record_final(runs)
    assert "**Full recipe: 91.00% in 6 minutes**" in readme.headline()
    assert "(test images, 6 views; 3 runs, 95% interval" in readme.headline()


def test_the_picture_tells_which_runs_it_shows(runs):
    assert readme.drawn_runs() is None
    readme.draw_picture()
    assert Image.open(runs / "accuracy.png").format == "PNG"
    assert readme.drawn_runs() == readme.pictured_runs()


@pytest.mark.parametrize("change", ["another run", "a changed run", "final"])
def test_other_runs_make_the_picture_old(runs, change):
    before = readme.pictured_runs()
    if change == "final":
        record_final(runs)
    else:
        name = "a-seed0.json" if change == "a changed run" else "a-seed1.json"
        (runs / "quick" / name).write_text("new", encoding="utf-8")
    assert readme.pictured_runs() != before


def test_the_line_ends_of_a_system_do_not_make_the_picture_old(runs):
    before = readme.pictured_runs()
    (runs / "quick" / "a-seed0.json").write_bytes(b"quick\r\n")
    assert readme.pictured_runs() == before
