"""Files appear whole or not at all, whoever writes, and whenever it stops."""

import subprocess

import pytest

from helpers.internal import files
from tests.support.checkout import commit_all


def test_what_is_written_replaces_the_old_file(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    files.write_text(tmp_path / "a.txt", "new ä\n")
    assert (tmp_path / "a.txt").read_bytes() == "new ä\n".encode()


def test_an_interruption_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), files.written(path) as beside:  # noqa: PT012
        beside.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_number_that_json_does_not_know_leaves_the_old_file(tmp_path):
    files.write_json(tmp_path / "a.json", {"loss": 1.5})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert (tmp_path / "a.json").read_text() == '{\n "loss": 1.5\n}'


def test_two_writers_at_once_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with files.written(path) as first:
        with files.written(path) as second:
            first.write_text("first")
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_a_folder_and_not_one_within_it(tmp_path):
    for name in ("old", "new"):
        with files.written(tmp_path / "saved") as beside:
            beside.mkdir()
            (beside / name).touch()
    with pytest.raises(KeyboardInterrupt), files.written(tmp_path / "saved") as beside:  # noqa: PT012
        beside.mkdir()
        raise KeyboardInterrupt
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["saved", "saved/new"]


def test_a_path_may_begin_at_home_and_there_need_be_no_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    files.write_text("~/a.txt", "at home")
    assert (tmp_path / "a.txt").read_text() == "at home"
    assert files.place("~nosuchuser/a.txt").parts[0] == "~nosuchuser"


def test_the_commit_is_that_of_the_checkout_and_says_whether_tracked_files_differ(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a")
    commit_all(tmp_path)
    for command in (["git", "tag", "v1"], ["git", "rev-parse", "HEAD"]):
        head = subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()
    (tmp_path / "untracked.txt").write_text("b")  # as a study's new records are
    assert files.commit(tmp_path) == head
    (tmp_path / "a.txt").write_text("b")
    assert files.commit(tmp_path) == f"{head}+changes"
    monkeypatch.setenv("PATH", "")
    assert files.commit(tmp_path) is None, "without git"
