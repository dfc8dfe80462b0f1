"""What the exercises of chapter 10 accept, and what they do not."""

from helpers import models
from helpers.checks import check


def test_a_batch_is_dealt_out_whole_and_evenly():
    assert check("10.2", lambda batch, number, workers: batch[number::workers])
    assert not check("10.2", lambda batch, number, workers: batch[: len(batch) // workers])
    assert not check("10.2", lambda batch, number, workers: ...)


def test_the_rate_grows_with_the_batch():
    def trained(steps, rate):
        model = models.softmax_regression()
        model.compile("sgd", "mse")
        model.optimizer.learning_rate = rate
        model.optimizer.iterations.assign(steps)
        return model

    small = trained(64, 0.01)
    assert check("10.4", [small, trained(8, 0.08)])
    for other in (trained(8, 0.01), trained(64, 0.08), trained(0, 0.08)):
        assert not check("10.4", [small, other])
