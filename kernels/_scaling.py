"""The gradient that a loss's forward left, times the gradient to the loss.

One multiplication for two elements moved: memory speed.
"""

from kernels._jit import parallel
from kernels._simd import full, lanes, load_some, store_some
from kernels._tasks import share_out

# Elements a task, and up to how many one thread is done before another has woken.
_TASK = 1 << 14
_ALONE = (1 << 16) - 1


def scale_elements(gradient, factors, out):
    """out = gradient * factors, all flat and of one dtype; a single factor is for all."""
    tasks, span = share_out(gradient.size, _TASK, _ALONE)
    _scale_elements(tasks, span, gradient, factors, out)


def scale_samples(gradient, factors, out):
    """out[n, c, s] = gradient[n, c, s] * factors[n, s]; a single factor is for all."""
    samples, classes, positions = gradient.shape
    if factors.size == 1:
        one = factors.reshape(-1).astype(gradient.dtype)
        scale_elements(gradient.reshape(-1), one, out.reshape(-1))
    else:
        size = classes * positions
        tasks, span = share_out(samples, max(1, _TASK // size), _ALONE // size)
        _scale_samples(tasks, span, gradient, factors, out)


@parallel
def _scale_elements(task, span, gradient, factors, out):
    begin, end = task * span, min(task * span + span, gradient.size)
    alike = full(gradient, factors[0])
    for i in range(begin, end, lanes(gradient)):
        factor = alike
        if factors.size > 1:
            factor = load_some(factors, i, end - i, 0.0)
        store_some(out, i, end - i, load_some(gradient, i, end - i, 0.0) * factor)


@parallel
def _scale_samples(task, span, gradient, factors, out):
    samples, classes, positions = gradient.shape
    for n in range(task * span, min(task * span + span, samples)):
        for c in range(classes):
            for s in range(positions):
                out[n, c, s] = gradient[n, c, s] * factors[n, s]
