"""What the screening studies chose: written by `python -m helpers.tuning write`, never by hand."""

STRENGTHS = {}
RATES = {}
NETWORK_RATES = {}
