"""What pooling checks before it launches anything."""

import numpy as np

from kernels._check import check_pair, check_shape, float_arrays
from kernels.pool2d.windows import output_size

Pair = tuple[int, int]


def y_shape(
    op: str,
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> tuple[int, ...]:
    check_image(op, x)
    check_pair(op, "kernel_size", kernel_size, 1)
    check_pair(op, "stride", stride, 1)
    check_pair(op, "padding", padding, 0)
    check_pair(op, "dilation", dilation, 1)
    sizes = []
    for axis in (0, 1):
        span = dilation[axis] * (kernel_size[axis] - 1) + 1
        if padding[axis] > span // 2:
            raise ValueError(
                f"{op}: expected padding of at most half of what a window spans, "
                f"{span // 2} in axis {axis}, got {padding[axis]}"
            )
        size = output_size(
            x.shape[2 + axis],
            kernel_size[axis],
            stride[axis],
            padding[axis],
            dilation[axis],
            ceil_mode,
        )
        if size < 1:
            raise ValueError(
                f"{op}: expected images on which a window of kernel_size {kernel_size} and "
                f"dilation {dilation} fits, got {x.shape} with padding {padding}"
            )
        sizes.append(size)
    return x.shape[:2] + tuple(sizes)


def check_image(op: str, x: np.ndarray) -> None:
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(f"{op}: expected x of shape (N, C, H, W) with H, W > 0, got {x.shape}")


def gradient(op: str, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    (dy,) = float_arrays(op, dy=dy)
    check_shape(op, "dy", dy, shape)
    return dy


def check_divisor(op: str, divisor: int | None) -> int:
    """The divisor, 0 for none."""
    if divisor is None:
        return 0
    if isinstance(divisor, bool) or not isinstance(divisor, int) or divisor == 0:
        raise ValueError(f"{op}: expected divisor as an integer other than 0, got {divisor!r}")
    return divisor
