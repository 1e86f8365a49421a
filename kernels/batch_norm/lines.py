"""The line of each channel, forward and backward, as README.md derives it; of numbers or values."""

from kernels._jit import jit


@jit
def forward_line(mean, head, root, gamma, beta):
    """y = (x - head) * scale + offset; offset takes what head, mean in x's dtype, cuts off.

    root is that of var + eps.
    """
    scale = gamma / root
    return scale, beta - (mean - head) * scale


@jit
def gradient_line(count, total, product, mean, head, root, gamma):
    """dgamma, and dx = scale * dy + x_scale * (x - head) + dx_offset.

    total is the sum of dy, product that of dy * (x - head), both over count elements; scale is
    forward_line's.
    """
    tail = mean - head
    dgamma = (product - tail * total) / root
    per_element = gamma / root / count
    x_scale = -(per_element * dgamma / root)
    return dgamma, x_scale, -(per_element * total) - x_scale * tail
