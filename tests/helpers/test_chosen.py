"""What is chosen is what the recorded runs say."""

import pytest

from helpers import chosen
from helpers.records import load_runs
from helpers.screening import GRIDS, tried

PLACES = {"STRENGTHS": "strengths", "RATES": "rates", "NETWORK_RATES": "rates_networks"}


@pytest.mark.parametrize(("name", "study"), PLACES.items())
def test_what_is_chosen_is_the_best_of_its_grid_and_both_neighbours_were_tried(name, study):
    accuracies = load_runs(study).set_index("variant")["val_accuracy"]
    assert getattr(chosen, name).keys() == GRIDS[study].keys()
    for group, (grid, first) in GRIDS[study].items():
        found = {x: accuracies[tried(group, x)] for x in grid if tried(group, x) in accuracies}
        place = grid.index(best := max(found, key=found.get))
        assert getattr(chosen, name)[group] == best
        assert found.keys() >= {*first, *grid[max(place - 1, 0) : place + 2]}
