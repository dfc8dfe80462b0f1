"""Screening studies, value by value: `python -m tools.tuning run STUDY | next STUDY | write`.

The rule: the values where a setting's grid starts, then the neighbours of the best so far, until both have
been tried or the grid ends. The best has the highest validation accuracy after the last epoch.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

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


def found_by(study: str) -> dict[str, dict[float, float]]:
    """Return for each group the validation accuracy of each value of its grid that has a recorded run."""
    accuracies = {}
    if any(records.folder(records.find_study(study)).glob("*.json")):
        accuracies = records.load_runs(study).set_index("variant")["val_accuracy"].to_dict()
    return {
        group: {x: accuracies[tried(group, x)] for x in grid if tried(group, x) in accuracies}
        for group, (grid, _) in GRIDS[study].items()
    }


def next_variants(study: str) -> list[str]:
    """Return the names of the variants that a screening study is to train next; none when it is done."""
    found = found_by(study).items()
    return [tried(group, x) for group, done in found for x in to_try(done, *GRIDS[study][group])]


def choices(study: str) -> dict[str, float]:
    """Return the best value of each group that has nothing left to try, in the study's order."""
    found = found_by(study).items()
    return {group: max(done, key=done.get) for group, done in found if not to_try(done, *GRIDS[study][group])}


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
        lines = [fill(f"{name} = {choices(x)}", 110, break_on_hyphens=False) for name, x in PLACES.items()]
        write_text(Path(chosen.__file__), "\n".join([f'"""{chosen.__doc__}"""\n', *lines]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
