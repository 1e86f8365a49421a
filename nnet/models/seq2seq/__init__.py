"""From one sequence to another: encoders, decoders with attention, and the search for an output."""

from .checks import ATTENTIONS
from .model import Seq2Seq
from .search import Decoded

__all__ = ["ATTENTIONS", "Decoded", "Seq2Seq"]
