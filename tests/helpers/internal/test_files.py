"""Files appear whole or not at all, whoever writes, and whenever it stops."""

import os
import subprocess
import sys

import pytest

from helpers.internal import files


def test_what_is_written_replaces_the_old_file_and_leaves_nothing_beside(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    files.write_text(tmp_path / "a.txt", "new ä\n")
    assert (tmp_path / "a.txt").read_bytes() == "new ä\n".encode()
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_no_litter(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half():
        with files.written(path) as beside:
            beside.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_number_that_json_does_not_know_leaves_the_old_file(tmp_path):
    files.write_json(tmp_path / "a.json", {"loss": 1.5})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert (tmp_path / "a.json").read_text() == '{\n "loss": 1.5\n}'


def test_a_kill_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    program = (
        "import os, sys; from helpers.internal.files import written\n"
        "with written(sys.argv[1]) as beside: beside.write_text('half'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program, path], cwd=files.ROOT, check=False).returncode == 9
    assert path.read_text() == "old"


def test_two_writers_at_once_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with files.written(path) as first:
        with files.written(path) as second:
            first.write_text("first")
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
@pytest.mark.parametrize("mask", [0o022, 0o027])
def test_permissions_follow_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        files.write_text(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        files.write_text(tmp_path / "nowhere" / "a.txt", "text")
