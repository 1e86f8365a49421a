"""Transposed convolution: the gradient of a convolution to its input, with a bias behind it.

A convolution with `weight` takes images of y's shape to images of x's shape; this op runs it
backwards. So its three parts are conv2d's, in other places: forward is the gradient to input,
the gradient to input is forward, and in the gradient to weight the images change places.
Zeiler et al. 2010; Dumoulin & Visin 2016, section 4.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_like, check_pair, check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels._reduce import channel_sums
from kernels.conv2d.geometry import Pair, Window, problem_of
from kernels.conv_transpose2d import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]


class Saved(NamedTuple):
    """images  (N, C, H + extra, W + extra): x, and zeros where the last windows of y saw none of it
    size    (H, W)
    shape   of y
    """

    images: np.ndarray
    weight: np.ndarray
    size: Pair
    shape: tuple[int, ...]
    has_bias: bool
    window: Window
    groups: int


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    output_padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> tuple[np.ndarray, Saved]:
    """y[n, k, stride p + dilation i - padding] += weight[c, k, i] x[n, c, p], plus bias[k].

    x       (N, C, H, W), float32 | float64
    weight  (C, K / groups, kernel height, kernel width)
    bias    (K,) or None
    y       (N, K, OH, OW), OH = (H - 1) stride - 2 padding + dilation (kernel - 1)
            + output_padding + 1

    output_padding chooses among the sizes of y that the convolution takes to the same size of x.

    Raises TypeError for other or mixed dtypes, ValueError for shapes and sizes that do not fit.

    >>> import numpy as np
    >>> from kernels import conv_transpose2d
    >>> x, weight = np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 1, 2))
    >>> conv_transpose2d.forward(x, weight, stride=(1, 2))[0]
    array([[[[1., 1., 2., 2.]]]])
    """
    op = "conv_transpose2d"
    arrays = {"x": x, "weight": weight} | ({} if bias is None else {"bias": bias})
    x, weight, *_ = float_arrays(op, **arrays)
    sizes = {"stride": stride, "padding": padding, "dilation": dilation}
    _check(op, x, weight, sizes | {"output_padding": output_padding}, groups)
    filters = weight.shape[1] * groups
    if bias is not None:
        check_shape(op, "a bias", bias, (filters,))
    size = [
        (x.shape[2 + a] - 1) * stride[a]
        - 2 * padding[a]
        + dilation[a] * (weight.shape[2 + a] - 1)
        + output_padding[a]
        + 1
        for a in (0, 1)
    ]
    if min(size) < 1:
        raise ValueError(
            f"{op}: expected sizes that leave an output, got one of {tuple(size)} for an input of "
            f"{x.shape[2:]}, a kernel of {weight.shape[2:]} and padding {padding}"
        )
    shape = x.shape[0], filters, *size
    stand_in = np.broadcast_to(x.dtype.type(0), shape)
    problem = problem_of(stand_in, weight, stride, padding, dilation, groups)
    extra = [whole - size for whole, size in zip(problem.grid, x.shape[2:], strict=True)]
    images = np.pad(x, ((0, 0), (0, 0), (0, extra[0]), (0, extra[1]))) if any(extra) else x
    window = problem.window
    saved = Saved(images, weight, x.shape[2:], shape, bias is not None, window, groups)
    y = _memory.empty(shape, x.dtype)
    if y.size:
        IMPLEMENTATIONS[device_of(x)].forward(
            x=images,
            weight=weight,
            bias=np.empty(0, x.dtype) if bias is None else bias,
            window=window,
            groups=groups,
            out_y=y,
        )
    return y, saved


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of x, weight and bias; None where `needs` is False or there was no bias."""
    op = "conv_transpose2d.backward"
    (dy,) = float_arrays(op, dy=dy)
    images, weight, (height, width), shape, has_bias, window, groups = saved
    check_like(op, "dy", dy, shape, images.dtype)
    implementation, of = IMPLEMENTATIONS[device_of(dy)], {"window": window, "groups": groups}
    dx = dweight = dbias = None
    if needs[0]:
        dx = _memory.empty(images.shape, dy.dtype)
        if dx.size:
            implementation.to_input(dy=dy, weight=weight, **of, out_dx=dx)
        if images.shape[2:] != (height, width):
            dx = np.ascontiguousarray(dx[:, :, :height, :width])
    if needs[1]:
        dweight = _memory.zeros(weight.shape, dy.dtype)
        if dy.size:
            implementation.to_weight(x=images, dy=dy, **of, out_dweight=dweight)
    if needs[2] and has_bias:
        dbias = _memory.zeros(dy.shape[1], dy.dtype)
        if dy.size:
            channel_sums(x=dy.reshape(*dy.shape[:2], -1), out_sums=dbias)
    return dx, dweight, dbias


def _check(op: str, x: np.ndarray, weight: np.ndarray, sizes: dict[str, Pair], groups: int) -> None:
    if x.ndim != 4 or weight.ndim != 4 or 0 in x.shape[1:] or 0 in weight.shape:
        raise ValueError(
            f"{op}: expected x (N, C, H, W) and weight (C, K / groups, kernel height, kernel "
            f"width) without empty axes but N, got shapes {x.shape} and {weight.shape}"
        )
    for name, pair in sizes.items():
        check_pair(op, name, pair, 0 if "padding" in name else 1)
    for axis, more in enumerate(sizes["output_padding"]):
        if more >= max(sizes["stride"][axis], sizes["dilation"][axis]):
            raise ValueError(
                f"{op}: expected output_padding below stride {sizes['stride']} or dilation "
                f"{sizes['dilation']}, got {sizes['output_padding']}"
            )
    if not isinstance(groups, int) or groups < 1 or weight.shape[0] % groups:
        raise ValueError(
            f"{op}: expected groups to divide {weight.shape[0]} channels, got {groups}"
        )
    if x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"{op}: expected x with {weight.shape[0]} channels for weight {weight.shape}, "
            f"got {x.shape[1]}"
        )
