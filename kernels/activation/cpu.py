"""One loop forward and one backward for all formulas, compiled anew for each that is used.

x, dy, kept, out_y, out_dx  (size,) float32 | float64, C-contiguous; of backward, x may be empty

Bound: forward moves 2 values an element and backward 3. The piecewise linear formulas and the
gradients that follow from y do 1 to 4 operations on them, so memory speed; an exponential takes
about 20, the normal distribution 40, and sets the pace on one thread.
Parallel over chunks of a fixed size; each element stands alone, so any partition gives the same
bits.
"""

from kernels._jit import parallel
from kernels._simd import lanes, load, load_first, store, store_first
from kernels._tasks import share_out

from .formulas import Hardtanh, LeakyReLU, ReLU, keeps_output
from .vectors import gradient, refined, value

_CHUNK = 1 << 14

# Up to so many elements it does not pay to wake a second thread (5 us and more).
_ALONE_CHEAP = (1 << 16) - 1
_ALONE_COSTLY = (1 << 14) - 1


def forward(formula, x, out_y):
    cheap = isinstance(formula, ReLU | LeakyReLU | Hardtanh)
    tasks, span = share_out(x.size, _CHUNK, _ALONE_CHEAP if cheap else _ALONE_COSTLY)
    _forward(tasks, formula, x, span, out_y)


def backward(formula, dy, kept, x, out_dx):
    cheap = keeps_output(formula) or isinstance(formula, LeakyReLU)
    tasks, span = share_out(dy.size, _CHUNK, _ALONE_CHEAP if cheap else _ALONE_COSTLY)
    _backward(tasks, formula, dy, kept, x, span, out_dx)


@parallel
def _forward(task, formula, x, span, out_y):
    start, stop = task * span, min(task * span + span, x.size)
    step = lanes(x)
    rest = (stop - start) % step
    for i in range(start, stop - rest, step):
        store(out_y, i, value(formula, load(x, i)))
    if rest:
        i = stop - rest
        store_first(out_y, i, rest, value(formula, load_first(x, i, rest, 0.0)))


@parallel
def _backward(task, formula, dy, kept, x, span, out_dx):
    start, stop = task * span, min(task * span + span, dy.size)
    step = lanes(dy)
    rest = (stop - start) % step
    for i in range(start, stop - rest, step):
        slope, known = load(dy, i), load(kept, i)
        dx = gradient(formula, slope, known)
        store(out_dx, i, refined(formula, dx, slope, known, x, i, step))
    if rest:
        i = stop - rest
        slope, known = load_first(dy, i, rest, 0.0), load_first(kept, i, rest, 0.0)
        dx = gradient(formula, slope, known)
        store_first(out_dx, i, rest, refined(formula, dx, slope, known, x, i, rest))
