"""The study runner: a run is recorded once, whole, with its origin, and never mixed with another one."""

import dataclasses
import json
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import keras
import pytest

from helpers import experiments, models, records, training
from helpers.evaluation import accuracy_interval
from helpers.experiments import main
from helpers.internal.checkpoint import Checkpoint
from helpers.internal.files import ROOT, write_json
from helpers.recipe import Run
from helpers.studies import Study, Variant
from helpers.training import TrainingDiverged
from tests.support.tiny import QUICK, STEP, STUDY, tiny_cifar10, tiny_data, use_study

RUN = ["run", "tiny", "--source", "sample"]
SHOW = ["show", "tiny", "--source", "sample"]
NAMES = [f"{variant}-seed{seed}" for seed in (0, 1) for variant in ("base", "lr0.1", "vgg")]
ACCURACY = {"base": (0.50, 0.60), "lr0.1": (0.55, 0.625), "vgg": (0.40, 0.50)}  # per seed


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """The tiny study in a folder of its own; returns where its runs on the sample go."""
    use_study(monkeypatch, tmp_path)
    monkeypatch.setattr(experiments, "speed", partial(experiments.speed, side=64))
    return tmp_path / "runs" / "sample" / "tiny"


@pytest.fixture
def trained(monkeypatch):
    """Put what takes no time in the place of training; returns the list of what it was asked to train."""
    asked = []

    def fake_train(build, data, recipe, seed, resume_dir, *, progress):
        variant = next(v.name for v in STUDY.variants if v.recipe == recipe)
        asked.append(f"{variant}-seed{seed}")
        resume_dir.mkdir(parents=True, exist_ok=True)
        (resume_dir / "checkpoint.npz").write_bytes(b"state")
        correct = round(40 * ACCURACY[variant][seed])
        history = [{"epoch": 1, "loss": 1.0, "val_loss": 1.5, "seconds": 30.0}] * recipe.epochs
        judged = correct / 40, "1" * correct + "0" * (40 - correct)
        data = training.describe(data)
        run = Run(dataclasses.asdict(recipe), seed, data, 30_730, history, 90.0, *judged, {}, {})
        return None, run

    monkeypatch.setattr(experiments, "train", fake_train)
    return asked


def one_line_error(capsys, arguments) -> str:
    """Run a command that must fail, and return its only line on standard error."""
    capsys.readouterr()
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def read(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_study_is_trained_seed_by_seed_and_each_run_is_one_file(folder, trained, capsys):
    assert main(RUN) == 0
    assert trained == NAMES
    assert sorted(path.stem for path in folder.glob("*.json")) == sorted(NAMES)
    assert "[6/6] tiny vgg seed 1: 50.00% validation accuracy in 90 s" in capsys.readouterr().out
    assert not list(folder.rglob("checkpoint.npz")), "the state of a finished run is deleted"


def test_a_real_run_is_recorded_with_its_origin_and_its_cost(folder):
    assert main([*RUN, "--variants", "base", "--seeds", "1"]) == 0
    run = records.read_run(folder / "base-seed0.json", STUDY, STUDY.variants[0])
    assert run["versions"]["keras"] == keras.__version__
    assert run["pflop"] == pytest.approx(3 * 130 * 2 * 3072 * 10 / 1e15)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(run["date"])) < timedelta(minutes=9)
    assert run["commit"] is None or len(run["commit"].removesuffix("+changes")) == 40
    assert (run["split"], run["data"]["val"]) == ({"seed": 0, "val_size": 40}, 40), "as the study says"
    assert {"processor", "accelerator", "flags", "cores", "peak_gflops"} <= set(run["machine"])
    assert 0 < run["machine"]["peak_gflops"] < 1e6


def test_the_list_counts_the_runs_of_each_study(folder, trained, capsys, monkeypatch):
    main([*RUN, "--seeds", "1"])
    monkeypatch.setattr(experiments, "STUDIES", {STUDY.name: STUDY})
    monkeypatch.setattr(records, "folder", lambda study: folder)
    assert main(["list"]) == 0
    assert f"tiny: 3 of 6. {STUDY.question}" in capsys.readouterr().out


def test_what_is_there_is_not_trained_again(trained, capsys):
    main([*RUN, "--variants", "vgg", "base", "--seeds", "1"])
    main(RUN)
    assert sorted(trained) == sorted(NAMES)
    assert "[1/6] tiny base seed 0: already there" in capsys.readouterr().out


def test_ctrl_c_ends_with_130_and_keeps_what_is_finished(folder, trained, monkeypatch, capsys):
    def interrupted(path, record):
        write_json(path, record)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(experiments, "write_json", interrupted)
        assert main(RUN) == 130
    assert capsys.readouterr().err == "\nStopped. Start the same command again to go on.\n"
    [kept] = folder.glob("*.json")
    assert main(RUN) == 0
    assert (trained.count(kept.stem), len(list(folder.glob("*.json")))) == (1, 6)


@pytest.mark.parametrize("error", [TrainingDiverged("It became nan."), BrokenProcessPool("It was ended.")])
def test_a_run_that_fails_is_reported_and_the_others_go_on(error, folder, trained, monkeypatch, capsys):
    fake_train = experiments.train

    def failing_train(build, data, recipe, *args, **options):
        if recipe == STEP:
            raise error
        return fake_train(build, data, recipe, *args, **options)

    monkeypatch.setattr(experiments, "train", failing_train)
    assert main(RUN) == 1
    *lines, last = capsys.readouterr().err.splitlines()
    assert sorted(lines) == [f"[2/6] tiny lr0.1 seed 0: {error}", f"[5/6] tiny lr0.1 seed 1: {error}"]
    assert last == "2 of 6 runs failed, so no record: lr0.1-seed0, lr0.1-seed1."
    assert len(list(folder.glob("*.json"))) == 4


def test_a_run_that_another_process_trains_is_skipped(folder, capsys):
    model = models.softmax_regression()
    model.compile("sgd")
    with Checkpoint(folder / ".unfinished" / "base-seed0", model, {}):
        assert main([*RUN, "--seeds", "1", "--variants", "base"]) == 0
    assert "[1/1] tiny base seed 0: another process is training it, skipped" in capsys.readouterr().out
    assert not list(folder.glob("*.json"))


def test_a_step_is_three_forward_passes_and_small_epochs_cost_less_by_their_share_of_pixels():
    def pflop(small):
        recipe = {"epochs": 4, "small_epochs": small}
        return experiments.pflop(model, SimpleNamespace(recipe=recipe, data={"train": 100}))

    model = models.fast_net(4, whitening=False)
    assert pflop(0) == pytest.approx(3 * 4 * 100 * experiments.forward_flop(model, 32) / 1e15)
    assert pflop(2) == pytest.approx(pflop(0) * (1 + (24 / 32) ** 2) / 2, rel=1e-3)


@pytest.mark.parametrize("content", ['{"variant": "ba', "{}"])
def test_a_record_that_cannot_be_used_is_told_and_not_replaced(content, folder, trained, capsys):
    main([*RUN, "--seeds", "1", "--variants", "base"])
    path = folder / "base-seed0.json"
    path.write_text(content)
    assert one_line_error(capsys, RUN).startswith(str(path))
    assert path.read_text() == content


def test_shards_have_every_run_once(trained, folder):
    for shard in ("1/4", "4/4", "3/4", "2/4"):
        assert main([*RUN, "--shard", shard]) == 0
    assert (sorted(trained), len(list(folder.glob("*.json")))) == (sorted(NAMES), 6)


WRONG = {
    "--shard is 3/2, expected i/n, i from 1 to n: 2/30.": [*RUN, "--shard", "3/2"],
    "There is no study 'tinny'; there are: tiny.": ["run", "tinny"],
    "tiny has no variant bass; it has: base, lr0.1, vgg.": [*RUN, "--variants", "bass"],
    "No run of tiny is recorded: `python -m helpers.experiments run tiny` makes them.": ["show", "tiny"],
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_command_is_answered_in_one_line(message, capsys):
    assert one_line_error(capsys, WRONG[message]) == message


def test_the_smoke_profile_records_nothing(trained, monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert one_line_error(capsys, ["run", "tiny"]).startswith("The smoke profile shortens runs")
    assert trained == []


def test_show_prints_mean_spread_interval_and_verdict(trained, capsys):
    main(RUN)
    capsys.readouterr()
    assert main(SHOW) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Trial on the SYNTHETIC SAMPLE: these are no results of CIFAR-10.\nDoes a")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    # Baseline: 0.5 and 0.6, so std = 7.07 points; pooled 6.53 with 2 degrees of freedom, t(0.975, 2) = 4.303.
    assert "Baseline 2 55.000 7.071 29.729 80.271 90.000 30.000 30730" in lines
    assert "Step 0.1 2 58.750 3.750 NaN NaN NaN needs more seeds" in lines


def test_show_tells_how_many_runs_each_commit_has_made(trained, capsys, monkeypatch):
    for shard, commit in (("1/3", "a1"), ("2/3", "b2"), ("3/3", "b2")):
        monkeypatch.setattr(experiments, "commit", lambda found=commit: found)
        main([*RUN, "--shard", shard])
    assert main(SHOW) == 0
    assert "Runs of each commit: {'b2': 4, 'a1': 2}" in capsys.readouterr().out


def test_a_final_study_is_judged_on_the_test_images_and_publishes_its_first_network(
    monkeypatch, tmp_path, capsys
):
    study = Study("tiny_final", "Why?", STUDY.variants[:1], seeds=2, views=(1, 6), final=True)
    use_study(monkeypatch, tmp_path, study)
    message = "tiny_final publishes a network: run it without --scheduler."
    assert one_line_error(capsys, ["run", "tiny_final", "--scheduler", "tcp://10.0.0.1:8786"]) == message
    published = []
    monkeypatch.setattr(experiments, "publish", lambda *arguments: published.append(arguments))
    assert main(["run", "tiny_final"]) == 0
    [(model, first)] = published
    test = tiny_cifar10(seed=first["seed"]).test
    right = training.predict_logits(model, test.images).argmax(axis=1) == test.labels
    assert (first["seed"], first["judged"]["correct"][1]) == (0, training.as_digits(right))
    record = read(tmp_path / "runs" / "tiny_final" / "base-seed1.json")
    assert (record["judged"]["split"], record["data"]["val"]) == ("test", 0)
    for views, correct in record["judged"]["correct"].items():
        assert len(correct) == 40
        assert records.load_runs("tiny_final")[f"test_accuracy_{views}"][1] == correct.count("1") / 40
    capsys.readouterr()
    assert main(["show", "tiny_final"]) == 0
    shown = capsys.readouterr().out
    assert "Test accuracy, 6 views, %" in shown
    assert "alidation" not in shown


@pytest.mark.slow
def test_a_published_network_says_how_it_came_about_and_has_its_recipes_temperature(monkeypatch, tmp_path):
    study = Study("full", "Why?", STUDY.variants[:1], seeds=1, views=(6,))
    use_study(monkeypatch, tmp_path, study)
    assert main(["run", "full"]) == 0
    run = read(tmp_path / "runs" / "full" / "base-seed0.json")
    saved = []
    monkeypatch.setattr("helpers.export.save_model", lambda *arguments: saved.append(arguments))
    judged = {"judged": {"correct": {6: "1" * 30 + "0" * 10}}}
    for recipe in (run["recipe"], {}):
        experiments.publish("a network", run | judged | {"recipe": recipe})
    (model, path, about), (_, _, other) = saved
    assert (model, path) == ("a network", records.MODELS / "full.keras")
    assert (about["study"], about["recipe"]) == ("full", run["recipe"])
    assert about["test_accuracy"] == {6: 0.75}
    assert about["test_interval"] == {6: accuracy_interval(30, 40)}
    assert 0.1 <= run["temperature"] == about["temperature"] <= 10
    assert "temperature" not in other


def test_a_variant_is_trained_by_its_network_and_recipe(tmp_path, monkeypatch):
    variant = Variant("mlp", "Dense", "mlp", {"units": (3,)}, QUICK)
    model, run = experiments.train_variant(variant, tiny_data(), 5, tmp_path, progress=False)
    assert (run.seed, run.recipe["batch_size"], model.layers[2].kernel.shape) == (5, 64, (3072, 3))
    assert (tmp_path / "checkpoint.npz").exists()
    monkeypatch.setattr(experiments, "train_hog_svm", lambda data, seed, passes: (seed, passes))
    variant = Variant("svm", "SVM", "hog_svm", {"passes": 3})
    assert experiments.train_variant(variant, tiny_data(), 5) == (None, (5, 3))


@pytest.mark.slow
def test_ctrl_c_while_tensorflow_starts_ends_with_130_and_no_traceback():
    command = [sys.executable, "-X", "importtime", "-m", "helpers.experiments", "list"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.endswith(" numpy\n"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert (process.returncode, "Traceback" in rest) == (130, False)
