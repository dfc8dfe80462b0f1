"""Screening studies, value by value: `python -m tools.tuning run STUDY | next STUDY | write`.

The rule: the values where a setting's grid starts, then the neighbours of the best so far, until both have
been tried or the grid ends. The best has the highest validation accuracy after the last epoch.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from pprint import pformat

from helpers import chosen, records
from helpers.internal.files import write_text
from helpers.screening import GRIDS, tried

PLACES = {"STRENGTHS": "strengths", "RATES": "rates", "NETWORK_RATES": "rates_networks"}


def to_try(found: Mapping[float, float], grid: Sequence[float], start: Sequence[float]) -> list[float]:
    """Return the values of a grid to try next; none if the best lies between values that were tried.

    Args:
        found: the accuracy of each value that was tried.
        grid: all values there are, ascending.
        start: those to try first.
    """
    if missing := [value for value in start if value not in found]:
        return missing
    place = grid.index(max(found, key=found.get))
    return [value for value in grid[max(place - 1, 0) : place + 2] if value not in found]


def found_by(study: str, group: str) -> dict[float, float]:
    """Return the validation accuracy of each value of a group's grid that has a recorded run."""
    if not any(records.folder(records.find_study(study)).glob("*.json")):
        return {}
    accuracies = records.load_runs(study).set_index("variant")["val_accuracy"]
    return {x: accuracies[tried(group, x)] for x in GRIDS[study][group][0] if tried(group, x) in accuracies}


def next_variants(study: str) -> list[str]:
    """Return the names of the variants that a screening study is to train next; none when it is done."""
    groups = GRIDS[study].items()
    return [tried(group, x) for group, grid in groups for x in to_try(found_by(study, group), *grid)]


def choices(study: str) -> dict[str, float]:
    """Return the best value of each group that has nothing left to try, in the study's order."""
    found = {group: found_by(study, group) for group in GRIDS[study]}
    done = {group: x for group, x in found.items() if not to_try(x, *GRIDS[study][group])}
    return {group: max(accuracies, key=accuracies.get) for group, accuracies in done.items()}


def run(study: str) -> None:
    """Train what a screening study has still to try, round by round; StudyError if a run diverges."""
    from helpers.experiments import run_study  # starts TensorFlow

    while names := next_variants(study):
        run_study(records.find_study(study), 1, names, "official")


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    if arguments[0] == "run":
        run(arguments[1])
    elif arguments[0] == "next":
        print(*next_variants(arguments[1]))
    else:
        lines = [f"{name} = {pformat(choices(study), sort_dicts=False)}" for name, study in PLACES.items()]
        write_text(Path(chosen.__file__), "\n".join([f'"""{chosen.__doc__}"""\n', *lines]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
