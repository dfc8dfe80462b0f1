"""The version matrix: with which versions it tests, and what it says where a Python is missing."""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import matrix


def requirements(text: str) -> dict[str, Requirement]:
    """Return the requirements of a file by name, its comments left out."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {found.name: found for found in map(Requirement, filter(None, lines))}


def test_every_requirement_has_one_oldest_version_and_allows_colabs():
    wanted, oldest = requirements(matrix.REQUIREMENTS), requirements(matrix.OLDEST)
    assert oldest.keys() == wanted.keys()
    assert all(str(pin.specifier).startswith("==") for pin in oldest.values())
    for name, pin in requirements(matrix.COLAB).items():
        version = str(pin.specifier).removeprefix("==")
        assert name not in wanted or version in wanted[name].specifier, f"{name} {version}"


def test_every_requirement_has_a_tested_version_that_it_allows():
    wanted = requirements(matrix.REQUIREMENTS)
    tested = {canonicalize_name(name): pin for name, pin in requirements(matrix.TESTED).items()}
    for name, requirement in wanted.items():
        version = str(tested[canonicalize_name(name)].specifier).removeprefix("==")
        assert version in requirement.specifier, f"{name} {version}"


def test_a_missing_python_is_skipped_with_its_reason(monkeypatch, capsys):
    monkeypatch.setattr(matrix, "ENVIRONMENTS", {"nowhere": ("3.99", "")})
    assert matrix.main([]) == 0
    said = capsys.readouterr().out
    assert said == "nowhere: skipped: there is no Python 3.99 here that can make environments\n"
