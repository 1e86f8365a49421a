"""What a step does to one value's units, forward and backward.

bias, peephole  (4 H,) and (3 H,), or empty, of the units from `unit` on
rest            how many units there are from `unit` on
"""

from kernels._jit import jit
from kernels._recurrent import gate, squash
from kernels._simd import fma, load, load_masked


@jit
def open_gates(sums, at, wide, bias, peephole, unit, rest, c):
    """i, f, g, o and the new cell from the cell before.

    sums  flat; those of the gates lie at `at`, `wide` apart
    """
    hidden = bias.size // 4
    i = load(sums, at) + load_masked(bias, unit, rest, 0.0)
    f = load(sums, at + wide) + load_masked(bias, hidden + unit, rest, 0.0)
    g = load(sums, at + 2 * wide) + load_masked(bias, 2 * hidden + unit, rest, 0.0)
    o = load(sums, at + 3 * wide) + load_masked(bias, 3 * hidden + unit, rest, 0.0)
    if peephole.size:
        i = fma(load_masked(peephole, unit, rest, 0.0), c, i)
        f = fma(load_masked(peephole, hidden + unit, rest, 0.0), c, f)
    i, f, g = gate(i), gate(f), squash(g)
    cell = fma(f, c, i * g)
    if peephole.size:
        o = fma(load_masked(peephole, 2 * hidden + unit, rest, 0.0), cell, o)
    return i, f, g, gate(o), cell


@jit
def gate_gradients(gates, tanh_c, c, dm, dc, peephole, unit, rest):
    """Gradients of the sums of i, f, g and o, and of the cell before.

    gates   i, f, g, o
    tanh_c  of the new cell
    c       the cell before
    dm, dc  gradients of m = o tanh(cell), and of the new cell by the step behind
    """
    i, f, g, o = gates
    hidden = peephole.size // 3
    slope = dm * o
    do = slope * tanh_c * (1.0 - o)
    dc = fma(slope, fma(-tanh_c, tanh_c, 1.0), dc)
    if peephole.size:
        dc = fma(load_masked(peephole, 2 * hidden + unit, rest, 0.0), do, dc)
    di = dc * g * (i * (1.0 - i))
    df = dc * c * (f * (1.0 - f))
    dg = dc * i * fma(-g, g, 1.0)
    dc = dc * f
    if peephole.size:
        dc = fma(load_masked(peephole, unit, rest, 0.0), di, dc)
        dc = fma(load_masked(peephole, hidden + unit, rest, 0.0), df, dc)
    return di, df, dg, do, dc
