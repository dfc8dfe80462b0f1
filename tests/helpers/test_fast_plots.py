"""Tests of helpers.fast_plots: what a chart of a training step shows follows from the layers."""

import keras
import matplotlib.pyplot as plt
import pytest

from helpers import fast_plots


@pytest.fixture
def table():
    layers = [keras.layers.Conv2D(4, 3), keras.layers.MaxPooling2D(), keras.layers.Flatten()]
    return fast_plots.layer_table(keras.Sequential([keras.Input((8, 8, 3)), *layers]), [5.0, 2.0, 1.0])


def test_each_layer_has_its_kind_its_shape_and_its_time(table):
    assert list(table["kind"]) == ["Conv2D", "MaxPooling2D", "other"]
    assert list(table["shape"]) == ["6 x 6 x 4", "3 x 3 x 4", "36"]
    assert table["milliseconds"].sum() == 8


def test_each_layer_is_a_bar_in_the_colour_of_its_kind(table):
    ax = fast_plots.layer_chart(table, 200)
    lengths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert lengths == [[5, 0, 0], [0, 2, 0], [0, 0, 1]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Conv2D", "MaxPooling2D", "other"]
    assert "200 images" in ax.get_xlabel()
    plt.close(ax.figure)
