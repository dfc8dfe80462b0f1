"""What a record says of its origin and its cost."""

import subprocess
from datetime import UTC, datetime, timedelta

import keras
import pytest

from helpers import models, provenance
from helpers.recipe import Recipe
from helpers.training import CROP_SIDE


def test_the_date_is_now_in_utc():
    found = datetime.fromisoformat(provenance.date())
    assert abs(datetime.now(UTC) - found) < timedelta(minutes=1)
    assert found.utcoffset() == timedelta(0)


def test_the_commit_is_that_of_the_checkout_and_says_whether_tracked_files_differ(tmp_path):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert provenance.commit(tmp_path) is None
    git("init")
    (tmp_path / "a.txt").write_text("a")
    git("add", "a.txt")
    git("commit", "-m", "First")
    (tmp_path / "untracked.txt").write_text("b")  # as a study's new records are
    assert provenance.commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "a.txt").write_text("b")
    assert provenance.commit(tmp_path) == git("rev-parse", "HEAD") + "+changes"


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None


def test_the_flags_that_matter_are_read_from_the_system(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    assert provenance.processor_flags(cpuinfo) == []
    cpuinfo.write_text("model name\t: X\nflags\t\t: fpu avx2 avx512_bf16_not avx512f\nflags\t\t: none\n")
    assert provenance.processor_flags(cpuinfo) == ["avx2", "avx512f"]


def test_the_matrix_peak_is_a_speed():
    assert 0 < provenance.peak_gflops(side=64) < 1e6


def test_arithmetic_is_a_product_and_a_sum_per_weight_and_place_three_times_a_step():
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(4, 3),  # 30 x 30 places
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),  # 8 x 8 places
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    flop = 2 * (30 * 30 * 3 * 3 * 3 * 4 + 8 * 8 * 3 * 3 * 4 * 8 + 8 * 8 * 8 * 10)
    assert provenance.forward_flop(model, 32) == flop
    found = provenance.training_pflop(model, Recipe(epochs=5), images=100, crop_side=CROP_SIDE)
    assert found == pytest.approx(3 * 5 * 100 * flop / 1e15)


def test_small_epochs_cost_less_by_the_share_of_their_pixels():
    model = models.fast_net(4, whitening=False)
    whole, small = (
        provenance.training_pflop(model, Recipe(epochs=2, small_epochs=n), 100, crop_side=16) for n in (0, 1)
    )
    head = 2 * 16 * 10  # the dense layer sees as much of a small image
    assert small == pytest.approx(whole * 5 / 8, rel=2 * head / provenance.forward_flop(model, 32))
