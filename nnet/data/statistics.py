"""What a data set is normalized by."""

from typing import NamedTuple

__all__ = ["ChannelStatistics"]


class ChannelStatistics(NamedTuple):
    """One number a channel; of images, of pixels scaled to [0, 1].

    >>> import numpy as np, nnet as nn
    >>> halves = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    >>> images = nn.data.ImageDataset(halves, np.array([0, 1]), ("black", "white"))
    >>> nn.data.channel_statistics(images)
    ChannelStatistics(mean=(0.5,), std=(0.5,))
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
