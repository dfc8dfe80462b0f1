"""Unit tests, the notebook contract, and the notebooks themselves, executed: `python -m pytest`."""
