"""What pooling of images and of series have in common: the windows, checked, and the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels import pool2d
from kernels.pool2d.windows import output_size as window_count

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_images, check_least, sizes
from ..images import as_images, from_images, row

# One integer, or one an axis.
Single = int | tuple[int, ...]
Pair = int | tuple[int, ...]
OutputSize = int | tuple[int | None, ...] | None


def max_pool(
    op: str,
    axes: int,
    input: Tensor,
    kernel_size: Any,
    options: dict[str, Any],
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """Max pooling of images or series."""
    batched = check_images(op, input, axes)
    window = _window(op, axes, input, kernel_size, options, ceil_mode)
    y, saved = pool2d.max_forward(as_images(input.data, axes), **window, ceil_mode=ceil_mode)
    result = _record(axes, batched, input, y, lambda dy: pool2d.max_backward(dy, saved))
    if return_indices:
        return result, Tensor(from_images(pool2d.max_indices(saved), axes, batched))
    return result


def avg_pool(
    op: str,
    axes: int,
    input: Tensor,
    kernel_size: Any,
    options: dict[str, Any],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> Tensor:
    """Average pooling of images or series."""
    batched = check_images(op, input, axes)
    window = _window(op, axes, input, kernel_size, options, ceil_mode)
    y, saved = pool2d.average_forward(
        as_images(input.data, axes),
        **window,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor=divisor,
    )
    return _record(axes, batched, input, y, lambda dy: pool2d.average_backward(dy, saved))


def adaptive_avg_pool(op: str, axes: int, input: Tensor, output_size: OutputSize) -> Tensor:
    """Adaptive average pooling of images or series."""
    batched, wanted = _adaptive(op, axes, input, output_size)
    y, saved = pool2d.adaptive_average_forward(as_images(input.data, axes), wanted)
    return _record(axes, batched, input, y, lambda dy: pool2d.adaptive_average_backward(dy, saved))


def adaptive_max_pool(
    op: str, axes: int, input: Tensor, output_size: OutputSize, return_indices: bool
) -> Any:
    """Adaptive max pooling of images or series."""
    batched, wanted = _adaptive(op, axes, input, output_size)
    y, saved = pool2d.adaptive_max_forward(as_images(input.data, axes), wanted)
    result = _record(axes, batched, input, y, lambda dy: pool2d.adaptive_max_backward(dy, saved))
    if return_indices:
        return result, Tensor(from_images(pool2d.max_indices(saved), axes, batched))
    return result


def _record(axes: int, batched: bool, input: Tensor, y: np.ndarray, backward: Callable) -> Tensor:
    image_shape, shape = y.shape, input.shape
    return record(
        from_images(y, axes, batched),
        (input,),
        lambda dy: backward(dy.reshape(image_shape)).reshape(shape),
    )


def _window(
    op: str,
    axes: int,
    input: Tensor,
    kernel_size: Any,
    options: dict[str, Any],
    ceil_mode: bool,
) -> dict[str, Any]:
    """The window's size and the options, as the kernels take them."""
    window = sizes(op, "kernel_size", kernel_size, axes)
    if options["stride"] is None:
        options["stride"] = window
    given = {name: sizes(op, name, value, axes) for name, value in options.items()}
    if axes == 1:
        _check_series(op, input, window, ceil_mode, **given)
    vertical = {"stride": 1, "padding": 0, "dilation": 1}
    rows = {name: row(value, vertical[name]) for name, value in given.items()}
    return {"kernel_size": row(window, 1), **rows}


def _check_series(
    op: str,
    input: Tensor,
    window: tuple[int, ...],
    ceil_mode: bool,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...] = (1,),
) -> None:
    """What the kernels check, in words for series."""
    check_least(op, 1, kernel_size=window, stride=stride, dilation=dilation)
    check_least(op, 0, padding=padding)
    span, length = dilation[0] * (window[0] - 1) + 1, input.shape[-1]
    if padding[0] > span // 2:
        raise ValueError(
            f"{op}: expected padding of at most half of what a window spans, {span // 2}, "
            f"got {padding[0]}"
        )
    along = window[0], stride[0], padding[0], dilation[0]
    if not length or window_count(length, *along, ceil_mode) < 1:
        raise ValueError(
            f"{op}: expected series on which a window that spans {span} fits, got a length of "
            f"{length} with padding {padding[0]}"
        )


def _adaptive(
    op: str, axes: int, input: Tensor, output_size: OutputSize
) -> tuple[bool, tuple[int, int]]:
    """Whether there is a batch, and how many windows an axis; None is as many as elements."""
    batched = check_images(op, input, axes)
    given = input.shape[-axes:]
    wanted: Any = output_size
    if output_size is None:
        wanted = given
    elif isinstance(output_size, tuple | list) and len(output_size) == axes:
        wanted = [n if size is None else size for size, n in zip(output_size, given, strict=True)]
    found = sizes(op, "output_size", wanted, axes)
    check_least(op, 1, output_size=found)
    if 0 in given:
        raise ValueError(f"{op}: expected input without empty axes but N, got {input.shape}")
    return batched, row(found, 1)
