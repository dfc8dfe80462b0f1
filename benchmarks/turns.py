"""Contenders of a benchmark in processes of their own that take turns: what training_step.py stands on.

A process reads jobs from standard input, one JSON object a line, and answers with one each.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CHECK_STEPS = 3  # of training, in which contenders must agree
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
THREADS += ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def serve(jobs: dict[str, Callable]) -> None:
    """Do the jobs that standard input names, a JSON object per line, and answer with one each."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(jobs[job.pop("job")](**job)), file=answers, flush=True)


def surroundings(threads: int) -> dict[str, str]:
    """Return a contender's environment: so many threads, no graphics card, the standard profile."""
    own = {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow", "TUTORIAL_PROFILE": "standard"}
    return os.environ | dict.fromkeys(THREADS, str(threads)) | own


def once(threads: int, job: str, **arguments) -> str:
    """Let a process of its own do one job of keras_net.py; return all it printed, oneDNN's words included."""
    return subprocess.run(
        [sys.executable, str(HERE / "keras_net.py"), "--serve"],
        input=json.dumps({"job": job, **arguments}),
        env=surroundings(threads) | {"ONEDNN_VERBOSE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


class Child:
    """A contender in a process of its own; called with a job and its arguments, it gives the answer."""

    def __init__(self, threads: int, python: str = sys.executable, script: str = "keras_net.py"):
        self.process = subprocess.Popen(
            [python, str(HERE / script), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=surroundings(threads),
        )

    def __call__(self, job: str, **arguments):
        try:
            print(json.dumps({"job": job, **arguments}), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            sys.exit(f"The process for {job!r} stopped; what it said is above.")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def take_turns(work: dict[str, Callable[[], dict]], repeats: int) -> dict[str, list[dict]]:
    """Let all take turns, forwards and backwards; return their answers. A first round is left out."""
    answers = {name: [] for name in work}
    for repeat in range(repeats + 1):
        for name in list(work)[:: -1 if repeat % 2 else 1]:
            answer = work[name]()
            if repeat:  # the first round compiles and warms up
                answers[name].append(answer)
    return answers


def seconds_of(answers: list[dict], key: str = "seconds") -> float:
    """Return the median of the answers."""
    return statistics.median(answer[key] for answer in answers)


def show(*rows: tuple) -> None:
    """Print rows as a table: the first column to the left, numbers to the right."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = (str(cell).rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        print("  " + "   ".join([str(first).ljust(widths[0]), *cells]))
