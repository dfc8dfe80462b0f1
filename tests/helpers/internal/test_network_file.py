"""What may be in a `.keras` file: the series' networks, and nothing that runs code or fills the memory."""

import inspect
import io
import json
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from helpers import models
from helpers.internal import network_file
from helpers.internal.network_file import check_model_file, forbidden_part
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


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, content: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path


def changed_config(path: Path, target: Path, change) -> Path:
    """Write a model file again, after `change` has worked on its description."""
    content = members(path)
    config = json.loads(content["config.json"])
    change(config)
    return packed(target, content | {"config.json": json.dumps(config).encode()})


def weights(write) -> bytes:
    """Return an HDF5 file that `write` has worked on."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return content.getvalue()


# What is accepted


@pytest.mark.parametrize(
    "build", [*BUILDERS, partial(models.vgg, 5, dropout=0.1, weight_decay=1e-4, batch_norm=True)], ids=str
)
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


def test_keras_is_asked_to_be_safe_too_and_gets_what_was_looked_at(model_path, monkeypatch):
    asked = {}

    def load(path, **options):
        asked.update(options, parts=members(path))
        return real(path)

    real = keras.saving.load_model
    monkeypatch.setattr(keras.saving, "load_model", load)
    load_model(model_path)
    assert asked == {"compile": False, "safe_mode": True, "parts": members(model_path)}


# What is refused


def refused(path, words):
    """Make sure that a file is refused in one line that says these words, before Keras gets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.saving, "load_model", None)
        with pytest.raises(ModelError, match=words) as error:
            load_model(path)
    assert str(error.value).isprintable()
    return str(error.value)


def test_what_is_no_model_file_is_refused(tmp_path, monkeypatch, model_path):
    (tmp_path / "old.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "folder.keras").mkdir()
    refused(tmp_path / "none.keras", "is not loaded: there is no such file")
    refused(tmp_path / "old.h5", "it is no .keras file")
    refused(tmp_path / "folder.keras", "it is no .keras file")
    monkeypatch.setattr(network_file, "MAX_BYTES", 1000)
    refused(model_path, "it is larger than")


def test_a_truncated_model_is_refused_wherever_it_was_cut_off(model_path, tmp_path):
    content = model_path.read_bytes()
    for length in (0, 1, 30, 100, len(content) // 2, len(content) - 22, len(content) - 1):
        (tmp_path / "cut.keras").write_bytes(content[:length])
        refused(tmp_path / "cut.keras", "it is damaged or cut off")


def test_a_damaged_model_is_refused_or_was_damaged_where_it_does_not_count(model_path, tmp_path):
    content, whole = model_path.read_bytes(), members(model_path)
    chance, found, path = np.random.default_rng(0), 0, tmp_path / "damaged.keras"
    for _ in range(200):
        damaged = bytearray(content)
        damaged[chance.integers(len(content))] ^= 1 << chance.integers(8)
        path.write_bytes(damaged)
        try:
            assert check_model_file(path) == whole
        except ModelError:
            found += 1
    assert found > 150


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"../../outside.txt": b"x"}, "expected config.json, metadata.json, model.weights.h5 in it"),
        ({"assets/vocabulary.txt": b"x"}, "and nothing else"),
        ({"model.weights.h5": bytes(70_000_000)}, "it unpacks to more"),
        ({"config.json": b"[" * 300_000}, "it unpacks to more"),
        ({"model.weights.h5": b"no HDF5"}, "is damaged"),
        ({"config.json": b"\xff\xfe"}, "is damaged"),
        ({"config.json": b"{"}, "is damaged"),
        ({"config.json": b"[" * 100_000}, "is damaged"),
        ({"config.json": b"[]"}, "is damaged"),
        ({"config.json": b"{}"}, "config.json describes no network"),
    ],
)
def test_a_file_with_other_contents_is_refused(change, words, model_path, tmp_path):
    refused(
        packed(tmp_path / "x.keras", members(model_path) | change, compression=zipfile.ZIP_DEFLATED), words
    )
    assert not (tmp_path.parent.parent / "outside.txt").exists()


def test_parts_compressed_in_an_unusual_way_are_refused(model_path, tmp_path):
    path = packed(tmp_path / "x.keras", members(model_path), compression=zipfile.ZIP_LZMA)
    refused(path, "expected parts that are stored or deflated")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_descriptions_in_one_file_are_refused(model_path, tmp_path):
    path = packed(tmp_path / "twice.keras", members(model_path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", b"{}")
    refused(path, "and nothing else")


def test_what_unpacks_to_more_than_it_declares_is_refused_and_not_unpacked(model_path, tmp_path):
    content, size = members(model_path), 50_000_000
    content["config.json"] = bytes(size)
    path = packed(tmp_path / "x.keras", content, compression=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (2).to_bytes(4, "little")))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("config.json").file_size == 2
    tracemalloc.start()
    refused(path, "is damaged")
    assert tracemalloc.get_traced_memory()[1] < size / 10
    tracemalloc.stop()


def add_layer(part):
    return lambda config: config["config"]["layers"].append(part)


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
def test_a_network_with_parts_that_could_run_code_is_refused(kind, model_path, tmp_path):
    path = changed_config(model_path, tmp_path / "hostile.keras", add_layer(HOSTILE[kind]))
    refused(path, "is no part of this series' networks")


def test_a_lambda_layer_is_refused_and_not_run(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "lambda.keras"
    run_code = layers.Lambda(lambda x, p=str(trace): (open(p, "w").close(), x)[1])  # noqa: PTH123
    keras.Sequential([keras.Input((32, 32, 3)), run_code, layers.Flatten(), layers.Dense(10)]).save(path)
    trace.unlink()
    assert "Lambda (keras.layers) is no part" in refused(path, "is not loaded")
    assert not trace.exists()


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
def test_a_network_too_large_to_be_built_is_refused(parts, words, model_path, tmp_path):
    def add(config):
        config["config"]["layers"] += parts

    refused(changed_config(model_path, tmp_path / "large.keras", add), words)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda file: file.create_dataset("0", (10**9,), "f4", chunks=(1000,)), "take too much memory"),
        (
            lambda file: file.create_dataset("0", (2,), "f4", external=[("/etc/hostname", 0, 8)]),
            "another file",
        ),
    ],
    ids=["small on the disk", "outside"],
)
def test_weights_that_fill_the_memory_or_lie_elsewhere_are_refused(write, words, model_path, tmp_path):
    content = members(model_path) | {"model.weights.h5": weights(write)}
    refused(packed(tmp_path / "x.keras", content), words)


# What Keras itself cannot load, or what is another network


@pytest.mark.parametrize("written_by", ["99.1.0", "3.1.0", None])
def test_a_network_that_keras_cannot_load_is_told_with_both_versions(written_by, model_path, tmp_path):
    def add_setting(config):
        config["config"]["layers"][-1]["config"]["of_tomorrow"] = None

    path = changed_config(model_path, tmp_path / "newer.keras", add_setting)
    metadata = b"[]" if written_by is None else json.dumps({"keras_version": written_by}).encode()
    packed(path, members(path) | {"metadata.json": metadata})
    with pytest.raises(ModelError, match="cannot be loaded") as error:
        load_model(path)
    assert f"(Keras {written_by or '?'} wrote it, this is {keras.__version__})" in str(error.value)
    assert str(error.value).isprintable()


def test_a_network_of_another_shape_is_refused(tmp_path):
    for name, shape, units in (("classes", (32, 32, 3), 7), ("grey", (28, 28, 1), 10)):
        path = tmp_path / f"{name}.keras"
        keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(units)]).save(path)
        with pytest.raises(ModelError) as error:
            load_model(path)
        goes = f"goes from {(None, *shape)} to {(None, units)}, expected (None, 32, 32, 3) to (None, 10)."
        assert str(error.value).endswith(goes)
