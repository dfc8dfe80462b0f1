"""Intervals cover the truth, and tests raise false alarms, as often as they say: simulations of 10,000 draws.

With 10,000 draws a rate of 95% is measured to +-0.2 points (one standard error). The seeds are fixed, so a
test gives the same result at every run.
"""

import functools
import math

import numpy as np
import pytest

from helpers import evaluation
from helpers.evaluation import (
    Comparison,
    Interval,
    accuracy_interval,
    compare,
    compare_predictions,
    images_needed,
    power_in_words,
    seeds_needed,
    summarize,
)

DRAWS = 10_000
NO_EVIDENCE = "no evidence at this budget"


@pytest.fixture
def rng():
    return np.random.default_rng(2024)


def covers(interval, truth):
    return interval.low <= truth <= interval.high


@functools.cache
def compare_counts(gained, lost, images=1000):
    """Compare two models that differ on `gained` and `lost` of the images; the other images do not matter."""
    correct, baseline = np.zeros((2, images), bool)
    correct[:gained] = True
    baseline[gained : gained + lost] = True
    return compare_predictions(correct, baseline)


def draw_comparisons(rng, gain, loss, images=1000, draws=DRAWS):
    """Compare two models that differ on each image with these probabilities, many times."""
    counts = rng.multinomial(images, [gain, loss, 1 - gain - loss], draws)[:, :2]
    return [compare_counts(gained, lost, images) for gained, lost in counts.tolist()]


# Coverage


@pytest.mark.parametrize(
    ("accuracy", "images", "confidence"),
    [(0.5, 500, 0.95), (0.735, 5_000, 0.95), (0.94, 10_000, 0.95), (0.99, 1_000, 0.95), (0.735, 5_000, 0.8)],
)
def test_the_interval_of_an_accuracy_covers_the_truth_at_the_stated_rate(rng, accuracy, images, confidence):
    counts, times = np.unique(rng.binomial(images, accuracy, DRAWS), return_counts=True)
    hits = [covers(accuracy_interval(int(count), images, confidence), accuracy) for count in counts]
    assert np.average(hits, weights=times) == pytest.approx(confidence, abs=0.015)


@pytest.mark.parametrize(
    ("seeds", "confidence", "draws", "tolerance"), [(3, 0.95, DRAWS, 0.007), (5, 0.8, 1_000, 0.04)]
)
def test_the_interval_over_seeds_covers_the_mean_at_the_stated_rate(rng, seeds, confidence, draws, tolerance):
    """Accuracies are counts of right answers, so they are rounded to one in 5,000 here."""
    results = np.round(rng.normal(0.735, 0.004, (draws, seeds)) * 5_000) / 5_000
    coverage = np.mean([covers(summarize(values, confidence).interval, 0.735) for values in results])
    assert coverage == pytest.approx(confidence, abs=tolerance)


@pytest.mark.parametrize(("gain", "loss"), [(0.05, 0.05), (0.08, 0.06), (0.27, 0.07), (0.01, 0.005)])
def test_the_interval_between_two_models_covers_their_difference_at_the_stated_rate(rng, gain, loss):
    coverage = np.mean([covers(result.interval, gain - loss) for result in draw_comparisons(rng, gain, loss)])
    assert 0.945 <= coverage <= 0.98  # the correction for continuity errs on the safe side


# False alarms


@pytest.mark.parametrize(("seeds", "draws", "tolerance"), [(3, DRAWS, 0.007), (2, 1_000, 0.02)])
def test_equal_variants_are_told_apart_in_five_of_a_hundred_comparisons(rng, seeds, draws, tolerance):
    """Both variants share what the seed brings, and differ by chance alone."""
    shared = rng.normal(0.7, 0.02, (draws, seeds))
    values, baseline = np.round((shared + rng.normal(0, 0.004, (2, draws, seeds))) * 5_000) / 5_000
    results = [compare(*pair) for pair in zip(values, baseline, strict=True)]
    assert np.mean([result.p_value < 0.05 for result in results]) == pytest.approx(0.05, abs=tolerance)
    assert np.mean([result.verdict != NO_EVIDENCE for result in results]) == pytest.approx(
        0.05, abs=tolerance
    )


@pytest.mark.parametrize("disagreement", [0.02, 0.1, 0.3])
def test_equally_good_models_are_told_apart_in_at_most_five_of_a_hundred_comparisons(rng, disagreement):
    results = draw_comparisons(rng, disagreement / 2, disagreement / 2)
    for alarms in (
        np.mean([result.p_value < 0.05 for result in results]),
        np.mean([result.verdict != NO_EVIDENCE for result in results]),
    ):
        assert 0.01 < alarms <= 0.05  # an exact test of counts is careful: it stays below


def test_the_verdict_on_two_models_never_goes_beyond_the_exact_test():
    for gained in range(0, 60):
        for lost in range(0, 60):
            result = compare_counts(gained, lost)
            if result.verdict != NO_EVIDENCE:
                assert result.p_value <= 0.05, f"{gained} gained, {lost} lost"
            elif result.p_value < 0.045:
                pytest.fail(f"{gained} gained, {lost} lost: p = {result.p_value:.3f}, yet no evidence")


# Power


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_the_number_of_seeds_is_that_of_the_textbook(effect, seeds):
    """What G*Power 3 gives for a paired t test, two-sided, 5%, power 80% (Faul et al. 2007)."""
    assert seeds_needed(effect * 0.004, 0.004) == seeds


def test_the_number_of_seeds_gives_the_stated_power(rng):
    differences = rng.normal(0.004, 0.004, (2_000, seeds_needed(0.004, 0.004)))
    noticed = [compare(values, np.zeros(len(values))).p_value < 0.05 for values in differences]
    assert np.mean(noticed) == pytest.approx(0.8, abs=0.025)


def test_the_number_of_images_gives_the_stated_power(rng):
    images = images_needed(0.03, 0.1)
    results = draw_comparisons(rng, 0.065, 0.035, images, 5_000)
    assert np.mean([result.p_value < 0.05 for result in results]) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(
    "count", [seeds_needed, lambda difference, spread: images_needed(difference, spread)]
)
def test_smaller_differences_need_more(count):
    assert count(0.005, 0.02) > count(0.01, 0.02) > count(0.02, 0.02) >= 2
    assert count(-0.01, 0.02) == count(0.01, 0.02)


def test_a_tiny_difference_needs_what_the_normal_approximation_says():
    assert seeds_needed(0.01, 1.0) == pytest.approx(((1.960 + 0.8416) / 0.01) ** 2, rel=0.01)


def test_power_is_told_in_words():
    assert power_in_words(0.004, 0.12) == (
        "To notice a true difference of 1 point four times out of five takes "
        f"{seeds_needed(0.01, 0.004)} seeds per variant (differences between seeds spread by 0.40 points), "
        f"or {images_needed(0.01, 0.12):,} images for two single models (which disagree on 12.0% of them)."
    )


# Known values and corner cases


def test_the_wilson_interval_is_that_of_the_textbook():
    low, high = accuracy_interval(81, 263)  # Newcombe 1998, table I
    assert (low, high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize("correct", [0, 10])
def test_an_accuracy_of_zero_or_one_still_has_an_interval(correct):
    low, high = accuracy_interval(correct, 10)
    assert 0 <= low < high <= 1


def test_a_summary_is_that_of_the_textbook():
    seeds, mean, std, (low, high) = summarize([0.70, 0.72, 0.74])
    assert (seeds, mean, std) == (3, pytest.approx(0.72), pytest.approx(0.02))
    assert (low, high) == pytest.approx(
        (0.72 - 4.3027 * 0.02 / 3**0.5, 0.72 + 4.3027 * 0.02 / 3**0.5), abs=1e-5
    )


def test_a_single_seed_says_nothing_about_the_spread():
    seeds, mean, std, interval = summarize([0.7])
    assert (seeds, mean) == (1, 0.7)
    assert all(map(math.isnan, (std, *interval)))


@pytest.mark.filterwarnings("error")
def test_equal_results_have_an_interval_without_width():
    assert summarize([0.7, 0.7]).interval == Interval(0.7, 0.7)
    assert compare([0.81, 0.71], [0.80, 0.70]).p_value == 0  # differences equal but for rounding
    assert compare([0.8, 0.7], [0.8, 0.7]) == Comparison(0.0, Interval(0.0, 0.0), 1.0)


def test_a_paired_comparison_cancels_what_the_seeds_share():
    result = compare([0.71, 0.62, 0.83], [0.70, 0.60, 0.82])
    assert result.difference == pytest.approx(0.04 / 3)
    assert (result.verdict, result.p_value < 0.06) == (NO_EVIDENCE, True)
    assert compare([0.71, 0.611, 0.829], [0.70, 0.60, 0.82]).verdict == "helps"
    assert compare([0.70, 0.60, 0.82], [0.71, 0.611, 0.829]).verdict == "hurts"


def test_mcnemars_test_counts_the_images_that_one_model_alone_gets_right():
    result = compare_counts(12, 2)
    assert result.p_value == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert (result.difference, result.verdict) == (0.01, "helps")
    assert compare_counts(2, 12).verdict == "hurts"
    assert compare_counts(0, 0) == Comparison(0.0, Interval(-0.001, 0.001), 1.0)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "helps"), (-0.2, -0.1, "hurts"), (-0.1, 0.2, NO_EVIDENCE), (0.0, 0.2, NO_EVIDENCE)],
)
def test_the_verdict_follows_from_the_interval(low, high, verdict):
    assert Comparison((low + high) / 2, Interval(low, high), 0.5).verdict == verdict


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (accuracy_interval, (5, 0), "correct is 5 of 0, expected"),
        (accuracy_interval, (11, 10), "correct is 11 of 10, expected"),
        (accuracy_interval, (-1, 10), "correct is -1 of 10, expected"),
        (summarize, ([],), "values must be a list of finite numbers"),
        (summarize, ([0.7, math.nan],), "values must be a list of finite numbers"),
        (summarize, ([[0.7, 0.8]],), "values must be a list of finite numbers"),
        (compare, ([0.7, 0.8], [0.7, math.inf]), "baseline must be a list of finite numbers"),
        (compare, ([0.7, 0.8], [0.7]), "values has 2 seeds, baseline 1; expected the same seeds"),
        (compare, ([0.7], [0.7]), "values has 1 seeds, baseline 1; expected the same seeds, 2 or more"),
        (compare_predictions, ([True], [True, False]), "correct has shape"),
        (compare_predictions, ([], []), "correct has shape"),
        (seeds_needed, (0, 0.01), "expected difference not 0"),
        (seeds_needed, (0.01, 0), "expected difference not 0, std above 0"),
        (seeds_needed, (0.01, math.nan), "expected difference not 0, std above 0"),
        (seeds_needed, (math.nan, 0.01), "expected difference not 0"),
        (seeds_needed, (0.01, 0.01, 1), "expected difference not 0, std above 0, power"),
        (images_needed, (0, 0.1), "expected difference not 0"),
        (images_needed, (0.1, 0.05), "expected difference not 0, disagreement from"),
        (images_needed, (0.01, math.nan), "expected difference not 0, disagreement from"),
        (images_needed, (0.01, 0.1, 0), "expected difference not 0, disagreement from"),
    ],
)
def test_wrong_input_is_named_in_one_line(function, arguments, message):
    with pytest.raises(ValueError, match="expected|must") as error:
        function(*arguments)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_the_power_of_the_t_test_is_a_number_wherever_it_is_asked_for():
    for effect in (0.01, 0.1, 1, 3, 10):
        for seeds in range(2, 30):
            assert 0 <= evaluation._power_of_t_test(effect, seeds, 0.95) <= 1


# Views


class Corner:
    """Stands for a model: its "logits" are pixels of the image, so that views can be told apart."""

    def predict(self, batches, verbose):
        return np.concatenate([np.asarray(images)[:, :2, 0, 0].astype("float32") for images, _ in batches])


@pytest.mark.parametrize("views", [1, 2, 6])
def test_logits_are_the_weighted_mean_over_the_views(views):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    plain, mirrored = images[..., 0].astype(float), images[:, :, ::-1, 0].astype(float)
    expected = {1: plain[:, :2, 0], 2: (plain + mirrored)[:, :2, 0] / 2}
    # Moved up and left by one pixel, row 0 shows row 1; moved down and right, the reflected row 1, too.
    moved = sum(v[:, [1, 2], 1] + v[:, [1, 0], 1] for v in (plain, mirrored))
    expected[6] = ((plain + mirrored)[:, :2, 0] + moved / 2) / 4
    assert training.predict_logits(Corner(), images, views) == pytest.approx(expected[views])


def test_views_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="views is 3, expected 1, 2 or 6"):
        training.predict_logits(Corner(), np.zeros((1, 8, 8, 3)), views=3)
