"""Pick images and turn their bytes into normalized floats, in one pass over memory.

images     (N, C, H, W) uint8, C-contiguous
indices    (B,) int64, each in [0, N)
mean, std  (C,) float64, of pixels in [0, 1]
out        (B, C, H, W) float32
"""

import numpy as np

from .._jit import jit, parallel_loops, prange


@jit
def _one_image(image, mean, std, out):
    for channel in range(image.shape[0]):
        # In units of a byte, so that the difference is the only inexact step of the two.
        centre = np.float32(255.0 * mean[channel])
        scale = np.float32(1.0 / (255.0 * std[channel]))
        pixels = image[channel].reshape(-1)
        values = out[channel].reshape(-1)
        for p in range(pixels.size):
            values[p] = (np.float32(pixels[p]) - centre) * scale


@jit
def gather_normalize_serial(images, indices, mean, std, out):
    """For batches that are done before other threads would wake."""
    for b in range(indices.size):
        _one_image(images[indices[b]], mean, std, out[b])


@parallel_loops
def gather_normalize(images, indices, mean, std, out):
    """Parallel over the batch."""
    for index in prange(indices.size):
        b = np.int64(index)
        _one_image(images[indices[b]], mean, std, out[b])
