"""Data sets, readers and batches."""

from .buckets import BucketLoader
from .dataset import ImageDataset
from .idx import idx_folder, read_idx
from .image_file import read_image
from .loader import DataLoader
from .mnist import MNIST_FOLDER, mnist
from .packed import read_text
from .pair_file import read_pairs
from .pairs import PairDataset, with_ends
from .sequences import pad_sequence
from .series import SeriesDataset, series_statistics
from .series_file import series_npz
from .split import split
from .statistics import ChannelStatistics, channel_statistics
from .text import TextStreams, TextWindows, split_text
from .vocabulary import Vocabulary

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
    "Vocabulary",
    "read_text",
    "split_text",
    "TextStreams",
    "TextWindows",
    "pad_sequence",
    "BucketLoader",
    "read_pairs",
    "with_ends",
    "PairDataset",
    "SeriesDataset",
    "series_npz",
    "series_statistics",
]
