"""Recurrent layers by the name of their cell."""

import numpy as np
import numpy.typing as npt

from ..layers.recurrent import GRU, LSTM

CELLS: dict[str, type[GRU] | type[LSTM]] = {"lstm": LSTM, "gru": GRU}


def check_cell(cell: str) -> None:
    """Raises ValueError for a name that is not known."""
    if cell not in CELLS:
        raise ValueError(f"expected a cell out of {', '.join(CELLS)}, got {cell!r}")


def recurrent(
    cell: str,
    inputs: int,
    hidden: int,
    layers: int,
    dropout: float,
    bidirectional: bool = False,
    dtype: npt.DTypeLike = np.float32,
) -> GRU | LSTM:
    """Recurrent layers by the name of their cell; dropout acts between them."""
    check_cell(cell)
    return CELLS[cell](
        inputs,
        hidden,
        layers,
        dropout=dropout if layers > 1 else 0.0,
        bidirectional=bidirectional,
        dtype=dtype,
    )
