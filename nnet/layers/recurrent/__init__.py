"""Recurrent layers: simple, with long short-term memory, with gated units; and their cells."""

from .cells import GRUCell, LSTMCell, RNNCell
from .gru import GRU
from .lstm import LSTM, PeepholeLSTM
from .rnn import RNN

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "PeepholeLSTM", "RNNCell"]
