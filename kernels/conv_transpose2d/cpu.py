"""Transposed convolution by conv2d's algorithms, with a bias behind it.

The arguments are those of the reference, float32 | float64, C-contiguous.
"""

import numpy as np

from kernels import conv2d
from kernels._jit import parallel
from kernels._reduce import add_rectify
from kernels.conv2d.geometry import Problem, Window, problem_of

# Planes are shared out in groups of about so many elements.
_TASK = 1 << 14


def forward(x, weight, bias, window, groups, out_y):
    problem = _convolution(out_y, weight, window, groups)
    conv2d.choose("cpu", "auto", problem, True).to_input(x, weight, window, groups, out_y)
    if bias.size:
        planes, size = out_y.shape[0] * bias.size, out_y.shape[2] * out_y.shape[3]
        group = max(1, _TASK // size)
        _add_bias(-(-planes // group), bias, group, out_y)


def to_input(dy, weight, window, groups, out_dx):
    problem, nothing = _convolution(dy, weight, window, groups), np.empty(0, dy.dtype)
    implementation = conv2d.choose("cpu", "auto", problem)
    implementation.forward(dy, weight, nothing, window, groups, False, out_dx)


def to_weight(x, dy, window, groups, out_dweight):
    problem = _convolution(dy, out_dweight, window, groups)
    conv2d.choose("cpu", "auto", problem).to_weight(dy, x, window, groups, out_dweight)


def _convolution(y: np.ndarray, weight: np.ndarray, window: Window, groups: int) -> Problem:
    """What takes y to x."""
    _, _, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w = window
    sizes = (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w)
    return problem_of(y, weight, *sizes, groups)


@parallel
def _add_bias(task, bias, group, values):
    """values[n, k] += bias[k], in place: one read and one write an element."""
    planes, size = values.shape[0] * bias.size, values.shape[2] * values.shape[3]
    for plane in range(task * group, min(planes, task * group + group)):
        add_rectify(values, plane * size, size, bias[plane % bias.size], False)
