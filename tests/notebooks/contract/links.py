"""Where the links of the repository's own pages lead: to a file that is there, and to a heading in it."""

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat

from tests.notebooks.contract.book import FENCE, HEADING, targets

ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:")  # https:, mailto:, data:
CODE = re.compile(r"`[^`\n]*`")


def dead_links(path: Path, text: str) -> list[str]:
    """Return what is wrong with the links in `text`, which stands in the file `path`."""
    found = []
    for target in targets(CODE.sub("", FENCE.sub("", text))):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / unquote(name) if name else path
        if not file.exists():
            found.append(f"{target} does not exist")
        elif anchor and unquote(anchor) not in anchors(file):
            found.append(f"{target}: no such heading")
    return found


def anchors(path: Path) -> set[str]:
    """Return what can stand behind a # in a link to a notebook (as JupyterLab has it) or page (as GitHub)."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        return {heading.replace(" ", "-") for heading in headings(text)}
    if path.suffix == ".md":
        found = headings(path.read_text(encoding="utf-8"))
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}
    return set()


def headings(text: str) -> list[str]:
    """Return the headings of Markdown as a reader sees them: without stars, backquotes and link targets."""
    plain = [re.sub(r"\]\([^)]*\)|[`*\[\]]", "", match[2]) for match in HEADING.finditer(FENCE.sub("", text))]
    return [heading.strip() for heading in plain]
