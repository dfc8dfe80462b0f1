"""Every notebook keeps the contract; and the contract notices every fault it names."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.contract import RULES, Book, read, rules_for, violations
from tools.chapters import ROOT, all_notebooks
from tools.store import METADATA, WIDGET

NOTEBOOKS = all_notebooks()
CHECKS = [(path, rule) for path in NOTEBOOKS for rule in rules_for(Book(path, None, 0))]


@pytest.mark.parametrize(
    ("path", "rule"),
    CHECKS,
    ids=[f"{path.relative_to(ROOT / 'notebooks').with_suffix('')}-{rule.name}" for path, rule in CHECKS],
)
def test_notebook_keeps_the_contract(path, rule):
    problems = violations(read(path), rule)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


# From here on: toy notebooks, one good chapter and one good solution, and every way to break them.

BADGE = "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
COLAB = "(https://colab.research.google.com/github/o/r/blob/main/notebooks/{})"
OPENING = """# Look at pictures

{badge}

You will learn

- what a picture is
- how to show it
- what to look for

It needs nothing but this folder and takes 2 minutes on two cores."""
SETUP = """import os

REPOSITORY = os.environ.get("TUTORIAL_REPOSITORY", "https://github.com/o/r")

import numpy as np
start(seed=0)"""
PICTURE = '<img src="data:image/png;base64,AAAA" alt="a ship on the sea">'


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def display(**data):
    return new_output("display_data", data={kind.replace("_", "/", 1): value for kind, value in data.items()})


def again(cell):
    """Return a second cell of the same content."""
    return new_code_cell(cell.source, outputs=copy.deepcopy(cell.outputs))


def store(path, cells):
    """Write a notebook as `store` would leave it, and return it as the contract reads it."""
    notebook = new_notebook(cells=cells, metadata=copy.deepcopy(METADATA))
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return notebook


@pytest.fixture
def root(tmp_path):
    """A small repository: a settings file, one helper, two chapters with solutions."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tutorial]\nrepository = "https://github.com/o/r"\nbranch = "main"\n'
    )
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "shapes.py").write_text(
        'def area(a, b):\n    """Return it."""\n    return a * b\n'
    )
    exercise = new_code_cell("answer = ...\ncheck(answer, 3)", outputs=[stream("Not answered yet.")])
    store(
        tmp_path / "notebooks/01_look.ipynb",
        [
            new_markdown_cell(OPENING.format(badge=BADGE + COLAB.format("01_look.ipynb"))),
            new_code_cell(SETUP, outputs=[stream("seed 0\n")]),
            new_markdown_cell("## Show a picture\n\nWe draw it first."),
            new_code_cell("def area(a, b):\n    return a * b"),
            new_code_cell("show(figure)", outputs=[display(text_html=PICTURE)]),
            new_markdown_cell("The ship stands out from the sea."),
            new_markdown_cell("## What we know now\n\n- One thing.\n- Another.\n- A third.\n\n## Exercises"),
            exercise,
            new_markdown_cell("The second."),
            again(exercise),
            new_markdown_cell("The third."),
            again(exercise),
            new_markdown_cell("[Solutions](solutions/01_look.ipynb). Next: [two](02_next.ipynb)."),
        ],
    )
    store(tmp_path / "notebooks/template/chapter.ipynb", [new_code_cell(SETUP)])
    store(tmp_path / "notebooks/02_next.ipynb", [new_markdown_cell("# Two")])
    answer = new_code_cell("answer = 3\ncheck(answer, 3)", outputs=[stream("Right.\n")])
    store(
        tmp_path / "notebooks/solutions/01_look.ipynb",
        [
            new_markdown_cell(
                "# Solutions\n\n"
                + BADGE
                + COLAB.format("solutions/01_look.ipynb")
                + "\n\n[Chapter](../01_look.ipynb)"
            ),
            new_code_cell(SETUP),
            new_markdown_cell("## The first"),
            answer,
            new_markdown_cell("## The second"),
            again(answer),
            new_markdown_cell("## The third"),
            again(answer),
        ],
    )
    return tmp_path


@pytest.mark.parametrize("name", ["01_look.ipynb", "solutions/01_look.ipynb"])
def test_a_good_notebook_has_no_violation(root, name):
    book = read(root / "notebooks" / name, root)
    assert [line for rule in rules_for(book) for line in violations(book, rule)] == []


TITLE, SETUP_CELL, HEADING, CODE, FIGURE, SENTENCE, KNOWN, EXERCISE, END = 0, 1, 2, 3, 4, 5, 6, 7, 12


def source(index, text):
    return lambda cells: cells[index].update(source=text)


def added(index, text):
    return lambda cells: cells[index].update(source=cells[index].source + text)


def output(index, *outputs):
    return lambda cells: cells[index].update(outputs=list(outputs))


def metadata(index, **entries):
    return lambda cells: cells[index].metadata.update(entries)


def inserted(index, *new):
    return lambda cells: cells.__setitem__(slice(index, index), new)


def replaced(index, old, new):
    return lambda cells: cells[index].update(source=cells[index].source.replace(old, new))


BROKEN = [
    ("one_title", source(HEADING, "# A second title")),
    ("one_title", replaced(TITLE, "# Look", "## Look")),
    ("colab_badge", replaced(TITLE, "01_look", "07_other")),
    ("colab_badge", replaced(TITLE, "colab-badge.svg", "badge.svg")),
    ("opening_contract", replaced(TITLE, "- what to look for", "")),
    ("opening_contract", replaced(TITLE, "It needs nothing but this folder and", "It")),
    ("opening_contract", replaced(TITLE, "takes 2 minutes", "is short")),
    ("opening_contract", replaced(TITLE, "You will learn", "Contents")),
    ("setup_first", source(CODE, "import math")),
    ("setup_first", source(CODE, "def f():\n    from math import pi\n    return pi")),
    ("setup_first", replaced(SETUP_CELL, "start(seed=0)", "go()")),
    ("setup_first", replaced(SETUP_CELL, "TUTORIAL_REPOSITORY", "X")),
    ("setup_first", inserted(1, new_markdown_cell("One."), new_markdown_cell("Two."))),
    ("ending", replaced(KNOWN, "What we know now", "Summary")),
    ("ending", replaced(KNOWN, "- A third.", "")),
    ("exercises_check_themselves", source(EXERCISE, "answer = ...")),
    ("exercises_check_themselves", source(EXERCISE, "answer = 3\ncheck(answer, 3)")),
    ("links_to_its_neighbours", replaced(END, "solutions/01_look.ipynb", "02_next.ipynb")),
    ("links_to_its_neighbours", replaced(END, "02_next.ipynb", "solutions/01_look.ipynb")),
    ("local_links_resolve", added(SENTENCE, " See [it](../data/README.md).")),
    ("local_links_resolve", added(SENTENCE, " See [it](#no-such-part).")),
    ("local_links_resolve", added(SENTENCE, " See [it](02_next.ipynb#Three).")),
    ("local_links_resolve", added(SENTENCE, ' <img src="picture.png" alt="a ship">')),
    ("no_long_code_cell", source(CODE, "a = 1\n" * 26)),
    ("short_code_cells", lambda cells: [source(i, "a = 1\n" * 7)(cells) for i in (3, 4, 7, 9)]),
    ("short_code_cells", lambda cells: [source(i, "a = 1\n" * 16)(cells) for i in (3, 4)]),
    ("few_code_cells", inserted(4, *[new_code_cell("a = 1") for _ in range(40)])),
    ("words_between", inserted(4, new_code_cell("a = 1"))),
    ("no_test_machinery", source(CODE, "if profile() == 'x':\n    pass")),
    ("no_test_machinery", source(SENTENCE, "Under TUTORIAL_PROFILE it is short.")),
    ("no_test_machinery", source(SENTENCE, "The smoke test passes.")),
    ("no_leftovers", source(CODE, "%matplotlib inline")),
    ("no_leftovers", source(CODE, "!pip install keras")),
    ("no_leftovers", source(CODE, "# %% a cell")),
    ("no_leftovers", source(CODE, "# NBVAL_SKIP\na = 1")),
    ("no_leftovers", source(SENTENCE, " ")),
    ("teach_once", source(CODE, "def area(a, b):\n    return b * a")),
    ("short_text_cells", source(SENTENCE, "word " * 151)),
    ("plain_words", source(SENTENCE, "Just look.")),
    ("plain_words", source(SENTENCE, "It is easily seen.")),
    ("headings_in_order", source(HEADING, "### Too deep")),
    ("sentence_case", source(HEADING, "## Show A Big Picture")),
    ("sentence_case", source(HEADING, "## Show a picture.")),
    ("sourced_numbers", source(SENTENCE, "The model reaches 94.01%.")),
    ("sourced_numbers", source(SENTENCE, "It has [a source](https://x.org).\n\nThis has none: 73%.")),
    ("figures_are_described", source(SENTENCE, "## The next step")),
    ("figures_are_described", inserted(5, new_code_cell("a = 1"))),
    ("figures_have_alt_text", output(FIGURE, display(text_html='<img src="x.png">'))),
    ("figures_have_alt_text", output(FIGURE, display(text_html='<img src="x.png" alt="">'))),
    ("figures_have_alt_text", output(FIGURE, display(image_png="AAAA"))),
    ("executed_in_order", lambda cells: cells[CODE].update(execution_count=7)),
    ("executed_in_order", lambda cells: cells[CODE].update(execution_count=None)),
    ("clean_outputs", output(CODE, new_output("error", ename="ValueError", evalue="", traceback=[]))),
    ("clean_outputs", output(CODE, stream("a warning", "stderr"))),
    ("no_progress_bars", output(CODE, display(**{WIDGET.replace("/", "_", 1): {"model_id": "1"}}))),
    ("no_progress_bars", output(CODE, stream(" 40%|####      | 2/5 [00:01<00:01]"))),
    ("nothing_of_this_machine", output(CODE, stream("read /srv/data/batch_1"))),
    ("nothing_of_this_machine", output(CODE, stream(r"read C:\data\batch_1"))),
    ("nothing_of_this_machine", output(CODE, stream("<object at 0x7f3a2b4c5d6e>"))),
    ("nothing_of_this_machine", source(CODE, "folder = '/home/" + "ann/data'")),
    ("normal_metadata", metadata(CODE, scrolled=True)),
    ("cell_ids", lambda cells: cells[CODE].update(id=cells[FIGURE].id)),
]
BROKEN_SOLUTION = [
    ("solutions_are_complete", output(3, stream("Not yet: 2. Hint: add."))),
    ("solutions_are_complete", source(3, "answer = 3")),
    ("links_to_its_neighbours", replaced(0, "../01_look.ipynb", "https://x.org")),
]


def broken(root, name, break_it):
    book = read(root / "notebooks" / name, root)
    break_it(book.notebook.cells)
    return book


@pytest.mark.parametrize(("rule", "break_it"), BROKEN, ids=[name for name, _ in BROKEN])
def test_the_rule_notices_a_broken_chapter(root, rule, break_it):
    lines = violations(broken(root, "01_look.ipynb", break_it), RULES[rule])
    assert lines
    assert all(line.startswith("01_look.ipynb, ") and RULES[rule].sentence in line for line in lines)


@pytest.mark.parametrize(("rule", "break_it"), BROKEN_SOLUTION, ids=[name for name, _ in BROKEN_SOLUTION])
def test_the_rule_notices_a_broken_solution(root, rule, break_it):
    assert violations(broken(root, "solutions/01_look.ipynb", break_it), RULES[rule])


def test_the_rule_notices_foreign_metadata_and_a_missing_format(root):
    book = read(root / "notebooks/01_look.ipynb", root)
    book.notebook.metadata["colab"] = {}
    book.notebook.nbformat_minor = 4
    assert violations(book, RULES["normal_metadata"])
    assert violations(book, RULES["cell_ids"])


def test_the_rule_notices_a_large_file(root):
    book = read(root / "notebooks/01_look.ipynb", root)
    assert violations(Book(book.path, book.notebook, 500_001, root), RULES["small_file"])


def test_the_rule_notices_what_is_no_python(root):
    book = broken(root, "01_look.ipynb", source(CODE, "for"))
    assert "line 1" in violations(book, RULES["valid_python"])[0]


def test_every_rule_is_shown_to_fail():
    shown = {name for name, _ in BROKEN + BROKEN_SOLUTION} | {"small_file", "valid_python"}
    assert shown == set(RULES)


def test_a_docstring_makes_no_second_definition(root):
    book = broken(
        root, "01_look.ipynb", source(CODE, 'def area(a, b):\n    """Otherwise."""\n    return a * b')
    )
    assert violations(book, RULES["teach_once"]) == []


def test_a_number_with_a_source_passes(root):
    text = "One model reaches [94.01%](https://x.org), chance 10%."
    assert violations(broken(root, "01_look.ipynb", source(SENTENCE, text)), RULES["sourced_numbers"]) == []


def test_names_keep_their_capitals_in_a_heading(root):
    heading = source(HEADING, "## Train on CIFAR-10 with Keras and `Adam`: What changes")
    assert violations(broken(root, "01_look.ipynb", heading), RULES["sentence_case"]) == []


def test_the_message_names_notebook_cell_and_rule(root):
    lines = violations(broken(root, "01_look.ipynb", source(SENTENCE, "Just look.")), RULES["plain_words"])
    assert lines[0].startswith("01_look.ipynb, cell 6: says 'Just' (rule: No \"just\"")
