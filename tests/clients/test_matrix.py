"""The version matrix: which Pythons and versions it tests with, and what it says where one is missing."""

import platform
from dataclasses import replace

import pytest
from packaging.requirements import Requirement

from tests import matrix
from tests.support.matrix import COLAB, ENVIRONMENTS, REQUIREMENTS, Environment, find_python, main, oldest

THIS = ".".join(platform.python_version_tuple()[:2])
NOWHERE = Environment("nowhere", "3.99", "")


def requirements(text: str) -> dict[str, Requirement]:
    """Return the requirements of a file by name, its comments left out."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {found.name: found for found in map(Requirement, filter(None, lines))}


def test_every_requirement_has_one_oldest_version():
    pins = requirements(oldest(REQUIREMENTS))
    assert pins.keys() == requirements(REQUIREMENTS).keys()
    assert all(str(pin.specifier).startswith("==") for pin in pins.values())


def test_the_versions_of_colab_are_allowed():
    wanted = requirements(REQUIREMENTS)
    for name, pin in requirements(COLAB).items():
        version = str(pin.specifier).removeprefix("==")
        assert name not in wanted or version in wanted[name].specifier, f"{name} {version}"


def test_this_very_python_is_found_and_one_that_does_not_exist_is_not():
    assert find_python(THIS)
    assert find_python("3.99") is None


def test_other_versions_are_kept_in_another_folder():
    colab = ENVIRONMENTS["colab"]
    assert colab.folder == replace(colab).folder
    assert colab.folder != replace(colab, constraints=COLAB + "numpy==2.1.4\n").folder
    assert colab.folder != replace(colab, python="3.12").folder


def test_a_missing_python_is_skipped_with_its_reason(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(matrix, "KEPT", tmp_path)
    monkeypatch.setattr(matrix, "ENVIRONMENTS", {"nowhere": NOWHERE})
    assert main([]) == 0
    assert "nowhere: skipped: there is no Python 3.99 here" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_failing_tests_fail_the_command(monkeypatch, capsys):
    monkeypatch.setattr(matrix, "make", lambda environment: matrix.sys.executable)
    monkeypatch.setattr(matrix, "unit_tests", lambda python: False)
    assert main(["colab"]) == 1
    assert "colab: FAILED" in capsys.readouterr().out


def test_an_unknown_name_is_told_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        main(["jupiter"])
    assert "jupiter: there are colab, oldest, newest" in capsys.readouterr().err
