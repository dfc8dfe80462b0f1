"""What the screening studies chose, the best of each grid; written by `python -m tools.tuning write`."""

STRENGTHS = {}
RATES = {}
NETWORK_RATES = {}
