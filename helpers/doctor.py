"""What keeps the chapters from running on this machine, and how to mend it: `python -m helpers.doctor`.

Any Python 3 can run it, as one that is too old must be told so: imports of packages are inside the checks.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("jupyter", "nbval", "pytest", "ruff")  # for authors: no chapter needs them
MEMORY_GB, DISK_GB = 2, 0.5  # a process that trains takes 1.6; the archive and the decoded copy 0.36
SECONDS = 300  # to wait for TensorFlow: from a slow disk it takes a minute


def python():
    """Compare Python's version with those that the series supports."""
    version = "{}.{}".format(*sys.version_info)
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise RuntimeError(f"Python {version} does not fit: get 3.11, 3.12 or 3.13 from python.org")
    return f"{version}, {sys.executable}"


def packages():
    """Compare the packages with requirements.txt."""
    from importlib import metadata

    from packaging.requirements import Requirement

    lines, faults = (ROOT / "requirements.txt").read_text("utf-8").splitlines(), []
    for needed in (Requirement(line) for line in lines if line and line[0] != "#"):
        try:
            version = metadata.version(needed.name)
            fits = needed.specifier.contains(version, prereleases=True)
        except Exception:  # not there, or half there
            version, fits = "is missing", needed.name in TOOLS
        if not fits:
            faults.append(f"{needed.name} {version} (needed: {needed.specifier})")
    if faults:
        raise RuntimeError("; ".join(faults))
    return "they fit requirements.txt"


def settings():
    """Look at TUTORIAL_PROFILE and KERAS_BACKEND; if the latter is wrong, the rest is checked without it."""
    from helpers import data

    profile, backend = data.profile(), os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow" and not (backend in ("jax", "torch") and importlib.util.find_spec(backend)):
        del os.environ["KERAS_BACKEND"]
        raise RuntimeError(f"KERAS_BACKEND is {backend!r}, and Keras cannot train with that here: unset it")
    return f"profile {profile}, backend {backend} (chapters are measured with standard and tensorflow)"


def keras():
    """Start a session as the Setup cell does; a broken TensorFlow can end Python, so in another process."""
    command = [sys.executable, "-c", "from helpers.session import start; start()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        told = re.search(r"^[\w.]*(?:Error|Exit|Exception)\b.*", done.stderr, re.MULTILINE)
        raise RuntimeError(told[0] if told else f"It ends Python (exit status {done.returncode})")
    return done.stdout  # it names the accelerator, too


def dataset():
    """Look for CIFAR-10 where `load_cifar10` does, and whether a download could be kept."""
    from helpers.internal import official

    named = official.named_place(None)  # of CIFAR10_DIR; raises DataError if there is nothing
    if official.load() is not None:
        return f"CIFAR-10 is in {official.folder()}, decoded"
    for path in official.candidates(named) if named else official.usual_candidates():
        official.decoded(path)  # raises DataError if it is damaged
        return f"CIFAR-10 is in {path}"
    folder = next(path for path in (official.folder(), *official.folder().parents) if path.exists())
    tempfile.TemporaryFile(dir=folder).close()  # raises OSError if nothing can be written
    free = shutil.disk_usage(folder).free / 1e9
    if free < DISK_GB:
        raise RuntimeError(f"{free:.1f} GB free at {folder}, CIFAR-10 takes {DISK_GB} GB: free some space")
    return "CIFAR-10 is not on this machine: the next load downloads 170 MB"


def memory():
    """Compare the free memory with what training takes."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    if free < MEMORY_GB:
        raise RuntimeError(f"{free:.1f} GB free, a chapter takes {MEMORY_GB} GB: close programs and kernels")
    return f"{free:.1f} GB free"


def files():
    """Look through the final network's file, and read every recorded run that is there or a chapter reads."""
    from helpers import predict, records

    predict.check_model_file(predict.FINAL_MODEL)
    books = "".join(path.read_text("utf-8") for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    names = set(re.findall(r'load_runs\(\\"(\w+)\\"', books))
    names |= {name for name, study in records.STUDIES.items() if any(records.folder(study).glob("*.json"))}
    return f"final network; {sum(len(records.load_runs(name)) for name in names)} recorded runs can be read"


def jupyter():
    """Look at the kernel that notebooks start."""
    from jupyter_client.kernelspec import KernelSpecManager

    named = KernelSpecManager().get_kernel_spec("python3").argv[0]
    command = [named if Path(named).is_absolute() else sys.executable, "-c", "import sys; print(sys.prefix)"]
    if subprocess.check_output(command, text=True, timeout=60).strip() != sys.prefix:
        raise RuntimeError(f"The kernel python3 is another Python, {named}")
    return "the kernel python3 is this Python"


ADVICE = {
    packages: f"Use .venv/bin/python, or run: {sys.executable} -m pip install -r requirements.txt",
    keras: f"Run: {sys.executable} -m pip install --force-reinstall tensorflow. It also needs a processor "
    "with AVX and, on Windows, Microsoft's Visual C++ Redistributable.",
    dataset: "Mend or remove it, or unset CIFAR10_DIR; TUTORIAL_CACHE can name another folder to keep it in.",
    files: "Restore what git keeps: git checkout -- data",
    jupyter: f"Run: {sys.executable} -m ipykernel install --sys-prefix --name python3",
}


def main():
    """Print what each check finds; return 1 if there is a problem, else 0."""
    problems = 0
    for check in (python, packages, settings, keras, dataset, memory, files, jupyter):
        try:
            status, told = "ok", check()
        except Exception as error:
            status, told, problems = "problem", f"{error}. {ADVICE.get(check, '')}", problems + 1
        line = " ".join(told.encode("ascii", "backslashreplace").decode().split())
        print(f"{status:<7}  {check.__name__:<8}  {line}", flush=True)
        if problems and check in (python, packages):
            break  # the others could only echo it
    print(f"\n{problems} to mend." if problems else "\nThe chapters can run.")
    return min(problems, 1)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
