"""The loader: how it splits, and which source it takes; and the votes of people."""

import hashlib
import io

import numpy as np
import pytest

from helpers import data
from helpers.data import DataError, Split, load_cifar10, load_votes, split_indices
from helpers.internal import download
from tests.support.mirror_server import Mirror, MirrorServer
from tests.support.small_cifar import ARRAYS, FOLDERS, NAMES

LABELS = np.tile(np.arange(10), 100)


@pytest.fixture(autouse=True)
def official(monkeypatch):
    """Official arrays that take no time, under the standard profile."""
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    monkeypatch.setattr(data, "official_arrays", lambda data_dir: ARRAYS)


@pytest.mark.parametrize("fold", [0, 4])
def test_the_split_is_stratified_and_complete(fold):
    train, val = split_indices(LABELS, 200, seed=0, fold=fold)
    assert np.bincount(LABELS[val]).tolist() == [20] * 10
    assert sorted([*train, *val]) == list(range(1000))
    assert train.tolist() == sorted(train)
    assert val.tolist() == sorted(val)


def test_the_split_is_the_same_on_every_machine_and_another_for_another_seed_or_fold():
    assert split_indices(LABELS, 10, seed=0)[1].tolist() == [92, 196, 269, 403, 504, 608, 657, 850, 855, 921]
    assert split_indices(LABELS, 10, seed=1)[1].tolist() != split_indices(LABELS, 10, seed=0)[1].tolist()
    folds = [set(split_indices(LABELS, 200, seed=0, fold=fold)[1]) for fold in range(5)]
    assert len(set.union(*folds)) == 1000
    assert set(split_indices(LABELS, 400, seed=0)[1]) == folds[0] | folds[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"val_size": 2.5}, "val_size is 2.5, expected an integer"),
        ({"fold": -1}, "fold is -1, expected an integer"),
        ({"val_size": 250}, "val_size is 250: too large for 250 training images"),
        ({"val_size": 50, "fold": 5}, "fold is 5: with val_size 50 the last one is 4"),
        ({"source": "cifar"}, "'cifar', expected one of 'auto', 'official', 'sample'"),
    ],
)
def test_what_is_out_of_range_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        load_cifar10(**{"source": "official"} | wrong)


def test_a_split_needs_a_label_for_each_image():
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        Split(np.zeros((3, 32, 32, 3), np.uint8), np.zeros(2, np.int64))


def test_each_part_has_its_own_images_which_no_mistake_changes():
    loaded = load_cifar10("auto", val_size=53, seed=3, fold=1)
    assert loaded.source == "official"
    train, val = split_indices(ARRAYS["train_labels"], 53, 3, 1)
    parts = (("train", loaded.train, train), ("train", loaded.val, val), ("test", loaded.test, ...))
    for name, split, rows in parts:
        for kind in ("images", "labels"):
            assert np.array_equal(getattr(split, kind), ARRAYS[f"{name}_{kind}"][rows])
            with pytest.raises(ValueError, match="read-only"):
                getattr(split, kind)[0] = 0


def test_training_code_gets_no_test_split():
    loaded = load_cifar10("official", val_size=50)
    assert vars(loaded.for_training()).items() == vars(loaded).items() - {("test", loaded.test)}


def test_the_smoke_profile_gives_the_sample_with_one_line(monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    loaded = load_cifar10("auto", fold=9)
    assert [len(split) for split in (loaded.train, loaded.val, loaded.test)] == [1800, 200, 1000]
    assert capsys.readouterr().out.count("\n") == 1
    monkeypatch.setenv("TUTORIAL_PROFILE", "quick")
    with pytest.raises(ValueError, match="'quick', expected standard or smoke"):
        load_cifar10("auto")


def test_auto_falls_back_with_a_banner_that_nobody_can_miss_and_official_never(monkeypatch, capsys):
    def fail(data_dir):
        raise DataError("no network, no files")

    monkeypatch.setattr(data, "official_arrays", fail)
    assert load_cifar10("auto").source == load_cifar10("sample").source == "sample"
    output = capsys.readouterr().out
    assert all(words in output for words in ("!" * 80, "THIS IS NOT CIFAR-10", "no network, no files"))
    with pytest.raises(DataError, match="no network, no files"):
        load_cifar10("official")


@pytest.mark.slow
def test_the_official_files_give_what_keras_gives(official_dir, tmp_path, monkeypatch):
    from keras.src.datasets.cifar import load_batch  # what keras.datasets.cifar10 decodes with

    folders = [official_dir / name for name in FOLDERS]
    if not all(folder.is_dir() for folder in folders):
        pytest.skip("needs both layouts in CIFAR10_DIR")
    expected = [load_batch(str(folders[1] / name)) for name in NAMES]
    monkeypatch.undo()
    for folder in folders:
        monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path / folder.name))
        loaded = load_cifar10("official", val_size=0, data_dir=folder)
        images = np.concatenate([loaded.train.images, loaded.test.images]).transpose(0, 3, 1, 2)
        assert np.array_equal(images, np.concatenate([pixels for pixels, _ in expected]))
        labels = np.concatenate([loaded.train.labels, loaded.test.labels])
        assert np.array_equal(labels, np.concatenate([labels for _, labels in expected]))


@pytest.fixture
def votes(monkeypatch, tmp_path):
    """Let 40 votes on four images be those of CIFAR-10H; return the content of their file."""
    np.save(file := io.BytesIO(), np.eye(4, 10, dtype=np.int64) * 10)
    content = file.getvalue()
    known = {"votes.npy": (len(content), hashlib.sha256(content).hexdigest())}
    for module in (data, download):
        monkeypatch.setattr(module, "VOTES", known)
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("CIFAR10H_DIR", raising=False)
    return content


def test_votes_are_fetched_once_and_then_read_from_the_cache(votes, monkeypatch):
    with MirrorServer() as server:
        mirror = Mirror(votes)
        monkeypatch.setattr(download, "PEOPLE", server.add(mirror, "votes.npy"))
        assert [load_votes().sum() for _ in range(2)] == [40, 40]
        assert mirror.starts == [0]


def test_votes_of_a_named_folder_are_taken_if_they_are_the_right_ones(votes, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CIFAR10H_DIR", str(tmp_path))
    (tmp_path / "votes.npy").write_bytes(votes)
    assert load_votes().shape == (4, 10)
    (tmp_path / "votes.npy").write_bytes(votes[:-1])
    assert load_votes() is load_votes("sample") is None
    assert "is not the file of CIFAR-10H: delete it" in capsys.readouterr().out


def test_where_no_votes_can_be_had_a_line_says_so_and_nothing_is_raised(votes, monkeypatch, capsys):
    monkeypatch.setattr(download, "PEOPLE", "http://127.0.0.1:9/votes.npy")
    assert load_votes() is None
    assert "CIFAR10H_DIR may name a folder" in capsys.readouterr().out
