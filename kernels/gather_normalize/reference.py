"""NumPy, written to be read; the oracle."""

import numpy as np


def gather_normalize(images, indices, mean, std, out):
    channels = (-1, 1, 1)
    pixels = images[indices] / 255.0
    out[...] = (pixels - np.reshape(mean, channels)) / np.reshape(std, channels)
