"""JupyterLab as a reader has it: its server on a folder, and one notebook opened and run in a browser."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_notebook

from tests.clients.browser.outside import Outside
from tools.store import COLOUR, METADATA, messages

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SETTINGS = {  # all cells stand in the page, and no message of JupyterLab's makers lies over them
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "doNotDisturbMode": True},
}
START_SECONDS, RUN_SECONDS = 180, 1800  # generous: a busy machine is no fault of a chapter
SCREEN = {"width": 1200, "height": 3600}  # tall: few screenshots show a whole notebook


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, and the token that lets one in."""

    address: str
    token: str


@dataclass(frozen=True)
class Shown:
    """What a page showed after Run All.

    Attributes:
        counts: the execution count of each code cell, top to bottom.
        errors: each cell that failed, in words.
        warnings: what stands on red ground, progress bars left out.
        headings: the level of each heading, top to bottom.
        bars, widgets: each progress bar and each widget, as look.js tells them.
        pictures, faint: theme to its pictures, and to its texts that one can hardly read.
        asked: the addresses outside that the page, the server or the kernel asked for.
    """

    counts: list[int | None]
    errors: list[str]
    warnings: list[str]
    headings: list[int]
    bars: list[dict]
    widgets: list[dict]
    pictures: dict[str, list[dict]]
    faint: dict[str, list[str]]
    asked: list[str]


def write_notebook(path: Path, cells: list) -> None:
    """Write a notebook that names its kernel: without that, JupyterLab asks for one and waits."""
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def lab_server(folder: Path, own: Path, outside: Outside, log: Path) -> Iterator[Server]:
    """Run JupyterLab on the notebooks in `folder`, in the smoke profile, until the block ends.

    Args:
        folder: what the file browser shows; kernels find the series' files there.
        own: an empty folder for JupyterLab's settings: the user's are left alone.
        outside: the proxy for the server and its kernels.
        log: the file that gets what the server says.
    """
    for name, values in SETTINGS.items():
        file = own / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))
    server = Server(f"http://127.0.0.1:{free_port()}", secrets.token_hex(16))
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))
    }
    variables |= outside.variables | {
        "JUPYTER_TOKEN": server.token,
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "TUTORIAL_PROFILE": "smoke",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--port={server.address.rpartition(':')[2]}", "--ServerApp.port_retries=0"]
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=said)
    try:
        wait_until_it_answers(server, process, log)
        yield server
    finally:
        process.terminate()  # it ends its kernels first
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_it_answers(server: Server, process: subprocess.Popen, log: Path) -> None:
    """Return when the server lets us in; raise RuntimeError if it ends before or takes too long."""
    question = urllib.request.Request(
        f"{server.address}/api/status", headers={"Authorization": f"token {server.token}"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            direct.open(question, timeout=10).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start. The end of what it said:\n{log.read_text()[-2000:]}")


@contextmanager
def run_notebook(browser, server: Server, notebook: str, outside: Outside, pictures: Path) -> Iterator:
    """Open a notebook, choose Run All, wait for its end, and give the page, its kernel still alive.

    Args:
        browser: Playwright's.
        notebook: its path below the server's folder, with slashes.
        pictures: path and beginning of the screenshots' names; one is taken if anything fails.
    """
    context = browser.new_context(viewport=SCREEN, service_workers="block")
    context.add_init_script(path=Path(__file__).with_name("look.js"))
    outside.watch(context, badge=True)
    page = context.new_page()
    page.set_default_timeout(1000 * START_SECONDS)
    try:
        page.goto(f"{server.address}/lab/tree/{notebook}?token={server.token}")
        page.wait_for_function("look.ready()")
        page.evaluate("jupyterapp.shell.collapseLeft()")
        page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        page.wait_for_function("look.counts().every(count => count === null)")
        page.evaluate("look.start()")
        page.wait_for_function("look.ended()", timeout=1000 * RUN_SECONDS)
        yield page
        page.evaluate("look.panel().sessionContext.shutdown()")
    except Exception:
        page.screenshot(path=f"{pictures}-stopped.png")
        raise
    finally:
        context.close()


def open_and_run(browser, server: Server, notebook: str, outside: Outside, pictures: Path) -> Shown:
    """Run a notebook as `run_notebook` does, and look at the page in both themes."""
    asked_before = len(outside.asked)
    with run_notebook(browser, server, notebook, outside, pictures) as page:
        outputs = page.evaluate("look.outputs()")
        shown = Shown(
            counts=page.evaluate("look.counts()"),
            errors=errors(outputs),
            warnings=warnings(outputs),
            headings=page.evaluate("look.headings()"),
            bars=page.evaluate("look.bars()"),
            widgets=page.evaluate("look.widgets()"),
            pictures={},
            faint={},
            asked=[],
        )
        for theme, name in THEMES.items():
            page.evaluate("name => look.theme(name)", name)
            page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
            shown.pictures[theme] = page.evaluate("look.pictures()")
            shown.faint[theme] = page.evaluate("look.faint()")
            take_screenshots(page, f"{pictures}-{theme}")
    shown.asked.extend(outside.asked[asked_before:])
    return shown


def errors(outputs: list[list[dict]]) -> list[str]:
    """Return each error among the outputs of the code cells: the cell's number and what it says."""
    return [
        f"code cell {number}: {output['ename']}: {COLOUR.sub('', output['evalue'])}"
        for number, cell in enumerate(outputs, 1)
        for output in cell
        if output["output_type"] == "error"
    ]


def warnings(outputs: list[list[dict]]) -> list[str]:
    """Return the lines that the code cells wrote to stderr, each with the cell's number."""
    return [
        f"code cell {number}: {line}"
        for number, cell in enumerate(outputs, 1)
        for output in cell
        if output.get("name") == "stderr"
        for line in messages("".join(output["text"]))
    ]


def take_screenshots(page, name: str) -> None:
    """Photograph the whole notebook, one screen after another, as NAME-1.png, NAME-2.png and so on."""
    height, screen = page.evaluate("look.scroll(0)")
    for number, top in enumerate(range(0, height, screen), 1):
        page.evaluate("top => look.scroll(top)", top)
        page.screenshot(path=f"{name}-{number}.png")
