"""The scratch of a strip of columns: where it is, and the lines that are set in it.

A part of a strip has rows of sums: two of them, mean and var; and rows of lines, which the inner
loops read and add to: head, scale, offset, and two sums or x_scale and dx_offset.
"""

from kernels._jit import jit
from kernels._simd import lanes, load, load_as, sqrt, store, store_as
from kernels.batch_norm.lines import forward_line, gradient_line
from kernels.batch_norm.parts import part_bounds

# Rows of the two kinds of scratch, each as wide as the strip.
SUMS, LINES = 4, 5


@jit
def own_rows(place, work):
    """The rows of scratch of a part: its sums, its lines."""
    sums, lines = work
    parts = sums.shape[1]
    return sums[place // parts, place % parts], lines[place // parts, place % parts]


@jit
def bounds(place, x, work):
    """Of a part: the first column and how many, the first sample and the first behind it."""
    _, parts, _, width = work[0].shape
    first, last = part_bounds(place % parts, parts, x.shape[0])
    column = place // parts * width
    return column, min(width, x.shape[1] - column), first, last


@jit
def copy_statistics(place, x, mean, var, work):
    column, columns, _, _ = bounds(place, x, work)
    sums, _ = own_rows(place, work)
    for c in range(columns):
        sums[2, c] = mean[column + c]
        sums[3, c] = var[column + c]


@jit
def set_lines(place, x, gamma, beta, eps, work):
    """head, scale and offset of each column, from its mean and var."""
    column, columns, _, _ = bounds(place, x, work)
    sums, lines = own_rows(place, work)
    mean, var = sums[2], sums[3]
    head, scale, offset = lines[0], lines[1], lines[2]
    for c in range(columns):
        scale[c] = gamma[column + c]
        offset[c] = beta[column + c]
    for c in range(0, mean.size, lanes(mean)):
        store_as(head, c, load(mean, c))
        line = forward_line(
            load(mean, c),
            load_as(head, c, mean),
            sqrt(load(var, c) + eps),
            load_as(scale, c, mean),
            load_as(offset, c, mean),
        )
        store_as(scale, c, line[0])
        store_as(offset, c, line[1])


@jit
def set_gradient_lines(place, x, gamma, eps, work, out_dgamma, out_dbeta):
    """x_scale and dx_offset of each column, from the parts' sums in order."""
    column, columns, _, _ = bounds(place, x, work)
    sums, lines = own_rows(place, work)
    parts = work[0].shape[1]
    of_parts = work[0][place // parts]
    mean, var = sums[2], sums[3]
    head, x_scale, dx_offset = lines[0], lines[3], lines[4]
    for c in range(columns):
        x_scale[c] = gamma[column + c]
    for c in range(0, mean.size, lanes(mean)):
        total, product = load(of_parts[0, 0], c), load(of_parts[0, 1], c)
        for p in range(1, parts):
            total += load(of_parts[p, 0], c)
            product += load(of_parts[p, 1], c)
        line = gradient_line(
            float(x.shape[0]), total, product, load(mean, c), load_as(head, c, mean),
            sqrt(load(var, c) + eps), load_as(x_scale, c, mean),
        )  # fmt: skip
        store(mean, c, line[0])
        store(var, c, total)
        store_as(x_scale, c, line[1])
        store_as(dx_offset, c, line[2])
    if place % parts == 0 and out_dgamma.size:
        for c in range(columns):
            out_dgamma[column + c] = mean[c]
            out_dbeta[column + c] = var[c]
