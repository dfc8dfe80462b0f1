"""Screening studies, value by value: `python -m helpers.tuning run STUDY | next STUDY | write`.

The rule: the values where a setting's grid starts, then the neighbours of the best so far, until both have
been tried or the grid ends. The best has the highest validation accuracy after the last epoch.
"""

from helpers.quiet import hush_tensorflow

hush_tensorflow()

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from pprint import pformat

from helpers import chosen, records
from helpers.experiments import run_study
from helpers.screening import GRIDS, SEED, tried
from helpers.studies import STUDIES


def to_try(found: Mapping[float, float], grid: Sequence[float], start: Sequence[float]) -> list[float]:
    """Return the values of a grid to try next; none if the best lies between values that were tried.

    Args:
        found: the accuracy of each value that was tried.
        grid: all values there are, ascending.
        start: those to try first.
    """
    missing = [value for value in start if value not in found]
    if missing:
        return missing
    place = grid.index(max(found, key=found.get))
    neighbours = grid[max(place - 1, 0) : place + 2]
    return [value for value in neighbours if value not in found]


def found_by(study: str, group: str) -> dict[float, float]:
    """Return the validation accuracy of each value of a group's grid that has a recorded run."""
    grid, _ = GRIDS[study][group]
    accuracies = {}
    for value in grid:
        name = tried(group, value)
        path = records.folder(STUDIES[study]) / f"{name}-seed{SEED}.json"
        if path.exists():
            run = records.read_run(path, STUDIES[study], STUDIES[study][name])
            accuracies[value] = run["val_accuracy"]
    return accuracies


def next_variants(study: str) -> list[str]:
    """Return the names of the variants that a screening study is to train next; none when it is done."""
    return [
        tried(group, value)
        for group, (grid, start) in GRIDS[study].items()
        for value in to_try(found_by(study, group), grid, start)
    ]


def run(study: str) -> None:
    """Train what a screening study has still to try, round by round; what diverges ends it (StudyError)."""
    while names := next_variants(study):
        run_study(STUDIES[study], variants=names)


def choices(study: str) -> dict[str, float]:
    """Return the best value of each group that has nothing left to try, in the study's order."""
    best = {}
    for group, (grid, start) in GRIDS[study].items():
        found = found_by(study, group)
        if not to_try(found, grid, start):
            best[group] = max(found, key=found.get)
    return best


def write() -> None:
    """Write what is chosen so far to `helpers/chosen.py`, from where the studies read it."""
    text = f'"""{chosen.__doc__}"""\n'
    for name, study in (("STRENGTHS", "strengths"), ("RATES", "rates"), ("NETWORK_RATES", "rates_networks")):
        text += f"\n{name} = {pformat(choices(study), sort_dicts=False)}"
    Path(chosen.__file__).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write()
    elif sys.argv[1] == "run":
        run(sys.argv[2])
    else:
        print(*next_variants(sys.argv[2]))
