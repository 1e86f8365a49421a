"""Data sets, readers and batches."""

from .dataset import ImageDataset
from .idx import idx_folder, read_idx
from .image_file import read_image
from .loader import DataLoader
from .mnist import MNIST_FOLDER, mnist
from .split import split
from .statistics import ChannelStatistics, channel_statistics

__all__ = [
    "ImageDataset",
    "DataLoader",
    "mnist",
    "idx_folder",
    "read_idx",
    "read_image",
    "split",
    "channel_statistics",
    "ChannelStatistics",
    "MNIST_FOLDER",
]
