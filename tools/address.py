"""Write the repository's address wherever the series names it: make address REPO=owner/name.

Until it is decided it is your_name/cifar10-tutorial, which nobody can register: an account's name has no
underscore. The Setup cell knows that and clones nothing.
"""

import re
import sys
from pathlib import Path

from helpers.internal.files import ROOT, write_text
from tools.store import all_notebooks

PAGES = ("pyproject.toml", "README.md", "CONTRIBUTING.md", "CITATION.cff")
BADGE, HOME = r"colab\.research\.google\.com/github/", r"https://github\.com/"
NAMED = re.compile(
    rf'({BADGE}|git clone [^\n]*?{HOME}|(?i:repository = \\?"){HOME}|repository-code: "{HOME})'
    r"([\w.-]+/[\w.-]+)"
)


def files(root: Path = ROOT) -> list[Path]:
    """Return the files that name the address, in badges, Setup cells, clone commands and the citation."""
    return [path for path in (*(root / name for name in PAGES), *all_notebooks(root)) if path.exists()]


def address(root: Path = ROOT) -> str:
    """Return the repository's "owner/name", as pyproject.toml has it."""
    return NAMED.search((root / "pyproject.toml").read_text(encoding="utf-8"))[2]


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"[\w-]+/[\w.-]+", sys.argv[1]):
        sys.exit("Give the address as owner/name: make address REPO=owner/name")
    for path in files():
        write_text(path, NAMED.sub(rf"\g<1>{sys.argv[1]}", path.read_text(encoding="utf-8")))
