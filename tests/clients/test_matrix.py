"""The version matrix: with which versions it tests."""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import matrix


def requirements(text: str) -> dict[str, Requirement]:
    """Return the requirements of a file by name, its comments left out."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {canonicalize_name(found.name): found for found in map(Requirement, filter(None, lines))}


def test_every_requirement_has_an_oldest_and_a_tested_version_and_allows_them_and_colabs():
    texts = matrix.REQUIREMENTS, matrix.OLDEST, matrix.TESTED, matrix.COLAB
    wanted, oldest, tested, colab = map(requirements, texts)
    assert wanted.keys() == oldest.keys() <= tested.keys()
    for pins in (oldest, tested, colab):
        for name in wanted.keys() & pins.keys():
            ((operator, version),) = ((each.operator, each.version) for each in pins[name].specifier)
            assert operator == "=="
            assert version in wanted[name].specifier, f"{name} {version}"
