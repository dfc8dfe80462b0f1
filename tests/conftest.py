"""Fixtures that several test files share."""

import os
import sys
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")  # no windows; the notebooks' kernels choose for themselves


@pytest.fixture(scope="session")
def official_dir() -> Path:
    """The folder that `CIFAR10_DIR` names, with the official files; without it the test is skipped."""
    folder = os.environ.get("CIFAR10_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the real data: set CIFAR10_DIR to the folder of the official files")
    return Path(folder)


@pytest.fixture(autouse=True)
def eager():
    """Run networks step by step: building a graph takes longer than the tiny trainings of these tests."""
    if tensorflow := sys.modules.get("tensorflow"):  # what does not need it does not wait for it
        tensorflow.config.run_functions_eagerly(True)
    yield
    if tensorflow:
        tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def style():
    """Draw in the series' style, and leave neither it nor a figure behind."""
    from matplotlib import pyplot as plt

    from helpers import plots

    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")
