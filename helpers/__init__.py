"""What the notebooks of the CIFAR-10 series share: small, flat, each module one job."""
