"""A recipe cannot be changed, and names a value that it cannot work with."""

import dataclasses

import pytest

from helpers.augment import Augmentation
from helpers.recipe import Recipe

PROBLEMS = {
    "epochs is 0, expected 1 or more.": {"epochs": 0},
    "epochs is '10', expected int.": {"epochs": "10"},
    "batch_size is 0, expected 1 or more.": {"batch_size": 0},
    "optimizer is 'adamm', expected one of adam, sgd, muon.": {"optimizer": "adamm"},
    "schedule is 'linear', expected one of constant, triangular.": {"schedule": "linear"},
    "learning_rate is nan, expected a number above 0.": {"learning_rate": float("nan")},
    "learning_rate is True, expected float.": {"learning_rate": True},
    "shift_rate is -1, expected a number above 0.": {"shift_rate": -1},
    "weight_decay is -0.1, expected 0 or more.": {"weight_decay": -0.1},
    "label_smoothing is 1.0, expected 0 to below 1.": {"label_smoothing": 1.0},
    "momentum is -0.1, expected 0 to below 1.": {"momentum": -0.1},
    "small_epochs is 8, expected 0 to 7.": {"small_epochs": 8},
    "augmentation is 'flip', expected Augmentation.": {"augmentation": "flip"},
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_recipe_names_a_wrong_value_and_cannot_be_changed_to_one(problem):
    with pytest.raises(ValueError, match="expected") as error:
        Recipe(**PROBLEMS[problem])
    assert str(error.value) == problem
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = -1


def test_values_at_the_edge_are_taken():
    Recipe(epochs=1, batch_size=1, label_smoothing=0, momentum=0, learning_rate=1)
    Recipe(epochs=4, small_epochs=2, label_smoothing=0.999, momentum=0.999)


@pytest.mark.parametrize("soft", [{"label_smoothing": 0.1}, {"augmentation": Augmentation(mixup=0.2)}])
def test_smoothing_and_mixup_ask_for_rows_of_labels(soft):
    assert Recipe(**soft).soft_labels
    assert not Recipe(augmentation=Augmentation(flip=True)).soft_labels
