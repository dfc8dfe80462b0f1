"""Every notebook keeps the contract; and the contract notices every fault it names."""

import copy
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.contract import RULES, Book, code, read, violations
from tools.store import FOLDED, METADATA, WIDGET, all_notebooks


@pytest.mark.parametrize("path", all_notebooks(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_keeps_the_contract(path):
    if problems := violations(read(path)):
        pytest.fail("\n".join(problems), pytrace=False)


# From here on: toy notebooks, one good chapter and one good solution, and every way to break them.

BADGE = "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
COLAB = "(https://colab.research.google.com/github/o/r/blob/main/notebooks/{})"
LEARN = "You will learn\n\n- what a picture is\n- how to show it\n- what to look for"
OPENING = f"# Look at pictures\n\n{BADGE}{COLAB}\n\n{LEARN}\n\nIt needs this folder and takes 2 minutes."
SOLUTIONS = f"# Solutions\n\n{BADGE}{COLAB}\n\n[Chapter](../01_look.ipynb)"
KNOWN = "## What we know now\n\n- One thing.\n- Another.\n- A third.\n\n## Exercises"
ALT = "A ship on the sea"


def stream(text, name="stdout"):
    return [new_output("stream", name=name, text=text)]


def display(kind, data="AAAA", plain=ALT):
    return [new_output("display_data", data={kind: data, "text/plain": plain}, metadata={kind: {"alt": ALT}})]


def store(path, *cells):
    """Write a notebook as `tools.store` would leave it, with the Setup cell in the second place."""
    setup = '# @title Setup\nREPOSITORY = "https://github.com/o/r"\nstart(seed=0)'
    cells = [cells[0], new_code_cell(setup, metadata=copy.deepcopy(FOLDED)), *cells[1:]]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A small repository: its address, one helper, two chapters, the solutions of the first, a template."""
    root = tmp_path_factory.mktemp("repository")
    (root / "pyproject.toml").write_text('repository = "https://github.com/o/r"\n')
    (root / "helpers").mkdir()
    (root / "helpers" / "shapes.py").write_text('def area(a, b):\n    """It."""\n    return a * b\n')
    exercises, answers = [], []
    for place, title in enumerate(("## The first", "## The second", "## The third"), 1):
        line = f'check("01.{place}", a);'
        exercises += [new_markdown_cell(title), new_code_cell(f"a = ...\n{line}")]
        answers += [new_markdown_cell(title), new_code_cell(f"a = 3\n{line}", outputs=stream("Right.\n"))]
    store(
        root / "notebooks/01_look.ipynb",
        new_markdown_cell(OPENING.format("01_look.ipynb")),
        new_code_cell("import math"),
        new_markdown_cell("## Show a picture\n\nWe draw it first."),
        new_code_cell("def area(a, b):\n    return a * b"),
        new_code_cell("show(figure)", outputs=display("image/png")),
        new_markdown_cell("The ship stands out from the sea."),
        new_markdown_cell(KNOWN),
        *exercises,
        new_markdown_cell("[Solutions](solutions/01_look.ipynb). Next: [two](02_next.ipynb)."),
    )
    solutions = new_markdown_cell(SOLUTIONS.format("solutions/01_look.ipynb"))
    store(root / "notebooks/solutions/01_look.ipynb", solutions, *answers)
    store(root / "notebooks/template/chapter.ipynb", new_markdown_cell("# Template"))
    store(root / "notebooks/02_next.ipynb", new_markdown_cell("# Two"))
    return root


TITLE, SETUP, IMPORTS, HEADING, CODE, FIGURE, SENTENCE, ENDING, EXERCISE, END = *range(8), 9, 14


def put(index, **new):
    """Return a function that puts something else into a cell: a source, outputs, metadata, ..."""
    return lambda cells: cells[index].update(new)


def replaced(index, old, new):
    return lambda cells: cells[index].update(source=cells[index].source.replace(old, new))


def long_cells(cells):
    for cell in cells[:11]:
        cell.source = "a = 1\n" * 16


BROKEN = [
    ("headings_in_order", put(HEADING, source="# A second title")),
    ("colab_badge", replaced(TITLE, "01_look", "07_other")),
    ("opening_contract", replaced(TITLE, "- what to look for", "")),
    ("opening_contract", replaced(TITLE, "It needs this folder and", "It")),
    ("opening_contract", replaced(TITLE, "2 minutes", "long")),
    ("setup_first", replaced(SETUP, "o/r", "o/other")),
    ("setup_first", put(SETUP, metadata={})),
    ("setup_first", lambda cells: cells.insert(SETUP, new_markdown_cell("A word."))),
    ("imports_second", put(IMPORTS, source="import math\na = 1")),
    ("imports_second", put(CODE, source="def f():\n    from math import pi\n    return pi")),
    ("ending", replaced(ENDING, "What we know now", "Summary")),
    ("exercises_check_themselves", put(EXERCISE, source='a = 3\ncheck("01.1", a);')),
    ("exercises_check_themselves", put(EXERCISE, source='a = ...\ncheck("01.2", a);')),
    ("exercises_check_themselves", put(EXERCISE, source='a = ...\ncheck("01.1", a, 3);')),
    ("links_to_its_neighbours", replaced(END, "solutions/01_look.ipynb", "02_next.ipynb")),
    ("links_to_its_neighbours", replaced(END, "02_next.ipynb", "solutions/01_look.ipynb")),
    ("local_links_resolve", put(SENTENCE, source="See [it](../data/README.md).")),
    ("no_long_code_cell", put(CODE, source="a = 1\n" * 26)),
    ("short_code_cells", long_cells),
    ("short_code_cells", lambda cells: cells.extend(new_code_cell("a = 1") for _ in range(40))),
    ("short_lines", put(CODE, source=f"a = {'1' * 85}")),
    ("folded_cells_have_a_title", put(CODE, metadata=FOLDED)),
    ("folded_cells_have_a_title", put(CODE, source="# @title Draw it")),
    ("words_between", lambda cells: cells.insert(CODE, new_code_cell("a = 1"))),
    ("no_test_machinery", put(SENTENCE, source="The smoke test passes.")),
    ("no_test_machinery", put(CODE, source="epochs = 1 if profile() else 9")),
    ("plain_python", put(CODE, source="!pip install keras")),
    ("plain_python", put(SENTENCE, source=" ")),
    ("plain_python", put(CODE, source="for")),
    ("teach_once", put(CODE, source="def area(a, b):\n    return b * a")),
    ("short_text_cells", put(SENTENCE, source="word " * 151)),
    ("plain_words", put(SENTENCE, source="It is easily seen.")),
    ("headings_in_order", put(HEADING, source="### Too deep")),
    ("sentence_case", put(HEADING, source="## Show A Big Picture")),
    ("sourced_numbers", put(SENTENCE, source="It has [a source](https://x.org).\n\nThis has none: 73%.")),
    ("figures_are_described", put(SENTENCE, source="## The next step")),
    ("figures_are_images", put(FIGURE, outputs=display("image/png", plain="<Figure size 700x350>"))),
    ("figures_are_images", put(FIGURE, outputs=display("text/html", '<p><img src="data:image/png,A"></p>'))),
    ("executed_in_order", put(CODE, execution_count=None)),
    ("clean_outputs", put(CODE, outputs=[new_output("error", ename="E", evalue="", traceback=[])])),
    ("clean_outputs", put(CODE, outputs=stream("a warning", "stderr"))),
    ("clean_outputs", put(CODE, outputs=display(WIDGET, {"model_id": "1"}))),
    ("clean_outputs", put(CODE, outputs=stream(" 40%|####      | 2/5 [00:01<00:01]"))),
    ("nothing_of_this_machine", put(CODE, outputs=stream("read /srv/data/batch_1"))),
    ("nothing_of_this_machine", put(CODE, outputs=stream("<object at 0x7f3a2b4c5d6e>"))),
    ("nothing_of_this_machine", put(CODE, source="folder = '/home/" + "ann/data'")),
    ("normal_metadata", put(CODE, metadata={"scrolled": True})),
    ("cell_ids", lambda cells: cells[CODE].update(id=cells[FIGURE].id)),
]
BROKEN_SOLUTION = [
    ("solutions_are_complete", put(3, outputs=stream("Not yet: 2."))),
    ("solutions_are_complete", put(3, source="a = 3")),
    ("links_to_its_neighbours", replaced(TITLE, "../01_look.ipynb", "https://x.org")),
]


def found(root, name, rule, change):
    """Return what a rule says of a toy after the change."""
    book = read(root / "notebooks" / name, root)
    change(book.notebook.cells)
    return violations(book, rule)


@pytest.mark.parametrize("name", ["01_look.ipynb", "solutions/01_look.ipynb"])
def test_a_good_notebook_has_no_violation(root, name):
    assert violations(read(root / "notebooks" / name, root)) == []


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=[name for name, _ in BROKEN])
def test_the_rule_notices_a_broken_chapter(root, rule, change):
    lines = found(root, "01_look.ipynb", rule, change)
    assert lines
    assert all(re.match(r"01_look.ipynb, (cell \d+|as a whole): .+ \(rule: ", line) for line in lines)


@pytest.mark.parametrize(("rule", "change"), BROKEN_SOLUTION, ids=[name for name, _ in BROKEN_SOLUTION])
def test_the_rule_notices_a_broken_solution(root, rule, change):
    assert found(root, "solutions/01_look.ipynb", rule, change)


def test_the_rules_notice_foreign_metadata_a_missing_format_and_a_large_file(root):
    book = read(root / "notebooks/01_look.ipynb", root)
    book.notebook.metadata["colab"] = {}
    book.notebook.nbformat_minor = 4
    assert violations(book, "normal_metadata")
    assert violations(book, "cell_ids")
    assert violations(Book(book.path, book.notebook, 700_001, root), "small_file")


def test_what_a_chapter_teaches_stands_in_it_in_sight(root, monkeypatch):
    monkeypatch.setitem(code.CALLS, "01_look", "area show")
    monkeypatch.setitem(code.DEFINES, "01_look", "area")
    fold = put(FIGURE, metadata=FOLDED)
    assert violations(read(root / "notebooks/01_look.ipynb", root), "taught_in_sight") != []
    assert len(found(root, "01_look.ipynb", "taught_in_sight", fold)) == 2
    monkeypatch.setitem(code.CALLS, "01_look", "show")
    assert found(root, "01_look.ipynb", "taught_in_sight", put(IMPORTS)) == []


def test_every_rule_is_shown_to_fail():
    shown = {"small_file", "taught_in_sight"}
    assert {name for name, _ in BROKEN + BROKEN_SOLUTION} | shown == set(RULES)
