"""The study runner: a run is recorded once, whole, and never mixed with what does not belong to it."""

import dataclasses
import json
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool

import keras
import pytest

from helpers import experiments, readme, records, study, training
from helpers.data import Split
from helpers.evaluation import accuracy_interval
from helpers.experiments import in_own_process, main
from helpers.training import Run, TrainingDiverged
from tests.tiny import STUDY, tiny_cifar10, tiny_data, use_study

RUN = ["run", "tiny", "--source", "sample"]
NAMES = [f"{variant}-seed{seed}" for seed in (0, 1) for variant in ("base", "lr0.1", "vgg")]
README = (
    "# Title\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nThe end.\n"
    "<!-- picture:begin -->\n<!-- picture:end -->\n"
)
ACCURACY = {"base": (0.50, 0.60), "lr0.1": (0.55, 0.625), "vgg": (0.40, 0.50)}  # per seed


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """The tiny study in a folder of its own; returns where its runs on the sample go."""
    use_study(monkeypatch, tmp_path)
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    return tmp_path / "runs" / "sample" / "tiny"


@pytest.fixture
def trained(monkeypatch):
    """Put what takes no time in the place of training; returns the list of what it was asked to train."""
    asked = []

    def fake_train(build, data, recipe, seed, resume_dir, *, progress):
        variant = next(v.name for v in STUDY.variants if v.recipe == recipe)
        asked.append(f"{variant}-seed{seed}")
        resume_dir.mkdir(parents=True)
        (resume_dir / "checkpoint.npz").write_bytes(b"state")
        correct = round(40 * ACCURACY[variant][seed])
        run = Run(
            recipe=dataclasses.asdict(recipe),
            seed=seed,
            data=training.describe(data),
            parameters=30_730,
            history=[{"epoch": 1, "loss": 1.0, "val_loss": 1.5, "seconds": 30.0}],
            seconds=90.0,
            val_accuracy=correct / 40,
            val_correct="1" * correct + "0" * (40 - correct),
            machine={},
            versions={},
        )
        return None, run

    monkeypatch.setattr(study, "train", fake_train)
    return asked


def one_line_error(capsys, arguments) -> str:
    """Run a command that must fail, and return its only line on standard error."""
    capsys.readouterr()
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def change(path, **values):
    run = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(run | values), encoding="utf-8")


def remove(path, key):
    run = json.loads(path.read_text(encoding="utf-8"))
    del run[key]
    path.write_text(json.dumps(run), encoding="utf-8")


# Running


def test_a_study_is_trained_seed_by_seed_and_each_run_is_one_file(folder, trained, capsys):
    assert main(RUN) == 0
    assert trained == NAMES
    assert sorted(path.stem for path in folder.glob("*.json")) == sorted(NAMES)
    assert "[6/6] tiny vgg seed 1: 50.00% validation accuracy in 90 s" in capsys.readouterr().out
    run = json.loads((folder / "lr0.1-seed1.json").read_text(encoding="utf-8"))
    assert (run["study"], run["variant"], run["seed"]) == ("tiny", "lr0.1", 1)
    assert (run["model"], run["options"]) == ("softmax_regression", {})
    assert run["recipe"]["learning_rate"] == 0.1
    assert not list(folder.rglob("checkpoint.npz"))


def test_a_real_run_is_recorded(folder):
    assert main([*RUN, "--variants", "base", "--seeds", "1"]) == 0
    run = records.read_run(folder / "base-seed0.json", STUDY, STUDY.variants[0])
    assert len(run["val_correct"]) == 40
    assert run["val_accuracy"] == run["val_correct"].count("1") / 40
    assert run["versions"]["keras"] == keras.__version__
    assert run["pflop"] == pytest.approx(3 * 130 * 2 * 3072 * 10 / 1e15)
    assert {"date", "commit"} <= set(run)
    assert run["machine"]["peak_gflops"] > 0


def test_a_record_from_before_dates_and_commits_is_read_as_ever(folder, trained):
    main([*RUN, "--seeds", "1", "--variants", "base"])
    for key in ("date", "commit", "pflop"):
        remove(folder / "base-seed0.json", key)
    change(folder / "base-seed0.json", machine={"processor": "X"})
    assert list(records.load_runs("tiny", "sample")["val_accuracy"]) == [0.5]


def test_a_study_validates_on_as_many_images_as_it_says(trained, monkeypatch, tmp_path):
    asked = []
    use_study(monkeypatch, tmp_path, dataclasses.replace(STUDY, val_size=10_000))
    monkeypatch.setattr(
        experiments, "load_cifar10", lambda *args, **options: asked.append(options) or tiny_cifar10()
    )
    main([*RUN, "--seeds", "1", "--variants", "base"])
    assert asked == [{"seed": 0, "val_size": 10_000, "fold": 0}]


def test_a_run_is_trained_in_another_process_and_its_end_is_noticed(capfd):
    in_own_process(print, "there")
    assert capfd.readouterr().out == "there\n"
    with pytest.raises(BrokenProcessPool):
        in_own_process(os._exit, 9)


def test_a_run_whose_process_is_ended_costs_that_run_alone(folder, trained, monkeypatch, capsys):
    def ended(function, study, variant, *arguments):
        if variant.name == "vgg":
            raise BrokenProcessPool
        function(study, variant, *arguments)

    monkeypatch.setattr(experiments, "in_own_process", ended)
    assert main([*RUN, "--seeds", "1"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "[3/3] tiny vgg seed 0: its process was ended, out of memory perhaps",
        "1 of 3 runs were ended: start the same command again to go on.",
    ]
    assert trained == ["base-seed0", "lr0.1-seed0"]


def test_what_is_there_is_not_trained_again(trained, capsys):
    main([*RUN, "--variants", "vgg", "base", "--seeds", "1"])
    main(RUN)
    assert sorted(trained) == sorted(NAMES)
    assert "[1/6] tiny base seed 0: already there" in capsys.readouterr().out


def test_more_seeds_than_the_study_has_can_be_trained(trained):
    assert main([*RUN, "--variants", "base", "--seeds", "2"]) == 0
    assert trained == ["base-seed0", "base-seed1"]


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(folder, trained, monkeypatch, capsys):
    fake_train = study.train

    def interrupted(*args, **options):
        if len(trained) == 2:
            raise KeyboardInterrupt
        return fake_train(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(study, "train", interrupted)
        assert main(RUN) == 130
    assert "Start the same command again to go on." in capsys.readouterr().err
    assert main(RUN) == 0
    assert trained == NAMES


def test_a_diverged_run_is_reported_and_the_others_go_on(folder, trained, monkeypatch, capsys):
    fake_train = study.train

    def diverging(build, data, recipe, *args, **options):
        if recipe.optimizer == "sgd":
            raise TrainingDiverged("The loss became nan in epoch 1, step 7: lower the learning rate.")
        return fake_train(build, data, recipe, *args, **options)

    monkeypatch.setattr(study, "train", diverging)
    assert main(RUN) == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors == [
        "[2/6] tiny lr0.1 seed 0: The loss became nan in epoch 1, step 7: lower the learning rate.",
        "[5/6] tiny lr0.1 seed 1: The loss became nan in epoch 1, step 7: lower the learning rate.",
        "2 of 6 runs diverged, so no record: lr0.1-seed0, lr0.1-seed1.",
    ]
    assert len(list(folder.glob("*.json"))) == 4


# Two processes at once


def test_a_run_that_another_process_trains_is_skipped(folder, trained, capsys):
    lock = folder / ".unfinished" / "lr0.1-seed0.lock"
    lock.parent.mkdir(parents=True)
    hold = "import sys; from filelock import FileLock\nwith FileLock(sys.argv[1]): print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert main([*RUN, "--seeds", "1"]) == 0
        process.communicate(b"\n")
    assert trained == ["base-seed0", "vgg-seed0"]
    assert "[2/3] tiny lr0.1 seed 0: another process is training it, skipped" in capsys.readouterr().out


def test_a_run_that_another_process_finished_meanwhile_is_not_trained_twice(trained, monkeypatch, capsys):
    def load(source, seed, **split):
        monkeypatch.setattr(experiments, "load_cifar10", tiny_cifar10)
        main([*RUN, "--seeds", "1"])  # what the other process does while this one loads the data
        return tiny_cifar10(source, seed)

    monkeypatch.setattr(experiments, "load_cifar10", load)
    assert main([*RUN, "--seeds", "1"]) == 0
    assert trained == ["base-seed0", "lr0.1-seed0", "vgg-seed0"]
    assert "[1/3] tiny base seed 0: another process has trained it meanwhile" in capsys.readouterr().out


# Written whole or not at all


@pytest.mark.parametrize("content", [{"a": object()}, {"a": float("nan")}, {"a": [1] * 10_000, "b": {1, 2}}])
def test_a_record_that_cannot_be_written_to_its_end_leaves_no_file(tmp_path, content):
    with pytest.raises((TypeError, ValueError)):
        records.write_json(tmp_path / "run.json", content)
    assert not (tmp_path / "run.json").exists()


def test_a_full_disk_leaves_the_old_record_and_nothing_beside_it(tmp_path, monkeypatch):
    records.write_json(tmp_path / "run.json", {"a": 1})

    def no_room(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        records.write_json(tmp_path / "run.json", {"a": 2})
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8")) == {"a": 1}
    assert not list(tmp_path.glob("*.tmp"))


def test_a_full_disk_is_told_in_one_line(trained, monkeypatch, capsys):
    def no_room(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    assert "No space left on device" in one_line_error(capsys, RUN)


# Refused


@pytest.mark.parametrize("command", [RUN, ["show", "tiny", "--source", "sample"]])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_text('{"variant": "ba'), "is damaged"),
        (lambda path: path.write_text("[]"), "is damaged"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is damaged"),
        (lambda path: path.write_text("{}"), "is damaged"),
        (lambda path: change(path, data=None), "is damaged"),
        (lambda path: remove(path, "history"), "is damaged (it lacks history)"),
        (lambda path: change(path, recipe={"epochs": 3}), "was made with another recipe than tiny has today"),
        (lambda path: change(path, model="mlp"), "was made with another model than tiny has today"),
        (
            lambda path: change(path, options={"units": 3}),
            "was made with another options than tiny has today",
        ),
        (lambda path: change(path, seed=1), "holds the run base-seed1 of tiny: rename it or move it away"),
        (lambda path: change(path, variant="vgg"), "holds the run vgg-seed0 of tiny"),
        (lambda path: change(path, study="other"), "holds the run base-seed0 of other"),
        (lambda path: change(path, data={"source": "official"}), "is a run on 'official' data in the wrong"),
    ],
)
def test_a_record_that_is_damaged_or_of_another_run_is_refused(
    folder, trained, capsys, command, damage, message
):
    main([*RUN, "--seeds", "1", "--variants", "base"])
    damage(folder / "base-seed0.json")
    before = (folder / "base-seed0.json").read_bytes()
    error = one_line_error(capsys, command)
    assert error.startswith(str(folder / "base-seed0.json"))
    assert message in error
    assert (folder / "base-seed0.json").read_bytes() == before


def test_runs_on_other_data_are_not_added_to_a_study(folder, trained, monkeypatch, capsys):
    main([*RUN, "--seeds", "1", "--variants", "vgg"])
    other = dataclasses.replace(tiny_cifar10(), val=tiny_data(130, 41).val)
    monkeypatch.setattr(experiments, "load_cifar10", lambda source, seed, **split: other)
    error = one_line_error(capsys, [*RUN, "--seeds", "1"])
    assert "vgg-seed0.json was trained on other data than there are today: move it away" in error
    assert trained == ["vgg-seed0"]


def test_runs_of_one_seed_on_different_data_are_not_put_into_one_table(folder, trained, capsys):
    main(RUN)
    change(folder / "vgg-seed1.json", data={"source": "sample", "sha256": "other"})
    error = one_line_error(capsys, ["show", "tiny", "--source", "sample"])
    assert "vgg-seed1.json was trained on other data than the study's other runs of that seed" in error


@pytest.mark.parametrize("command", [["run", "tiny"], ["show", "tiny"], ["readme"]])
def test_a_run_of_the_sample_is_never_taken_for_one_of_cifar10(folder, trained, capsys, command):
    main(RUN)
    folder.rename(folder.parent.parent / "tiny")
    assert "is a run on 'sample' data in the wrong folder: move it away" in one_line_error(capsys, command)


def test_the_smoke_profile_records_nothing_of_cifar10(trained, monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert one_line_error(capsys, ["run", "tiny"]).startswith("The smoke profile shortens runs")
    assert trained == []


def test_a_shortened_trial_is_read_in_the_smoke_profile_alone(folder, trained, monkeypatch, capsys):
    main([*RUN, "--seeds", "1", "--variants", "vgg"])
    change(folder / "vgg-seed0.json", recipe={"epochs": 2})
    monkeypatch.setenv("TUTORIAL_PROFILE", "smoke")
    assert main(["show", "tiny", "--source", "sample"]) == 0
    monkeypatch.setenv("TUTORIAL_PROFILE", "standard")
    assert "made with another recipe" in one_line_error(capsys, ["show", "tiny", "--source", "sample"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "tinny"], "There is no study 'tinny'; there are: tiny."),
        (["show", "tinny"], "There is no study 'tinny'; there are: tiny."),
        ([*RUN, "--variants", "bass"], "tiny has no variant bass; it has: base, lr0.1, vgg."),
        ([*RUN, "--seeds", "0"], "--seeds is 0, expected 1 or more."),
        (
            ["show", "tiny"],
            "No run of tiny is recorded: `python -m helpers.experiments run tiny` makes them.",
        ),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(capsys, arguments, message):
    assert one_line_error(capsys, arguments) == message


def test_a_wrong_profile_is_answered_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "smok")
    assert one_line_error(capsys, ["run", "tiny"]).startswith("TUTORIAL_PROFILE is 'smok', expected one of")


# Reading


def test_list_counts_the_runs_on_cifar10(folder, trained, capsys):
    main(RUN)
    (folder.parent.parent / "tiny").mkdir()
    (folder.parent.parent / "tiny" / "base-seed0.json").write_text("{}")
    capsys.readouterr()
    assert main(["list"]) == 0
    assert capsys.readouterr().out == "tiny: 1 of 6 runs. Does a smaller step help?\n"


def test_show_prints_mean_spread_interval_and_paired_differences(trained, capsys):
    main(RUN)
    capsys.readouterr()
    assert main(["show", "tiny", "--source", "sample"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "Trial on the SYNTHETIC SAMPLE: these are no results of CIFAR-10.\nDoes a smaller"
    )
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    # Baseline: 0.5 and 0.6, so std = 7.07 points, std / sqrt(2) = 5, and Student's t(0.975, 1) = 12.706.
    assert "Baseline 2 55.00 7.07 -8.53 118.53 90.00 30.00 30730" in lines
    # Step 0.1 is better by 5 and 2.5 points, so std / sqrt(2) = 1.25.
    assert "Step 0.1 3.750 -12.133 19.633 0.205 no evidence at this budget" in lines
    assert "VGG, 1 block -10.000 -10.000 -10.000 0.000 hurts" in lines


def test_tables_and_verdict_follow_the_recorded_files(folder, trained):
    main(RUN)
    before = records.comparison_table(records.load_runs("tiny", "sample"))
    assert list(before["verdict"]) == ["no evidence at this budget", "hurts"]
    change(folder / "lr0.1-seed1.json", val_accuracy=0.65)
    change(folder / "vgg-seed1.json", val_accuracy=0.70)
    after = records.load_runs("tiny", "sample")
    assert list(records.comparison_table(after)["verdict"]) == ["helps", "no evidence at this budget"]
    assert records.comparison_table(after, "Step 0.1").loc["Baseline", "difference"] == pytest.approx(-5)
    assert records.summary_table(after).loc["VGG, 1 block", "mean"] == pytest.approx(55)


def test_loaded_runs_come_in_the_studys_order_with_one_truth_value_per_image(trained):
    main(RUN)
    runs = records.load_runs("tiny", "sample")
    assert list(runs["variant"]) == ["base", "base", "lr0.1", "lr0.1", "vgg", "vgg"]
    assert list(runs["seed"]) == [0, 1] * 3
    for _, run in runs.iterrows():
        assert run["val_correct"].mean() == run["val_accuracy"]


def test_a_variant_with_a_single_seed_is_shown_without_interval(trained, capsys):
    main([*RUN, "--seeds", "1"])
    assert main(["show", "tiny", "--source", "sample"]) == 0
    assert "Paired differences" not in capsys.readouterr().out


def test_the_readme_gets_the_recorded_results_and_keeps_its_other_words(folder, trained, monkeypatch):
    monkeypatch.setattr(
        experiments, "load_cifar10", lambda source, seed, **split: tiny_cifar10("official", seed)
    )
    main(["run", "tiny"])
    assert main(["readme"]) == 0
    text = readme.README.read_text(encoding="utf-8")
    assert "| Baseline | 2 | 55.00 (-8.53 to 118.53) | 7.07 | 30 |" in text
    assert text.startswith("# Title\n\n<!-- results:begin -->\n**Does a smaller step help?**\n")
    assert "|\n<!-- results:end -->\n\nThe end.\n<!-- picture:begin -->\n" in text
    assert main(["readme"]) == 0
    assert readme.README.read_text(encoding="utf-8") == text


def test_a_readme_without_markers_is_left_alone(capsys):
    readme.README.write_text("# Title\n", encoding="utf-8")
    assert one_line_error(capsys, ["readme"]).startswith("README.md lacks the markers")
    assert readme.README.read_text(encoding="utf-8") == "# Title\n"


# Runs that two studies share


def test_a_run_that_another_study_has_is_taken_over_and_says_so(folder, trained, monkeypatch, capsys):
    main(RUN)
    asked = len(trained)
    base, step, vgg = STUDY.variants
    spelt_out = dataclasses.replace(vgg, options=vgg.options | {"weight_decay": 0.0})  # its default
    other = dataclasses.replace(STUDY, name="other", variants=(renamed(base), step, spelt_out))
    for module in (experiments, records):
        monkeypatch.setattr(module, "STUDIES", {"tiny": STUDY, "other": other})
    capsys.readouterr()
    assert main(["run", "other", "--source", "sample"]) == 0
    assert len(trained) == asked
    assert "the same run as tiny/base-seed0, taken over" in capsys.readouterr().out
    run = json.loads((folder.parent / "other" / "again-seed1.json").read_text(encoding="utf-8"))
    assert (run["study"], run["variant"], run["taken_from"]) == ("other", "again", "tiny/base-seed1")
    assert list(records.load_runs("other", "sample")["val_accuracy"]) == [0.50, 0.60, 0.55, 0.625, 0.40, 0.50]


def test_a_run_by_another_recipe_is_no_twin(trained, monkeypatch):
    main(RUN)
    longer = dataclasses.replace(STUDY.variants[0].recipe, batch_size=65)
    changed_recipe = dataclasses.replace(STUDY.variants[0], recipe=longer)
    other = dataclasses.replace(STUDY, name="other", variants=(changed_recipe,))
    monkeypatch.setattr(records, "STUDIES", {"tiny": STUDY, "other": other})
    assert records.find_twin(other, changed_recipe, 0, "sample") is None
    assert records.find_twin(other, STUDY.variants[0], 7, "sample") is None


def test_a_run_that_validated_on_other_images_is_no_twin(trained):
    main(RUN)
    other = dataclasses.replace(STUDY, name="other")
    assert records.find_twin(other, STUDY.variants[0], 0, "sample") is not None
    for split in ({"val_size": 10_000}, {"folds": 5}):
        assert records.find_twin(dataclasses.replace(other, **split), STUDY.variants[0], 1, "sample") is None


# Several views, and the last training on all images


@pytest.fixture
def final(monkeypatch, tmp_path):
    """A final study of one real variant, two seeds; returns its runs' folder and what was published."""
    study = dataclasses.replace(
        STUDY, name="tiny_final", variants=STUDY.variants[:1], views=(1, 6), final=True
    )
    use_study(monkeypatch, tmp_path, study)
    asked, published = [], []

    def load(source, seed, val_size, fold):
        asked.append(val_size)
        data = tiny_cifar10("official", seed)
        return dataclasses.replace(data, val=Split(data.val.images[:0], data.val.labels[:0]))

    monkeypatch.setattr(experiments, "load_cifar10", load)
    monkeypatch.setattr(experiments, "save_model", lambda model, path, about: published.append((path, about)))
    assert main(["run", "tiny_final"]) == 0
    assert asked == [0, 0]
    return tmp_path / "runs" / "tiny_final", published


def test_a_final_study_is_judged_on_the_test_images_with_each_number_of_views(final, capsys):
    runs = records.load_runs("tiny_final")
    assert runs["val_accuracy"].isna().all()
    for _, run in runs.iterrows():
        record = json.loads((final[0] / f"base-seed{run['seed']}.json").read_text(encoding="utf-8"))
        assert (record["judged"]["split"], record["data"]["val"]) == ("test", 0)
        for views in ("1", "6"):
            correct = record["judged"]["correct"][views]
            assert len(correct) == 40
            assert run[f"test_accuracy_{views}"] == correct.count("1") / 40
    capsys.readouterr()
    assert main(["show", "tiny_final"]) == 0
    shown = capsys.readouterr().out
    assert "Test accuracy, 1 view in percent" in shown
    assert "Test accuracy, 6 views in percent" in shown
    assert "alidation" not in shown
    assert "| test accuracy, 6 views in %, mean" in readme.readme_tables()


def test_the_network_of_the_first_seed_is_published_with_what_is_known_of_it(final):
    [(path, about)] = final[1]
    assert path == records.MODELS / "tiny_final.keras"
    record = json.loads((final[0] / "base-seed0.json").read_text(encoding="utf-8"))
    assert (about["seed"], about["recipe"]) == (0, record["recipe"])
    assert about["test_accuracy"] == {
        int(views): correct.count("1") / 40 for views, correct in record["judged"]["correct"].items()
    }
    assert about["test_interval"] == {
        views: accuracy_interval(round(40 * share), 40) for views, share in about["test_accuracy"].items()
    }


def test_a_record_without_the_answers_to_a_number_of_views_is_refused(final, monkeypatch, tmp_path):
    study = dataclasses.replace(next(iter(records.STUDIES.values())), views=(1, 2, 6))
    monkeypatch.setattr(records, "STUDIES", {study.name: study})
    with pytest.raises(records.StudyError, match="it lacks the answers to 2 views"):
        records.load_runs("tiny_final")


def test_a_run_on_all_images_is_no_twin_of_one_with_validation(final, monkeypatch):
    [study] = records.STUDIES.values()
    plain = dataclasses.replace(study, name="plain", final=False, views=())
    monkeypatch.setattr(records, "STUDIES", {"tiny_final": study, "plain": plain})
    assert records.find_twin(plain, plain.variants[0], 0, "official") is None
    again = dataclasses.replace(study, name="again", views=(6,))
    assert records.find_twin(again, again.variants[0], 0, "official") is not None


def renamed(variant):
    return dataclasses.replace(variant, name="again", title="Again")
