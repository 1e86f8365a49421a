"""The direct kernels' scratch is allocated here, by the plan, and the kernels launched."""

import numpy as np

from kernels import _jit, _memory
from kernels._tile import GATHER_ROWS, GATHER_VECTORS, gather_columns
from kernels.conv2d import cpu_direct, cpu_direct_weight
from kernels.conv2d.direct_plan import Plan, plan_forward, plan_to_input, plan_to_weight, up
from kernels.conv2d.reference import Window


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    window: Window,
    groups: int,
    relu: bool,
    y: np.ndarray,
) -> None:
    filters = _lanes_up(y.shape[1] // groups, x.dtype)
    plan = plan_forward(
        x.shape[0] * groups, x.shape[1] // groups, filters, x.shape[2:], y.shape[2:], window,
        x.dtype.itemsize,
    )  # fmt: skip
    _correlate(x, weight, bias, groups, relu, False, plan, (1, 1), y)


def to_input(
    dy: np.ndarray, weight: np.ndarray, window: Window, groups: int, dx: np.ndarray
) -> None:
    """The gradient of x: dy correlated with the filters transposed, phase by phase."""
    filters = _lanes_up(dx.shape[1] // groups, dy.dtype)
    plan = plan_to_input(
        dy.shape[0] * groups, dy.shape[1] // groups, filters, dy.shape[2:], dx.shape[2:], window,
        dy.dtype.itemsize,
    )  # fmt: skip
    bias = np.empty(0, dy.dtype)
    _correlate(dy, weight, bias, groups, False, True, plan, window[2:4], dx)


def _correlate(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    groups: int,
    relu: bool,
    transposed: bool,
    plan: Plan,
    steps: tuple[int, int],
    y: np.ndarray,
) -> None:
    threads = _jit.thread_rows()
    channels, filters = x.shape[1] // groups, y.shape[1] // groups
    padded = _lanes_up(filters, x.dtype)
    register = gather_columns(x.dtype) // GATHER_VECTORS
    spare = register * register
    if steps != (1, 1):
        spare += filters * plan.positions
    cpu_direct.correlate(
        x=x,
        weight=weight,
        bias=bias,
        groups=groups,
        relu=relu,
        transposed=transposed,
        work_cuts=plan.cuts,
        work_steps=steps,
        work_phases=plan.phases,
        work_taps=plan.taps,
        work_offsets=plan.offsets,
        work_places=plan.places,
        work_weight=_memory.empty(max(1, plan.taps.size) * groups * channels * padded, x.dtype),
        work_planes=_memory.empty((threads, plan.planes_size(channels)), x.dtype),
        work_sums=_memory.empty((threads, (plan.positions + register) * padded), x.dtype),
        work_spare=_memory.empty((threads, spare), x.dtype),
        out_y=y,
    )


def to_weight(
    x: np.ndarray, dy: np.ndarray, window: Window, groups: int, dweight: np.ndarray
) -> None:
    channels = x.shape[1] // groups
    filters = _lanes_up(dy.shape[1] // groups, x.dtype)
    area = dweight.shape[2] * dweight.shape[3]
    plan, chunk = plan_to_weight(
        x.shape[0], channels, filters, x.shape[2:], dy.shape[2:], window, x.dtype.itemsize
    )
    chunks = groups * -(-channels // chunk)
    # 8 tasks keep 2 to 8 threads busy; more parts are more to combine.
    parts = max(1, min(-(-8 // chunks), x.shape[0] * plan.cuts[1]))
    taps = up(chunk * area, GATHER_ROWS)
    threads = _jit.thread_rows()
    cpu_direct_weight.to_weight(
        x=x,
        dy=dy,
        window=window,
        groups=groups,
        work_cuts=(*plan.cuts, parts, area),
        work_places=plan.offsets,
        work_offsets=plan.places,
        work_planes=_memory.empty((threads, plan.planes_size(chunk)), x.dtype),
        work_dy=_memory.empty((threads, plan.positions * filters), x.dtype),
        work_partial=_memory.empty((chunks * parts, taps * filters), np.float64),
        out_dweight=dweight,
    )


def _lanes_up(number: int, dtype: np.dtype) -> int:
    return up(number, gather_columns(dtype) // GATHER_VECTORS)
