"""What a step does to a row, a value's units at a time; all positions are flat.

sums            r, z, n and u, each `wide` units, from `at` on; u is what the README says
bias            (4 H,): of r, z, n and u
gates, dgates   r, z, n and u, H numbers each, or their gradients, from `to` on
before, after   the state before the step and the one after it, from `own` on
"""

from kernels._jit import jit
from kernels._recurrent import gate, squash
from kernels._simd import fma, lanes, load, load_some, store, store_some


@jit
def _keep(gates, to, hidden, unit, values):
    """Four gates of a value's units, unless nothing is kept."""
    if gates.size:
        for k in range(4):
            store_some(gates, to + k * hidden + unit, hidden - unit, values[k])


@jit
def update(sums, at, wide, bias, units, before, after, own, gates, to):
    """The next state of units [first, last), the reset gate after the product."""
    hidden = bias.size // 4
    first, last = units
    for unit in range(first, last, lanes(sums)):
        here, rest = at + unit - first, last - unit
        r = gate(load(sums, here) + load_some(bias, unit, rest, 0.0))
        u = load(sums, here + 3 * wide) + load_some(bias, 3 * hidden + unit, rest, 0.0)
        n = load(sums, here + 2 * wide) + load_some(bias, 2 * hidden + unit, rest, 0.0)
        n = squash(fma(r, u, n))
        z = gate(load(sums, here + wide) + load_some(bias, hidden + unit, rest, 0.0))
        h = load_some(before, own + unit, rest, 0.0)
        store_some(after, own + unit, rest, fma(z, h, fma(-z, n, n)))
        _keep(gates, to, hidden, unit, (r, z, n, u))


@jit
def reset(sums, at, wide, bias, before, own):
    """Sums become r, z and u = r h."""
    hidden = bias.size // 4
    for unit in range(0, hidden, lanes(sums)):
        here, rest = at + unit, hidden - unit
        r = gate(load(sums, here) + load_some(bias, unit, rest, 0.0))
        z = gate(load(sums, here + wide) + load_some(bias, hidden + unit, rest, 0.0))
        store(sums, here, r)
        store(sums, here + wide, z)
        store(sums, here + 3 * wide, r * load_some(before, own + unit, rest, 0.0))


@jit
def update_reset(sums, at, wide, bias, before, after, own, gates, to):
    """What `reset` left and the sums of n make the next state."""
    hidden = bias.size // 4
    for unit in range(0, hidden, lanes(sums)):
        here, rest = at + unit, hidden - unit
        n = load(sums, here + 2 * wide) + load_some(bias, 2 * hidden + unit, rest, 0.0)
        n = squash(n)
        z = load(sums, here + wide)
        h = load_some(before, own + unit, rest, 0.0)
        store_some(after, own + unit, rest, fma(z, h, fma(-z, n, n)))
        _keep(gates, to, hidden, unit, (load(sums, here), z, n, load(sums, here + 3 * wide)))


@jit
def slopes(reset_after, gates, at, dy, before, own, dh, of_dh, dgates, to, hidden):
    """dh, the gradient of the next state, becomes those of the sums, and the part z of itself."""
    for unit in range(0, hidden, lanes(gates)):
        rest = hidden - unit
        z = load_some(gates, at + hidden + unit, rest, 0.0)
        n = load_some(gates, at + 2 * hidden + unit, rest, 0.0)
        d = load_some(dy, own + unit, rest, 0.0) + load(dh, of_dh + unit)
        closed = 1.0 - z
        dz = d * (load_some(before, own + unit, rest, 0.0) - n) * (z * closed)
        dn = d * closed * (1.0 - n * n)
        store_some(dgates, to + hidden + unit, rest, dz)
        store_some(dgates, to + 2 * hidden + unit, rest, dn)
        store(dh, of_dh + unit, d * z)
        if reset_after:
            r = load_some(gates, at + unit, rest, 0.0)
            u = load_some(gates, at + 3 * hidden + unit, rest, 0.0)
            du = dn * r
            store_some(dgates, to + unit, rest, du * u * (1.0 - r))
            store_some(dgates, to + 3 * hidden + unit, rest, du)


@jit
def reset_slopes(gates, at, before, own, du, dh, of_dh, dgates, to, hidden):
    """The gradient of u = r h becomes that of the sum of r, and a part of dh."""
    for unit in range(0, hidden, lanes(gates)):
        rest = hidden - unit
        r, d = load_some(gates, at + unit, rest, 0.0), load(du, of_dh + unit)
        h = load_some(before, own + unit, rest, 0.0)
        store_some(dgates, to + unit, rest, d * h * (r * (1.0 - r)))
        store(dh, of_dh + unit, fma(d, r, load(dh, of_dh + unit)))
