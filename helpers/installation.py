"""What `helpers.doctor` finds out about Python, the settings, the packages, Keras and Jupyter.

Each check takes a dictionary, in which it leaves what later checks need, and returns its status ("ok", "note"
or "problem") and a message. No package is needed here, and any Python 3 gets as far as its first check.
"""

import contextlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from helpers import install

REQUIREMENTS = install.ROOT / "requirements.txt"
TOOLS = ("jupytext", "nbval", "pytest", "ruff")  # for authors: no chapter needs them
MODULES = {"pillow": "PIL", "scikit-image": "skimage", "scikit-learn": "sklearn"}  # the others have one name
OWN = sorted("helpers." + path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
KERNEL_ADVICE = (
    "Mend it with: {0} -m jupyter kernelspec remove -f python3, then {0} -m ipykernel install --sys-prefix"
)
SECONDS = 300  # to wait for all imports: from a slow disk the first ones take a minute
TENSORFLOW_NEEDS = (
    " TensorFlow also needs a processor with AVX and, on Windows, Microsoft's Visual C++ Redistributable."
)
# A broken TensorFlow can end Python itself, so modules are tried in another process. It writes a module's
# name before it tries it: the last line tells which one was the end. What modules print goes elsewhere.
PROBE = """
import importlib, os, sys
answers = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
os.dup2(2, 1)
sys.path.insert(0, sys.argv[1])
sys.modules.update(dict.fromkeys(sys.argv[2].split()))
for name in sys.argv[3:]:
    print(name, end=" ", file=answers, flush=True)
    answer = "works"
    try:
        importlib.import_module(name)
    except BaseException as error:
        while "\\n" in str(error).strip() and error.__context__:  # an essay about another error
            error = error.__context__
        answer = " ".join((type(error).__name__ + ": " + str(error)).split())[:200]
    print(answer, file=answers, flush=True)
"""


def check_python(state: dict) -> tuple:
    """Compare Python's version with those that the series supports."""
    fault = install.obstacle(sys.version_info, True, float("inf"))
    return ("problem", fault) if fault else ("ok", f"{platform.python_version()}, {sys.executable}")


def check_profile(state: dict) -> tuple:
    """Look at TUTORIAL_PROFILE; `state` gets whether it asks for the `smoke` profile."""
    from helpers import data

    try:
        state["smoke"] = data.profile() == "smoke"
    except ValueError as error:
        return "problem", str(error)
    if state["smoke"]:
        return (
            "note",
            "TUTORIAL_PROFILE is smoke: chapters use a synthetic sample and shorten their training.",
        )
    return "ok", "standard"


def check_backend(state: dict) -> tuple:
    """Look at what Keras is told to compute with; if that is wrong, the rest is checked with TensorFlow."""
    name, origin = os.environ.get("KERAS_BACKEND"), "KERAS_BACKEND"
    settings = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    if not name:
        with contextlib.suppress(OSError, ValueError):  # Keras passes over a damaged file, too
            name = json.loads(settings.read_text(encoding="utf-8")).get("backend")
            origin = f"backend in {settings}"
    if name in (None, "", "tensorflow"):
        return "ok", "tensorflow"
    if name in ("jax", "torch") and importlib.util.find_spec(name):
        return "note", f"{origin} is {name}, but the chapters are taught and measured with tensorflow."
    os.environ["KERAS_BACKEND"] = "tensorflow"
    return "problem", f"{origin} is {name!r}, and Keras cannot train with that here: make it tensorflow."


def check_packages(state: dict) -> tuple:
    """Compare the versions of the packages with requirements.txt.

    Args:
        state: gets the `modules` that can be tried, with the names of their packages, and whether the
            installation is `incomplete`.
    """
    if importlib.util.find_spec("packaging") is None:
        state["incomplete"] = True
        return "problem", f"packaging is missing, and so probably is all of requirements.txt. {remedy()}"
    faults, minor = [], []
    for requirement in requirements():
        name, fault = requirement.name, version_fault(requirement)
        if fault:
            (minor if name in TOOLS else faults).append(f"{name} {fault}")
        if name not in TOOLS:
            missing = fault.startswith("is missing")
            state["incomplete"] |= missing
            if not missing:
                state["modules"][MODULES.get(name, name)] = name
    if faults:
        return "problem", f"{'; '.join(faults + minor)}. {remedy()}"
    if minor:
        return "note", f"{'; '.join(minor)}: the tests need that, no chapter does. {remedy()}"
    return "ok", f"{len(requirements())} packages fit requirements.txt"


def requirements() -> list:
    """Return what requirements.txt asks for on this machine, as `packaging` reads it."""
    from packaging.requirements import Requirement

    lines = [line.partition("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line]
    return [requirement for requirement in found if not requirement.marker or requirement.marker.evaluate()]


def version_fault(requirement) -> str:
    """Return what is wrong with the installed version of what a requirement names; "" if it fits."""
    from importlib import metadata

    from packaging.version import InvalidVersion, Version

    try:
        version = Version(metadata.version(requirement.name))
    except metadata.PackageNotFoundError:
        return f"is missing (needed: {requirement.specifier})"
    except (InvalidVersion, KeyError, TypeError):  # what an installation that broke off leaves
        return "is half installed"
    for bound in requirement.specifier:
        if not bound.contains(version, prereleases=True):
            fault = "old" if version < Version(bound.version) else "new"
            return f"{version} is too {fault} (needed: {requirement.specifier})"
    return ""


def remedy() -> str:
    """Return the command that installs what is missing, or the advice to use the Python that has it."""
    if Path(install.VENV_PYTHON).exists() and Path(sys.prefix).resolve() != install.VENV.resolve():
        return f"This is {sys.executable}, but the tutorial's Python is {install.VENV_PYTHON}: use that."
    return f"Run: {sys.executable} -m pip install -r {REQUIREMENTS}"


def check_imports(state: dict) -> tuple:
    """Import the packages and this series' own modules; `state` gets the set of those that `work`."""
    names = [*state["modules"], *OWN]
    faults = import_faults(names)
    state["work"] = set(names) - set(faults)
    told_by = {}  # keras repeats what tensorflow says
    for name, fault in faults.items():
        if name in state["modules"] and not is_echo(fault, state):
            told_by.setdefault(fault, name)
    broken = list(told_by.values())
    if broken:
        told = "; ".join(f"{name}: {faults[name]}" for name in broken[:3])
        packages = " ".join(state["modules"][name] for name in broken)
        advice = f"Run: {sys.executable} -m pip install --force-reinstall {packages}"
        return "problem", f"{told}. {advice}.{TENSORFLOW_NEEDS if 'tensorflow' in broken else ''}"
    if state["incomplete"]:
        return "note", "Not everything could be tried, as packages are missing."
    if faults:
        name, fault = next(iter(faults.items()))
        return "problem", f"{name}: {fault}. Restore the series' files: git status tells which have changed."
    return "ok", f"{len(names)} modules can be imported"


def is_echo(fault: str, state: dict) -> bool:
    """Return whether an import failed because of another package, which is told about already."""
    return "halted; None in sys.modules" in fault or (state["incomplete"] and "No module named" in fault)


def import_faults(names: list) -> dict:
    """Import modules in another process; return for each that fails why, in one line."""
    faults, blocked, waiting = {}, [], list(names)
    while waiting:
        command = [sys.executable, "-c", PROBE, str(install.ROOT), " ".join(blocked), *waiting]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
            output, end = done.stdout, f"it ends Python (exit status {done.returncode})"
        except subprocess.TimeoutExpired as error:
            output, end = error.stdout or b"", f"it is not imported after {SECONDS} s"
        lines = output.decode("utf-8", "replace").splitlines()
        answers = [answer for _, _, answer in (line.partition(" ") for line in lines)]
        finished = [answer for answer in answers if answer]
        if len(finished) < len(waiting):
            blocked.append(waiting[len(finished)])  # the next process leaves it out
            finished.append(end)
        faults.update((waiting[i], answer) for i, answer in enumerate(finished) if answer != "works")
        waiting = waiting[len(finished) :]
    return faults


def check_accelerator(state: dict) -> tuple:
    """Ask Keras what it computes on."""
    from helpers.session import accelerator  # starts TensorFlow without its notes

    device = accelerator()
    if "CPU" in device and shutil.which("nvidia-smi"):
        return "note", f"{device}, although an NVIDIA card seems to be here: see tensorflow.org/install/pip"
    return "ok", device


def check_jupyter(state: dict) -> tuple:
    """Look at the kernel that notebooks start, and at the version of the widgets."""
    from importlib import metadata

    from jupyter_client.kernelspec import KernelSpecManager

    own_names = ("python", "python3", f"python3.{sys.version_info.minor}")  # Jupyter takes its own Python
    try:
        named = KernelSpecManager().get_kernel_spec("python3").argv[0]
        python = sys.executable if named in own_names else named
        command = [python, "-c", "import sys; print(sys.prefix)"]
        prefix = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True
        ).stdout.strip()
    except Exception as error:  # no such kernel, a damaged kernel.json, no such interpreter, or a broken one
        return (
            "problem",
            f"The kernel python3 does not start: {error}. {KERNEL_ADVICE.format(sys.executable)}",
        )
    if prefix != sys.prefix:
        return (
            "problem",
            f"The kernel python3 is another Python, {python}. {KERNEL_ADVICE.format(sys.executable)}",
        )
    widgets = metadata.version("ipywidgets")
    if widgets.split(".")[0] not in ("7", "8"):
        return (
            "problem",
            f'ipywidgets {widgets}, expected 7 or 8: {sys.executable} -m pip install "ipywidgets<9"',
        )
    return "ok", f"the kernel python3 is this Python, ipywidgets {widgets}"
