"""What the screening studies chose, the best of each grid by recorded runs, which a test compares."""

STRENGTHS = {'dropout_alone': 0.05, 'l2_alone': 0.001, 'decay_alone': 0.5, 'dropout_augment': 0.02,
'dropout_augment_bn': 0.02, 'l2_augment_bn': 1e-05, 'last_augment_bn': 0.02, 'cutout_augment': 4,
'mixup_augment': 0.1}
RATES = {'baseline': 0.003, 'augment': 0.003, 'bn': 0.01, 'augment_bn': 0.03, 'dropout': 0.003, 'l2': 0.01,
'decay': 0.003, 'cutout': 0.003, 'mixup': 0.003, 'dropout_augment': 0.003, 'last_dropout': 0.03, 'all': 0.03}
NETWORK_RATES = {'vgg2': 0.003, 'vgg1': 0.003, 'tutorial_cnn': 0.003, 'mlp': 0.001, 'logistic': 0.001}
