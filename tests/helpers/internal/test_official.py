"""The official files: where they are looked for, the decoded copy, and files that are damaged or hostile."""

import gzip
import os
import pickle
import shutil
import tarfile
from pathlib import Path
from unittest.mock import Mock

import filelock
import numpy as np
import pytest

from helpers.internal import download, official
from helpers.internal.official import DataError
from tests.support.small_cifar import ARCHIVES, ARRAYS, BINARY, FILES, FOLDERS, PYTHON, install, put_folder

REFUSED = "missing, damaged or not official"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An empty machine without network, and the small stand-in for CIFAR-10: its folders are in this one."""
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CIFAR10_DIR", "")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    install(monkeypatch.setattr)
    monkeypatch.setattr(download, "fetch", lambda: pytest.fail("the network was asked"))
    return tmp_path


@pytest.fixture
def folder(places):
    """The folder of the binary layout."""
    return put_folder(places / FOLDERS[0], FOLDERS[0])


def arrays_of(named=""):
    """Return the arrays of what CIFAR10_DIR names, or else of what is found."""
    os.environ["CIFAR10_DIR"] = str(named)
    return official.official_arrays()


def check(arrays):
    """Assert that these are the small CIFAR-10's, plain arrays of the right types."""
    assert list(arrays) == list(ARRAYS)
    for name, expected in ARRAYS.items():
        assert (type(arrays[name]), arrays[name].dtype) == (np.ndarray, expected.dtype)
        assert np.array_equal(arrays[name], expected)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("mine/cifar-10-batches-bin", "mine"),
        ("mine/cifar-10-batches-py", "mine/cifar-10-batches-py"),
        ("mine/cifar-10-binary.tar.gz", "mine"),
        ("mine/cifar-10-python.tar.gz", "mine/cifar-10-python.tar.gz"),
        ("mine/cifar-10-binary.tar", "mine"),  # as some browsers leave it
        ("keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py", None),
        ("keras/datasets/cifar-10-batches-py-target_archive", None),
        ("keras/datasets/cifar-10-batches-py", None),
        ("work/data/cifar-10-batches-py", None),
        ("cache/cifar-10-python.tar.gz", None),
    ],
)
def test_where_official_files_are_found(places, place, named):
    if place.endswith(("-bin", "-py")):
        put_folder(places / place, FOLDERS["-bin" not in place])
    else:
        (places / place).parent.mkdir(parents=True)
        content = ARCHIVES[BINARY if "-bin" in place else PYTHON]
        (places / place).write_bytes(gzip.decompress(content) if place.endswith(".tar") else content)
    check(arrays_of(places / named if named else ""))


def test_the_cache_serves_alone_and_has_nothing_else_in_it(places, folder):
    check(arrays_of(folder))
    check(arrays_of("nowhere"))
    assert {file.name for file in places.glob("cache/*")} - {"lock"} == {f"{name}.npy" for name in ARRAYS}


def test_a_named_place_without_data_is_an_error_and_counts_from_the_repository():
    expected = f"No whole cifar-10-batches-bin or .* in {official.ROOT / 'nowhere'}: correct data_dir or"
    with pytest.raises(DataError, match=expected):
        arrays_of("nowhere")


@pytest.mark.parametrize("kind", ["cut short", "one bit", "header", "empty", "lost"])
def test_a_damaged_copy_is_noticed_and_made_anew(places, folder, kind):
    arrays_of(folder)
    path = places / "cache" / "train_images.npy"
    content, times = bytearray(path.read_bytes()), path.stat()
    content[60 if kind == "header" else -100] ^= 1
    path.write_bytes({"cut short": content[:-1], "empty": b""}.get(kind, content))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the date tells nothing
    if kind == "lost":
        path.unlink()
    assert official.load() is None
    check(arrays_of(folder))
    assert official.load() is not None


@pytest.mark.parametrize("kind", ["no folder", "full disk"])
def test_a_cache_that_cannot_be_written_is_told_and_the_data_loads_all_the_same(places, folder, capsys, kind):
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if kind == "no folder":
        (places / "cache").write_text("a file where a folder should be")
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        check(arrays_of(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"The cache folder {places / 'cache'} cannot be written" in capsys.readouterr().out
    assert {path.name for path in places.glob("cache/*")} <= {"lock"}  # nothing half


@pytest.mark.parametrize("error", [PermissionError("no"), NotImplementedError("no flock here")])
def test_a_file_system_without_locks_is_no_obstacle(folder, monkeypatch, error):
    monkeypatch.setattr(filelock.FileLock, "acquire", Mock(side_effect=error))
    check(arrays_of(folder))


def test_where_there_is_no_home_the_other_places_are_looked_at(places, folder, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does without a home
    monkeypatch.setattr(Path, "expanduser", Mock(side_effect=RuntimeError))
    folder.rename(places / "work" / "data")
    check(arrays_of())


@pytest.mark.parametrize("layout", FOLDERS)
def test_one_altered_bit_is_passed_over_for_another_layout_or_a_download(places, layout, monkeypatch, capsys):
    file = put_folder(places / "keras" / "datasets" / layout, layout) / tuple(FILES[layout])[1]
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="No whole cifar-10"):
        arrays_of(places / "keras" / "datasets")
    assert f"{layout}: data_batch_2 {REFUSED}" in capsys.readouterr().out
    (places / "downloaded").write_bytes(ARCHIVES[BINARY])
    monkeypatch.setattr(download, "fetch", lambda: places / "downloaded")
    check(arrays_of())
    shutil.rmtree(places / "cache")
    other = FOLDERS[layout == FOLDERS[0]]
    put_folder(places / "keras" / "datasets" / other, other)
    check(arrays_of(places / "keras" / "datasets"))


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_pickles_and_archives_are_not_opened_before_their_sum_is_known(places, monkeypatch):
    folder = put_folder(places / FOLDERS[1], FOLDERS[1])
    (folder / "data_batch_1").write_bytes(pickle.dumps({b"data": Hostile(), b"labels": [0]}))
    with pytest.raises(DataError, match=f"data_batch_1 {REFUSED}"):
        official.decoded(folder)
    assert not Path("harm").exists()
    monkeypatch.setattr(tarfile, "open", lambda *args: pytest.fail("it was opened"))
    content = ARCHIVES[BINARY]
    for damaged in (content[:-1] + b"x", content[:-1000], b""):
        (places / "archive").write_bytes(damaged)
        with pytest.raises(DataError, match=REFUSED):
            official.decoded(places / "archive")
