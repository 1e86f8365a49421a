"""One loop forward and one backward for all formulas, compiled anew for each that is used.

x, dy, kept, out_y, out_dx  (size,) float32 | float64, C-contiguous; of backward, x may be empty

Bound: forward moves 2 values an element and backward 3. The piecewise linear formulas and the
gradients that follow from y do 1 to 4 operations on them, so memory speed; an exponential takes
about 20, the normal distribution 40, and sets the pace on one thread.
Parallel over chunks of a fixed size; each element stands alone, so any partition gives the same
bits.
"""

from kernels._jit import parallel
from kernels._simd import lanes, load_some, store_some
from kernels._tasks import share_out
from kernels.activation.formulas import Hardtanh, LeakyReLU, ReLU, keeps_output
from kernels.activation.vectors import gradient, refined, value

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
    stop = min(task * span + span, x.size)
    for i in range(task * span, stop, lanes(x)):
        store_some(out_y, i, stop - i, value(formula, load_some(x, i, stop - i, 0.0)))


@parallel
def _backward(task, formula, dy, kept, x, span, out_dx):
    stop = min(task * span + span, dy.size)
    for i in range(task * span, stop, lanes(dy)):
        count = min(lanes(dy), stop - i)
        dy_here, kept_here = load_some(dy, i, count, 0.0), load_some(kept, i, count, 0.0)
        dx = gradient(formula, dy_here, kept_here)
        store_some(out_dx, i, count, refined(formula, dx, dy_here, kept_here, x, i, count))
