"""Parts of a walk through time: who walks, what the gates sum, what comes out."""

from kernels import _jit
from kernels._jit import jit, parallel
from kernels._recurrent.scratch import lanes_of
from kernels._simd import clear, lanes
from kernels._tile import copy, multiply_rows


@jit
def share_of(total, share, shares):
    """The first of `total` things that belong to a share, and the first behind them."""
    return total * share // shares, total * (share + 1) // shares


@jit
def active_rows(lengths, t, first, last):
    """How many samples from `first` on must be looked at in step t: the last one may run."""
    while last > first and lengths[last - 1] <= t:
        last -= 1
    return last - first


@jit
def multiply_gates(rows, depth, source, packed, gates, units, sums, place, add):
    """Sums of some gates and units = rows times their packed weights, or += where `add`.

    source  (array, start, stride of a row), `depth` numbers of which count
    packed  by `pack_columns`
    gates   (first gate, how many)
    units   (first panel of units, how many, how many a gate has); one, or all there are
    place   (start, stride of a row); gates lie side by side, each with that many units
    """
    array, start, stride = source
    panel, at_once, panels = units
    size = depth * lanes(sums)
    multiply_rows(
        rows, depth, array, (start, stride, 1), packed,
        ((gates[0] * panels + panel) * size, panels // at_once * size), gates[1] * at_once,
        sums, (place[0], place[1], lanes(sums)), add,
    )  # fmt: skip


@parallel
def _sum_inputs_ahead(share, shares, x, packed, panels, out_sums):
    inputs, width = x.shape[2], out_sums.shape[2]
    low, high = share_of(x.shape[0] * x.shape[1], share, shares)
    sums = out_sums.reshape(-1)
    multiply_rows(
        high - low, inputs, x.reshape(-1), (low * inputs, inputs, 1), packed,
        (0, inputs * lanes(sums)), panels, sums, (low * width, width, lanes(sums)), False,
    )  # fmt: skip


def sum_inputs_ahead(x, packed, out_sums):
    """What the inputs add to the gates, for all steps at once.

    x         (T, N, I)
    packed    by `pack_columns`
    out_sums  (T, N, at least as many columns as there are in the panels)
    """
    shares = _jit.get_num_threads()
    panels = packed.size // (x.shape[2] * lanes_of(x.dtype))
    _sum_inputs_ahead(shares, shares, x, packed, panels, out_sums)


@jit
def write_output(states, lengths, first, last, out_y):
    """The states of samples [first, last) as output: zeros behind each sample's end.

    states  (T, N, H), what the steps left behind
    out_y   (T, N, H)
    """
    steps, samples, hidden = out_y.shape
    source, flat = states.reshape(-1), out_y.reshape(-1)
    for t in range(steps):
        for row in range(first, last):
            at = (t * samples + row) * hidden
            if t < lengths[row]:
                copy(source, at, flat, at, hidden)
            else:
                clear(flat, at, hidden)
