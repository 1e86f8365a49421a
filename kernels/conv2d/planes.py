"""Planes: the rows of a channel with zeros around them, and what is behind a product."""

from kernels._jit import jit
from kernels._reduce import add_rectify
from kernels._simd import clear
from kernels._tile import copy


@jit
def place_plane(x, source, first, rows, left, pitch, planes, start):
    """Rows [first, first + rows) of the channel at `source`, zeros where there are none.

    Rows are `pitch` apart and begin with `left` zeros.
    """
    height, width = x.shape[2], x.shape[3]
    for r in range(rows):
        to = start + r * pitch
        if 0 <= first + r < height:
            clear(planes, to, left)
            copy(x, source + (first + r) * width, planes, to + left, width)
            clear(planes, to + left + width, pitch - left - width)
        else:
            clear(planes, to, pitch)


@jit
def finish_filters(bias, relu, first, filters, count, pitch, y, start):
    """Bias and ReLU of filters from `first` on: `count` elements each, `pitch` apart in y."""
    if bias.size or relu:
        for k in range(filters):
            shift = bias[first + k] if bias.size else bias.dtype.type(0)
            add_rectify(y, start + k * pitch, count, shift, relu)
