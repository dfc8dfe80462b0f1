"""The loader: the split, the places it looks in, the cache, and files that are damaged or hostile."""

import gzip
import io
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pytest
import requests

from helpers import cache, formats
from helpers.data import CLASS_NAMES, DataError, Split, load_cifar10, split_indices
from tests import small_cifar
from tests.mirror_server import Mirror, MirrorServer

FOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py")
LABELS = np.tile(np.arange(10), 100)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty machine with the small stand-in for CIFAR-10 and no mirror: its folders are in this one."""
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    small_cifar.install(monkeypatch.setattr)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(requests, "get", refuse)


@pytest.fixture
def filled(places):
    """The same with the decoded copy in the cache, and nothing else."""
    load(data_dir=small_cifar.put_folder(places / "official", FOLDERS[0]))
    shutil.rmtree(places / "official")
    return places


def load(**kwargs):
    return load_cifar10("official", **{"val_size": 50} | kwargs)


def check(loaded):
    """Assert that it is the small CIFAR-10 and nothing else."""
    train, val = split_indices(small_cifar.ARRAYS["train_labels"], 50, seed=0)
    for part, rows in (("train", train), ("val", val)):
        split = getattr(loaded, part)
        assert np.array_equal(split.images, small_cifar.ARRAYS["train_images"][rows])
        assert np.array_equal(split.labels, small_cifar.ARRAYS["train_labels"][rows])
    assert np.array_equal(loaded.test.images, small_cifar.ARRAYS["test_images"])
    assert np.array_equal(loaded.test.labels, small_cifar.ARRAYS["test_labels"])
    assert loaded.source == "official"


# The split


def test_the_split_is_stratified_and_complete():
    train, val = split_indices(LABELS, 200, seed=0)
    assert np.bincount(LABELS[val]).tolist() == [20] * 10
    assert np.bincount(LABELS[train]).tolist() == [80] * 10
    assert sorted([*train, *val]) == list(range(1000))
    assert (np.diff(train) > 0).all()
    assert (np.diff(val) > 0).all()


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (split_indices(LABELS, 200, seed=seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_split_is_the_same_on_every_machine():
    assert split_indices(LABELS, 10, seed=0)[1].tolist() == [92, 196, 269, 403, 504, 608, 657, 850, 855, 921]


def test_a_smaller_validation_split_is_part_of_a_larger_one():
    assert set(split_indices(LABELS, 100, seed=0)[1]) < set(split_indices(LABELS, 200, seed=0)[1])


def test_the_folds_of_a_seed_hold_out_each_image_once_and_the_first_is_the_split():
    folds = [split_indices(LABELS, 200, seed=0, fold=fold)[1] for fold in range(5)]
    assert sorted(np.concatenate(folds)) == list(range(1000))
    assert all(np.bincount(LABELS[fold]).tolist() == [20] * 10 for fold in folds)
    assert np.array_equal(folds[0], split_indices(LABELS, 200, seed=0)[1])
    odd = [split_indices(LABELS, 33, seed=0, fold=fold)[1] for fold in range(25)]
    assert len(set(np.concatenate(odd))) == 25 * 33


def test_a_fold_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="fold is 5: 1,000 images have fewer folds of 200"):
        split_indices(LABELS, 200, seed=0, fold=5)


def test_the_validation_split_may_be_empty_or_not_divide_by_ten():
    train, val = split_indices(LABELS, 0, seed=0)
    assert (len(train), len(val)) == (1000, 0)
    assert len(split_indices(LABELS, 33, seed=0)[1]) == 33


@pytest.mark.parametrize(
    "wrong", [{"val_size": -1}, {"val_size": 2.5}, {"val_size": "5000"}, {"seed": -1}, {"fold": -1}]
)
def test_a_wrong_split_is_refused_by_name(no_network, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is .* expected an integer"):
        load_cifar10("sample", **wrong)


def test_a_validation_split_as_large_as_the_data_is_refused():
    with pytest.raises(ValueError, match="val_size is 1,000: too large"):
        split_indices(LABELS, 1000, seed=0)


def test_a_split_needs_a_label_for_each_image():
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        Split(np.zeros((3, 32, 32, 3), np.uint8), np.zeros(2, np.int64))


def test_images_and_labels_are_plain_arrays_that_no_mistake_changes(filled):
    loaded = load()
    for split in (loaded.train, loaded.val, loaded.test):
        assert type(split.images) is type(split.labels) is np.ndarray
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert split.images.shape == (len(split), 32, 32, 3)
        for array in (split.images, split.labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_training_code_gets_no_test_split(filled):
    loaded = load()
    for_training = loaded.for_training()
    assert for_training.train is loaded.train
    assert for_training.val is loaded.val
    assert not hasattr(for_training, "test")


# The sources


def test_the_sample_needs_neither_network_nor_cache(places, no_network):
    loaded = load_cifar10("sample")
    assert [len(split) for split in (loaded.train, loaded.val, loaded.test)] == [4500, 500, 1000]
    assert loaded.source == "sample"
    assert not (places / "cache").exists()
    assert not loaded.train.images.flags.writeable


def test_the_smoke_profile_gives_the_sample_with_one_line(filled, monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert load_cifar10("auto").source == "sample"
    assert capsys.readouterr().out.count("\n") == 1
    check(load())  # "official" is official under any profile


def test_auto_is_official_where_that_can_be_had(filled, capsys):
    check(load_cifar10("auto", val_size=50))
    assert capsys.readouterr().out == ""


def test_auto_falls_back_with_a_banner_that_nobody_can_miss(places, capsys):
    assert load_cifar10("auto").source == "sample"
    output = capsys.readouterr().out
    assert "!" * 80 in output
    assert "THIS IS NOT CIFAR-10" in output


def test_official_never_falls_back(places):
    with pytest.raises(DataError, match="could not be downloaded"):
        load()


def test_an_unknown_source_is_refused(no_network):
    with pytest.raises(ValueError, match="'cifar', expected one of 'auto', 'official', 'sample'"):
        load_cifar10("cifar")


# Where the official files are looked for


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("way", ["folder", "its parent", "archive", "archive in a folder"])
@pytest.mark.parametrize("name", ["data_dir", "CIFAR10_DIR"])
def test_files_that_the_reader_names(places, monkeypatch, no_network, folder, way, name):
    place = places / "mine"
    if way in ("folder", "its parent"):
        inner = small_cifar.put_folder(place / folder, folder)
        place = inner if way == "folder" else place
    else:
        place.mkdir()
        archive = place / next(layout.archive for layout in formats.LAYOUTS if layout.folder == folder)
        archive.write_bytes(small_cifar.ARCHIVES[folder])
        place = archive.rename(place / "any-name") if way == "archive" else place
    if name == "data_dir":
        check(load(data_dir=place))
    else:
        monkeypatch.setenv(name, str(place))
        check(load())


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py", "folder"),
        ("keras/datasets/cifar-10-batches-py-target_archive", "archive"),
        ("keras/datasets/cifar-10-batches-py", "folder"),
        ("keras/datasets/cifar-10-batches-py.tar.gz", "archive"),
        ("work/data/cifar-10-batches-py", "folder"),
        ("work/data/cifar-10-python.tar.gz", "archive"),
        ("cache/cifar-10-python.tar.gz", "archive"),
    ],
)
def test_files_that_other_programs_leave(places, no_network, place, content):
    if content == "folder":
        small_cifar.put_folder(places / place, FOLDERS[1])
    else:
        (places / place).parent.mkdir(parents=True)
        (places / place).write_bytes(small_cifar.ARCHIVES[FOLDERS[1]])
    check(load())


def test_damaged_files_of_other_programs_are_passed_over(places, no_network, capsys):
    damaged = small_cifar.put_folder(places / "keras/datasets/cifar-10-batches-py", FOLDERS[1])
    (damaged / "data_batch_3").write_bytes(b"")
    small_cifar.put_folder(places / "work/data/cifar-10-batches-py", FOLDERS[1])
    check(load())
    assert "data_batch_3 has 0 bytes" in capsys.readouterr().out


def test_the_cache_serves_without_any_other_file(filled, no_network):
    names = {path.name for path in (filled / "cache").iterdir()}
    assert names - {"lock"} == {f"{name}.npy" for name in small_cifar.ARRAYS}
    check(load())


def test_a_named_place_without_data_is_an_error_even_if_the_cache_is_full(filled, monkeypatch):
    with pytest.raises(DataError, match=r"data_dir is .*nowhere.* Expected cifar-10-batches-bin"):
        load(data_dir=filled / "nowhere")
    monkeypatch.setenv("CIFAR10_DIR", "/nowhere")
    with pytest.raises(DataError, match=r"CIFAR10_DIR is .*nowhere"):
        load()


def test_at_last_they_are_downloaded_once(places, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mirror = Mirror(small_cifar.ARCHIVES[FOLDERS[0]])
    with MirrorServer() as server:
        small_cifar.install(monkeypatch.setattr, (small_cifar.BINARY, server.add(mirror)))
        check(load())
        check(load())
    assert mirror.starts == [0]


# The decoded copy


def damage(path, kind):
    content = bytearray(path.read_bytes())
    if kind == "cut short":
        content = content[:-1]
    elif kind == "one bit":
        content[-100] ^= 1
    elif kind == "header":
        content[60:80] = bytes(20)
    elif kind == "transposed":
        content = content.replace(b"'fortran_order': False", b"'fortran_order': True ")
    path.write_bytes(b"" if kind == "empty" else content)


@pytest.mark.parametrize("kind", ["cut short", "one bit", "header", "transposed", "empty"])
@pytest.mark.parametrize("name", ["train_images", "test_labels"])
def test_a_damaged_copy_is_noticed_and_made_anew(filled, monkeypatch, kind, name):
    times = (cache.path_of(name).stat().st_atime_ns, cache.path_of(name).stat().st_mtime_ns)
    damage(cache.path_of(name), kind)
    os.utime(cache.path_of(name), ns=times)  # the date tells nothing
    if not (kind == "transposed" and name == "test_labels"):  # one dimension reads the same either way
        with pytest.raises(DataError):
            load()
    check(load(data_dir=small_cifar.put_folder(filled / "official", FOLDERS[0])))
    monkeypatch.chdir(filled)
    check(load())


def test_a_lost_file_of_the_copy_is_made_anew(filled):
    cache.path_of("train_labels").unlink()
    check(load(data_dir=small_cifar.put_folder(filled / "official", FOLDERS[0])))


@pytest.fixture
def read_only_cache(places, monkeypatch):
    """A cache folder that cannot be written; the superuser gives up its rights meanwhile."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs POSIX permissions")
    base = Path(tempfile.mkdtemp())
    base.chmod(0o755)
    small_cifar.put_folder(base / "official", FOLDERS[0])
    (base / "cache").mkdir()
    (base / "cache").chmod(0o555)
    monkeypatch.setenv("TUTORIAL_CACHE", str(base / "cache"))
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(65534)
    yield base / "cache"
    if superuser:
        os.seteuid(0)
    (base / "cache").chmod(0o755)
    shutil.rmtree(base)


def test_a_read_only_cache_is_named_and_the_data_loads_all_the_same(read_only_cache, capsys):
    check(load(data_dir=read_only_cache.parent / "official"))
    output = capsys.readouterr().out
    assert f"The cache folder {read_only_cache} cannot be written (Permission denied)" in output
    assert "TUTORIAL_CACHE" in output


def test_a_read_only_cache_and_no_data_is_an_error_that_names_it(read_only_cache, no_network):
    with pytest.raises(DataError, match=f"cannot be downloaded. The cache folder {read_only_cache}"):
        load()


@pytest.fixture
def file_size_limit():
    """Let no file grow beyond so many bytes: what a program sees of a full disk."""
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_no_half_file(places, file_size_limit, capsys):
    official = small_cifar.put_folder(places / "official", FOLDERS[0])
    file_size_limit(100_000)
    check(load(data_dir=official))
    assert f"The cache folder {places / 'cache'} cannot be written" in capsys.readouterr().out
    assert {path.name for path in (places / "cache").iterdir()} <= {"lock"}


def test_a_download_onto_a_full_disk_stops_and_goes_on_later(places, monkeypatch, file_size_limit):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mirror = Mirror(small_cifar.ARCHIVES[FOLDERS[0]])
    with MirrorServer() as server:
        small_cifar.install(monkeypatch.setattr, (small_cifar.BINARY, server.add(mirror)))
        file_size_limit(100_000)
        with pytest.raises(DataError, match=f"cache folder {places / 'cache'} cannot be written"):
            load()
        file_size_limit(10**9)
        check(load())
    assert mirror.starts == [0, 100_000]


# Damaged and hostile files


def test_altered_content_is_refused(places):
    folder = small_cifar.put_folder(places / "official", FOLDERS[0])
    content = bytearray((folder / "data_batch_2.bin").read_bytes())
    content[5000] ^= 1
    (folder / "data_batch_2.bin").write_bytes(content)
    with pytest.raises(DataError, match="train images are not those of CIFAR-10"):
        load(data_dir=folder)


def test_a_damaged_layout_beside_a_whole_one_does_no_harm(places):
    damaged = small_cifar.put_folder(places / FOLDERS[0], FOLDERS[0])
    (damaged / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"test_batch\.bin is missing"):
        load(data_dir=places)
    small_cifar.put_folder(places / FOLDERS[1], FOLDERS[1])
    check(load(data_dir=places))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_truncated_archive_is_refused(places, folder, share):
    content = small_cifar.ARCHIVES[folder]
    (places / "archive").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError):
        load(data_dir=places / "archive")


class Hostile:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "call",
    [
        (os.mkdir, "harm"),
        (eval, "__import__('os').mkdir('harm')"),
        (exec, "import os; os.mkdir('harm')"),
        (subprocess.call, ["mkdir", "harm"]),
        (np.load, "harm"),
        (np.zeros, 10),
        (np.ndarray, (1,), object, b"\x00" * 8),
    ],
    ids=lambda call: call[0].__name__,
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_pickle_runs_no_code(places, call, protocol):
    folder = small_cifar.put_folder(places / "official", FOLDERS[1])
    payload = pickle.dumps({b"data": Hostile(*call), b"labels": [0]}, protocol)
    size = (folder / "data_batch_1").stat().st_size
    (folder / "data_batch_1").write_bytes(payload.ljust(size, b"\x00"))
    with pytest.raises(DataError, match="not an official CIFAR-10 pickle"):
        load(data_dir=folder)
    assert not Path("harm").exists()


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, str(target)
    return member


def hostile_archive(members, path):
    """Write an archive of these members, (name, content) or TarInfo, before the true ones."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
        for name, content in small_cifar.FILES[FOLDERS[0]].items():
            info = tarfile.TarInfo(f"{FOLDERS[0]}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_nothing_of_an_archive_is_written_to_disk(filled):
    (filled / "inside").mkdir()
    secret = filled / "secret"
    secret.write_text("secret")
    archive = hostile_archive(
        [
            ("../outside", b"harm"),
            ("../../outside", b"harm"),
            (str(filled / "absolute"), b"harm"),
            link("link", secret),
            link("hard", secret, tarfile.LNKTYPE),
            link("way-out", ".."),
            ("way-out/outside", b"harm"),
            link("pipe", "", tarfile.FIFOTYPE),
        ],
        filled / "inside" / "archive",
    )
    before = sorted(filled.rglob("*"))
    shutil.rmtree(filled / "cache")
    check(load(data_dir=archive))
    assert sorted(filled.rglob("*")) == before
    assert secret.read_text() == "secret"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_link_in_place_of_a_file_is_refused(places, kind):
    (places / "secret").write_bytes(small_cifar.FILES[FOLDERS[0]]["data_batch_1.bin"])
    member = link(f"{FOLDERS[0]}/data_batch_1.bin", places / "secret", kind)
    member.size = (places / "secret").stat().st_size
    with pytest.raises(DataError, match=r"data_batch_1\.bin is no plain file"):
        load(data_dir=hostile_archive([member], places / "archive"))


def ten_gigabytes(path, name, kind):
    """Write a small file that unpacks to an archive with a member of 10 GB."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, 10_000_000_000
    zeros = gzip.compress(bytes(50_000_000))
    with path.open("wb") as file:
        file.write(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)))
        for _ in range(200):
            file.write(zeros)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"{FOLDERS[0]}/data_batch_1.bin", tarfile.REGTYPE),
        ("something-else", tarfile.REGTYPE),
        ("././@LongLink", tarfile.GNUTYPE_LONGNAME),
        ("pax", tarfile.XHDTYPE),
    ],
    ids=["expected", "unexpected", "long name", "pax header"],
)
def test_a_member_of_ten_gigabytes_costs_no_memory(tmp_path, name, kind):
    pytest.importorskip("resource", reason="measures memory as POSIX does")
    ten_gigabytes(tmp_path / "archive", name, kind)
    program = (
        "import resource, sys; from pathlib import Path; from helpers import formats\n"
        "try: formats.read_official(Path(sys.argv[1]))\n"
        "except formats.DataError as error: print(error)\n"
        "status = Path('/proc/self/status')\n"  # Linux: ru_maxrss also counts the parent's peak
        "if status.exists(): peak = 1024 * int(status.read_text().split('VmHWM:')[1].split()[0])\n"
        "else: peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(peak)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "archive"],
        cwd=cache.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    error, peak = done.stdout.splitlines()
    assert "is no plain file of" in error or "unpacks to more than 200 MB" in error
    assert int(peak) < 1e9


# The real data


@pytest.fixture
def official(official_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path))
    return load_cifar10("official", data_dir=official_dir)


def test_the_official_files_give_what_keras_gives(official, official_dir):
    from keras.src.datasets.cifar import load_batch  # what keras.datasets.cifar10 decodes with

    folder = next(
        (p for p in (official_dir, official_dir / FOLDERS[1]) if (p / "test_batch").is_file()), None
    )
    if folder is None:
        pytest.skip("Keras reads the Python layout only, and it is not in CIFAR10_DIR")
    batches = [load_batch(str(folder / f"data_batch_{i}")) for i in range(1, 6)]
    images = np.concatenate([pixels for pixels, _ in batches]).transpose(0, 2, 3, 1)
    labels = np.concatenate([labels for _, labels in batches])
    train, val = split_indices(labels, 5000, seed=0)
    assert np.array_equal(official.train.images, images[train])
    assert np.array_equal(official.val.images, images[val])
    assert np.array_equal(official.train.labels, labels[train])
    assert np.array_equal(official.val.labels, labels[val])
    test_images, test_labels = load_batch(str(folder / "test_batch"))
    assert np.array_equal(official.test.images, test_images.transpose(0, 2, 3, 1))
    assert np.array_equal(official.test.labels, test_labels)


def test_both_official_layouts_give_the_same(official_dir):
    folders = [official_dir / folder for folder in FOLDERS]
    if not all(folder.is_dir() for folder in folders):
        pytest.skip("needs both layouts in CIFAR10_DIR")
    for folder in folders:
        formats.read_official(folder)  # compares with one SHA-256 for both


def test_the_official_splits_are_the_stated_ones(official):
    assert [len(split) for split in (official.train, official.val, official.test)] == [45_000, 5_000, 10_000]
    for split, count in ((official.train, 4500), (official.val, 500), (official.test, 1000)):
        assert np.bincount(split.labels).tolist() == [count] * len(CLASS_NAMES)
