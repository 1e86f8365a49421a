"""Sums and lines of planes: x, dy, out_y, out_dx (P, S); all else (P,) float64.

Bound: memory speed, as in cpu_forward. Parallel over planes.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from ._steps import (
    SERIAL_BELOW,
    moments,
    past_caches,
    slope_sums,
    task_count,
    task_rows,
    write_gradient_line,
    write_line,
)


@parallel_loops
def plane_moments(x, out_mean, out_var):
    planes, size = x.shape
    if x.size < SERIAL_BELOW:
        _moments(0, planes, x, out_mean, out_var)
    else:
        for index in prange(task_count(planes, size)):
            task = np.int64(index)
            first, last = task_rows(np.int64(task), planes, size)
            _moments(first, last, x, out_mean, out_var)


@jit
def _moments(first, last, x, out_mean, out_var):
    size = x.shape[1]
    for plane in range(first, last):
        out_mean[plane], out_var[plane] = moments(x, plane * size, size)


@parallel_loops
def lines(x, head, scale, offset, out_y):
    planes, size = x.shape
    if x.size < SERIAL_BELOW:
        _lines(0, planes, x, head, scale, offset, out_y)
    else:
        for index in prange(task_count(planes, size)):
            task = np.int64(index)
            first, last = task_rows(np.int64(task), planes, size)
            _lines(first, last, x, head, scale, offset, out_y)


@jit
def _lines(first, last, x, head, scale, offset, out_y):
    size = x.shape[1]
    past = past_caches(2, size, out_y)
    for p in range(first, last):
        centre = x.dtype.type(head[p])
        write_line(x, p * size, size, centre, scale[p], offset[p], past, out_y)


@parallel_loops
def plane_sums(dy, x, head, out_total, out_product):
    planes, size = x.shape
    if x.size < SERIAL_BELOW:
        _sums(0, planes, dy, x, head, out_total, out_product)
    else:
        for index in prange(task_count(planes, size)):
            task = np.int64(index)
            first, last = task_rows(np.int64(task), planes, size)
            _sums(first, last, dy, x, head, out_total, out_product)


@jit
def _sums(first, last, dy, x, head, out_total, out_product):
    size = x.shape[1]
    for p in range(first, last):
        centre = x.dtype.type(head[p])
        out_total[p], out_product[p] = slope_sums(dy, x, p * size, size, centre)


@parallel_loops
def gradient_lines(dy, x, head, scale, slant, level, out_dx):
    planes, size = x.shape
    if x.size < SERIAL_BELOW:
        _gradient_lines(0, planes, dy, x, head, scale, slant, level, out_dx)
    else:
        for index in prange(task_count(planes, size)):
            task = np.int64(index)
            first, last = task_rows(np.int64(task), planes, size)
            _gradient_lines(first, last, dy, x, head, scale, slant, level, out_dx)


@jit
def _gradient_lines(first, last, dy, x, head, scale, slant, level, out_dx):
    size = x.shape[1]
    past = past_caches(3, size, out_dx)
    for p in range(first, last):
        centre = x.dtype.type(head[p])
        write_gradient_line(
            dy, x, p * size, size, centre, scale[p], slant[p], level[p], past, out_dx
        )
