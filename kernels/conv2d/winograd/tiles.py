"""Tiles of 4 x 4 outputs, numbered through all images, and the rows of input under them."""

from kernels._jit import jit
from kernels._tile import copy

TILE = 4

# Elements of a transformed tile, each a matrix product of its own.
POINTS = 36

# The points' matrices lie so many elements more than a power of two apart: 36 streams in one
# set of L1 run 3 times slower.
MARGIN = 16


@jit
def cut_segments(first, last, down, across, segments):
    """Cut tiles [first, last) where a row of tiles ends: (image, row, from, to) each."""
    count = 0
    tile = first
    while tile < last:
        image = tile // (down * across)
        row = tile // across - image * down
        column = tile % across
        taken = min(last - tile, across - column)
        segments[count, 0], segments[count, 1] = image, row
        segments[count, 2], segments[count, 3] = column, column + taken
        count += 1
        tile += taken
    return count


@jit
def place_rows(x, channel, pad, segments, count, side, planes, start, plane, pitch):
    """Copy the input rows under the tiles of `segments` into a plane for each image.

    side   rows that a tile of 4 needs: 6 of the input, 4 of the gradient
    plane  elements of an image's plane, from the first segment's image on
    """
    channels, height, width = x.shape[1], x.shape[2], x.shape[3]
    done, before = 0, -1
    for s in range(count):
        image, row = segments[s, 0], segments[s, 1]
        if image != before:
            done, before = 0, image
        top = row * TILE - pad[0]
        slot = start + (image - segments[0, 0]) * plane
        for h in range(max(top, done), min(top + side, height)):
            source = ((image * channels + channel) * height + h) * width
            to = slot + (h + pad[0]) * pitch + pad[1]
            copy(x, source, planes, to, min(width, pitch - pad[1]))
        done = max(done, top + side)


@jit
def locate_tiles(first, last, count, down, across, from_image, plane, pitch, starts):
    """Where `count` tiles from the first on begin in planes; those behind the last are as it is."""
    for tile in range(count):
        at = min(first + tile, last - 1)
        image = at // (down * across)
        row, column = at // across - image * down, at % across
        starts[tile] = (image - from_image) * plane + TILE * (row * pitch + column)
