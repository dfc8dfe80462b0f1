"""Write the repository's address wherever the series names it: make address REPO=owner/name.

Until it is decided it is your_name/cifar10-tutorial: nobody can register an account with an underscore.
"""

import re
import sys
from pathlib import Path

from helpers.internal.files import ROOT, write_text
from tools.store import all_notebooks

PAGES = ("pyproject.toml", "README.md", "CONTRIBUTING.md", "CITATION.cff", "docs/setup.md")
PAGES += (".github/ISSUE_TEMPLATE/config.yml",)
BADGE, HOME = r"colab\.research\.google\.com/github/|mybinder\.org/v2/gh/", r"https://github\.com/"
BEFORE = rf'git clone [^\n]*?{HOME}|(?i:repository = \\?"){HOME}|repository-code: "{HOME}|src={HOME}'
NAMED = re.compile(rf"({BADGE}|{BEFORE}|{HOME}(?=[\w.-]+/[\w.-]+/(?:actions|discussions)))([\w.-]+/[\w.-]+)")


def files(root: Path = ROOT) -> list[Path]:
    """Return the files that name the address, in badges, Setup cells, clone commands and the citation."""
    return [path for path in (*(root / name for name in PAGES), *all_notebooks(root)) if path.exists()]


def address(root: Path = ROOT) -> str:
    """Return the repository's "owner/name", as pyproject.toml has it."""
    return NAMED.search((root / "pyproject.toml").read_text(encoding="utf-8"))[2]


def write(new: str, root: Path = ROOT) -> None:
    """Write an "owner/name" in the place of the address, in every file that names it."""
    if not re.fullmatch(r"[\w-]+/[\w.-]+", new):
        sys.exit("Give the address as owner/name: make address REPO=owner/name")
    for path in files(root):
        write_text(path, NAMED.sub(rf"\g<1>{new}", path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    write("".join(sys.argv[1:]))
