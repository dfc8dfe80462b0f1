"""What is chosen is what the recorded runs say."""

import pytest

from helpers import chosen
from tools import tuning


@pytest.mark.parametrize(("name", "study"), tuning.PLACES.items())
def test_what_is_chosen_is_the_best_of_each_grid(name, study):
    assert getattr(chosen, name).items() <= tuning.choices(study).items()
