"""Pick images and turn their bytes into normalized floats, in one pass over memory.

images     (N, C, H, W) uint8, C-contiguous
indices    (B,) int64, each in [0, N)
mean, std  (C,) float64, of pixels in [0, 1]
out        (B, C, H, W) float32
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._tasks import share_out

# Up to so many elements (0.1 ms) one thread is done before the others have started.
_ALONE = (1 << 19) - 1


def gather_normalize(images, indices, mean, std, out):
    """Parallel over the batch."""
    tasks, span = share_out(indices.size, 1, indices.size if out.size <= _ALONE else 0)
    _gather_normalize(tasks, images, indices, mean, std, span, out)


@parallel
def _gather_normalize(task, images, indices, mean, std, span, out):
    for b in range(task * span, min(task * span + span, indices.size)):
        _one_image(images[indices[b]], mean, std, out[b])


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
