"""Many runs at once: one process a run, killed ones tried again, nothing lost, doubled or of another kind."""

import multiprocessing
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from helpers import records, workers
from helpers.internal.files import ROOT, write_json
from helpers.records import StudyError
from helpers.workers import here, in_own_process
from tests.support import jobs
from tests.support.tiny import STUDY, use_study


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """Threads and bars are set in the environment, for processes that are started later."""
    for name in (*workers.THREADS, workers.ONE_BAR):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    monkeypatch.setattr(workers, "PAUSE", 0)


def asked(folder, number: int, *arguments) -> dict:
    """Return so many jobs, by the paths of their records."""
    return {folder / f"{i}.json": (*arguments, str(folder / f"state{i}")) for i in range(number)}


def test_a_run_has_a_process_of_its_own_and_its_end_is_noticed():
    assert in_own_process(os.getpid) != os.getpid()
    with pytest.raises(BrokenProcessPool):
        in_own_process(os._exit, 9)


def test_workers_run_at_once_and_share_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(workers.joblib, "cpu_count", lambda: 4)
    assert [record for _, record in here(jobs.meet, asked(tmp_path, 2), count=2)] == [{}, {}]
    [(_, record)] = here(jobs.note, asked(tmp_path, 1), count=2)
    assert set(record["threads"].values()) == {"2"}


def test_one_at_a_time_has_all_threads_unless_told_otherwise(tmp_path):
    [(_, record)] = here(jobs.note, asked(tmp_path, 1))
    assert set(record["threads"].values()) == {None}
    [(_, record)] = here(jobs.note, asked(tmp_path, 1), threads=3)
    assert set(record["threads"].values()) == {"3"}


def test_what_is_recorded_is_not_run_and_a_state_is_kept_until_its_record_is_written(tmp_path):
    (tmp_path / "0.json").touch()
    for path, record in here(jobs.note, asked(tmp_path, 2)):
        assert (record is None) == (path.stem == "0")
        assert (tmp_path / "state1").exists() == (path.stem == "1")
    assert not (tmp_path / "state1").exists()


def test_a_killed_run_is_tried_again_and_one_that_fails_is_told(tmp_path):
    assert [record for _, record in here(jobs.end, asked(tmp_path, 1, 9))] == [{}]
    [(_, problem)] = here(jobs.refuse, asked(tmp_path, 1, ZeroDivisionError("by 0")))
    assert repr(problem) == "ZeroDivisionError('by 0')"


def test_who_stops_reading_stops_the_runs(tmp_path):
    outcomes = here(time.sleep, {tmp_path / "0": (60.0,), tmp_path / "1": (0.01,)}, count=2)
    assert next(outcomes)[0].stem == "1"
    outcomes.close()
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_with_workers_and_askers_killed_at_random_each_record_is_written_once_and_whole(tmp_path):
    command = [sys.executable, "-m", "tests.support.jobs", str(tmp_path), "6"]
    luck, kills = random.Random(0), ["asker", *["worker"] * 4]
    ends = []
    for _ in range(20):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as asker:
            while asker.poll() is None:
                time.sleep(0.5 + luck.random())
                children = psutil.Process(asker.pid).children() if asker.poll() is None else []
                if kills and children and asker.poll() is None:
                    victim = asker.pid if kills.pop() == "asker" else luck.choice(children).pid
                    os.kill(victim, signal.SIGKILL)
            ends.append(asker.stdout.read())
        if asker.returncode == 0 and not kills:
            break
    found = [read.stem for read in tmp_path.glob("*.json") if records.json.loads(read.read_text())["pid"]]
    assert sorted(found) == list("012345")
    assert list(tmp_path.glob(".*.json")) == [], "nothing half written"
    told = [line for text in ends for line in text.splitlines() if '"{' in line]
    assert len(told) <= 6, "no run is recorded twice"


def test_a_worker_ends_with_its_asker(tmp_path):
    code = "import time; from helpers.workers import in_own_process; in_own_process(time.sleep, 99)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as asker:
        while not (children := psutil.Process(asker.pid).children()):
            time.sleep(0.1)
        time.sleep(2)
        asker.kill()
    assert psutil.wait_procs(children, timeout=60)[1] == []


ORIGIN = {"commit": "a1", "python": "3.12", "keras": "3.15.1", "data": "ff"}
OTHER = {"commit": "b2", "keras": "3.13.2", "data": "ee"}


@pytest.mark.parametrize("part", OTHER)
def test_a_worker_of_another_kind_is_refused_by_name(part, monkeypatch):
    monkeypatch.setattr(workers, "origin", lambda *job: ORIGIN | {part: OTHER[part]})
    call = pickle.dumps((jobs.note, ("state",), ORIGIN))
    message = rf"The worker tcp://10.0.0.2:33 on .* has {part} {OTHER[part]}, not {ORIGIN[part]}: stop it"
    with pytest.raises(StudyError, match=message):
        workers.compare_and_run("tcp://10.0.0.2:33", call)


def test_changes_that_are_not_committed_cannot_be_compared(monkeypatch):
    for commit in ("a1+changes", None):
        monkeypatch.setattr(workers, "commit", lambda found=commit: found)
        with pytest.raises(StudyError, match="commit your changes first"):
            workers.origin(STUDY, STUDY.variants[0], 0, "official", "")


def test_without_dask_a_cluster_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StudyError, match=r"pip install -r requirements-cluster.txt"):
        list(workers.on_cluster(jobs.note, asked(tmp_path, 1), "tcp://10.0.0.1:8786"))
    assert (ROOT / "requirements-cluster.txt").is_file()


@pytest.fixture
def shards(monkeypatch, tmp_path):
    """Two folders of other machines, with the runs of one seed each."""
    use_study(monkeypatch, tmp_path)
    data = {"source": "sample", "val": 40, "train": 130}
    found = []
    for seed in (0, 1):
        for variant in STUDY.variants:
            run = {"study": "tiny", "variant": variant.name, "seed": seed, **records.definition(variant)}
            run |= {"recipe": vars(variant.recipe) | {"augmentation": vars(variant.recipe.augmentation)}}
            run |= {"data": data | {"sha256": f"seed{seed}"}, "commit": "a1", "versions": {"keras": "3.15.1"}}
            run |= dict.fromkeys(("seconds", "parameters", "val_accuracy"), 1)
            run |= {"val_correct": "1", "history": []}
            folder = tmp_path / f"laptop{seed}"
            folder.mkdir(exist_ok=True)
            write_json(folder / f"{variant.name}-seed{seed}.json", run)
        found.append(folder)
    return found


def test_shards_are_merged_once(shards):
    place = records.folder(STUDY, "sample")
    assert workers.merge(STUDY, "sample", shards) == 6
    assert workers.merge(STUDY, "sample", shards) == 0
    assert len(records.load_runs("tiny", "sample")) == len(list(place.iterdir())) == 6


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"commit": "b2"}, "commit b2, not a1"),
        ({"versions": {"keras": "3.13.2"}}, "keras 3.13.2, not 3.15.1"),
        ({"data": {"source": "sample", "val": 40, "train": 130, "sha256": "x"}}, "data x, not seed1"),
        ({"data": {"source": "official", "val": 40, "train": 130, "sha256": "seed1"}}, "'official' data"),
        ({"options": {"units": 9}}, "another options"),
    ],
)
def test_records_of_other_code_or_data_are_refused_and_nothing_is_copied(change, problem, shards):
    path = shards[1] / "vgg-seed1.json"
    write_json(path, records.json.loads(path.read_text()) | change)
    with pytest.raises(StudyError, match=problem) as refusal:
        workers.merge(STUDY, "sample", shards)
    assert str(path) in str(refusal.value)
    assert not records.folder(STUDY, "sample").exists()


@pytest.mark.slow
def test_dask_gives_records_though_a_worker_dies_and_one_of_another_kind_is_refused(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    todo = {tmp_path / f"{i}.json": (STUDY, STUDY.variants[0], i, "sample", "unfinished") for i in range(3)}
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        outcomes = workers.on_cluster(jobs.stub, todo, cluster.scheduler_address)
        found = [next(outcomes)]
        psutil.Process(cluster.workers[0].pid).kill()
        found += outcomes
        assert {int(path.stem): record["seed"] for path, record in found} == {0: 0, 1: 1, 2: 2}
        monkeypatch.setattr(workers, "origin", lambda *job: ORIGIN)
        [(_, problem), *_] = workers.on_cluster(jobs.stub, todo, cluster.scheduler_address)
        assert re.match("The worker tcp://.* has commit .*, not a1, python", str(problem))
