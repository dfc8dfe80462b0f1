"""The official files: where they are looked for, the decoded copy, and files that are damaged or hostile."""

import gzip
import os
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from helpers.internal import download, official
from helpers.internal.official import DataError, official_arrays
from tests.support.small_cifar import (
    ARCHIVES,
    ARRAYS,
    BINARY,
    FILES,
    FOLDERS,
    PYTHON,
    TARS,
    install,
    put_folder,
)

REFUSED = "missing, damaged or not official"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An empty machine without network, and the small stand-in for CIFAR-10: its folders are in this one."""
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    install(monkeypatch.setattr)
    monkeypatch.setattr(download, "fetch", lambda: pytest.fail("the network was asked"))
    return tmp_path


@pytest.fixture
def folder(places):
    """The folder of the binary layout."""
    return put_folder(places / FOLDERS[0], FOLDERS[0])


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
        ("mine/cifar-10-python/cifar-10-batches-py", "mine"),
        ("mine/cifar-10-binary.tar.gz", "mine"),
        ("mine/cifar-10-python.tar.gz", "mine/cifar-10-python.tar.gz"),
        ("mine/cifar-10-binary.tar", "mine/cifar-10-binary.tar"),
        ("mine/cifar-10-python.tar", "mine"),
        ("keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py", None),
        ("keras/datasets/cifar-10-batches-py-target_archive", None),
        ("keras/datasets/cifar-10-batches-py", None),
        ("keras/datasets/cifar-10-batches-py.tar.gz", None),
        ("work/data/cifar-10-batches-py", None),
        ("work/data/cifar-10-python.tar.gz", None),
        ("cache/cifar-10-python.tar.gz", None),
    ],
)
def test_where_official_files_are_found(places, monkeypatch, place, named):
    layout = FOLDERS["-bin" not in place]
    if place.endswith(("-bin", "-py")):
        put_folder(places / place, layout)
    else:
        (places / place).parent.mkdir(parents=True)
        content = TARS[layout] if place.endswith(".tar") else ARCHIVES[BINARY if "-bin" in place else PYTHON]
        (places / place).write_bytes(content)
    check(official_arrays(named and places / named))
    if named:
        shutil.rmtree(places / "cache")
        monkeypatch.setenv("CIFAR10_DIR", str(places / named))
        check(official_arrays(None))


def test_damaged_files_are_passed_over_and_at_last_they_are_downloaded(places, monkeypatch, capsys):
    damaged = put_folder(places / "keras/datasets/cifar-10-batches-py", FOLDERS[1])
    (damaged / "data_batch_3").write_bytes(b"")
    (places / "downloaded").write_bytes(ARCHIVES[BINARY])
    monkeypatch.setattr(download, "fetch", lambda: places / "downloaded")
    check(official_arrays(None))
    assert f"{damaged}: data_batch_3 {REFUSED}" in capsys.readouterr().out


def test_the_cache_serves_alone_but_a_named_place_without_data_is_an_error(places, folder, monkeypatch):
    check(official_arrays(folder))
    assert {path.name for path in (places / "cache").iterdir()} - {"lock"} == {
        f"{name}.npy" for name in ARRAYS
    }
    monkeypatch.setenv("KERAS_HOME", "~no-such-user")
    check(official_arrays(None))
    with pytest.raises(DataError, match=r"data_dir is /.*/work/nowhere, .* Expected cifar-10-batches-bin"):
        official_arrays("nowhere")
    monkeypatch.setenv("CIFAR10_DIR", "nowhere")  # counts from the repository, wherever a notebook runs
    with pytest.raises(DataError, match=f"CIFAR10_DIR is {official.ROOT / 'nowhere'}"):
        official_arrays(None)


@pytest.mark.parametrize("kind", ["cut short", "one bit", "header", "empty", "lost"])
@pytest.mark.parametrize("name", ["train_images", "test_labels"])
def test_a_damaged_copy_is_noticed_and_made_anew(places, folder, kind, name):
    official_arrays(folder)
    path = places / "cache" / f"{name}.npy"
    content, times = bytearray(path.read_bytes()), path.stat()
    content[60 if kind == "header" else -100] ^= 1
    path.write_bytes({"cut short": content[:-1], "empty": b""}.get(kind, content))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the date tells nothing
    if kind == "lost":
        path.unlink()
    assert official.load() is None
    check(official_arrays(folder))
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
        check(official_arrays(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    output = capsys.readouterr().out
    assert f"The cache folder {places / 'cache'} cannot be written" in output
    assert "TUTORIAL_CACHE" in output
    assert {path.name for path in places.glob("cache/*")} <= {"lock"}  # nothing half


@pytest.mark.parametrize("layout", FOLDERS)
def test_one_altered_bit_is_refused_and_a_whole_layout_beside_it_serves(places, layout):
    file = put_folder(places / layout, layout) / tuple(FILES[layout])[1]
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"{layout}: data_batch_2 {REFUSED}"):
        official_arrays(places)
    other = FOLDERS[layout == FOLDERS[0]]
    put_folder(places / other, other)
    check(official_arrays(places))


def test_what_was_decoded_is_checked_too(folder, monkeypatch):
    monkeypatch.setattr(official, "decode", lambda name, content: (np.zeros((50, 32, 32, 3)), np.zeros(50)))
    with pytest.raises(DataError, match="train images are not those of CIFAR-10"):
        official_arrays(folder)


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_pickles_and_packed_archives_are_not_opened_before_their_sum_is_known(places, monkeypatch):
    folder = put_folder(places / FOLDERS[1], FOLDERS[1])
    (folder / "data_batch_1").write_bytes(pickle.dumps({b"data": Hostile(), b"labels": [0]}))
    with pytest.raises(DataError, match=f"data_batch_1 {REFUSED}"):
        official_arrays(folder)
    assert not Path("harm").exists()
    monkeypatch.setattr(gzip, "open", lambda *args: pytest.fail("it was opened"))
    content = ARCHIVES[BINARY]
    for damaged in (content[:-1] + b"x", content[:-1000], b""):
        (places / "archive").write_bytes(damaged)
        with pytest.raises(DataError, match=REFUSED):
            official_arrays(places / "archive")


@pytest.mark.parametrize("size", [10**10, -512])
@pytest.mark.parametrize(
    "kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.GNUTYPE_SPARSE]
)
def test_what_an_unpacked_archive_declares_costs_nothing(places, monkeypatch, kind, size):
    monkeypatch.setattr(official, "LARGEST", 10**6)  # as if it were all the memory
    member = tarfile.TarInfo("data_batch_1.bin")
    member.size, member.type = size, kind
    (places / "archive.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + TARS[FOLDERS[0]][:5000])
    with pytest.raises(DataError, match=REFUSED):
        official_arrays(places / "archive.tar")


def test_a_file_larger_than_any_official_one_is_not_read(folder, monkeypatch):
    os.truncate(folder / "data_batch_1.bin", 10**10)
    monkeypatch.setattr(official, "LARGEST", 10**6)
    for path in (folder, folder / "data_batch_1.bin"):
        with pytest.raises(DataError, match=f"data_batch_1.* {REFUSED}"):
            official_arrays(path)
