"""What layers with a weight say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from ..module.module import Module
from ..module.parametrized import forward_with


class Weighted(Module):
    """Base of layers that map an input by a weight, and a bias or None.

    Wrappers, costs, folding and norms ask these, and know no kind of layer. `forward` reads
    `weight` and `bias` off the layer, so that it can be run with others.

    axes            axes of a sample besides its channels: 0 of (N, C), 2 of (N, C, H, W)
    units_axis      the axis of the weight that counts units, 0 or 1; where it is 1, axis 0 counts
                    inputs
    groups          parts of the channels that do not see one another; units of axis 1 are those of
                    one part
    outputs         units: channels of what the layer gives out
    linear_forward  the `forward` in which each output is a sum of products of a weight and an
                    input, and the bias of its unit. A subclass with another `forward` does not
                    pass for linear: see `module.calls.is_linear`
    fuses           what may follow in one kernel, see `Sequential`; said by each class for itself
    """

    axes = 0
    units_axis = 0
    groups = 1
    linear_forward: ClassVar[Callable[..., Tensor] | None] = None

    weight: Parameter
    bias: Parameter | None

    @property
    def outputs(self) -> int:
        raise NotImplementedError

    def map(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What `forward` does, with another weight and bias; hooks are not called."""
        return forward_with(self, weight=weight, bias=bias)(input)

    def macs(self, arguments: tuple[Any, ...], size: int) -> int:
        """Multiply-accumulates: at each place of the output every weight multiplies once.

        arguments  what `forward` was given, in the order of its parameters
        size       elements of the output
        """
        return size // max(self.outputs, 1) * self.weight.numel()
