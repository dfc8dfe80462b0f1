"""The repository as a whole: addresses, links, the README's promises, and nothing of anybody's machine."""

import os
import re

from helpers import readme
from helpers.chapters import ROOT, chapters, stamp
from tests.checkout import kept_files
from tests.contract.book import LINK

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOP_LEVEL = {
    *("README.md", "LICENSE", "Makefile", "requirements.txt", "pyproject.toml"),
    *(
        "notebooks",
        "helpers",
        "data",
        "tests",
        "benchmarks",
        ".ci",
        ".github",
        ".gitignore",
        ".gitattributes",
    ),
}
HOME = re.compile(r"(?<![\w.])/(?:home|Users)/\w+/|(?<![\w.])/(?:root|work)/\w|\b[A-Z]:\\Users\\\w")


def test_the_address_is_stamped_everywhere():
    assert stamp(write=False) == [], "run: make stamp"


def test_links_of_the_readme_lead_to_files():
    targets = [match[1] or match[2] for match in LINK.finditer(README)]
    local = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in local if not (ROOT / target.partition("#")[0]).exists()] == []


def test_links_of_other_pages_lead_to_files():
    for path in kept_files():
        if path.suffix == ".md" and path.name != "pull_request_template.md":
            text = path.read_text(encoding="utf-8")
            targets = [match[1] or match[2] for match in LINK.finditer(text)]
            local = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
            missing = [t for t in local if not (path.parent / t.partition("#")[0]).exists()]
            assert not missing, f"{path.relative_to(ROOT)}: {missing}"


def test_the_readme_lists_the_chapters_in_order_each_with_its_badge_and_time():
    rows = re.findall(r"^\| \[[^]]+\]\(notebooks/(\d\d_\w+)\.ipynb\)(.*)$", README, re.MULTILINE)
    assert [name for name, _ in rows] == [path.stem for path in chapters()]
    for name, rest in rows:
        assert f"/notebooks/{name}.ipynb)" in rest, f"{name}: no badge in its row"
        assert re.search(r"\d+ min", rest), f"{name}: no time in its row"


def test_pictures_of_the_readme_have_alt_text():
    pictures = re.findall(r"!\[([^]]*)\]", README)
    assert pictures
    assert all(len(alt) > 3 for alt in pictures)


def test_every_make_command_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make ([\w-]+)|`make ([\w-]+)`", README, re.MULTILINE)):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target


def test_the_results_in_the_readme_are_those_of_the_recorded_runs():
    begin, end = readme.MARKERS
    shown = README.partition(begin)[2].partition(end)[0]
    assert shown.strip() == readme.readme_tables().strip(), "out of date: make results"


def test_ci_and_the_workflow_run_the_readmes_own_command():
    assert "\nmake test\n" in README
    for path in (".ci/run", ".github/workflows/tests.yml"):
        assert "make test" in (ROOT / path).read_text(encoding="utf-8")
    assert os.name == "nt" or os.access(ROOT / ".ci" / "run", os.X_OK)


def test_nothing_else_lies_at_the_top():
    names = {path.relative_to(ROOT).parts[0] for path in kept_files()}
    assert names <= TOP_LEVEL


def test_no_file_names_a_folder_of_somebodys_machine():
    found = []
    for path in kept_files():
        if path.suffix not in {".py", ".md", ".ipynb", ".toml", ".txt", ".yml", ".json", ""}:
            continue
        text = path.read_text(encoding="utf-8")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in HOME.finditer(text)]
    assert found == []


def test_no_kept_file_is_large():
    assert [path.name for path in kept_files() if path.stat().st_size > 5_000_000] == []
