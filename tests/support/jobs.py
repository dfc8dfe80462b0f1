"""What the tests of `helpers.workers` let other processes do, as Keras would take seconds to start there."""

import os
import time
from pathlib import Path

from helpers import workers


def note(state: str) -> dict:
    """Return where this ran and with how many threads; a process that is killed leaves a mark in `state`."""
    folder = Path(state)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(os.getpid())).touch()
    time.sleep(0.2)
    threads = {name: os.environ.get(name) for name in workers.THREADS}
    return {"pid": os.getpid(), "threads": threads, "starts": len(list(folder.iterdir()))}


def meet(state: str) -> dict:
    """Wait until two processes are here at once."""
    folder = Path(state).parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{os.getpid()}.here").touch()
    while len(list(folder.glob("*.here"))) < 2:
        time.sleep(0.02)
    return {}


def end(code: int, state: str) -> dict:
    """End as a process that is killed, and only the first time."""
    if Path(state).exists():
        return {}
    Path(state).mkdir(parents=True)
    os._exit(code)


def refuse(error: Exception, state: str) -> dict:
    raise error


def stub(seed: int, state: str) -> dict:
    """Return what stands for the record of a run."""
    time.sleep(1)
    return {"seed": seed}


def stub_origin(seed: int, state: str) -> dict:
    """Return what stands for code and data, so that Keras is not needed."""
    return {"commit": os.environ.get("STUB_COMMIT", "a1")}
