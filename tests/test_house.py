"""The house: what may import what, what starts TensorFlow, and where the test of a module lies."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import nbformat
import pytest

import helpers
from helpers.internal.files import ROOT
from tools.store import all_notebooks, code_cells

HELPERS = sorted((ROOT / "helpers").rglob("*.py"))
WITHOUT_KERAS = ["plots", "data", "explore", "checks", "evaluation", "records", "verdicts", "predict"]
WITHOUT_KERAS += ["studies", "recipe"]
NOT_ON_COLAB = ("jupyterlab", "nbval", "pytest", "ruff")
NOT_IMPORTED = {"jupyter", "jupyterlab", "nbval", "ruff"}  # programs, and a plugin


def imports(path: Path) -> set[str]:
    """Return what a module or a notebook imports: modules, and what it takes from them as "module.name"."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in code_cells(nbformat.reads(text, as_version=4)))
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def arrows(paths: list[Path], *packages: str) -> set[str]:
    """Return which of these files import one of these packages or something in it: "file -> name"."""
    found = ((path, name) for path in paths for name in imports(path))
    inside = re.compile(rf"({'|'.join(map(re.escape, packages))})(\..*)?")
    return {f"{path.relative_to(ROOT)} -> {name}" for path, name in found if inside.fullmatch(name)}


def test_notebooks_helpers_and_internal_import_only_what_lies_below_them():
    assert arrows(all_notebooks(), "helpers.internal", "tools", "tests") == set()
    assert arrows(HELPERS, "tools", "tests") == set()
    assert arrows([*HELPERS, *all_notebooks()], *NOT_ON_COLAB) == set()
    internal = [path for path in HELPERS if path.parent.name == "internal"]
    assert arrows(internal, "helpers") - arrows(internal, "helpers.internal") == set()
    declarations = [ROOT / "helpers" / "studies.py", ROOT / "helpers" / "recipe.py"]
    assert arrows(declarations, "keras", "tensorflow", "helpers.training", "helpers.models") == set()


@pytest.mark.slow
def test_what_does_not_compute_with_keras_does_not_start_it():
    lines = ["import sys, helpers.plots", "assert 'scipy.stats' not in sys.modules, 'scipy.stats'"]
    lines += [f"import helpers.{name}; assert 'keras' not in sys.modules, '{name}'" for name in WITHOUT_KERAS]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""


def test_the_map_names_every_module_and_each_has_its_tests_under_its_name():
    modules = [path for path in HELPERS if path.stem != "__init__"]
    assert {path.stem for path in modules} <= set(re.findall(r"\w+", helpers.__doc__))
    tests = [ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}") for path in modules]
    assert [path.name for path in tests if not path.is_file()] == []


def test_requirements_name_nothing_that_is_not_imported():
    wanted = set(re.findall(r"^([\w-]+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    files = [*HELPERS, *(ROOT / "tools").glob("*.py"), *(ROOT / "tests").rglob("*.py"), *all_notebooks()]
    modules = {name.partition(".")[0] for path in files for name in imports(path)}
    packages = metadata.packages_distributions()
    used = {name.lower() for module in modules for name in packages.get(module, [])}
    assert wanted - NOT_IMPORTED - used == set()
