"""From one sequence to another: encoders, decoders with attention, and the search for an output."""

from .model import Seq2Seq
from .search import Decoded

__all__ = ["Decoded", "Seq2Seq"]
