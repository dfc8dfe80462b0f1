"""What every test run needs: the smoke profile, and notebooks that stop at their first failing cell.

pyproject.toml loads this file with `-p tests.support.plugin`: it holds for one notebook alone, too.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

os.environ.setdefault("TUTORIAL_PROFILE", "smoke")  # inherited by the notebooks' kernels

first_failure = pytest.StashKey[int]()


def pytest_configure(config):
    """Give the kernels an IPython folder of their own: the user's settings out, the check of figures in."""
    folder = Path(tempfile.mkdtemp(prefix="ipython-"))
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    check = Path(__file__).with_name("labelled_axes.py")
    (startup / "check.py").write_text(f"exec(open({str(check)!r}).read(), {{'__name__': 'labelled_axes'}})\n")
    os.environ["IPYTHONDIR"] = str(folder)
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_runtest_setup(item):
    """Skip a notebook's cell if an earlier one failed: its failure would be an echo."""
    if isinstance(item, IPyNbCell) and first_failure in item.parent.stash:
        pytest.skip(f"code cell {item.parent.stash[first_failure]} failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember the first cell of a notebook that failed."""
    report = yield
    if isinstance(item, IPyNbCell) and report.failed:
        item.parent.stash.setdefault(first_failure, item.cell_num)
    return report
