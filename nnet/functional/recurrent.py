"""One recurrent layer over a sequence, in one direction: time first, states as they come."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from kernels import gru as gru_kernel
from kernels import lstm as lstm_kernel
from kernels import rnn as rnn_kernel

from ..autograd.recording import is_grad_enabled
from ..autograd.results import record_outputs
from ..autograd.tensor import Tensor
from .check import check_tensors

__all__ = ["rnn", "gru", "lstm"]


def rnn(
    input: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    lengths: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh): h of every step (T, N, H), and the last (N, H).

    input         (T, N, I)
    h0            (N, H)
    weight_ih     (H, I), weight_hh (H, H), bias_ih and bias_hh (H,)
    nonlinearity  "tanh" or "relu"
    lengths       (N,) integers from 1 to T, or None for T: behind a sample's end the output is 0,
                  the state stays what it was, and no gradient flows
    reverse       from each sample's own last step to its first

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit and lengths
    out of range.

    >>> import nnet as nn, nnet.functional as F
    >>> one = nn.ones(1, 1)
    >>> output, h_n = F.rnn(nn.ones(3, 1, 1), nn.zeros(1, 1), one, one, nonlinearity="relu")
    >>> output.flatten(), h_n
    (tensor([1., 2., 3.]), tensor([[3.]]))
    """
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    inputs = _named((input, h0, *weights), "input", "h0", *WEIGHTS)
    y, h_n = _over_time("rnn", rnn_kernel, inputs, lengths, reverse, nonlinearity=nonlinearity)
    return y, h_n


def gru(
    input: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    *,
    reset_after: bool = True,
    lengths: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent units (see `nn.GRU`): h of every step (T, N, H), and the last (N, H).

    weight_ih    (3 H, I), weight_hh (3 H, H), bias_ih and bias_hh (3 H,): rows of r, z, n
    reset_after  whether r multiplies W_hn h + b_hn, or h alone

    The rest is as in `rnn`.

    >>> import nnet as nn, nnet.functional as F
    >>> zero = nn.zeros(3, 1)
    >>> F.gru(nn.zeros(2, 1, 1), nn.tensor([[8.0]]), zero, zero)[0].flatten()
    tensor([4., 2.])
    """
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    inputs = _named((input, h0, *weights), "input", "h0", *WEIGHTS)
    y, h_n = _over_time("gru", gru_kernel, inputs, lengths, reverse, reset_after=reset_after)
    return y, h_n


def lstm(
    input: Tensor,
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    *,
    weight_hr: Tensor | None = None,
    peephole: Tensor | None = None,
    lengths: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory (see `nn.LSTM`): h of every step (T, N, P), the last h and c.

    h0         (N, P), where P = H without a projection
    c0         (N, H)
    weight_ih  (4 H, I), weight_hh (4 H, P), bias_ih and bias_hh (4 H,): rows of i, f, g, o
    weight_hr  (P, H): h = W_hr (o tanh(c)); None for none
    peephole   (3, H): what i and f see of the last cell and o of the new one; None for nothing

    The rest is as in `rnn`.

    >>> import nnet as nn, nnet.functional as F
    >>> state, bias = nn.ones(1, 1), nn.tensor([-99.0, 99.0, 0.0, 99.0])
    >>> zero = nn.zeros(4, 1)
    >>> F.lstm(nn.zeros(5, 1, 1), state, state, zero, zero, bias)[2]  # kept: f = 1, i = 0
    tensor([[1.]])
    """
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    given = input, h0, c0, *weights, weight_hr, peephole
    inputs = _named(given, "input", "h0", "c0", *WEIGHTS, "weight_hr", "peephole")
    y, h_n, c_n = _over_time("lstm", lstm_kernel, inputs, lengths, reverse)
    return y, h_n, c_n


WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def lengths_of(op: str, lengths: Any, input: Tensor) -> np.ndarray | None:
    """`lengths` as int64, from a tensor, an array or a sequence of integers.

    Raises TypeError for other numbers; ValueError unless there is one for each sample of input
    (T, N, I), from 1 to T: the first that is not is named.
    """
    if lengths is None:
        return None
    found = np.asarray(lengths.data if isinstance(lengths, Tensor) else lengths)
    if found.dtype.kind not in "iu" and found.size:
        raise TypeError(f"{op}: expected lengths to be integers, got {found.dtype}")
    steps, samples = input.shape[:2]
    if found.shape != (samples,):
        raise ValueError(f"{op}: expected lengths of shape ({samples},), got {found.shape}")
    wrong = np.flatnonzero((found < 1) | (found > steps))
    if wrong.size:
        first = wrong[0]
        raise ValueError(
            f"{op}: expected lengths from 1 to {steps}, got {found[first]} for sample {first}"
        )
    return found.astype(np.int64)


def _named(inputs: Sequence[Tensor | None], *names: str) -> dict[str, Any]:
    return dict(zip(names, inputs, strict=True))


def _over_time(
    op: str,
    kernel: ModuleType,
    inputs: dict[str, Any],
    lengths: Any,
    reverse: bool,
    **options: Any,
) -> tuple[Tensor, ...]:
    """The outputs of a kernel as one node of the tape; `inputs` are named as its arguments."""
    check_tensors(op, **inputs)
    recording = is_grad_enabled()
    needs = tuple(recording and each is not None and each.requires_grad for each in inputs.values())
    x, *states_and_weights = (None if each is None else each.data for each in inputs.values())
    names = list(inputs)[1:]
    ys, saved = kernel.forward(
        x,
        **dict(zip(names, states_and_weights, strict=True)),
        **options,
        lengths=lengths_of(op, lengths, inputs["input"]),
        reverse=reverse,
        save=any(needs),
    )
    return record_outputs(
        ys, tuple(inputs.values()), lambda *dys: kernel.backward(*dys, saved, needs)
    )
