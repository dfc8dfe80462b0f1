"""The files that belong to the repository, and a copy of them for tests that must not touch the checkout."""

import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.internal.files import ROOT


def kept_files() -> list[Path]:
    """Return the files that belong to the repository: those that git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs git and a clone")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_repository(folder: Path) -> Path:
    """Copy the kept files, as they are now, into `folder`, which may exist; return it."""
    for path in kept_files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return folder


def commit_all(folder: Path) -> None:
    """Make a git repository of a folder, with one commit that holds its files."""
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def served_as(address: str, folder: Path) -> dict[str, str]:
    """Return the environment in which git finds the repository in a folder at an address of the network."""
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{folder.as_uri()}.insteadOf"}
    return settings | {"GIT_CONFIG_VALUE_0": address}
