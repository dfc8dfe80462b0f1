"""The guessing game: buttons and typed answers score alike."""

import numpy as np
import pytest

from helpers import game
from helpers.data import CLASS_NAMES

LABELS, NETWORK = np.array([3, 5, 8]), np.array([3, 5, 9])
IMAGES = np.arange(3 * 32 * 32 * 3, dtype=np.uint32).astype("uint8").reshape(3, 32, 32, 3)


def test_buttons_tell_each_label_and_the_score_at_the_end():
    played = game.Buttons(IMAGES, LABELS, NETWORK)
    by_name = dict(zip(CLASS_NAMES, played.buttons, strict=True))
    assert "Picture 1 of 3" in played.page.value
    by_name["cat"].click()
    assert "You said cat, the label is cat." in played.page.value
    assert 'alt="Picture 2 of 3"' in played.page.value
    by_name["frog"].click()
    assert "You said frog, the label is dog." in played.page.value
    by_name["ship"].click()
    assert "You: 2 of 3. The network: 2 of 3." in played.page.value
    assert played.box.children == (played.page,)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "You: no answers yet. The network: 2 of 3."),
        ("cat, Dog", "You: 2 of 2."),
        ("frog dog ship", "You: 2 of 3."),
        ("cat kat", "'kat' is no class, expected one of airplane"),
        ("cat cat cat cat", "There are 3 pictures and 4 answers."),
    ],
)
def test_typed_answers_are_scored_and_a_slip_is_told(typed, said, capsys, style):
    game.play(IMAGES, LABELS, NETWORK, typed)
    assert said in capsys.readouterr().out
