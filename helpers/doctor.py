"""What keeps the chapters from running on this machine, and how to mend it: `python -m helpers.doctor`.

Any Python 3 can run it, as one that is too old must be told so: imports of packages are inside the checks.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "notebooks"
TOOLS = ("jupyter", "nbval", "pytest", "ruff")  # no chapter needs them


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

    found = [(each.name.lower(), each.version) for each in metadata.distributions() if each.name]
    installed = dict(reversed(found))  # of two versions Python imports the one that it finds first
    hint = "; PYTHONPATH names other packages, unset it first" if os.environ.get("PYTHONPATH") else ""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    for needed in (Requirement(line) for line in lines if line and line[0] != "#"):
        version = installed.get(needed.name)
        fits = needed.specifier.contains(version, prereleases=True) if version else needed.name in TOOLS
        if not fits:
            raise RuntimeError(f"{needed.name} {version or 'is missing'} (needed: {needed.specifier}){hint}")
    return "they fit requirements.txt"


def jupyter():
    """Look at the kernel that notebooks start."""
    from jupyter_client.kernelspec import KernelSpecManager

    named = KernelSpecManager().get_kernel_spec("python3").argv[0]
    command = [named if Path(named).is_absolute() else sys.executable, "-c", "import sys; print(sys.prefix)"]
    if subprocess.check_output(command, text=True, timeout=60).strip() != sys.prefix:
        raise RuntimeError(f"The kernel python3 is another Python, {named}")
    return "the kernel python3 is this Python"


def memory():
    """Compare the free memory with what training takes."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    if free < 2:
        raise RuntimeError(f"{free:.1f} GB free, a chapter takes 2 GB: close programs and kernels")
    return f"{free:.1f} GB free"


def dataset():
    """Look for CIFAR-10 where `load_cifar10` does."""
    from helpers.internal import official

    if official.load() is not None:
        return f"CIFAR-10 is in {official.folder()}, decoded"
    place = official.named_place(None)  # of CIFAR10_DIR
    for path in official.candidates(place):
        official.decoded(path)  # raises DataError if it is damaged
        return f"CIFAR-10 is in {path}"
    if place:
        raise RuntimeError(f"CIFAR10_DIR is {place}, and no CIFAR-10 is there")
    return "CIFAR-10 is not on this machine: the next load downloads 170 MB"


def session():
    """Start one as the Setup cell does; a broken TensorFlow can end Python, so in another process."""
    command = [sys.executable, "-c", "from helpers.session import start; start()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)  # slow disks
    if done.returncode:
        told = re.search(r"^[\w.]*(?:Error|Exit|Exception)\b.*", done.stderr, re.MULTILINE)
        raise RuntimeError(told[0] if told else f"It ends Python (exit status {done.returncode})")
    return done.stdout  # it names the accelerator, too


def files():
    """Look for the chapters, look through the final network's file, and read the recorded runs."""
    from helpers import predict, records

    predict.check_model_file(predict.FINAL_MODEL)
    names = [name for name, study in records.STUDIES.items() if records.folder(study).is_dir()]
    runs, chapters = sum(len(records.load_runs(name)) for name in names), [*CHAPTERS.glob("0*.ipynb")]
    if not chapters:
        raise RuntimeError(f"There are no chapters in {CHAPTERS}")
    return f"{len(chapters)} chapters, final network, {runs} recorded runs"


CHECKS = {  # and what may help
    python: "",
    packages: f"Use .venv/bin/python, or run: {sys.executable} -m pip install -r requirements.txt",
    jupyter: f"Set HOME, or run: {sys.executable} -m ipykernel install --sys-prefix --name python3",
    memory: "",
    dataset: "Mend or remove it, or unset CIFAR10_DIR.",
    session: "If it is TensorFlow: it needs a processor with AVX and, on Windows, Microsoft's Visual C++ "
    f"Redistributable; {sys.executable} -m pip install --force-reinstall tensorflow installs it anew.",
    files: "Restore what git keeps, git checkout -- data notebooks, or get the series anew.",
}


def main():
    """Print what each check finds, up to the first problem; return 1 if there is one, else 0."""
    for check, advice in CHECKS.items():
        try:
            status, told = "ok", check()
        except Exception as error:
            status, told = "problem", f"{str(error).rstrip('.')}. {advice}"
        line = " ".join(told.encode("ascii", "backslashreplace").decode().split())
        print(f"{status:<7}  {check.__name__:<8}  {line}", flush=True)
        if status == "problem":
            return 1
    print("\nThe chapters can run.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
