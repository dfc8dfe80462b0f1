"""Every notebook keeps the contract; and the contract notices every fault it names."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.contract import RULES, Book, read, violations
from tools.store import FOLDED, METADATA, WIDGET, all_notebooks


@pytest.mark.parametrize("path", all_notebooks(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_keeps_the_contract(path):
    if problems := violations(read(path)):
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
SETUP = 'REPOSITORY = "https://github.com/o/r"\nstart(seed=0)'
ALT = "A ship on the sea"


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def figure(kind="image/png", alt=ALT, plain=ALT):
    return new_output("display_data", data={kind: "AAAA", "text/plain": plain}, metadata={kind: {"alt": alt}})


def html(text):
    return new_output("display_data", data={"text/html": text})


def setup():
    return new_code_cell(SETUP, metadata=copy.deepcopy(FOLDED))


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
    """A small repository: its address, one helper, two chapters, the solutions of the first, a template."""
    (tmp_path / "pyproject.toml").write_text('repository = "https://github.com/o/r"\n')
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "shapes.py").write_text('def area(a, b):\n    """It."""\n    return a * b\n')
    exercise = new_code_cell("answer = ...\ncheck(answer, 3)", outputs=[stream("Not answered yet.")])
    chapter = [
        new_markdown_cell(OPENING.format(badge=BADGE + COLAB.format("01_look.ipynb"))),
        setup(),
        new_code_cell("import math"),
        new_markdown_cell("## Show a picture\n\nWe draw it first."),
        new_code_cell("def area(a, b):\n    return a * b"),
        new_code_cell("show(figure)", outputs=[figure()]),
        new_markdown_cell("The ship stands out from the sea."),
        new_markdown_cell("## What we know now\n\n- One thing.\n- Another.\n- A third.\n\n## Exercises"),
        *(exercise, new_markdown_cell("The second."), again(exercise)),
        *(new_markdown_cell("The third."), again(exercise)),
        new_markdown_cell("[Solutions](solutions/01_look.ipynb). Next: [two](02_next.ipynb)."),
    ]
    badge = BADGE + COLAB.format("solutions/01_look.ipynb")
    answer = new_code_cell("answer = 3\ncheck(answer, 3)", outputs=[stream("Right.\n")])
    solutions = [new_markdown_cell(f"# Solutions\n\n{badge}\n\n[Chapter](../01_look.ipynb)"), setup()]
    for title in ("## The first", "## The second", "## The third"):
        solutions += [new_markdown_cell(title), again(answer)]
    store(tmp_path / "notebooks/01_look.ipynb", chapter)
    store(tmp_path / "notebooks/template/chapter.ipynb", [setup()])
    store(tmp_path / "notebooks/02_next.ipynb", [new_markdown_cell("# Two")])
    store(tmp_path / "notebooks/solutions/01_look.ipynb", solutions)
    return tmp_path


@pytest.mark.parametrize("name", ["01_look.ipynb", "solutions/01_look.ipynb"])
def test_a_good_notebook_has_no_violation(root, name):
    assert violations(read(root / "notebooks" / name, root)) == []


TITLE, SETUP_CELL, IMPORTS, HEADING, CODE, FIGURE, SENTENCE, KNOWN, EXERCISE, END = *range(9), 13


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
    ("colab_badge", replaced(TITLE, "01_look", "07_other")),
    ("opening_contract", replaced(TITLE, "- what to look for", "")),
    ("opening_contract", replaced(TITLE, "It needs nothing but this folder and", "It")),
    ("setup_first", replaced(SETUP_CELL, "o/r", "o/other")),
    ("setup_first", lambda cells: cells[SETUP_CELL].metadata.clear()),
    ("imports_second", added(IMPORTS, "\na = 1")),
    ("imports_second", source(CODE, "def f():\n    from math import pi\n    return pi")),
    ("ending", replaced(KNOWN, "What we know now", "Summary")),
    ("exercises_check_themselves", source(EXERCISE, "answer = 3\ncheck(answer, 3)")),
    ("links_to_its_neighbours", replaced(END, "solutions/01_look.ipynb", "02_next.ipynb")),
    ("links_to_its_neighbours", replaced(END, "02_next.ipynb", "solutions/01_look.ipynb")),
    ("local_links_resolve", added(SENTENCE, " See [it](../data/README.md).")),
    ("no_long_code_cell", source(CODE, "a = 1\n" * 26)),
    ("short_code_cells", lambda cells: [source(i, "a = 1\n" * 7)(cells) for i in (2, 4, 5, 8, 10)]),
    ("few_code_cells", inserted(4, *[new_code_cell("a = 1") for _ in range(40)])),
    ("words_between", inserted(4, new_code_cell("a = 1"))),
    ("no_test_machinery", source(SENTENCE, "The smoke test passes.")),
    ("no_leftovers", source(CODE, "!pip install keras")),
    ("no_leftovers", source(SENTENCE, " ")),
    ("valid_python", source(CODE, "for")),
    ("teach_once", source(CODE, "def area(a, b):\n    return b * a")),
    ("short_text_cells", source(SENTENCE, "word " * 151)),
    ("plain_words", source(SENTENCE, "It is easily seen.")),
    ("headings_in_order", source(HEADING, "### Too deep")),
    ("sentence_case", source(HEADING, "## Show A Big Picture")),
    ("sourced_numbers", source(SENTENCE, "It has [a source](https://x.org).\n\nThis has none: 73%.")),
    ("figures_are_described", source(SENTENCE, "## The next step")),
    ("figures_have_alt_text", output(FIGURE, figure(plain="<Figure size 700x350>"))),
    (
        "figures_are_images",
        output(FIGURE, html('<p><img src="data:image/png;base64,AAAA" alt="a ship"></p>')),
    ),
    ("executed_in_order", lambda cells: cells[CODE].update(execution_count=None)),
    ("clean_outputs", output(CODE, new_output("error", ename="ValueError", evalue="", traceback=[]))),
    ("clean_outputs", output(CODE, stream("a warning", "stderr"))),
    ("no_progress_bars", output(CODE, new_output("display_data", data={WIDGET: {"model_id": "1"}}))),
    ("no_progress_bars", output(CODE, stream(" 40%|####      | 2/5 [00:01<00:01]"))),
    ("nothing_of_this_machine", output(CODE, stream("read /srv/data/batch_1"))),
    ("nothing_of_this_machine", output(CODE, stream("<object at 0x7f3a2b4c5d6e>"))),
    ("nothing_of_this_machine", source(CODE, "folder = '/home/" + "ann/data'")),
    ("normal_metadata", metadata(CODE, scrolled=True)),
    ("normal_metadata", metadata(CODE, cellView="form")),
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
    lines = violations(broken(root, "01_look.ipynb", break_it), rule)
    assert lines
    assert all(line.startswith("01_look.ipynb, ") and RULES[rule].sentence in line for line in lines)


@pytest.mark.parametrize(("rule", "break_it"), BROKEN_SOLUTION, ids=[name for name, _ in BROKEN_SOLUTION])
def test_the_rule_notices_a_broken_solution(root, rule, break_it):
    assert violations(broken(root, "solutions/01_look.ipynb", break_it), rule)


def test_the_rules_notice_foreign_metadata_a_missing_format_and_a_large_file(root):
    book = read(root / "notebooks/01_look.ipynb", root)
    book.notebook.metadata["colab"] = {}
    book.notebook.nbformat_minor = 4
    assert violations(book, "normal_metadata")
    assert violations(book, "cell_ids")
    assert violations(Book(book.path, book.notebook, 700_001, root), "small_file")


def test_every_rule_is_shown_to_fail():
    assert {name for name, _ in BROKEN + BROKEN_SOLUTION} | {"small_file"} == set(RULES)


GOOD = [
    ("teach_once", source(CODE, 'def area(a, b):\n    """Otherwise."""\n    return a * b')),
    ("sourced_numbers", source(SENTENCE, "One model reaches [94.01%](https://x.org), chance 10%.")),
    ("sentence_case", source(HEADING, "## Train on CIFAR-10 with Keras and `Adam`: What changes")),
    ("figures_are_images", output(FIGURE, html("<table><tr><td>1</td></tr></table>"))),
]


@pytest.mark.parametrize(("rule", "change"), GOOD, ids=[name for name, _ in GOOD])
def test_the_rule_passes_what_only_looks_like_a_fault(root, rule, change):
    assert violations(broken(root, "01_look.ipynb", change), rule) == []


def test_the_message_names_notebook_cell_and_rule(root):
    lines = violations(broken(root, "01_look.ipynb", source(SENTENCE, "Just look.")), "plain_words")
    assert lines[0].startswith("01_look.ipynb, cell 7: says 'Just' (rule: No \"just\"")
