"""The repository's address: one, wherever it is named, and written everywhere by one command."""

import pytest

from helpers.internal.files import ROOT
from tests.support.checkout import copy_repository
from tools.address import NAMED, address, files, write


def named(root):
    """Return each file's addresses."""
    return {path.name: {found[1] for found in NAMED.findall(path.read_text("utf-8"))} for path in files(root)}


def test_one_address_is_named_everywhere():
    found = named(ROOT)
    assert {name: addresses for name, addresses in found.items() if addresses != {address()}} == {}
    assert {"README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "chapter.ipynb"} <= set(found)


def test_another_address_is_written_everywhere_and_nothing_else(tmp_path):
    copy_repository(tmp_path)
    before = {path: path.read_text("utf-8") for path in files(tmp_path)}
    write("new-owner/its.name", tmp_path)
    assert set().union(*named(tmp_path).values()) == {"new-owner/its.name"} == {address(tmp_path)}
    for path, text in before.items():
        assert NAMED.sub(r"\g<1>", path.read_text("utf-8")) == NAMED.sub(r"\g<1>", text)


def test_something_else_than_an_address_is_told_the_form(tmp_path):
    with pytest.raises(SystemExit, match="as owner/name: make address REPO=owner/name"):
        write("name", tmp_path)
