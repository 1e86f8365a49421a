"""One row of one step, element by element; all positions are flat.

gates, dgates   from `at` and `to` on r, z, n and kept, `padded` numbers each, or their gradients
bias            (4 padded,): of r, z, n and kept
states          the state before the step from `source` on, the one after it from `target` on
"""

from kernels._jit import jit
from kernels._recurrent import gate, squash
from kernels._simd import fma, lanes, load, store


@jit
def update(sums, at, pitch, bias, unit, count, states, source, target, gates, to):
    """The next state from sums, `count` units from `unit` on; gates are kept unless empty.

    sums  r, z and n and W_hn h, `pitch` numbers apart, from `at` on
    """
    padded = bias.size // 4
    for j in range(0, count, lanes(sums)):
        here = unit + j
        r = gate(load(sums, at + j) + load(bias, here))
        kept = load(sums, at + 3 * pitch + j) + load(bias, 3 * padded + here)
        n = load(sums, at + 2 * pitch + j) + load(bias, 2 * padded + here)
        n = squash(fma(r, kept, n))
        z = gate(load(sums, at + pitch + j) + load(bias, padded + here))
        store(states, target + here, fma(z, load(states, source + here), fma(-z, n, n)))
        if gates.size:
            store(gates, to + here, r)
            store(gates, to + padded + here, z)
            store(gates, to + 2 * padded + here, n)
            store(gates, to + 3 * padded + here, kept)


@jit
def reset(sums, at, bias, states, source):
    """Sums become r, z and kept = r h."""
    padded = bias.size // 4
    for j in range(0, padded, lanes(sums)):
        r = gate(load(sums, at + j) + load(bias, j))
        z = gate(load(sums, at + padded + j) + load(bias, padded + j))
        store(sums, at + j, r)
        store(sums, at + padded + j, z)
        store(sums, at + 3 * padded + j, r * load(states, source + j))


@jit
def update_reset(sums, at, bias, states, source, target, gates, to):
    """What `reset` left and the sums of n make the next state; gates are kept unless empty."""
    padded = bias.size // 4
    for j in range(0, padded, lanes(sums)):
        n = squash(load(sums, at + 2 * padded + j) + load(bias, 2 * padded + j))
        z = load(sums, at + padded + j)
        store(states, target + j, fma(z, load(states, source + j), fma(-z, n, n)))
        if gates.size:
            store(gates, to + j, load(sums, at + j))
            store(gates, to + padded + j, z)
            store(gates, to + 2 * padded + j, n)
            store(gates, to + 3 * padded + j, load(sums, at + 3 * padded + j))


@jit
def slopes(reset_after, gates, at, dy, of_dy, states, source, dh, of_dh, dgates, to, padded):
    """dh, the gradient of the next state, becomes those of the sums, and the part z of itself."""
    for j in range(0, padded, lanes(gates)):
        z, n = load(gates, at + padded + j), load(gates, at + 2 * padded + j)
        d = load(dy, of_dy + j) + load(dh, of_dh + j)
        shut = 1.0 - z
        dz = d * (load(states, source + j) - n) * (z * shut)
        dn = d * shut * (1.0 - n * n)
        store(dgates, to + padded + j, dz)
        store(dgates, to + 2 * padded + j, dn)
        store(dh, of_dh + j, d * z)
        if reset_after:
            r, kept = load(gates, at + j), load(gates, at + 3 * padded + j)
            dkept = dn * r
            store(dgates, to + j, dkept * kept * (1.0 - r))
            store(dgates, to + 3 * padded + j, dkept)


@jit
def reset_slopes(gates, at, states, source, dh, of_dh, dgates, to, out_kept, of_kept, padded):
    """The gradient of kept = r h becomes that of the sum of r, and a part of dh."""
    for j in range(0, padded, lanes(gates)):
        r, dkept = load(gates, at + j), load(dgates, to + 3 * padded + j)
        store(dgates, to + j, dkept * load(states, source + j) * (r * (1.0 - r)))
        store(dh, of_dh + j, fma(dkept, r, load(dh, of_dh + j)))
        store(out_kept, of_kept + j, load(gates, at + 3 * padded + j))


@jit
def clear(array, start, count):
    for j in range(0, count, lanes(array)):
        store(array, start + j, 0.0)
