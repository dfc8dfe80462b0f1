"""The repository as a whole: addresses, links, the README's promises, and nothing of anybody's machine."""

import os
import re
import tomllib

import pytest
import yaml

from helpers.internal.files import ROOT
from helpers.predict import FINAL_MODEL
from tests.notebooks.contract import RULES
from tests.notebooks.contract.links import dead_links
from tests.support.checkout import kept_files
from tools import readme
from tools.address import address
from tools.store import chapters

TOP_LEVEL = {"README.md", "LICENSE", "CITATION.cff", "CONTRIBUTING.md", "Makefile", "requirements.txt"}
TOP_LEVEL |= {"pyproject.toml", "notebooks", "helpers", "tools", "data", "tests", "benchmarks"}
TOP_LEVEL |= {".ci", ".github", ".gitignore", ".gitattributes", ".devcontainer", ".binder", "docs"}
TOP_LEVEL |= {"constraints.txt", "CHANGELOG.md", "requirements-cluster.txt"}
TEXTS = {".py", ".md", ".ipynb", ".toml", ".txt", ".yml", ".json", ".js", ".css", ""}
HOME = re.compile(r"(?<![\w.*])/(?:home|Users)/\w+/|(?<![\w.*])/(?:root|work)/\w|\b[A-Z]:\\Users\\\w")


def read(path):
    return path.read_text(encoding="utf-8")


README, CONTRIBUTING = read(ROOT / "README.md"), read(ROOT / "CONTRIBUTING.md")


def test_links_of_every_page_lead_to_a_file_and_to_a_heading():
    pages = [path for path in kept_files() if path.suffix == ".md"]
    assert {"README.md", "CONTRIBUTING.md", "glossary.md"} <= {path.name for path in pages}
    assert [(page.name, link) for page in pages for link in dead_links(page, read(page))] == []


def test_the_readme_lists_the_chapters_in_order_each_with_its_time_and_its_place_on_colab():
    items = re.findall(r"^- \[(\w\d) [^]]+\]\(notebooks/(\w+)\.ipynb\)(.*)$", README, re.MULTILINE)
    assert [name for _, name, _ in items] == [path.stem for path in chapters()]
    for number, name, rest in items:
        assert name.startswith(number)
        assert re.match(rf" \(\d+ min, \[Colab\]\(https:[^)]*/{address()}/[^)]*/{name}\.ipynb\)\): ", rest)


def test_every_make_command_of_the_pages_exists_and_contributing_explains_those_for_contributors():
    targets = set(re.findall(r"^([a-z-]+):.*##", read(ROOT / "Makefile"), re.MULTILINE))
    pages = "".join(map(read, [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data/RESULTS.md"]))
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", pages, re.MULTILINE))
    assert named <= targets
    assert {target for target in targets if target.startswith(("check", "test"))} <= named


@pytest.mark.slow
def test_the_answers_at_the_top_are_those_of_the_shipped_network():
    assert readme.answers()[1] in readme.part(README, "answers"), "out of date: make results"


def test_a_version_has_its_changes_and_a_date_once_it_is_released():
    version = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["version"]
    released = re.findall(
        r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", read(ROOT / "CHANGELOG.md"), re.MULTILINE
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert version == released[0] if released else version.startswith("0."), "see CONTRIBUTING, A release"


def test_every_chapter_has_five_questions_of_three_different_answers_each_and_a_reason():
    _, *parts = re.split(r"^## (\w\d) .*$", read(ROOT / "docs" / "quiz.md"), flags=re.MULTILINE)
    assert parts[::2] == [path.name[:2] for path in chapters()]
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        questions = re.findall(r"\*\*.+\?\*\*\n\n((?:- .+\n){3})\n[^-*\n].+\.\n", text)
        assert [len(set(answers.splitlines())) for answers in questions] == [3] * 5, number


def test_workflows_may_only_read_and_take_each_action_at_a_commit():
    for path in (ROOT / ".github" / "workflows").iterdir():
        flow = yaml.safe_load(read(path))
        assert flow["permissions"] == {"contents": "read"}
        used = re.findall(r"uses: (.*)", read(path))
        assert [
            action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action)
        ] == []


def test_contributing_lists_every_rule_of_the_contract_and_no_other():
    section = CONTRIBUTING.partition("## What the contract test enforces")[2]
    listed = re.findall(r"^- (.*)$", section, re.MULTILINE)
    assert sorted(listed) == sorted(rule.sentence for rule in RULES.values())


def test_the_citation_agrees_with_the_package():
    cited = yaml.safe_load(read(ROOT / "CITATION.cff"))
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    assert README.startswith(f"# {cited['title']}\n")
    assert project["description"].startswith(f"{cited['title']}: ")
    assert (str(cited["version"]), cited["license"]) == (project["version"], project["license"])
    assert cited["repository-code"] == f"https://github.com/{address()}"


def test_every_photo_has_its_row_in_the_datasheet():
    table = read(ROOT / "data/README.md").partition("## The photos\n")[2]
    rows = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    photos = [path.name for path in kept_files() if path.parent == ROOT / "data" / "photos"]
    assert sorted(rows) == sorted(photos)


def test_ci_and_the_workflow_run_the_readmes_own_command():
    assert "\nmake test\n" in README
    for path in (".ci/run", ".github/workflows/tests.yml"):
        assert {"make check", "make test"} <= set(re.findall(r"make [a-z-]+", read(ROOT / path)))
    assert os.name == "nt" or os.access(ROOT / ".ci" / "run", os.X_OK)


def test_nothing_else_lies_at_the_top_and_nothing_else_is_large():
    assert {path.relative_to(ROOT).parts[0] for path in kept_files()} <= TOP_LEVEL
    large = [path for path in kept_files() if path.stat().st_size > 5_000_000]
    assert [path for path in large if path != FINAL_MODEL] == []


def test_no_file_names_a_folder_of_somebodys_machine():
    texts = [path for path in kept_files() if path.suffix in TEXTS]
    assert [(path.name, found[0]) for path in texts if (found := HOME.search(read(path)))] == []
