"""Files that are written whole or not at all, and the repository: where it lies, at which commit."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]


def place(path: str | os.PathLike) -> Path:
    """Return a path whose "~" is the home; where there is no home, it stays a "~"."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser raises without a home)


@contextlib.contextmanager
def written(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path to write to, and put what was written there in the place of `path`, whole or not at all.

    The path given lies beside `path`, ends as it does, and belongs to this writer alone, so that two
    processes that write the same file do not meet. If this fails, nothing of it stays, and the old file does.
    A folder takes the place of a folder.
    """
    path = place(path)
    beside = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
    try:
        yield beside
        if beside.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
        beside.replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        beside.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8 and with line feeds on every system."""
    with written(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike, content: dict) -> None:
    """Write a JSON file whole or not at all; ValueError for numbers that JSON does not know."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False))


def commit(root: Path = ROOT) -> str | None:
    """Return the checkout's commit, with "+changes" if tracked files differ; None without git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.strip() or None
    except OSError:
        return None
