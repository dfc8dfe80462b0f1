"""Many runs at once: one process a run, killed ones tried again, nothing lost, doubled or of another kind."""

import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from helpers import workers
from helpers.internal.files import ROOT
from helpers.records import StudyError
from helpers.workers import here, in_own_process
from tests.support import jobs
from tests.support.tiny import STUDY

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize(("asked_for", "told"), [(None, None), (3, "3")])
def test_one_at_a_time_has_all_threads_unless_told_otherwise(tmp_path, asked_for, told):
    [(_, record)] = here(jobs.note, asked(tmp_path, 1), threads=asked_for)
    assert set(record["threads"].values()) == {told}


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


def test_a_worker_ends_with_its_asker(tmp_path):
    code = "import time; from helpers.workers import in_own_process; in_own_process(time.sleep, 99)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as asker:
        while not (children := psutil.Process(asker.pid).children()):
            time.sleep(0.1)
        time.sleep(2)
        asker.kill()
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_a_worker_of_another_kind_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("STUB_COMMIT", "b2")
    call = pickle.dumps((jobs.stub, (0, "state"), jobs.stub_origin, {"commit": "a1"}))
    with pytest.raises(
        StudyError, match=r"The worker tcp://10.0.0.2:33 on .* has commit b2, not a1: stop it"
    ):
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


def test_dask_gives_records_though_a_worker_dies_and_one_of_another_kind_is_refused(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "origin", jobs.stub_origin)
    todo = {tmp_path / f"{seed}.json": (seed, "unfinished") for seed in range(3)}
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        outcomes = workers.on_cluster(jobs.stub, todo, cluster.scheduler_address)
        found = [next(outcomes)]
        psutil.Process(cluster.workers[0].pid).kill()
        found += outcomes
        assert {int(path.stem): record["seed"] for path, record in found} == {0: 0, 1: 1, 2: 2}
        monkeypatch.setenv("STUB_COMMIT", "b2")  # that of the asker alone
        [(_, problem), *_] = workers.on_cluster(jobs.stub, todo, cluster.scheduler_address)
        assert re.match("The worker tcp://.* on .* has commit a1, not b2: stop it", str(problem))
