"""The command that says what is in photos: its answers, bad photos among good ones, and hostile models."""

import inspect
import io
import json
import os
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from helpers import models, predict
from helpers.data import CLASS_NAMES
from helpers.models import vgg
from helpers.photos import load_photo
from helpers.predict import ModelError, check_model_file, load_model, main, predict_photos, probabilities
from tests.test_photos import GIGABYTE, ROOT, damaged_file

FUZZ = int(os.environ.get("FUZZ", "120"))
layers = keras.layers
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """A model that was trained for a step, so that the file also holds its optimizer."""
    keras.utils.set_random_seed(0)
    model = vgg(1, width=2, dense_units=8)
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 32, 32, 3)), np.zeros((2, 10)), verbose=0)
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    model.save(path)
    return path


@pytest.fixture
def model(model_path):
    return load_model(model_path)


@pytest.fixture
def album(tmp_path):
    """A folder with three pictures of noise and a text."""
    folder = tmp_path / "album"
    folder.mkdir()
    for seed, name in enumerate(("a.png", "b.jpg", "c.webp")):
        noise = np.random.default_rng(seed).integers(0, 256, (40 + seed, 60, 3), "uint8")
        Image.fromarray(noise).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def command(model_path, capsys):
    """Run the command; return its exit status, its lines, and its lines on standard error."""

    def run(*arguments, model=model_path):
        status = main([*map(str, arguments), "--model", str(model)])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines()

    return run


# Answers


def test_guesses_are_the_most_probable_classes_of_the_models_own_logits(model, album):
    photos = [load_photo(path) for path in predict.pictures_in(album)]
    expected = softmax(model.predict(np.stack([photo.pixels for photo in photos]), verbose=0), axis=1)
    for row, guesses in zip(expected, predict_photos(model, photos, top=3), strict=True):
        assert [name for name, _ in guesses] == [CLASS_NAMES[label] for label in np.argsort(-row)[:3]]
        np.testing.assert_allclose([share for _, share in guesses], np.sort(row)[::-1][:3], rtol=1e-5)


def test_all_ten_probabilities_add_up_to_one(model, album):
    (guesses,) = predict_photos(model, [load_photo(album / "a.png")], top=10)
    assert sorted(guess.class_name for guess in guesses) == sorted(CLASS_NAMES)
    assert sum(guess.probability for guess in guesses) == pytest.approx(1)
    assert predict_photos(model, []) == []


def test_batches_change_nothing(model, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), "uint8")
    whole = probabilities(model, images)
    monkeypatch.setattr(predict, "BATCH_SIZE", 3)
    np.testing.assert_allclose(probabilities(model, images), whole, rtol=1e-5)


def test_the_table_has_a_line_for_each_photo(command, album):
    status, lines, errors = command(album, "--top", 2)
    assert (status, errors) == (0, [])
    assert lines[0].split() == ["photo", "size", "square", "most", "likely"]
    assert [line.split()[0] for line in lines[1:]] == [
        str(album / name) for name in ("a.png", "b.jpg", "c.webp")
    ]
    assert "60 x 41" in lines[2]
    assert "41 x 41" in lines[2]
    assert all(line.count("%") == 2 for line in lines[1:])


def test_programs_get_a_json_object_per_line(command, album, model):
    status, lines, errors = command(album / "b.jpg", "--json", "--top", 10)
    (answer,) = map(json.loads, lines)
    assert (status, errors) == (0, [])
    assert answer["path"] == str(album / "b.jpg")
    assert (answer["size"], answer["crop"]) == ([60, 41], [9, 0, 50, 41])
    (guesses,) = predict_photos(model, [load_photo(album / "b.jpg")], top=10)
    assert [(found["class"], found["probability"]) for found in answer["classes"]] == guesses


def test_bad_photos_among_good_ones_get_a_line_each_and_the_good_ones_are_answered(
    command, album, monkeypatch
):
    monkeypatch.setattr(predict, "BATCH_SIZE", 2)
    bad = [album / "none.jpg", album / "notes.txt"]
    given = [album / "a.png", bad[0], album / "b.jpg", bad[1], album]
    status, lines, errors = command(*given, "--json")
    assert status == 1
    answers = [json.loads(line) for line in lines]
    assert [answer["path"] for answer in answers] == [
        *map(str, given[:4]), *(str(album / name) for name in ("a.png", "b.jpg", "c.webp"))
    ]  # fmt: skip
    assert ["error" in answer for answer in answers] == [False, True, False, True, False, False, False]
    assert errors == [
        f"{path}: {answer['error']}" for path, answer in zip(bad, (answers[1], answers[3]), strict=True)
    ]


def test_a_photo_may_come_through_a_pipe(command, album, monkeypatch):
    content = io.BytesIO((album / "a.png").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    status, lines, _ = command("-", "--json")
    assert status == 0
    assert json.loads(lines[0])["path"] == "-"
    assert json.loads(lines[0])["size"] == [60, 40]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_names_cannot_break_lines_or_command_the_terminal(command, album):
    name = "x\n\x1b[31m\u202e\udcff.png"
    (album / name).write_bytes((album / "a.png").read_bytes())
    status, lines, errors = command(album / name, f"{name}.gone")
    assert (status, len(lines), len(errors)) == (1, 2, 1)
    assert all(line.isprintable() for line in lines + errors)
    assert r"x\n\x1b[31m\u202e\udcff.png" in lines[1]


@pytest.mark.parametrize("arguments", [[], ["x.jpg", "--top", "0"], ["x.jpg", "--top", "11"], ["--json"]])
def test_a_wrong_usage_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(command, album, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "load_photo", interrupt)
    assert command(album) == (130, [], ["", "Stopped."])


# Models that are loaded

BUILDERS = [
    build
    for build in vars(models).values()
    if inspect.isfunction(build) and inspect.signature(build).return_annotation is keras.Model
]


@pytest.mark.parametrize(
    "build", [*BUILDERS, partial(vgg, 2, dropout=0.1, weight_decay=1e-4, batch_norm=True)], ids=str
)
def test_every_network_of_the_series_is_made_of_allowed_parts(build):
    description = json.loads(json.dumps(keras.saving.serialize_keras_object(build())))
    assert predict.forbidden_part(description) is None


def test_a_functional_network_is_loaded_too(tmp_path):
    inputs = keras.Input((32, 32, 3))
    branches = [layers.Conv2D(2, size, padding="same", activation="gelu")(inputs) for size in (1, 3)]
    outputs = layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.Add()(branches)))
    keras.Model(inputs, outputs).save(tmp_path / "functional.keras")
    assert load_model(tmp_path / "functional.keras").output_shape == (None, 10)


# Models that are refused


def saved(path: Path, *parts) -> Path:
    keras.Sequential([keras.Input((32, 32, 3)), *parts]).save(path)
    return path


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed_config(path: Path, target: Path, change) -> Path:
    """Write a model file again, after `change` has worked on its description."""
    content = members(path)
    config = json.loads(content["config.json"])
    change(config)
    return packed(target, content | {"config.json": json.dumps(config).encode()})


def test_a_missing_model_or_none_at_all_is_said_in_one_line(command, album, tmp_path):
    (tmp_path / "old.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "folder.keras").mkdir()
    for name, words in (
        ("none.keras", "There is no model at"),
        ("old.h5", "is no .keras file"),
        ("folder.keras", "is no .keras file"),
    ):
        status, lines, errors = command(album, model=tmp_path / name)
        assert (status, lines, len(errors)) == (1, [], 1)
        assert words in errors[0]


def test_a_truncated_model_is_refused_wherever_it_was_cut_off(model_path, tmp_path):
    content = model_path.read_bytes()
    for length in (0, 1, 30, 100, len(content) // 2, len(content) - 22, len(content) - 1):
        (tmp_path / "cut.keras").write_bytes(content[:length])
        with pytest.raises(ModelError, match="is damaged or cut off"):
            check_model_file(tmp_path / "cut.keras")


def test_a_damaged_model_is_refused_or_was_damaged_where_it_does_not_count(model_path, model, tmp_path):
    content, images = model_path.read_bytes(), np.full((1, 32, 32, 3), 99, "uint8")
    chance, refused, path = np.random.default_rng(0), 0, tmp_path / "damaged.keras"
    for _ in range(200):
        damaged = bytearray(content)
        damaged[chance.integers(len(content))] ^= 1 << chance.integers(8)
        path.write_bytes(damaged)
        try:
            check_model_file(path)
        except ModelError:
            refused += 1
            continue
        np.testing.assert_array_equal(probabilities(load_model(path), images), probabilities(model, images))
    assert refused > 190


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"../../outside.txt": b"x"}, "expected config.json, metadata.json, model.weights.h5 in it"),
        ({"/outside.txt": b"x"}, "and nothing else"),
        ({"assets/vocabulary.txt": b"x"}, "and nothing else"),
        ({"model.weights.npz": b"x"}, "and nothing else"),
        ({"model.weights.h5": bytes(70_000_000)}, "it unpacks to more than 64 MB"),
        ({"model.weights.h5": b"no HDF5"}, "cannot be loaded"),
        ({"config.json": b"\xff\xfe"}, "is damaged"),
        ({"config.json": b"{"}, "is damaged"),
        ({"config.json": b"[" * 100_000}, "is damaged"),
        ({"config.json": b"[]"}, "config.json describes no network"),
        ({"config.json": b"{}"}, "config.json describes no network"),
    ],
)
def test_a_file_with_other_contents_is_refused(change, words, model_path, tmp_path):
    path = tmp_path / "other.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (members(model_path) | change).items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match=words) as error:
        load_model(path)
    assert "\n" not in str(error.value)
    assert not (tmp_path.parent.parent / "outside.txt").exists()


@pytest.mark.parametrize(
    ("written_by", "words"),
    [
        (b'{"keras_version": "99.1.0"}', "Keras 99.1 wrote it, this is"),
        (b'{"keras_version": "3.1.0"}', "could not be deserialized"),
        (b"[]", "could not be deserialized"),
    ],
)
def test_a_newer_keras_is_named_where_it_may_be_the_reason(written_by, words, model_path, tmp_path):
    def add_setting(config):
        config["config"]["layers"][-1]["config"]["of_tomorrow"] = None

    path = changed_config(model_path, tmp_path / "newer.keras", add_setting)
    packed(path, members(path) | {"metadata.json": written_by})
    with pytest.raises(ModelError, match=words) as error:
        load_model(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value).removeprefix(str(path))) < 140


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_descriptions_in_one_file_are_refused(model_path, tmp_path):
    path = packed(tmp_path / "twice.keras", members(model_path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", b"{}")
    with pytest.raises(ModelError, match="and nothing else"):
        load_model(path)


def add_layer(part):
    return lambda config: config["config"]["layers"].append(part)


HOSTILE = {
    "function of Keras": {
        "module": "keras.layers", "class_name": "Lambda", "config": {"name": "x", "function": {
            "module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"}},
    },
    "function of Python": {"module": "builtins", "class_name": "function", "config": "exec"},
    "class of Python": {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}},
    "saved graph": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "graph"}},
    "bytecode": {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}},
    "function as an initializer": {"module": "keras.initializers", "class_name": "deserialize", "config": {}},
    "known class of another module": {"module": "evil", "class_name": "Dense", "config": {}},
    "class of no name": {"module": "keras.layers", "class_name": ["Dense"], "config": {}},
    "model within, compiled": {
        "module": "keras", "class_name": "Sequential", "config": {"layers": []},
        "compile_config": {"loss": {"module": "os", "class_name": "function", "config": "system"}},
    },
    "layer in a list of lists": {"module": "keras.layers", "class_name": "Activation", "config": {
        "activation": [[{"module": "keras.layers", "class_name": "Lambda", "config": {}}]]}},
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_network_with_parts_that_could_run_code_is_refused_before_keras_sees_it(
    kind, model_path, tmp_path, monkeypatch
):
    path = changed_config(model_path, tmp_path / "hostile.keras", add_layer(HOSTILE[kind]))
    monkeypatch.setattr(keras.saving, "load_model", None)
    with pytest.raises(ModelError, match="is no part of this series' networks") as error:
        load_model(path)
    assert "\n" not in str(error.value)


def test_a_lambda_layer_is_refused_and_not_run(tmp_path, command, album):
    trace = tmp_path / "trace"
    path = tmp_path / "lambda.keras"
    run_code = layers.Lambda(lambda x, p=str(trace): (open(p, "w").close(), x)[1])  # noqa: PTH123
    saved(path, run_code, layers.Flatten(), layers.Dense(10))
    trace.unlink()
    status, lines, errors = command(album, model=path)
    assert (status, lines) == (1, [])
    assert errors == [f"{path} is not loaded: Lambda (keras.layers) is no part of this series' networks."]
    assert not trace.exists()


def test_keras_is_asked_to_be_safe_too(model_path, monkeypatch):
    asked = {}
    real = keras.saving.load_model
    monkeypatch.setattr(
        keras.saving, "load_model", lambda path, **options: asked.update(options) or real(path)
    )
    load_model(model_path)
    assert asked == {"compile": False, "safe_mode": True}


def test_a_network_of_another_shape_is_refused(tmp_path):
    saved(tmp_path / "classes.keras", layers.Flatten(), layers.Dense(7))
    grey = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])
    grey.save(tmp_path / "grey.keras")
    for name, words in (("classes", r"to \(None, 7\)"), ("grey", r"from \(None, 28, 28, 1\)")):
        with pytest.raises(ModelError, match=words + r".*, expected \(None, 32, 32, 3\) to \(None, 10\)"):
            load_model(tmp_path / f"{name}.keras")


def test_weights_that_do_not_fit_are_refused(model_path, tmp_path):
    def widen(config):
        config["config"]["layers"][-1]["config"]["units"] = 11

    with pytest.raises(ModelError, match=r"cannot be loaded: .*shape|cannot be loaded: .*objects could not"):
        load_model(changed_config(model_path, tmp_path / "wide.keras", widen))


def test_infinite_numbers_are_no_probabilities(model, tmp_path):
    model.layers[-1].set_weights([np.full_like(weight, np.nan) for weight in model.layers[-1].get_weights()])
    with pytest.raises(ModelError, match="not finite: its weights are damaged"):
        probabilities(model, np.zeros((1, 32, 32, 3), "uint8"))


# As a process of its own


def run(*arguments, **options):
    command = [sys.executable, "-m", "helpers.predict", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, text=True, check=False, **options)


def test_what_can_be_said_without_tensorflow_does_not_start_it(model_path, album, tmp_path):
    lambda_path = changed_config(model_path, tmp_path / "l.keras", add_layer(HOSTILE["bytecode"]))
    code = (
        "import sys; from helpers.predict import main\n"
        f"codes = [main(['x.jpg', '--model', path]) for path in ({str(lambda_path)!r}, 'none.keras')]\n"
        f"codes.append(main([{str(album / 'notes.txt')!r}, '--model', {str(model_path)!r}]))\n"
        "assert codes == [1, 1, 1], codes\n"
        "assert not {'keras', 'tensorflow', 'scipy'} & set(sys.modules)"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    assert len(child.stderr.splitlines()) == 3


@posix
def test_a_reader_who_leaves_and_a_full_disk_cause_no_traceback(model_path):
    names = ["gone.jpg"] * 3
    read, write = os.pipe()
    os.close(read)
    child = run(*names, "--json", "--model", model_path, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (child.returncode, child.stderr) == (1, "")
    if Path("/dev/full").exists():
        with open("/dev/full", "w") as full:  # noqa: PTH123
            child = run(*names, "--json", "--model", model_path, stdout=full, stderr=subprocess.PIPE)
        assert (child.returncode, child.stderr) == (1, "No space left on device\n")


FUZZ_CHILD = """
import json, sys
from tests.test_photos import memory_peak
from helpers.predict import main
status = main(json.load(open(sys.argv[1])))
print(json.dumps({"status": status, "peak": memory_peak()}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_good_photos_among_many_damaged_ones_are_answered(model_path, album, tmp_path):
    folder = tmp_path / "fuzz"
    folder.mkdir()
    good, names = str(album / "a.png"), []
    for number in range(FUZZ):
        names += [str(damaged_file(folder, number, seed=1))] + [good] * (number % 10 == 0)
    arguments = tmp_path / "arguments.json"
    arguments.write_text(json.dumps([*names, "--json", "--model", str(model_path)]))
    command = [sys.executable, "-c", FUZZ_CHILD, str(arguments)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in child.stderr
    *answers, end = map(json.loads, child.stdout.splitlines())
    assert [answer["path"] for answer in answers] == names
    assert len({json.dumps(answer["classes"]) for answer in answers if answer["path"] == good}) == 1
    bad = [answer for answer in answers if "error" in answer]
    assert len(child.stderr.splitlines()) == len(bad) > FUZZ / 4
    assert end["status"] == 1
    print(end, f"{len(bad)} bad of {len(names)}")
    assert end["peak"] < GIGABYTE
