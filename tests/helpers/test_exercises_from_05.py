"""What the exercises of the later chapters accept, and what they do not."""

import keras

from helpers import models
from helpers.checks import check
from helpers.recipe import Run


def network_of(*filters: int) -> keras.Model:
    stack = [layer for number in filters for layer in models.fast_block(number)]
    inputs = [keras.Input((32, 32, 3)), models.standardize()]
    return keras.Sequential([*inputs, *stack, keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(10)])


def test_a_network_to_be_trained_must_have_the_right_blocks_and_enough_steps():
    right, three = network_of(16, 64), network_of(16, 64, 64)
    assert not check("07.4", right)
    for model, steps in ((right, 3), (three, 90)):
        model.compile("sgd", "mse")
        model.optimizer.iterations.assign(steps)
        assert not check("07.4", model)
    right.optimizer.iterations.assign(90)
    assert check("07.4", right)


def test_two_runs_must_differ_in_one_setting():
    def run(parameters=5, seed=0, **settings):
        recipe = {"optimizer": "sgd", "epochs": 3} | settings
        fixed = {"data": {"sha256": "a"}, "history": [{}, {}], "seconds": 1.0, "val_accuracy": 0.5}
        return Run(recipe, seed, parameters=parameters, **fixed, val_correct="", machine={}, versions={})

    assert check("A1.3", [run(), run(optimizer="muon")])
    assert check("A1.3", [run(), run(parameters=6)])
    for other in (run(), run(seed=1, optimizer="muon"), run(optimizer="muon", epochs=4), {}):
        assert not check("A1.3", [run(), other])
