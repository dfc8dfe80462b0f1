"""Fixtures of the browser tests: a headless Chromium, JupyterLab, and where the screenshots go."""

import shutil
from pathlib import Path

import pytest

from helpers.internal.files import ROOT
from tests.clients.browser.lab import Server, lab_server
from tests.clients.browser.outside import Outside
from tests.support.checkout import copy_repository

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium: the system's, else Playwright's own. Without one the test is skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make test-browser")
    with api.sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, PROGRAMS)), playwright.chromium.executable_path)
        if not Path(program).exists():
            pytest.skip("needs the package chromium, or: python -m playwright install chromium")
        yield playwright.chromium.launch(executable_path=program)


@pytest.fixture(scope="session")
def outside() -> Outside:
    """The guard that refuses and notes whatever is asked of another machine."""
    return Outside()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder build/browser, empty at the start of a run."""
    folder = ROOT / "build" / "browser"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def copy(tmp_path_factory) -> Path:
    """A copy of the repository as it is now: what runs there leaves the checkout alone."""
    return copy_repository(tmp_path_factory.mktemp("lab") / "repository")


@pytest.fixture(scope="session")
def server(browser, copy, outside, screenshots, tmp_path_factory) -> Server:
    """JupyterLab on the copy; the browser is asked for first, so that without one nothing is started."""
    own, log = tmp_path_factory.mktemp("jupyter"), screenshots / "jupyterlab.log"
    with lab_server(copy, own, outside, log) as server:
        yield server
