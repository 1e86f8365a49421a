"""What a data set is normalized by."""

from typing import NamedTuple

__all__ = ["ChannelStatistics"]


class ChannelStatistics(NamedTuple):
    """One number a channel; of images, of pixels scaled to [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
