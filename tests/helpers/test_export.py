"""Exports: each is run and compared before it is kept, a folder is written whole, and what fails is told."""

import importlib.util
import json
import os
import subprocess
import sys
import types
from dataclasses import asdict

import keras
import numpy as np
import pytest

from helpers import export, model_files
from helpers.data import Cifar10, DataError, Split
from helpers.export import ExportReport, check_folder, compare_logits, export_all, export_table, main, measure
from helpers.internal.sample import make_sample
from helpers.model_files import run_keras, verify_model_file, write_litert, write_onnx
from helpers.models import fast_net, set_whitening
from helpers.predict import ModelError
from helpers.session import quietly
from tests.clients.browser.outside import Outside
from tools.chapters import ROOT

MISSING = [name for name in model_files.ONNX_PACKAGES.split() if importlib.util.find_spec(name) is None]
needs_onnx = pytest.mark.skipif(bool(MISSING), reason=f"optional packages are missing: {', '.join(MISSING)}")
HERE = ("keras", "savedmodel", "litert", "litert_int8")  # formats that take no optional package
REPORT = ExportReport("keras", "", "build/exports/model.keras", 12345, 0.0, 1.0, 20.5, 31.25, 1500.0)


@pytest.fixture(scope="module")
def images():
    return make_sample(seed=0)[0][:250]


@pytest.fixture(scope="module")
def model(images):
    """A small network of chapter 06, not trained, whose logits lie well apart."""
    keras.utils.set_random_seed(0)
    model = fast_net(4)
    set_whitening(model, images)
    return model


@pytest.fixture(scope="module")
def exported(model, images, tmp_path_factory):
    """A folder with all exports that need no optional package, and their reports."""
    folder = tmp_path_factory.mktemp("export") / "new" / "exports"
    return folder, export_all(model, folder, images[:50], images, HERE, repeats=3)


@pytest.fixture
def fast_formats(monkeypatch):
    """Writing takes no time: what is written is a text, and each runner answers as the Keras model."""

    def write(model, path, calibration=None):
        path.write_text(path.name)

    for name in ("save_model", "write_savedmodel", "write_litert", "write_onnx"):
        monkeypatch.setattr(model_files, name, write)
    monkeypatch.setattr(model_files, "run_keras", lambda model: model)
    for name in export.FILES:
        monkeypatch.setitem(export.RUNNERS, name, lambda path: logits_of)


def logits_of(images):
    """Stand in for a network: ten numbers from the pixels of each image."""
    return images.reshape(len(images), -1)[:, :10].astype("float32")


# What is written


def test_every_format_is_written_and_checked(exported):
    folder, reports = exported
    assert [(report.format, report.problem) for report in reports] == [(name, "") for name in HERE]
    for report in reports:
        assert report.path == str(folder / export.FILES[report.format])
        assert report.bytes > 1000
        assert 0 < report.median_ms <= report.p99_ms
        assert report.images_per_second > 0


def test_float_formats_give_keras_logits(exported, model, images):
    _, reports = exported
    scale = np.abs(run_keras(model)(images)).max()
    for report in reports[:3]:
        assert report.largest_difference <= export.ROUNDING * max(1, scale)
        assert report.agreement >= 0.99
    assert reports[0].largest_difference == 0


def test_int8_is_smaller_and_nearly_right(exported):
    _, (_, _, litert, int8) = exported
    assert int8.bytes < litert.bytes
    assert int8.agreement >= export.INT8_AGREEMENT
    assert int8.largest_difference > litert.largest_difference


@pytest.mark.parametrize("name", HERE)
def test_all_formats_are_run_alike(exported, model, images, name):
    folder, _ = exported
    runner = export.RUNNERS[name](folder / export.FILES[name])
    whole = runner(images)
    assert (whole.shape, whole.dtype) == ((250, 10), np.float32)
    for count in (1, 3, 1, 120):  # the number of images may change from call to call
        np.testing.assert_allclose(runner(images[:count]), whole[:count], rtol=1e-3, atol=2e-2)


def test_the_folder_holds_the_exports_and_what_is_known_of_them(exported):
    folder, reports = exported
    names = {path.name for path in folder.iterdir()}
    assert names == {*(export.FILES[name] for name in HERE), "model.json", export.RECORD}
    assert json.loads((folder / export.RECORD).read_text()) == {"exports": [asdict(r) for r in reports]}
    assert [path.name for path in folder.parent.iterdir()] == ["exports"]
    verify_model_file(folder / "model.keras")


def test_int8_takes_pixels_as_they_are_in_a_picture(exported):
    folder, _ = exported
    import tensorflow as tf

    with quietly():
        interpreter = tf.lite.Interpreter(str(folder / "model_int8.tflite"))
    (pixels,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (pixels["dtype"], pixels["quantization"]) == (np.uint8, (1.0, 0))
    assert logits["dtype"] == np.float32


def test_calibration_images_that_do_not_show_all_pixels_are_refused(model, images, tmp_path):
    with pytest.raises(ModelError, match="do not reach from 0 to 255"):
        write_litert(model, tmp_path / "model.tflite", images[:50] // 2)


def test_litert_is_run_by_its_own_package_where_it_is_installed(monkeypatch, tmp_path):
    class Interpreter:
        def __init__(self, model_content, num_threads):
            raise RuntimeError(model_content.decode())

    package = types.SimpleNamespace(interpreter=types.SimpleNamespace(Interpreter=Interpreter))
    monkeypatch.setitem(sys.modules, "ai_edge_litert", package)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", package.interpreter)
    (tmp_path / "model.tflite").write_text("asked")
    with pytest.raises(RuntimeError, match="asked"):
        model_files.run_litert(tmp_path / "model.tflite")


def test_quietly_drops_what_is_written_past_python(capfd):
    def fail():
        os.write(2, b"note for developers")
        raise KeyError

    with pytest.raises(KeyError), quietly():
        fail()
    os.write(2, b"for everybody")
    assert capfd.readouterr().err == "for everybody"


# ONNX


@pytest.mark.parametrize("name", ["onnx", "tf2onnx", "onnxruntime"])
def test_without_its_packages_onnx_says_what_to_install(model, tmp_path, monkeypatch, name):
    for other in ("onnx", "tf2onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, other, types.ModuleType(other))
    monkeypatch.setitem(sys.modules, name, None)
    for attempt in (lambda path: write_onnx(model, path), model_files.run_onnx):
        with pytest.raises(ModelError, match=f"{name}.* pip install onnx tf2onnx onnxruntime") as told:
            attempt(tmp_path / "model.onnx")
        assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


@needs_onnx
def test_running_an_onnx_file_calls_nobody(model, tmp_path):
    write_onnx(model, tmp_path / "model.onnx")
    outside = Outside()
    script = (
        "import sys, time; from helpers.model_files import run_onnx; run_onnx(sys.argv[1]); "
        "time.sleep(10)"  # onnxruntime calls its maker within 5 seconds, unless it is told not to
    )
    variables = os.environ | outside.variables | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, tmp_path / "model.onnx"]
    subprocess.run(command, env=variables, check=True, capture_output=True)
    assert outside.asked == []


@needs_onnx
def test_onnx_gives_keras_logits_from_pixels_alone(model, images, tmp_path):
    (report,) = export_all(model, tmp_path / "exports", images[:50], images, ["onnx"], repeats=3)
    assert report.problem == ""
    assert report.agreement >= 0.99
    runner = model_files.run_onnx(report.path)
    assert runner(images[:1]).shape == (1, 10)


# What is refused


def test_rounding_is_allowed_and_nothing_more():
    expected = np.random.default_rng(0).normal(0, 5, (100, 10)).astype("float32")
    assert compare_logits("onnx", expected, expected + 1e-5)[1] >= 0.99
    with pytest.raises(ModelError, match=r"Its logits differ by 1\.0e-02, expected .* at most: not kept"):
        compare_logits("onnx", expected, expected + np.float32(0.01))


def test_int8_may_give_other_logits_but_not_other_classes():
    expected = np.eye(10, dtype="float32")
    assert compare_logits("litert_int8", expected, 0.9 * expected) == (pytest.approx(0.1), 1.0)
    with pytest.raises(ModelError, match=r"0\.0% keep their class, expected 90%: not kept"):
        compare_logits("litert_int8", expected, np.roll(expected, 1, axis=1))


@pytest.mark.parametrize("name", ["litert", "litert_int8"])
@pytest.mark.parametrize(
    "found", [np.zeros((4, 9)), np.zeros(10), np.full((4, 10), np.nan)], ids=["nine", "one row", "NaN"]
)
def test_what_is_no_set_of_logits_is_refused(name, found):
    with pytest.raises(ModelError, match="expected finite logits of"):
        compare_logits(name, np.zeros((4, 10), "float32"), found)


def test_a_wrong_export_is_told_and_not_kept(fast_formats, images, tmp_path, monkeypatch):
    monkeypatch.setitem(export.RUNNERS, "onnx", lambda path: lambda images: logits_of(images)[:, ::-1])
    reports = export_all(logits_of, tmp_path / "exports", images[:50], images, ("litert", "onnx"), repeats=1)
    assert [report.format for report in reports if not report.problem] == ["litert"]
    assert reports[1].problem.startswith("Its logits differ by")
    assert reports[1].path == ""
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == ["exports.json", "model.tflite"]


@pytest.mark.parametrize("error", [RuntimeError("first line\nsecond line"), MemoryError(), ImportError("x")])
def test_whatever_a_format_raises_is_told_in_one_line(fast_formats, images, tmp_path, monkeypatch, error):
    def fail(path):
        raise error

    monkeypatch.setitem(export.RUNNERS, "savedmodel", fail)
    (report,) = export_all(logits_of, tmp_path / "exports", images[:50], images, ["savedmodel"], repeats=1)
    assert type(error).__name__ in report.problem
    assert "\n" not in report.problem
    assert list(tmp_path.iterdir()) == [], "where nothing passes, nothing is written"


# The folder


def test_an_earlier_export_is_replaced(fast_formats, images, tmp_path):
    for formats in (["keras", "onnx"], ["litert"]):
        export_all(logits_of, tmp_path / "exports", images[:50], images, formats, repeats=1)
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == ["exports.json", "model.tflite"]
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


def test_an_empty_folder_is_used(fast_formats, images, tmp_path):
    export_all(logits_of, tmp_path, images[:50], images, ["litert"], repeats=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exports.json", "model.tflite"]


@pytest.mark.parametrize("names", [["thesis.txt"], ["exports.json", "thesis.txt"], ["model.keras"]])
def test_other_files_are_not_replaced(fast_formats, images, tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(ModelError, match="holds other files, which are not replaced"):
        export_all(logits_of, tmp_path, images[:50], images)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_file_in_the_place_of_the_folder_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ModelError, match="holds other files"):
        check_folder(tmp_path / "thesis.txt")


def test_an_interrupted_export_leaves_the_one_before(fast_formats, images, tmp_path, monkeypatch):
    export_all(logits_of, tmp_path / "exports", images[:50], images, ["keras", "onnx"], repeats=1)

    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setitem(export.RUNNERS, "litert", interrupt)
    with pytest.raises(KeyboardInterrupt):
        export_all(logits_of, tmp_path / "exports", images[:50], images, ["savedmodel", "litert"], repeats=1)
    kept = sorted(path.name for path in (tmp_path / "exports").iterdir())
    assert kept == ["exports.json", "model.keras", "model.onnx"]
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


# Times and table


def test_single_images_and_batches_are_timed(images):
    counts = []

    def runner(some):
        counts.append(len(some))
        return logits_of(some)

    median, p99, per_second = measure(runner, images, repeats=20)
    assert 0 < median <= p99
    assert per_second > 0
    assert counts.count(1) >= 20
    assert counts.count(len(images)) >= 1


def test_the_table_has_a_row_for_each_format_that_is_there():
    table = export_table([REPORT, ExportReport("onnx", "No packages.")])
    assert list(table.index) == ["keras"]
    assert list(table.columns) == list(export.COLUMNS)
    assert table.loc["keras", "bytes"] == 12345
    assert table.loc["keras", "images per second"] == 1500
    assert "12,345" in table.to_string(formatters=export.COLUMNS)


# The command


@pytest.fixture
def command(exported, tmp_path, monkeypatch, capsys):
    """Run the command on a saved network, with reports that are given; return what it said and exported."""
    path = exported[0] / "model.keras"
    splits = [Split(np.full((n, 32, 32, 3), n % 256, "uint8"), np.zeros(n, int)) for n in (1100, 1050, 1200)]
    monkeypatch.setattr(export, "load_cifar10", lambda: print("banner") or Cifar10(*splits, "sample"))

    def run(*arguments, reports=(REPORT,), model=path):
        given = []
        monkeypatch.setattr(export, "export_all", lambda *given_: given.extend(given_) or list(reports))
        status = main([str(model), "--out", str(tmp_path / "exports"), *arguments])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines(), given

    return run


def test_the_command_calibrates_on_training_and_checks_on_validation_images(command):
    *_, (_, folder, calibration, check, formats) = command()
    assert folder.name == "exports"
    assert (calibration.shape, calibration.max()) == ((200, 32, 32, 3), 1100 % 256)
    assert (check.shape, check.max()) == ((1000, 32, 32, 3), 1050 % 256)
    assert formats == tuple(export.FILES)


def test_the_command_prints_a_table(command):
    status, lines, errors, _ = command("--formats", "keras")
    assert (status, errors) == (0, ["banner"])
    assert "1,000 sample validation images" in lines[0]
    assert "median ms" in lines[1]
    assert lines[-1].split() == ["keras", "12,345", "0.0e+00", "100.0%", "20.50", "31.25", "1,500"]


def test_programs_get_a_json_object_per_line(command):
    failed = ExportReport("onnx", "No packages.")
    status, lines, _, _ = command("--json", reports=[REPORT, failed])
    assert status == 0
    assert [json.loads(line) for line in lines] == [asdict(REPORT), asdict(failed)]


@pytest.mark.parametrize(
    ("arguments", "failing", "expected"),
    [((), "onnx", 0), (("--formats", "keras", "onnx"), "onnx", 1), ((), "litert", 1)],
    ids=["onnx is optional", "unless it was asked for", "nothing else is"],
)
def test_the_exit_status_says_whether_a_format_is_missing(command, arguments, failing, expected):
    status, _, errors, _ = command(*arguments, reports=[REPORT, ExportReport(failing, "It cannot be.")])
    assert status == expected
    assert errors == ["banner", f"{failing}: It cannot be."]


def test_a_missing_model_is_told_in_one_line(command, tmp_path):
    status, lines, errors, given = command(model=tmp_path / "none.keras")
    assert (status, lines, given) == (1, [], [])
    assert errors == [f"There is no model at {tmp_path / 'none.keras'}: name one that is there."]


def test_data_that_cannot_be_read_are_told_in_one_line(command, monkeypatch):
    def fail():
        raise DataError("CIFAR10_DIR names nothing")

    monkeypatch.setattr(export, "load_cifar10", fail)
    status, lines, errors, _ = command()
    assert (status, lines, errors) == (1, [], ["CIFAR10_DIR names nothing"])


def test_nobody_waits_for_tensorflow_to_read_the_help():
    code = "import sys, helpers.export; print({'tensorflow', 'keras', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
