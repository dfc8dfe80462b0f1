"""What keeps the chapters from running on this machine, and how to mend it: `python -m helpers.doctor`.

Each check prints a line. A `problem` makes a chapter fail, or run on the synthetic sample although CIFAR-10
was asked for, and the exit status 1; a `note` does neither. Any Python 3 can run this file: one that is too
old, or has no packages, must get as far as being told so. So imports are inside the checks.
"""

import argparse
import contextlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator

from helpers import console, installation

MEMORY_GB = 2  # a process that trains takes 1.6
DISK_GB = 0.5  # a download takes 170 MB and the decoded copy 184 MB


def check_data(state: dict) -> tuple:
    """Look for CIFAR-10 where `load_cifar10` does; `state` gets whether it has to `download`."""
    from helpers import data
    from helpers.internal import cache, formats

    try:
        named = data.named_place(None)
    except formats.DataError as error:
        return serious(state), str(error)
    if cache.load() is not None:
        return "ok", f"CIFAR-10 is in {cache.folder()}, decoded"
    told = []
    if any(cache.path_of(name).exists() for name in formats.FINGERPRINTS):
        told.append(f"The decoded copy in {cache.folder()} is damaged or not whole, and is made anew.")
    for place in [named] if named else data.usual_places():
        try:
            formats.read_official(place)
        except formats.DataError as error:
            told.append(f"{error}.")
        else:
            return "note" if told else "ok", " ".join([*told, f"CIFAR-10 is in {place}"])
    if named:
        told.append("CIFAR10_DIR has to name whole official files: get them anew, or unset it.")
        return serious(state), " ".join(told)
    state["download"] = True
    return "note", " ".join([*told, "CIFAR-10 is not on this machine: the next load downloads 170 MB."])


def serious(state: dict) -> str:
    """Return the status of a fault that keeps CIFAR-10 away: the smoke profile does not use it."""
    return "note" if state["smoke"] else "problem"


def check_cache(state: dict) -> tuple:
    """Try to write where the decoded copy is kept."""
    from helpers.internal import cache

    folder = next(path for path in (cache.folder(), *cache.folder().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        return serious(state) if state["download"] else "note", cache.unusable(error)
    return "ok", f"{cache.folder()} can be written"


def check_disk(state: dict) -> tuple:
    """Compare the free space with what the data take."""
    from helpers.internal import cache

    folder = next(path for path in (cache.folder(), *cache.folder().parents) if path.is_dir())
    free = shutil.disk_usage(str(folder)).free / 1e9
    if free >= DISK_GB:
        return "ok", f"{free:.1f} GB free"
    status = serious(state) if state["download"] else "note"
    return status, f"{free:.1f} GB free at {folder}, CIFAR-10 takes {DISK_GB} GB: free some space."


def check_network(state: dict) -> tuple:
    """Ask every mirror for the head of its file, if CIFAR-10 has to be downloaded."""
    if state["smoke"] or not state["download"]:
        return "ok", "not needed"
    from concurrent.futures import ThreadPoolExecutor

    import requests

    from helpers.internal import cache, download

    def answers(mirror):
        archive, url = mirror
        seconds, headers = download.PATIENCE.connect, {"Accept-Encoding": "identity"}
        try:
            with requests.head(url, headers=headers, timeout=seconds, allow_redirects=True) as response:
                return download.bytes_to_skip(response, archive, 0) == 0
        except (requests.RequestException, download.MirrorError):
            return False

    with ThreadPoolExecutor() as pool:
        count = sum(pool.map(answers, download.MIRRORS))
    if count:
        return "ok", f"{count} of {len(download.MIRRORS)} mirrors of CIFAR-10 answer"
    return "problem", (
        "No mirror of CIFAR-10 answers, so chapters would run on the sample: connect this machine, "
        f"set CIFAR10_DIR to the official files, or put {download.BINARY.name} into {cache.folder()}."
    )


def check_memory(state: dict) -> tuple:
    """Compare the free memory with what training takes."""
    try:
        import psutil
    except ImportError as error:
        return "note", f"not checked: {error}"
    free = psutil.virtual_memory().available / 1e9
    if free < MEMORY_GB:
        needs = f"a chapter takes {MEMORY_GB} GB: close other programs and kernels."
        return "problem", f"{free:.1f} GB free, {needs}"
    return "ok", f"{free:.1f} GB free"


def check_model(state: dict) -> tuple:
    """Look through the file of the final model, without loading it."""
    from helpers import predict

    path = predict.DEFAULT_MODEL
    if not path.exists():
        return "note", f"{path} is not there: needed to predict photos, and by nothing else."
    try:
        predict.check_model_file(path)
    except predict.ModelError as error:
        return "problem", f"{error} Restore it: git checkout -- {path}"
    return "ok", str(path)


def check_runs(state: dict) -> tuple:
    """Read every recorded run, and look for those that a chapter reads."""
    from helpers import records
    from tools import chapters

    texts = {path.stem: path.read_text(encoding="utf-8") for path in chapters.chapters()}
    faults, count = [], 0
    for study in records.STUDIES.values():
        readers = [stem for stem, text in texts.items() if f'load_runs(\\"{study.name}\\"' in text]
        if readers or any(records.folder(study).glob("*.json")):
            try:
                count += len(records.load_runs(study.name))
            except (records.StudyError, OSError) as error:
                reader = f" Chapter {readers[0]} reads it." if readers else ""
                faults.append(f"{error}{reader}")
    if faults:
        return "problem", f"{' '.join(faults)} To restore them all: git checkout -- {records.RUNS}"
    return "ok", f"{count} runs can be read"


KERAS = {"tensorflow", "keras", "helpers.session"}
CHECKS = (  # name, check, modules without which it cannot be made; a check may build on those before it
    ("Python", installation.check_python, set()),
    ("packages", installation.check_packages, set()),
    ("profile", installation.check_profile, set()),
    ("backend", installation.check_backend, set()),
    ("imports", installation.check_imports, set()),
    ("data", check_data, {"helpers.data"}),
    ("cache folder", check_cache, {"helpers.cache"}),
    ("disk", check_disk, {"helpers.cache"}),
    ("network", check_network, {"helpers.download"}),
    ("memory", check_memory, set()),
    ("model", check_model, {"helpers.predict"}),
    ("recorded runs", check_runs, KERAS | {"helpers.records", "helpers.chapters"}),
    ("accelerator", installation.check_accelerator, KERAS),
    ("Jupyter", installation.check_jupyter, {"jupyterlab", "ipykernel", "ipywidgets"}),
)


def examine() -> Iterator:
    """Yield the name, status and message of each check; after a Python that does not fit, no more."""
    state = {"modules": {}, "work": set(), "incomplete": False, "smoke": False, "download": False}
    for name, check, needed in CHECKS:
        missing = sorted(needed - state["work"])
        if missing:
            status, message = "note", f"not checked, because {missing[0]} cannot be imported: see above."
        else:
            status, message = attempt(check, state)
        yield name, status, message
        if (name, status) == ("Python", "problem"):
            return


def attempt(check: Callable, state: dict) -> tuple:
    """Return a check's status and message, in one line; a check that fails itself says so."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            status, message = check(state)
    except (Exception, SystemExit) as error:
        status, message = "problem", f"this check failed itself: {type(error).__name__}: {error}"
    return status, " ".join("".join(c if c.isprintable() else " " for c in message).split())


def main(arguments=None) -> int:
    """Run the command line; return 1 if there is a problem, else 0, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m helpers.doctor", description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object for programs")
    as_json = parser.parse_args(arguments).json
    return console.run(lambda: report(as_json))


def report(as_json) -> int:
    """Print what the checks find, for people or as JSON; return 1 if there is a problem, else 0."""
    found = []
    for name, status, message in examine():
        found.append({"check": name, "status": status, "message": message})
        if not as_json:
            print(f"{status:<7}  {name:<13}  {message}", flush=True)
    problems = sum(result["status"] == "problem" for result in found)
    if as_json:
        print(json.dumps({"problems": problems, "checks": found}, indent=1))
    else:
        print(f"\n{problems} to mend." if problems else "\nThe chapters can run.")
    return min(problems, 1)


if __name__ == "__main__":
    sys.exit(main())
