"""Planes of a channel whose columns are dealt to as many planes as the stride has columns."""

from typing import NamedTuple

from kernels._jit import jit
from kernels._simd import clear
from kernels.conv2d.depthwise.every_second import copy_every_second
from kernels.conv2d.planes import place_plane


class Layout(NamedTuple):
    """dealt      planes that the columns of a channel are dealt to
    rows       of each
    top, left  zeros before the channel
    pitch      elements from row to row
    size       elements of all these planes
    vertical   elements from one row of output positions to the next
    stride_h, stride_w  how far apart the positions lie in the output
    """

    dealt: int
    rows: int
    top: int
    left: int
    pitch: int
    size: int
    vertical: int
    stride_h: int
    stride_w: int


@jit
def deal_columns(x, source, layout, planes, start):
    """The plane at `source`, its columns dealt to `layout.dealt` planes."""
    dealt, rows, left, pitch = layout.dealt, layout.rows, layout.left, layout.pitch
    if dealt == 1:
        place_plane(x, source, -layout.top, rows, left, pitch, planes, start)
        return
    height, width = x.shape[2], x.shape[3]
    flat = x.reshape(-1)
    clear(planes, start, dealt * rows * pitch)
    for r in range(height):
        at = source + r * width
        for plane in range(dealt):
            to = start + (plane * rows + r + layout.top) * pitch
            first = max(0, (left - plane + dealt - 1) // dealt)
            column = plane + first * dealt - left
            count = (width - column + dealt - 1) // dealt
            if dealt == 2:
                copy_every_second(x, at + column, planes, to + first, count)
            else:
                for q in range(count):
                    planes[to + first + q] = flat[at + column + q * dealt]
