"""What may be in a `.keras` file: the series' networks, and nothing that runs code or fills the memory."""

import inspect
import io
import json
import re
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import h5py
import keras
import numpy as np
import pytest

from helpers import models
from helpers.internal import network_file
from helpers.internal.network_file import check_model_file, forbidden_part, forbidden_weights, unpacked
from helpers.predict import FINAL_MODEL, ModelError, load_model

layers = keras.layers
BUILDERS = [
    build
    for build in vars(models).values()
    if inspect.isfunction(build) and inspect.signature(build).return_annotation is keras.Model
]


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """A model that is compiled, so that the file also holds an optimizer."""
    model = models.vgg(1, width=2, dense_units=8)
    model.compile("adam", "mse")
    model.save(path := tmp_path_factory.mktemp("model") / "tiny.keras")
    return path


def packed(path: Path, content: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path


# What is accepted


@pytest.mark.parametrize("build", [*BUILDERS, partial(models.vgg, dropout=0.1, l2=1e-4)], ids=str)
def test_every_network_of_the_series_is_made_of_allowed_parts(build):
    assert forbidden_part(json.loads(build().to_json())) is None


def test_the_published_network_is_loaded():
    assert load_model(FINAL_MODEL).output_shape == (None, 10)


def test_a_functional_network_is_loaded_too(tmp_path):
    inputs = keras.Input((32, 32, 3))
    branches = [layers.Conv2D(2, size, padding="same", activation="gelu")(inputs) for size in (1, 3)]
    outputs = layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.Add()(branches)))
    keras.Model(inputs, outputs).save(tmp_path / "functional.keras")
    assert load_model(tmp_path / "functional.keras").output_shape == (None, 10)


def test_keras_is_asked_to_be_safe_too(model_path, monkeypatch):
    load = Mock(wraps=keras.saving.load_model)
    monkeypatch.setattr(keras.saving, "load_model", load)
    load_model(model_path)
    load.assert_called_once_with(model_path, compile=False, safe_mode=True)


# What is refused


def refused(path, words):
    """Make sure that a file is refused in one line that says these words, before Keras gets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.saving, "load_model", None)
        with pytest.raises(ModelError, match=words) as error:
            load_model(path)
    assert str(error.value).isprintable()


def test_what_is_no_model_file_is_refused(tmp_path, monkeypatch, model_path):
    (tmp_path / "old.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "folder.keras").mkdir()
    refused(tmp_path / "none.keras", "is not loaded: there is no such file")
    refused(tmp_path / "old.h5", "it is no .keras file")
    refused(tmp_path / "folder.keras", "it is no .keras file")
    monkeypatch.setattr(network_file, "MAX_BYTES", 1000)
    refused(model_path, "it is larger than")


def test_a_damaged_model_is_refused_or_was_damaged_where_it_does_not_count(model_path, tmp_path):
    content, whole = model_path.read_bytes(), unpacked(model_path)
    chance, found, path = np.random.default_rng(0), 0, tmp_path / "damaged.keras"
    for length in (0, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        refused(path, "it is damaged or cut off")
    for _ in range(100):
        damaged = bytearray(content)
        damaged[chance.integers(len(content))] ^= 1 << chance.integers(8)
        path.write_bytes(damaged)
        try:
            check_model_file(path)
            assert unpacked(path) == whole
        except ModelError:
            found += 1
    assert found > 75


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"../../outside.txt": b"x"}, "expected config.json, metadata.json, model.weights.h5 in it and"),
        ({"model.weights.h5": bytes(70_000_000)}, "it unpacks to more"),
        ({"config.json": b"[" * 300_000}, "it unpacks to more"),
        ({"model.weights.h5": b"no HDF5"}, "is damaged"),
        ({"config.json": b"[" * 100_000}, "is damaged"),
        ({"config.json": b"[]"}, "is damaged"),
        ({"config.json": b"{}"}, "config.json describes no network"),
    ],
)
def test_a_file_with_other_contents_is_refused(change, words, model_path, tmp_path):
    parts, options = unpacked(model_path) | change, {"compression": zipfile.ZIP_DEFLATED}
    refused(packed(tmp_path / "x.keras", parts, **options), words)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_descriptions_in_one_file_and_unusual_ways_to_compress_are_refused(model_path, tmp_path):
    path = packed(tmp_path / "x.keras", unpacked(model_path), compression=zipfile.ZIP_LZMA)
    refused(path, "expected parts that are stored or deflated")
    packed(path, unpacked(model_path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", b"{}")
    refused(path, "and nothing else")


def test_what_unpacks_to_more_than_it_declares_is_refused_and_not_unpacked(model_path, tmp_path):
    content, size = unpacked(model_path), 50_000_000
    content["config.json"] = bytes(size)
    path = packed(tmp_path / "x.keras", content, compression=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (2).to_bytes(4, "little")))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("config.json").file_size == 2
    tracemalloc.start()
    refused(path, "is damaged")
    assert tracemalloc.get_traced_memory()[1] < size / 10
    tracemalloc.stop()


def layer(kind="Dense", module="keras.layers", **settings):
    return {"module": module, "class_name": kind, "config": settings}


HOSTILE = {  # parts of a description, each a way to run code
    "function of Keras": layer("Lambda", function=layer("function", "keras.config")),
    "function of Python": {"module": "builtins", "class_name": "function", "config": "exec"},
    "class of Python": layer("Popen", "subprocess", args=["true"]),
    "saved graph": layer("TFSMLayer", filepath="graph"),
    "bytecode": {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}},
    "function as an initializer": layer("deserialize", "keras.initializers"),
    "known class of another module": layer("Dense", "evil"),
    "class of no name": layer(["Dense"]),
    "model within, compiled": layer("Sequential", "keras", layers=[])
    | {"compile_config": {"loss": {"module": "os", "class_name": "function", "config": "system"}}},
    "layer in a list of lists": layer("Activation", activation=[[layer("Lambda")]]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_network_with_parts_that_could_run_code_is_refused(kind):
    reason = forbidden_part(layer("Sequential", "keras", layers=[HOSTILE[kind]]))
    assert reason.endswith("is no part of this series' networks")
    assert reason.isprintable()


BUILT = {"build_config": {"input_shape": [None, 8, 8, 4000]}}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([layer("MaxPooling2D", pool_size=[2, 10**8])], "pool_size is beyond"),
        ([layer("GaussianNoise", stddev=float("nan"))], "stddev is beyond"),
        ([layer("ReLU")] * 250, "it has more than 200 layers"),
        ([layer("Conv2D", filters=4000, kernel_size=[3, 3]) | BUILT], "more than .* 16,000,000 weights"),
        ([layer("Dense", units=2000)], "more than .* 16,000,000 weights"),
    ],
    ids=["large number", "no number", "many layers", "large kernel", "unknown size"],
)
def test_a_network_too_large_to_be_built_is_refused(parts, words):
    assert re.search(words, forbidden_part(layer("Sequential", "keras", layers=parts)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.create_dataset("0", (10**9,), "f4", chunks=(1000,)), "take too much memory"),
        (lambda f: f.create_dataset("0", (2,), "f4", external=[("/etc/hostname", 0, 8)]), "another file"),
        (lambda file: file.update({"0": h5py.ExternalLink("/dev/stdin", "/")}), "behind a link"),
        (lambda file: file.update({"0": h5py.SoftLink("/")}), "behind a link"),
        (lambda file: file.create_group("/".join("a" * 30)), "too many parts"),
        (lambda file: [file.create_group(str(number)) for number in range(3001)], "too many parts"),
    ],
    ids=["small on the disk", "outside", "link to what may never end", "link to itself", "deep", "wide"],
)
def test_weights_that_fill_the_memory_or_lie_elsewhere_are_refused(make, words):
    with h5py.File(content := io.BytesIO(), "w") as file:
        make(file)
    assert words in forbidden_weights(content.getvalue())


# What Keras itself cannot load, or what is another network


def test_a_network_that_keras_cannot_load_is_told_in_one_line(model_path, tmp_path):
    parts = unpacked(model_path)
    parts["config.json"] = parts["config.json"].replace(b'"units": 10', b'"of_tomorrow": 10')
    path = packed(tmp_path / "newer.keras", parts)
    with pytest.raises(ModelError, match=f"Keras {keras.__version__} cannot load .*newer.keras: ") as error:
        load_model(path)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(("shape", "units"), [((32, 32, 3), 7), ((28, 28, 1), 10)])
def test_a_network_of_another_shape_is_refused(shape, units, tmp_path):
    keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(units)]).save(tmp_path / "x.keras")
    with pytest.raises(ModelError, match=r"expected \(None, 32, 32, 3\) and \(None, 10\)"):
        load_model(tmp_path / "x.keras")
