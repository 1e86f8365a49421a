"""Strips of output rows, and the planes of input under them."""

from typing import NamedTuple

from kernels._jit import jit
from kernels._simd import clear
from kernels.conv2d.planes import place_plane


class Strips(NamedTuple):
    """How output positions are cut into strips of rows, and the planes under a strip laid out.

    height     rows of positions in a strip
    per_image  strips of an image
    rows       of a plane
    stride     rows of a plane from one row of positions to the next
    top, left  zeros before the input
    pitch      elements from row to row
    plane      from plane to plane
    chunk      channels multiplied at a time
    """

    height: int
    per_image: int
    rows: int
    stride: int
    top: int
    left: int
    pitch: int
    plane: int
    chunk: int

    def planes_size(self, channels: int) -> int:
        """Elements of the planes of some channels, and a row that tiles may read beyond them."""
        return channels * self.plane + self.pitch


@jit
def place_planes(x, channel, channels, first, strips, planes):
    """The planes under the strip that begins with output row `first`."""
    top = first * strips.stride - strips.top
    for c in range(channels):
        source = (channel + c) * x.shape[2] * x.shape[3]
        start, rows = c * strips.plane, strips.rows
        place_plane(x, source, top, rows, strips.left, strips.pitch, planes, start)
        clear(planes, start + rows * strips.pitch, strips.plane - rows * strips.pitch)
    clear(planes, channels * strips.plane, planes.size - channels * strips.plane)
