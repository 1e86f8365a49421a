"""Data sets, readers and batches."""

from .arrays import ArrayDataset
from .buckets import BucketLoader
from .images.dataset import ImageDataset
from .images.idx import idx_folder, read_idx
from .images.image_file import read_image
from .images.mnist import MNIST_FOLDER, mnist
from .images.statistics import channel_statistics
from .loader import DataLoader
from .packed import read_text
from .sequences import pad_sequence
from .series.dataset import SeriesDataset, series_statistics
from .series.series_file import series_npz
from .split import split
from .statistics import ChannelStatistics
from .text.pair_file import read_pairs
from .text.pairs import PairDataset, with_ends
from .text.streams import TextStreams, TextWindows, split_text
from .text.vocabulary import Vocabulary

__all__ = [
    "ImageDataset",
    "ArrayDataset",
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
