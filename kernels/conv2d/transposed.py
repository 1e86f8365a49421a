"""Transposed convolution: the gradient of a convolution to its input, as an op of its own.

A convolution with `weight` takes images of y's shape to images of x's shape; this op runs it
backwards. So its three parts are conv2d's, in other places: forward is the gradient to input,
the gradient to input is forward, and in the gradient to weight the images change places.
Zeiler et al. 2010; Dumoulin & Visin 2016, section 4.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory, conv2d
from kernels._check import check_like, check_pair, check_shape, float_arrays
from kernels._jit import parallel
from kernels._reduce import add_rectify, channel_sums
from kernels.conv2d.geometry import Pair, problem_of

# Planes are shared out in groups of about so many elements.
_TASK = 1 << 14


class Saved(NamedTuple):
    """`convolution` is what takes y to x; its x is a stand-in for y, of which the shape counts.

    images  (N, C, H + extra, W + extra): x, and zeros where the last windows of y saw none of it
    """

    images: np.ndarray
    size: Pair
    has_bias: bool
    convolution: conv2d.Saved


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
    >>> from kernels.conv2d import transposed
    >>> x, weight = np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 1, 2))
    >>> transposed.forward(x, weight, stride=(1, 2))[0]
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
    stand_in = np.broadcast_to(x.dtype.type(0), (x.shape[0], filters, *size))
    problem = problem_of(stand_in, weight, stride, padding, dilation, groups)
    convolution = conv2d.Saved(stand_in, weight, None, False, problem, "auto")
    extra = [whole - size for whole, size in zip(problem.grid, x.shape[2:], strict=True)]
    images = np.pad(x, ((0, 0), (0, 0), (0, extra[0]), (0, extra[1]))) if any(extra) else x
    saved = Saved(images, x.shape[2:], bias is not None, convolution)
    y, _, _ = conv2d.backward(images, convolution, (True, False, False))
    assert y is not None
    if bias is not None and y.size:
        planes, size = y.shape[0] * filters, y.shape[2] * y.shape[3]
        group = max(1, _TASK // size)
        _add_bias(-(-planes // group), np.ascontiguousarray(bias), group, y)
    return y, saved


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of x, weight and bias; None where `needs` is False or there was no bias."""
    op = "conv_transpose2d.backward"
    (dy,) = float_arrays(op, dy=dy)
    images, (height, width), has_bias, convolution = saved
    check_like(op, "dy", dy, convolution.x.shape, images.dtype)
    dx: np.ndarray | None = None
    dweight: np.ndarray | None = None
    dbias: np.ndarray | None = None
    if needs[0]:
        window = convolution.problem.window
        dx, _ = conv2d.forward(
            dy,
            convolution.weight,
            stride=(window.stride_h, window.stride_w),
            padding=(window.pad_h, window.pad_w),
            dilation=(window.dilation_h, window.dilation_w),
            groups=convolution.problem.groups,
        )
        if images.shape[2:] != (height, width):
            dx = np.ascontiguousarray(dx[:, :, :height, :width])
    if needs[1]:
        _, dweight, _ = conv2d.backward(images, convolution._replace(x=dy), (False, True, False))
    if needs[2] and has_bias:
        dbias = _memory.zeros(dy.shape[1], dy.dtype)
        if dy.size:
            channel_sums(x=dy.reshape(*dy.shape[:2], -1), out_sums=dbias)
    return dx, dweight, dbias


@parallel
def _add_bias(task, bias, group, values):
    """values[n, k] += bias[k], in place: one read and one write an element."""
    planes, size = values.shape[0] * bias.size, values.shape[2] * values.shape[3]
    for plane in range(task * group, min(planes, task * group + group)):
        add_rectify(values, plane * size, size, bias[plane % bias.size], False)


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
