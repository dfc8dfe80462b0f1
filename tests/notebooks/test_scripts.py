"""The scripts of chapter 10: several workers train what one does, and the chapter quotes them as they are."""

import json
import os
import re
import socket
import subprocess
import sys

import nbformat
import numpy as np
import pytest

from helpers.internal.files import ROOT
from tests.support.tiny import tiny_data

SCRIPTS = ROOT / "notebooks" / "scripts"


def without_comments(code: str) -> set[str]:
    return {line.partition("  #")[0].strip() for line in code.splitlines()}


def run_on(workers: int, backend: str, file) -> list[dict]:
    """Return what each worker told."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(workers)]
    addresses = ",".join(f"127.0.0.1:{open_port.getsockname()[1]}" for open_port in sockets)
    for open_port in sockets:
        open_port.close()
    script = SCRIPTS / f"data_parallel_{backend}.py"
    commands = [[sys.executable, script, str(number), addresses, file] for number in range(workers)]
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": "1"}
    started = [subprocess.Popen(c, env=environment, text=True, stdout=subprocess.PIPE) for c in commands]
    return [json.loads(process.communicate(timeout=280)[0].splitlines()[-1]) for process in started]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_and_four_workers_take_the_steps_of_one_and_stay_equal(backend, tmp_path):
    pytest.importorskip(backend)
    train = tiny_data(512).train
    np.savez(tmp_path / "few.npz", images=train.images, labels=train.labels)
    [one] = run_on(1, backend, tmp_path / "few.npz")
    assert one["losses"][-1] < one["losses"][0]
    for workers in (2, 4):
        several = run_on(workers, backend, tmp_path / "few.npz")
        assert all(told["weights"] == several[0]["weights"] for told in several)
        np.testing.assert_allclose(several[0]["losses"], one["losses"], rtol=5e-3)


def test_the_chapter_quotes_the_scripts_as_they_are():
    notebook = nbformat.read(ROOT / "notebooks" / "10_scale_out.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    quoted = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    written = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS.glob("data_parallel_*.py"))
    assert len(quoted) == 2
    assert without_comments("\n".join(quoted)) <= without_comments(written)
