"""JupyterLab as a reader has it: its server on a folder, and one notebook opened and run in a browser."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from nbformat.v4 import new_notebook

from tests.clients.browser.outside import Outside
from tools.store import METADATA

THEMES = ("Light", "Dark")
SETTINGS = {  # all cells stand in the page, and no message of JupyterLab's makers lies over them
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "doNotDisturbMode": True},
}
FOLDERS = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"]
FOLDERS += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
START_SECONDS, RUN_SECONDS = 180, 1800  # generous: a busy machine is no fault of a chapter
SCREEN = {"width": 1200, "height": 3600}  # tall: few screenshots show a whole notebook

Server = Callable[[str], str]  # from a path, like "/lab", to its address at JupyterLab's server


def write_notebook(path: Path, cells: list) -> None:
    """Write a notebook that names its kernel: without that, JupyterLab asks for one and waits."""
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)


@contextlib.contextmanager
def lab_server(folder: Path, own: Path, outside: Outside, log: Path) -> Iterator[Server]:
    """Run JupyterLab on the notebooks in `folder`, in the smoke profile, until the block ends.

    Its settings go into `own`, an empty folder, and what it says into `log`; `outside` is its proxy.
    """
    for name, values in SETTINGS.items():
        file = own / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # nobody uses it at the moment
    token = secrets.token_hex(16)
    variables = {key: v for key, v in os.environ.items() if not key.startswith(("JUPYTER", "PYTHON"))}
    variables |= {name: str(own / name) for name in FOLDERS} | outside.variables
    variables |= {"JUPYTER_TOKEN": token, "JUPYTER_PREFER_ENV_PATH": "1", "TUTORIAL_PROFILE": "smoke"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--port={port}", "--ServerApp.port_retries=0"]
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "is running at" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield lambda path: f"http://127.0.0.1:{port}{path}?token={token}"
    finally:
        process.terminate()  # it ends its kernels first
        process.wait(60)


@contextlib.contextmanager
def opened(browser, server: Server, notebook: str, outside: Outside, pictures: Path, run: bool) -> Iterator:
    """Open a notebook, run all of it if asked to, and give the page, its kernel alive.

    Args:
        browser: Playwright's.
        notebook: its path below the server's folder, with slashes.
        pictures: path and beginning of the screenshots' names; one is taken if anything fails.
    """
    context = browser.new_context(viewport=SCREEN, service_workers="block")
    context.add_init_script(path=Path(__file__).with_name("look.js"))
    outside.watch(context)
    page = context.new_page()
    page.set_default_timeout(1000 * START_SECONDS)
    try:
        workspace = secrets.token_hex(4)  # a new one, where no other notebook is open
        page.goto(server(f"/lab/workspaces/{workspace}/tree/{notebook}"))
        page.wait_for_function("look.ready()")
        page.evaluate("jupyterapp.shell.collapseLeft()")
        if run:
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


def look_at(page, pictures: Path) -> dict:
    """Return what the page shows, by the names of look.js; `pictures` and `faint` for each theme."""
    names = ("counts", "outputs", "bars", "widgets")
    shown = {name: page.evaluate(f"look.{name}()") for name in names} | {"pictures": {}, "faint": {}}
    for theme in THEMES:
        name = f"JupyterLab {theme}"
        page.evaluate("name => look.theme(name)", name)
        page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        shown["pictures"][theme] = page.evaluate("look.pictures()")
        shown["faint"][theme] = page.evaluate("look.faint()")
        height, screen = page.evaluate("look.scroll(0)")
        for number, top in enumerate(range(0, height, screen), 1):  # one screen after another
            page.evaluate("top => look.scroll(top)", top)
            page.screenshot(path=f"{pictures}-{theme.lower()}-{number}.png")
    return shown


def told(shown: dict, kind: str) -> list[str]:
    """Return "error" outputs, or what was written to "stderr", each with the number of its code cell."""
    return [
        f"code cell {number}: {output.get('evalue') or ''.join(output.get('text', '')).strip()}"
        for number, cell in enumerate(shown["outputs"], 1)
        for output in cell
        if kind in (output["output_type"], output.get("name"))
    ]
