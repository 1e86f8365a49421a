"""Sums and lines of planes: x, dy, out_y, out_dx (P, S); all else (P,) float64.

Bound: memory speed, as in cpu_forward. Parallel over planes.
"""

from kernels._jit import parallel
from kernels._streaming import past_caches
from kernels.group_norm.element_runs import (
    moments,
    shares,
    slope_sums,
    write_gradient_line,
    write_line,
)


def plane_moments(x, out_mean, out_var):
    tasks, span = shares(*x.shape)
    _moments(tasks, span, x, out_mean, out_var)


def lines(x, head, scale, offset, out_y):
    tasks, span = shares(*x.shape)
    _lines(tasks, span, x, head, scale, offset, out_y)


def plane_sums(dy, x, head, out_total, out_product):
    tasks, span = shares(*x.shape)
    _sums(tasks, span, dy, x, head, out_total, out_product)


def gradient_lines(dy, x, head, scale, x_scale, dx_offset, out_dx):
    tasks, span = shares(*x.shape)
    _gradient_lines(tasks, span, dy, x, head, scale, x_scale, dx_offset, out_dx)


@parallel
def _moments(task, span, x, out_mean, out_var):
    planes, size = x.shape
    for p in range(task * span, min(task * span + span, planes)):
        out_mean[p], out_var[p] = moments(x, p * size, size)


@parallel
def _lines(task, span, x, head, scale, offset, out_y):
    planes, size = x.shape
    past = past_caches(2, size, out_y)
    for p in range(task * span, min(task * span + span, planes)):
        centre = x.dtype.type(head[p])
        write_line(x, p * size, size, centre, scale[p], offset[p], past, out_y)


@parallel
def _sums(task, span, dy, x, head, out_total, out_product):
    planes, size = x.shape
    for p in range(task * span, min(task * span + span, planes)):
        centre = x.dtype.type(head[p])
        out_total[p], out_product[p] = slope_sums(dy, x, p * size, size, centre)


@parallel
def _gradient_lines(task, span, dy, x, head, scale, x_scale, dx_offset, out_dx):
    planes, size = x.shape
    past = past_caches(3, size, out_dx)
    for p in range(task * span, min(task * span + span, planes)):
        centre = x.dtype.type(head[p])
        write_gradient_line(
            dy, x, p * size, size, centre, scale[p], x_scale[p], dx_offset[p], past, out_dx
        )
