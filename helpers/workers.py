"""Many runs at once: in processes of this machine, or on the workers of a Dask cluster.

Each run has a process of its own, which gives its record back; who asked for it writes it. So workers share
nothing but the code, and one that dies loses the epoch at hand: another process goes on with the run.
"""

import functools
import multiprocessing
import os
import pickle
import platform
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import joblib
from tqdm.auto import tqdm

from helpers import records
from helpers.data import load_cifar10
from helpers.internal.files import ROOT, commit
from helpers.recipe import Study, Variant
from helpers.records import StudyError

TRIES, PAUSE = 3, 1.0  # of a run whose process is killed; seconds between them
THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")  # TensorFlow, BLAS, joblib
ONE_BAR = "TQDM_DISABLE"  # set where several trainings would draw their bars into one line
Jobs = dict[Path, tuple]  # by the path of its record, what makes a run; at last the folder of its state
Outcomes = Iterator[tuple[Path, dict | BaseException | None]]  # record, what went wrong, or None: it is there


def here(function: Callable[..., dict], jobs: Jobs, count: int = 1, threads: int | None = None) -> Outcomes:
    """Yield the outcome of each job as it ends; `count` of them run at once on this machine.

    Args:
        function: makes a record from a job.
        threads: those of each run; by default its share of the cores.
    """
    if count > 1:
        threads, os.environ[ONE_BAR] = threads or max(1, joblib.cpu_count() // count), "1"

    def outcome(path: Path) -> dict | None:
        return None if path.exists() else attempt(function, *jobs[path], threads=threads)

    with bar_of(jobs, count > 1) as bar, futures.ThreadPoolExecutor(count) as pool:
        asked = {pool.submit(outcome, path): path for path in jobs}
        try:
            for future in futures.as_completed(asked):
                yield asked[future], future.exception() or future.result()
                if not future.exception():
                    forget(jobs[asked[future]][-1])
                bar.update()
        finally:  # also after Ctrl-C: nothing new starts, and what runs ends
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in asked):
                for child in multiprocessing.active_children():
                    child.terminate()
                time.sleep(0.1)


def bar_of(jobs: Jobs, shown: bool) -> tqdm:
    """Return a bar of runs with the time left, for a terminal."""
    return tqdm(total=len(jobs), unit="run", disable=not (shown and sys.stderr.isatty()), leave=False)


def attempt(function: Callable, *job, threads: int | None = None):
    """Return what a function makes of a job in a process of its own; one that is killed is tried again.

    BrokenProcessPool if it is killed each time, BlockingIOError if another process is at the same run.
    """
    if threads:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    for tries in range(1, TRIES + 1):
        try:
            return in_own_process(function, *job)
        except (BrokenProcessPool, BlockingIOError):
            if tries == TRIES:
                raise
            time.sleep(PAUSE)


def in_own_process(function: Callable, *arguments):
    """Return a function's result from a new process, as Keras leaks about 21 MB with each run."""
    spawn = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(1, spawn, end_with_parent) as pool:
        return pool.submit(function, *arguments).result()


def end_with_parent() -> None:
    """Let this process end when the one that started it does, and leave Ctrl-C to that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def forget(state: str) -> None:
    """Delete the state of a run whose record is written; `state` is a folder, seen from the repository."""
    shutil.rmtree(ROOT / state, ignore_errors=True)


def on_cluster(
    function: Callable[..., dict], jobs: Jobs, scheduler: str, threads: int | None = None
) -> Outcomes:
    """Yield the same from the workers of a Dask cluster, which must have this machine's code and data.

    Args:
        scheduler: its address, such as tcp://10.0.0.1:8786.
        threads: those of each run; by default a machine's cores, shared by what its worker runs at once.

    Raises:
        StudyError: if Dask is not installed, or a worker has other code, versions or data.
        OSError: if the scheduler does not answer, or has no worker within a minute.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise StudyError("A cluster needs Dask: pip install -r requirements-cluster.txt") from None
    yield from ((path, None) for path in jobs if path.exists())
    todo = {path: job for path, job in jobs.items() if not path.exists()}
    calls = {path: pickle.dumps((function, job, origin, origin(*job))) for path, job in todo.items()}
    with Client(scheduler) as client, bar_of(todo, True) as bar:
        client.wait_for_workers(1, timeout=60)
        asked = {client.submit(on_worker, calls[path], threads, pure=False): path for path in todo}
        for future in as_completed(asked):
            path, error = asked[future], future.exception()
            if error and not isinstance(error, StudyError):  # the other runs may still do well
                error = BrokenProcessPool(f"{type(error).__name__}: {error}")
            yield path, error or future.result()
            client.run(forget, todo[path][-1], on_error="ignore")
            bar.update()


def on_worker(call: bytes, threads: int | None) -> dict:
    """Return the record of a pickled job, from a process that this worker of a cluster starts."""
    from distributed import get_worker

    multiprocessing.current_process().daemon = False  # Dask's nanny forbids its workers to start processes
    threads = threads or max(1, joblib.cpu_count() // get_worker().state.nthreads)
    return attempt(compare_and_run, get_worker().address, call, threads=threads)


def compare_and_run(worker: str, call: bytes) -> dict:
    """Return the record of a pickled job; StudyError if this worker's code, versions or data are others."""
    function, job, origin, ours = pickle.loads(call)  # here, so that Keras stays out of the worker itself
    if found := records.unlike(origin(*job), ours):
        where = f"The worker {worker} on {platform.node()}"
        raise StudyError(f"{where} has {found}: stop it, or bring it up to date.")
    return function(*job)


def origin(study: Study, variant: Variant, seed: int, source: str, state: str) -> dict[str, str]:
    """Return what `records.origin` will say of this run, if it is trained here; StudyError without commit."""
    from helpers import session  # here, as it starts Keras

    code = commit()
    if source == "official" and (code or "+changes").endswith("+changes"):
        raise StudyError("Workers are compared by their commit, and this is none: commit your changes first.")
    data = description(source, **study.split(seed))
    return records.origin({"commit": code, "versions": session.versions(), "data": data})


@functools.cache
def description(source: str, **split: int) -> dict:
    """Return what a record says of the data that a split leaves to train on."""
    from helpers.training import describe

    return describe(load_cifar10(source, **split).for_training())
