"""Run one small study in several ways: how long each takes, and whether all give the same records to the bit.

python benchmarks/many_runs.py                          # on Dask, too, where it is installed
python benchmarks/many_runs.py --kills 20 --askers 5    # so many processes of "2 workers" killed at random
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psutil

ROOT, ADDRESS = Path(__file__).resolve().parent.parent, "tcp://127.0.0.1:8799"
ONE_CORE = "one at a time, one core"  # what the others are compared with
WAYS = {ONE_CORE: ["--threads", "1"], "one at a time, all cores": []}
WAYS |= {"2 workers": ["--workers", "2", "--threads", "1"]}
if find_spec("distributed"):
    WAYS["Dask, 2 workers"] = ["--scheduler", ADDRESS, "--threads", "1"]
DASK = ["scheduler --host 127.0.0.1 --port 8799 --no-dashboard", *[f"worker {ADDRESS} --nthreads 1"] * 2]


def ask(folder: str, runs: str, epochs: str, *words: str) -> int:
    """Be the asker: let the study be run in this way, its records in a folder."""
    sys.path.insert(0, str(ROOT))
    from helpers import experiments, records
    from helpers.recipe import Recipe, Study, Variant

    recipe = Recipe(epochs=int(epochs), batch_size=100)
    variant = Variant("fast", "fast_net(8)", "fast_net", {"width": 8}, recipe)
    study = Study("many", "Are all records the same?", (variant,), seeds=int(runs))
    records.RUNS, records.STUDIES = Path(folder), {"many": study}
    return experiments.main(["run", "many", "--source", "sample", *words])


def finish(command: list[str], kills: list[str]) -> float:
    """Repeat a command until it ends well, return the seconds; kill it or one of its workers by chance."""
    began, code = time.perf_counter(), None
    while code != 0:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as asker:
            while asker.poll() is None:
                time.sleep(random.expovariate(0.2) if kills else 0.1)
                with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                    found = psutil.Process(asker.pid).children() if kills else []
                    workers = [child for child in found if "spawn_main" in str(child.cmdline())]
                    if workers:
                        (asker if kills.pop() == "asker" else random.choice(workers)).kill()
        code = asker.returncode
    return time.perf_counter() - began


def results(folder: Path) -> dict[str, dict]:
    """Return a folder's records without what may differ: commit, date, seconds, machine."""
    found = {path.name: json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))}
    for part in (part for run in found.values() for part in (run, *run["history"])):
        for name in ("commit", "date", "seconds", "machine"):
            part.pop(name, None)
    return found


def main() -> None:
    """Run the study in each way, and compare with one at a time on one core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in {"runs": 24, "epochs": 3, "kills": 0, "askers": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for name, words in WAYS.items():
            dask = DASK if "--scheduler" in words else []
            dask = [subprocess.Popen([sys.executable, "-m", "dask", *w.split()], cwd=ROOT) for w in dask]
            kills = ["worker"] * given.kills + ["asker"] * given.askers if name == "2 workers" else []
            random.shuffle(kills)
            command = [sys.executable, __file__, "ask", f"{place}/{name}", str(given.runs), str(given.epochs)]
            seconds, found = finish([*command, *words], kills), results(Path(place, name))
            expected = results(Path(place, ONE_CORE))
            same = sum(found[run] == expected.get(run) for run in found)
            print(f"{name}: {seconds:.0f} s, {len(found)} records, {same} the same; {len(kills)} kills left")
            for process in dask:
                process.terminate()


if __name__ == "__main__":
    sys.exit(ask(*sys.argv[2:]) if sys.argv[1:2] == ["ask"] else main())
