"""How Sphinx makes the site and an EPUB (make site) from the stored notebooks; nothing runs."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
project, author = PROJECT["description"].partition(": ")[0], "The contributors"
version = release = PROJECT["version"]
copyright, language = "the contributors, Apache 2.0", "en"

extensions = ["myst_nb", "autoapi.extension", "sphinx.ext.napoleon", "sphinx_copybutton", "tools.pages"]
exclude_patterns = ["docs/contents.md", "docs/home.md", "notebooks/template"]
myst_heading_anchors, nb_execution_mode = 3, "off"
autoapi_dirs, autoapi_ignore, autoapi_root = [str(ROOT / "helpers")], ["*/internal/*"], "api"
autoapi_options, autoapi_add_toctree_entry = ["members", "undoc-members"], False
default_role = "code"
suppress_warnings = ["autoapi.python_import_resolution", "epub"]

html_theme, html_title = "sphinx_book_theme", project
html_static_path, html_css_files, html_js_files = ["_static"], ["site.css"], ["site.js"]
html_show_sourcelink, html_copy_source = False, False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "repository_url": PROJECT["urls"]["repository"],
    "repository_branch": "main",
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "use_repository_button": True,
    "use_download_button": False,
    "show_toc_level": 1,
    "navbar_persistent": [],
}
if (ROOT / "build" / "page" / "index.html").is_file():
    tags.add("page")  # noqa: F821
