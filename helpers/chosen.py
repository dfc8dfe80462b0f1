"""What the screening studies chose, the best of each grid; written by `python -m tools.tuning write`."""

STRENGTHS = {}
RATES = {'baseline': 0.003, 'augment': 0.003, 'bn': 0.01, 'augment_bn': 0.03}
NETWORK_RATES = {}
