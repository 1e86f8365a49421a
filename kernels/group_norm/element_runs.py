"""Runs of elements that lie side by side: their moments, their sums, and lines through them.

Sums run in lanes of the array's dtype over at most BLOCK elements, then go on in float64.
"""

from kernels._jit import jit
from kernels._moments import block_moments, deviation_sums, wide_moments
from kernels._range import beyond_float32
from kernels._simd import fma, full, lanes, load, load_first, load_some, store_first, sum_lanes
from kernels._streaming import put
from kernels._tasks import share_out

BLOCK = 1024

# Up to so many elements one thread is done before another has woken: in about 15 us.
ALONE = (1 << 15) - 1

# A task takes as many rows as make up this many elements.
_TASK = 1 << 14

# So many elements give a first estimate of a mean.
FEW = 64


def shares(rows, size):
    """How many tasks `rows` rows of `size` elements make, and of how many rows each."""
    return share_out(rows, max(1, _TASK // size), ALONE // size)


@jit
def moments(x, start, size):
    """Mean and biased variance of a run.

    Each block is shifted by the mean so far, the first one by that of a few elements, so that
    sums of squares stay small; moments of blocks merge as in Chan, Golub & LeVeque 1979.
    """
    shift = x.dtype.type(_mean_of_few(x, start, min(FEW, size)))
    count = min(BLOCK, size)
    mean, spread = _block_moments(x, start, count, shift)
    for begin in range(BLOCK, size, BLOCK):
        more = min(BLOCK, size - begin)
        more_mean, more_spread = _block_moments(x, start + begin, more, x.dtype.type(mean))
        apart, share = more_mean - mean, more / (count + more)
        spread += more_spread + apart * apart * count * share
        mean += apart * share
        count += more
    if beyond_float32(x, spread):
        mean, spread = wide_moments(x, start, 1, size, size)
    return mean, spread / size


@jit
def _mean_of_few(x, start, count):
    width = lanes(x)
    total = full(x, 0.0)
    for i in range(start, start + count, width):
        total += load_some(x, i, min(width, start + count - i), 0.0)
    return sum_lanes(total) / count


@jit
def _block_moments(x, start, count, shift):
    total, squares = deviation_sums(x, start, 1, count, count, shift)
    mean, spread = block_moments(count, shift, total, squares)
    return mean, 0.0 if spread < 0.0 else spread  # written so that NaN stays


@jit
def mean_square(x, start, size):
    squares = 0.0
    for begin in range(start, start + size, BLOCK):
        count = min(BLOCK, start + size - begin)
        squares += deviation_sums(x, begin, 1, count, count, 0.0)[1]
    if beyond_float32(x, squares):
        mean, spread = wide_moments(x, start, 1, size, size)
        squares = spread + mean * mean * size
    return squares / size


@jit
def slope_sums(dy, x, start, size, head):
    """Sums of dy and of dy * (x - head) over a run."""
    width = lanes(x)
    all_total, all_product = 0.0, 0.0
    for begin in range(start, start + size, BLOCK):
        stop = min(begin + BLOCK, start + size)
        total, product = full(x, 0.0), full(x, 0.0)
        more, more_product = full(x, 0.0), full(x, 0.0)
        pairs = stop - (stop - begin) % (2 * width)
        for i in range(begin, pairs, 2 * width):
            one, two = load(dy, i), load(dy, i + width)
            total += one
            more += two
            product = fma(one, load(x, i) - head, product)
            more_product = fma(two, load(x, i + width) - head, more_product)
        for i in range(pairs, stop, width):
            count = min(width, stop - i)
            one = load_some(dy, i, count, 0.0)
            total += one
            product = fma(one, load_some(x, i, count, head) - head, product)
        all_total += sum_lanes(total + more)
        all_product += sum_lanes(product + more_product)
    return all_total, all_product


@jit
def write_line(x, start, size, head, scale, offset, past, out_y):
    """y = (x - head) * scale + offset along a run."""
    width = lanes(x)
    stop = start + size
    whole = stop - size % width
    for i in range(start, whole, width):
        put(out_y, i, fma(load(x, i) - head, scale, offset), past)
    if whole < stop:
        rest = stop - whole
        y = fma(load_first(x, whole, rest, head) - head, scale, offset)
        store_first(out_y, whole, rest, y)


@jit
def write_gradient_line(dy, x, start, size, head, scale, x_scale, dx_offset, past, out_dx):
    """dx = dy * scale + (x - head) * x_scale + dx_offset along a run."""
    width = lanes(x)
    stop = start + size
    whole = stop - size % width
    for i in range(start, whole, width):
        line = fma(load(x, i) - head, x_scale, dx_offset)
        put(out_dx, i, fma(load(dy, i), scale, line), past)
    if whole < stop:
        rest = stop - whole
        line = fma(load_first(x, whole, rest, head) - head, x_scale, dx_offset)
        store_first(out_dx, whole, rest, fma(load_first(dy, whole, rest, 0.0), scale, line))


@jit
def gradient_of_statistics(size, total, product, tail, rstd, centred):
    """x_scale and dx_offset of dx = rstd * g + x_scale * (x - head) + dx_offset.

    g is the gradient to xhat, total and product are the sums of g and of g * (x - head), tail is
    mean - head.
    """
    if not centred:
        total = 0.0
    x_scale = -rstd * rstd * rstd * (product - tail * total) / size
    return x_scale, -rstd * total / size - x_scale * tail
