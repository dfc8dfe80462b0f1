"""Results come from the recorded runs, and a page's other words stay."""

import pytest
from PIL import Image

from tests.support.recorded import STUDY, record, use_study
from tools import readme


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Three recorded runs of a study that the README would show as its quick recipe."""
    folder = use_study(monkeypatch, tmp_path)
    monkeypatch.setattr(readme, "STUDIES", {STUDY.name: STUDY})
    monkeypatch.setattr(readme, "BEST", {STUDY.name: "99: tiny"})
    machine = {"processor": "A small one", "accelerator": "2 CPU cores"}
    for seed, correct in enumerate((24, 25, 26)):
        record(STUDY, "base", seed, correct, machine=machine)
    return folder


def test_new_words_are_put_between_the_markers_and_others_stay():
    page = "# Title\n<!-- a:begin -->\nold\n<!-- a:end -->\n\nThe end.\n"
    assert readme.part(page, "a") == "old"
    assert readme.part(page, "a", "new\nlines") == page.replace("old", "new\nlines")


def test_all_tables_have_a_row_for_each_variant(runs):
    assert readme.all_tables() == (
        "**Does it help?**\n\n"
        "| variant | seeds | validation accuracy in % (95% interval) | fastest epoch in s |\n"
        "|---|--:|--:|--:|\n"
        "| Baseline | 3 | 62.50 (55.42 to 69.58) | 3 |"
    )


def test_the_best_results_have_both_intervals_the_minutes_and_the_processor(runs):
    text = readme.best_results()
    assert "| 99: tiny | 62.50 | 55.42 to 69.58 | 47.03 to 75.78 | 0.1 |" in text
    assert text.endswith("Recorded on: A small one.")
    for path in list(runs.iterdir())[1:]:
        path.unlink()
    assert "| one run |" in readme.best_results()


def test_the_command_writes_three_pages_as_they_are_stored_and_two_pictures(monkeypatch, tmp_path):
    stored = {
        name: getattr(readme, name).read_text(encoding="utf-8") for name in ("README", "RESULTS", "CARD")
    }
    for name in (*stored, "PICTURE", "ANSWERS"):
        monkeypatch.setattr(readme, name, tmp_path / name)
    for name, text in stored.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    told = readme.part(stored["README"], "answers")[2:].partition("]")[0]
    monkeypatch.setattr(readme, "answers", lambda: (readme.accuracy_against_minutes().figure, told))
    readme.main()
    for name, text in stored.items():
        assert (tmp_path / name).read_text(encoding="utf-8") == text, f"{name} is out of date: make results"
    assert Image.open(tmp_path / "PICTURE").format == "PNG"
