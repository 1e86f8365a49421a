"""Softmax; arguments are those of the reference, (outer, length, inner), C-contiguous.

Bound: forward moves 2 values an element for about 25 operations, so exp sets the pace; backward
moves 3 for 4, memory speed, or 25 for the logarithm. A line stays in the cache over its passes: for
the maximum, for the sum and for the result. Lines are independent, so any partition gives the same
bits.
"""

from kernels._simd import VALUE_BYTES
from kernels._tasks import share_out
from kernels.softmax.contiguous_lines import contiguous_backward, contiguous_forward
from kernels.softmax.strided_lines import strided_backward, strided_forward

# One thread needs about 10 us for as many elements, what it costs to wake the others.
_TASK = 1 << 14


def forward(x, log, out_y):
    (contiguous_forward if x.shape[2] == 1 else strided_forward)(*_shares(x), x, log, out_y)


def backward(dy, y, log, out_dx):
    (contiguous_backward if y.shape[2] == 1 else strided_backward)(*_shares(y), dy, y, log, out_dx)


def _shares(x):
    """How many tasks there are, of how many units each but the last, and how many units.

    A unit is a line, or a block of lines side by side.
    """
    outer, length, inner = x.shape
    side_by_side = 1 if inner == 1 else VALUE_BYTES // x.itemsize
    units = outer * max(1, inner // side_by_side)
    alone = units if x.size < _TASK else 0
    return *share_out(units, max(1, _TASK // (length * side_by_side)), alone), units
