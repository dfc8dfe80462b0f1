"""What the notebooks of the CIFAR-10 series share: small, flat, each module one job."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes are not for readers
