"""The planes of `cpu_depthwise`: planned and allocated here, and the kernels launched."""

import functools

import numpy as np

from kernels import _jit, _memory
from kernels._simd import VALUE_BYTES
from kernels.conv2d import cpu_depthwise
from kernels.conv2d.direct_plan import input_phases
from kernels.conv2d.reference import Window

# Elements of dy that one lane's float32 sum may stand for, before it is added in float64.
RUN = 8192


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    window: Window,
    groups: int,
    relu: bool,
    y: np.ndarray,
) -> None:
    lanes = VALUE_BYTES // x.dtype.itemsize
    cuts, taps, offsets = _planes(window, x.shape[2:], lanes)
    threads, channels = _jit.thread_rows(), x.shape[1] // groups
    cpu_depthwise.forward(
        x=x,
        weight=weight,
        bias=bias,
        window=window,
        groups=groups,
        relu=relu,
        work_cuts=cuts,
        work_taps=taps,
        work_offsets=offsets,
        work_planes=_memory.empty((threads, channels * cuts[2] + lanes), x.dtype),
        work_rows=_memory.empty((threads, cpu_depthwise.ROWS * lanes), x.dtype),
        out_y=y,
    )


def to_input(
    dy: np.ndarray, weight: np.ndarray, window: Window, groups: int, dx: np.ndarray
) -> None:
    lanes = VALUE_BYTES // dy.dtype.itemsize
    cuts, phases, taps, offsets = _input_tables(window, dy.shape[2:], dx.shape[2:], lanes)
    threads, filters = _jit.thread_rows(), dy.shape[1] // groups
    cpu_depthwise.to_input(
        dy=dy,
        weight=weight,
        window=window,
        groups=groups,
        work_cuts=cuts,
        work_phases=phases,
        work_taps=taps,
        work_offsets=offsets,
        work_planes=_memory.empty((threads, filters * cuts[4] + lanes), dy.dtype),
        work_rows=_memory.empty(
            (threads, cpu_depthwise.ROWS * (dx.shape[3] + 2 * lanes)), dy.dtype
        ),
        out_dx=dx,
    )


def to_weight(
    x: np.ndarray, dy: np.ndarray, window: Window, groups: int, dweight: np.ndarray
) -> None:
    lanes = VALUE_BYTES // x.dtype.itemsize
    cuts, _, offsets = _planes(window, x.shape[2:], lanes)
    threads, channels = _jit.thread_rows(), x.shape[1] // groups
    cpu_depthwise.to_weight(
        x=x,
        dy=dy,
        window=window,
        groups=groups,
        work_cuts=(*cuts, max(1, RUN // dy.shape[3])),
        work_offsets=offsets,
        work_planes=_memory.empty((threads, channels * cuts[2] + lanes), x.dtype),
        work_sums=_memory.empty((threads, dweight.size // groups), np.float64),
        out_dweight=dweight,
    )


@functools.lru_cache(maxsize=512)
def _planes(
    window: Window, size: tuple[int, int], lanes: int
) -> tuple[tuple[int, int, int], np.ndarray, np.ndarray]:
    """Rows, pitch and plane of the padded input, the taps and their places in it."""
    kernel_h, kernel_w, _, step_w, pad_h, pad_w, dilation_h, dilation_w = window
    rows, columns = size[0] + 2 * pad_h, size[1] + 2 * pad_w
    # Vectors read beyond the last column of a row, and below the last row.
    pitch = -(-columns // step_w) + lanes
    rows += (cpu_depthwise.ROWS - 1) * window[2]
    offsets = [
        (j * dilation_w % step_w * rows + i * dilation_h) * pitch + j * dilation_w // step_w
        for i in range(kernel_h)
        for j in range(kernel_w)
    ]
    cuts = (rows, pitch, step_w * rows * pitch)
    return cuts, np.arange(kernel_h * kernel_w), np.array(offsets, np.int64)


@functools.lru_cache(maxsize=512)
def _input_tables(
    window: Window, grid: tuple[int, int], size: tuple[int, int], lanes: int
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray, np.ndarray]:
    phases, (top, left) = input_phases(size, window)
    down = max((r for phase in phases for _, r, _ in phase.taps), default=0)
    right = max((c for phase in phases for _, _, c in phase.taps), default=0)
    rows = max(phases[0].rows + cpu_depthwise.ROWS - 1 + down, top + grid[0])
    pitch = max(phases[0].columns + right, left + grid[1]) + lanes
    table: list[tuple[int, ...]] = []
    taps: list[int] = []
    offsets: list[int] = []
    for phase in phases:
        table.append(
            (len(phase.taps), len(taps), phase.row, phase.column, phase.rows, phase.columns)
        )
        taps += [tap for tap, _, _ in phase.taps]
        offsets += [r * pitch + column for _, r, column in phase.taps]
    cuts = (rows, top, left, pitch, rows * pitch)
    return cuts, np.array(table, np.int64), np.array(taps, np.int64), np.array(offsets, np.int64)
