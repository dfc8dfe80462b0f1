"""`python -m tools.store`: what it stores is clean, and it refuses what is not."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import store as notebooks
from tools.chapters import ROOT, NotebookError, new, stamp, with_address
from tools.store import METADATA, html, is_residue, main, page_link, store


def write(path, *sources):
    """Write a notebook of code cells that has never been run."""
    cells = [new_markdown_cell("# Toy")] + [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata={"colab": {"provenance": []}}), path)
    return path


def code(path):
    """Return the code cells of a stored notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A notebook with progress bars and a widget, stored twice: (path, cell ids, the first text)."""
    path = write(
        tmp_path_factory.mktemp("stored") / "toy.ipynb",
        "import ipywidgets\nfrom tqdm import tqdm\nfrom tqdm.auto import tqdm as bar",
        "for _ in bar(range(3), leave=False):\n    print('step', flush=True)",
        "for _ in tqdm(range(3)):\n    pass",
        "ipywidgets.IntSlider()",
        "import os\nos.path.basename(os.getcwd())",
        "'done'",
    )
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["tags"] = ["nbval-check-output"]
    notebook.cells[1].metadata["collapsed"] = True
    nbformat.write(notebook, path)
    ids = [cell.id for cell in notebook.cells]
    store(path)
    first = path.read_text(encoding="utf-8")
    store(path)
    return path, ids, first


def test_storing_counts_from_one(stored):
    assert [cell.execution_count for cell in code(stored[0])] == [1, 2, 3, 4, 5, 6]


def test_storing_again_changes_nothing(stored):
    assert stored[0].read_text(encoding="utf-8") == stored[2]


def test_storing_keeps_cell_ids_and_tags_and_drops_other_metadata(stored):
    notebook = nbformat.read(stored[0], as_version=4)
    assert [cell.id for cell in notebook.cells] == stored[1]
    assert notebook.metadata == METADATA
    assert notebook.cells[1].metadata == {"tags": ["nbval-check-output"]}


def test_storing_leaves_no_progress_bar_and_no_widget(stored):
    cells = code(stored[0])
    assert [output.text for output in cells[1].outputs] == ["step\nstep\nstep\n"]
    assert cells[2].outputs == []
    assert cells[3].outputs == []


def test_a_notebook_runs_in_its_own_folder(stored):
    assert code(stored[0])[4].outputs[0].data["text/plain"] == repr(stored[0].parent.name)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('careful', file=sys.stderr)", "cell 3 wrote to stderr: 'careful'"),
        ("import os\nos.getcwd()", "cell 3 shows a path of this machine"),
        ("print('x' * 500_000)", "at most 500,000 are allowed"),
    ],
)
def test_storing_refuses_and_leaves_the_file_alone(tmp_path, source, complaint):
    path = write(tmp_path / "toy.ipynb", "'first'", source)
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=complaint):
        store(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_tells_an_error_without_a_traceback_of_its_own(tmp_path, capsys):
    assert main(["store", str(tmp_path / "missing.ipynb")]) == 1
    said = capsys.readouterr().err
    assert "missing.ipynb" in said
    assert "Traceback" not in said


def test_html_shows_the_error_and_fails(tmp_path):
    path = write(tmp_path / "03_toy.ipynb", "'first'", "1 / 0")
    with pytest.raises(NotebookError, match=r"03_toy.ipynb, cell 3"):
        html(path, tmp_path / "build")
    page = (tmp_path / "build" / "03_toy.html").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in page
    assert "<title>03_toy</title>" in page


def test_html_keeps_alt_text_and_leads_to_other_pages(tmp_path):
    path = write(tmp_path / "03_toy.ipynb", "from IPython.display import HTML\nHTML('<img alt=\"a ship\">')")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_markdown_cell("[next](04_more.ipynb), [solutions](solutions/03_toy.ipynb)"))
    nbformat.write(notebook, path)
    html(path, tmp_path / "build")
    page = (tmp_path / "build" / "03_toy.html").read_text(encoding="utf-8")
    assert 'alt="a ship"' in page
    assert 'href="04_more.html"' in page
    assert 'href="../notebooks/solutions/03_toy.ipynb"' in page


def test_a_page_fetches_nothing(tmp_path):
    path = write(tmp_path / "03_toy.ipynb", "1 + 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\n\n[![Open in Colab](https://example.org/badge.svg)](https://example.org/x)"
    nbformat.write(notebook, path)
    html(path, tmp_path / "build")
    page = (tmp_path / "build" / "03_toy.html").read_text(encoding="utf-8")
    assert '<a href="https://example.org/x">Open in Colab</a>' in page
    assert "<script" not in page
    assert "badge.svg" not in page


def test_links_from_a_page():
    assert page_link("02_baseline_cnn.ipynb") == "02_baseline_cnn.html"
    assert page_link("../data/README.md") == "../notebooks/../data/README.md"


@pytest.mark.parametrize(
    ("text", "residue"),
    [
        ("\r  0%|          | 0/5 [00:00<?, ?it/s]\r100%|####| 5/5 [00:00<00:00, 9.6it/s]\n", True),
        ("\r12it [00:01, 9.96it/s]\r                \r", True),
        (
            "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
            "I0000 00:00:1795262270.491599   14948 port.cc:153] oneDNN custom operations are on.\n",
            True,
        ),
        ("UserWarning: 40% of the values are missing\n", False),
        ("  0%|          | 0/5\nUserWarning: careful\n", False),
    ],
)
def test_a_warning_is_no_residue(text, residue):
    assert is_residue(new_output("stream", name="stderr", text=text)) is residue


# The repository's address, and new chapters.

COLAB = "https://colab.research.google.com/github/{}/blob/{}/notebooks/{}"


@pytest.fixture
def root(tmp_path):
    """A small repository that has moved: the settings name a new address, the files the old one."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tutorial]\nrepository = "https://github.com/new/home"\nbranch = "trunk"\n'
    )
    (tmp_path / "notebooks" / "template").mkdir(parents=True)
    (tmp_path / "notebooks" / "solutions").mkdir()
    for part, link in (("chapter", "solution"), ("solution", "chapter")):
        notebook = new_notebook(
            cells=[
                new_markdown_cell(
                    f"# A chapter's title\n\n[badge]({COLAB.format('o/r', 'main', 'x.ipynb')})"
                ),
                new_code_cell(
                    'os.environ.get("TUTORIAL_REPOSITORY", "https://github.com/o/r")', execution_count=1
                ),
                new_markdown_cell(f"See [there]({link}.ipynb)."),
            ]
        )
        nbformat.write(notebook, tmp_path / "notebooks" / "template" / f"{part}.ipynb")
    (tmp_path / "README.md").write_text(
        f"git clone --depth 1 https://github.com/o/r tutorial\n{COLAB.format('o/r', 'main', '01_a.ipynb')}\n"
    )
    return tmp_path


def test_stamp_writes_the_address_everywhere_and_then_has_nothing_to_do(root):
    assert len(stamp(write=False, root=root)) == 3
    assert len(stamp(root=root)) == 3
    assert stamp(root=root) == []
    chapter = nbformat.read(root / "notebooks/template/chapter.ipynb", as_version=4)
    assert COLAB.format("new/home", "trunk", "template/chapter.ipynb") in chapter.cells[0].source
    assert '"https://github.com/new/home")' in chapter.cells[1].source
    readme = (root / "README.md").read_text()
    assert "git clone --depth 1 https://github.com/new/home tutorial\n" in readme
    assert COLAB.format("new/home", "trunk", "01_a.ipynb") in readme


def test_stamp_writes_the_address_into_the_citation(root):
    path = root / "CITATION.cff"
    path.write_text(
        'version: 1.0\nrepository-code: "https://github.com/o/r"\nurl: "https://github.com/o/r"\n'
    )
    assert path in stamp(root=root)
    lines = path.read_text().splitlines()
    assert lines[1:] == ['repository-code: "https://github.com/new/home"', 'url: "https://github.com/o/r"']


def test_stamp_leaves_other_addresses_alone(root):
    text = "[Keras](https://github.com/keras-team/keras), https://colab.research.google.com/assets/badge.svg"
    assert with_address(text, root=root) == text


def test_a_new_chapter_has_its_title_its_links_and_no_outputs(root):
    chapter, solution = (nbformat.read(path, as_version=4) for path in new("08_more", "Look inside", root))
    assert chapter.cells[0].source.startswith("# Look inside\n")
    assert COLAB.format("new/home", "trunk", "08_more.ipynb") in chapter.cells[0].source
    assert chapter.cells[1].execution_count is None
    assert "(solutions/08_more.ipynb)" in chapter.cells[2].source
    assert COLAB.format("new/home", "trunk", "solutions/08_more.ipynb") in solution.cells[0].source
    assert "(../08_more.ipynb)" in solution.cells[2].source


def test_a_new_chapter_never_overwrites_and_needs_a_proper_name(root):
    new("08_more", "Look inside", root)
    with pytest.raises(NotebookError, match="exists already"):
        new("08_more", "Again", root)
    with pytest.raises(NotebookError, match="two digits"):
        new("More", "Again", root)


# What a failing cell does to the rest of its notebook, in a test run of its own.


def run_pytest(path):
    """Run pytest on one notebook with this repository's settings; return what it printed."""
    command = [sys.executable, "-m", "pytest", "--color=no", "-c", ROOT / "pyproject.toml", path]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_a_failing_cell_stops_its_notebook_and_floods_nothing(tmp_path):
    said = run_pytest(write(tmp_path / "toy.ipynb", "a = 1", "b = missing", "c = b", "d = c", "e = d"))
    assert "1 failed, 1 passed, 3 skipped" in said
    assert "toy.ipynb: stopped at its first failing cell, 3 cells not run" in said
    assert "'missing' is not defined" in said
    assert "'b' is not defined" not in said


def test_a_figure_without_labelled_axes_fails_and_one_with_labels_passes(tmp_path):
    said = run_pytest(
        write(
            tmp_path / "toy.ipynb",
            "assert 'install' not in globals()\nlabels = 3\nimport matplotlib.pyplot as plt",
            "fig, axs = plt.subplots(1, 2)\naxs[0].set(xlabel='s', ylabel='m')\naxs[1].set(xlabel='s')",
            "plt.imshow([[1, 2]])\nplt.axis('off')\nplt.show()",
            "plt.plot([1, 2])\nplt.xlabel('s')\nplt.show()",
        )
    )
    assert "1 failed, 3 passed" in said
    assert "a figure has no label on: y axis of panel 1" in said


def test_the_tests_run_in_the_smoke_profile_with_this_very_python(tmp_path):
    said = run_pytest(
        write(
            tmp_path / "toy.ipynb",
            "import os, sys",
            "assert os.environ['TUTORIAL_PROFILE'] == 'smoke'",
            f"assert sys.executable == {sys.executable!r}",
        )
    )
    assert "3 passed" in said


def test_all_chapters_are_executed_where_none_is_named(monkeypatch, tmp_path):
    done = []
    monkeypatch.setattr(notebooks, "chapters", lambda: [tmp_path / "01_a.ipynb", tmp_path / "02_b.ipynb"])
    monkeypatch.setattr(notebooks, "html", lambda path, folder: done.append((path.name, folder.name)))
    assert main(["html"]) == 0
    assert done == [("01_a.ipynb", "build"), ("02_b.ipynb", "build")]
