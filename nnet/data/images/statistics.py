"""What images are normalized by."""

import numpy as np

from ..statistics import ChannelStatistics
from .dataset import ImageDataset

__all__ = ["channel_statistics"]


def channel_statistics(dataset: ImageDataset) -> ChannelStatistics:
    """Mean and standard deviation of each channel; take them of the training set alone.

    A constant channel has standard deviation 1 here, so that it is centred and not scaled.
    Raises ValueError for an empty data set, and for images without pixels.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> mean, std = nn.data.channel_statistics(train)
    >>> round(mean[0], 4), round(std[0], 4)
    (0.1307, 0.3081)
    """
    if not len(dataset):
        raise ValueError("channel_statistics: expected at least one image, got none")
    if not dataset.images.size:
        raise ValueError(
            f"channel_statistics: expected at least one pixel, got shape {dataset.images.shape}"
        )
    # Counting the 256 values is exact, and quicker than arithmetic on the pixels.
    levels = np.arange(256) / 255
    means, stds = [], []
    for channel in range(dataset.images.shape[1]):
        counts = np.zeros(256, np.int64)
        for start in range(0, len(dataset), 100):
            block = dataset.images[start : start + 100, channel]
            counts += np.bincount(block.ravel(), minlength=256)
        share = counts / counts.sum()
        mean = float(share @ levels)
        std = float(np.sqrt(share @ (levels - mean) ** 2))
        means.append(mean)
        stds.append(std or 1.0)
    return ChannelStatistics(tuple(means), tuple(stds))
