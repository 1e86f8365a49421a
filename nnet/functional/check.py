"""Checks that several operations make; kernels check dtypes and shapes again for themselves."""

from __future__ import annotations

from operator import index
from typing import Any

from ..autograd.broadcasting import common
from ..autograd.integers import as_integer
from ..autograd.recording import mode
from ..autograd.tensor import Tensor


def check_is_tensor(op: str, input: Any) -> None:
    """TypeError for what is no tensor, of whatever dtype."""
    if not isinstance(input, Tensor):
        raise TypeError(f"{op}: expected input to be a tensor, got {type(input).__name__}")


def check_tensors(op: str, **arguments: Any) -> None:
    """TypeError for what is neither a float tensor nor None, or of another dtype than the rest."""
    first: Tensor | None = None
    for name, value in arguments.items():
        if value is None:
            continue
        if not isinstance(value, Tensor):
            raise TypeError(f"{op}: expected {name} to be a tensor, got {type(value).__name__}")
        dtype = value.data.dtype
        if dtype.kind != "f":
            raise TypeError(f"{op}: expected {name} of float32 or float64, got {dtype}")
        if first is None:
            first = value
        elif dtype is not first.data.dtype and dtype != first.data.dtype:
            raise TypeError(
                f"{op}: expected {name} of {first.data.dtype} like the rest, got {dtype}"
            )


def check_statistics(op: str, running_mean: Any, running_var: Any) -> None:
    """`check_tensors` and `check_no_gradient`, of running averages."""
    if running_mean is None and running_var is None:
        return
    check_tensors(op, running_mean=running_mean, running_var=running_var)
    for value in (running_mean, running_var):
        if value is not None and value.requires_grad:
            check_no_gradient(op, running_mean=running_mean, running_var=running_var)


def check_no_gradient(op: str, **arguments: Tensor | None) -> None:
    """RuntimeError for a tensor that needs a gradient where none is computed."""
    for name, value in arguments.items():
        if value is not None and value.requires_grad and mode.recording:
            raise RuntimeError(
                f"{op}: expected {name} that needs no gradient, for it gets none; detach() it"
            )


def promoted(*arguments: Any) -> tuple[Any, ...]:
    """The tensors in the dtype in which they meet, if that is of floats; the rest as it is."""
    tensors = [each for each in arguments if isinstance(each, Tensor)]
    if all(each.data.dtype is tensors[0].data.dtype for each in tensors):
        return arguments
    dtype = common(*tensors)
    if dtype.kind != "f":
        return arguments
    return tuple(each.to(dtype) if isinstance(each, Tensor) else each for each in arguments)


def check_channels(op: str, input: Tensor, **arguments: Tensor | None) -> None:
    """ValueError unless input is (N, C, ...) and all arguments that are given are (C,)."""
    x = input.data
    if not 2 <= x.ndim <= 5:
        raise ValueError(
            f"{op}: expected input of shape (N, C, ...), got {x.shape}, not 2 to 5 axes"
        )
    expected = x.shape[1:2]
    for name, values in arguments.items():
        if values is not None and values.data.shape != expected:
            raise ValueError(
                f"{op}: expected {name} of shape {expected} for input {x.shape}, "
                f"got {values.data.shape}"
            )


def whole(op: str, name: str, value: Any) -> int:
    """The integer that is given; TypeError for what is none, True and False included."""
    if type(value) is int:
        return value
    integer = as_integer(value)
    if integer is None:
        raise TypeError(f"{op}: expected {name} as an integer, got {value!r}")
    return integer


def number(op: str, name: str, value: Any) -> float:
    """The number that is given; TypeError for a tensor that would lose its gradient."""
    if type(value) is float:
        return value
    if isinstance(value, Tensor) and value.requires_grad:
        raise TypeError(f"{op}: expected {name} as a number, got a tensor that needs a gradient")
    return float(value)


def pair(op: str, name: str, value: Any) -> tuple[int, int]:
    """(vertical, horizontal) from one integer or two."""
    vertical, horizontal = sizes(op, name, value, 2)
    return vertical, horizontal


def sizes(op: str, name: str, value: Any, axes: int) -> tuple[int, ...]:
    """One size an axis, from one integer for all of them or one each."""
    if type(value) is int:
        return (value,) * axes
    try:
        given = [index(value)] * axes
    except TypeError:
        given = value
    try:
        found = tuple(map(index, given))
        if len(found) == axes and not any(isinstance(each, bool) for each in (value, *given)):
            return found
    except TypeError:
        pass
    kinds = "as one integer" if axes == 1 else "as one or two integers"
    raise TypeError(f"{op}: expected {name} {kinds}, got {value!r}")


_SHAPES = {1: ("(N, C, L)", "(C, L)"), 2: ("(N, C, H, W)", "(C, H, W)")}


def check_images(op: str, input: Any, axes: int = 2) -> bool:
    """True for (N, C, H, W), False for one image (C, H, W), ValueError for anything else.

    Of one axis they are series, (N, C, L) or (C, L).
    """
    check_tensors(op, input=input)
    if input.data.ndim not in (axes + 1, axes + 2):
        batch, one = _SHAPES[axes]
        raise ValueError(f"{op}: expected input of shape {batch} or {one}, got {input.shape}")
    return input.data.ndim == axes + 2


def check_least(op: str, least: int, **given: tuple[int, ...]) -> None:
    """ValueError for sizes below `least`."""
    for name, value in given.items():
        if min(value) < least:
            raise ValueError(f"{op}: expected {name} of at least {least}, got {value}")


def check_filters(
    op: str,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    groups: int,
    transposed: bool = False,
) -> None:
    """ValueError for filters of a series that do not fit it: the kernels speak of images."""
    if weight.ndim != 3 or 0 in weight.shape:
        raise ValueError(f"{op}: expected weight of 3 axes, none empty, got {weight.shape}")
    channels, filters = input.shape[-2], weight.shape[1] if transposed else weight.shape[0]
    if not isinstance(groups, int) or groups < 1 or channels % groups or weight.shape[0] % groups:
        raise ValueError(
            f"{op}: expected groups to divide {channels} channels and weight {weight.shape}, "
            f"got {groups}"
        )
    wanted = weight.shape[0] if transposed else weight.shape[1] * groups
    if channels != wanted:
        raise ValueError(
            f"{op}: expected input with {wanted} channels for weight {weight.shape} in {groups} "
            f"group(s), got {channels}"
        )
    filters *= groups if transposed else 1
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"{op}: expected bias of shape ({filters},), got {bias.shape}")
