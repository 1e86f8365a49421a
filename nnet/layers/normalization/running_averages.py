"""What layers share that learn a line a channel and may keep running averages."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ... import init
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from ...functional.normalization.checks import check_eps
from ...module.module import Module
from .affine import reset_affine


class RunningAverages(Module):
    """weight and bias if affine, running_mean and the like if tracked; arguments as BatchNorm's.

    What may be done to a batch normalization, as folding it into the layer before, may not be
    done to all of these.

    MORE  names and sizes of what is learned besides, 0 for num_features; ones at first

    Raises ValueError unless eps > 0.
    """

    MORE: ClassVar[dict[str, int]] = {}

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_eps(type(self).__name__, eps)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine and bias else None
        self.running_mean: Tensor | None
        self.running_var: Tensor | None
        self.num_batches_tracked: Tensor | None
        for name, first in (
            ("running_mean", np.zeros(num_features, dtype)),
            ("running_var", np.ones(num_features, dtype)),
            ("num_batches_tracked", np.zeros((), np.int64)),
        ):
            self.register_buffer(name, Tensor(first) if track_running_stats else None)
        for name, size in self.MORE.items():
            setattr(self, name, Parameter(np.ones(size or num_features, dtype)))
        self.to(device)

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            self.num_batches_tracked.data.fill(0)

    def reset_parameters(self) -> None:
        """Ones and zeros, and no batches seen."""
        self.reset_running_stats()
        reset_affine(self)
        for name in self.MORE:
            init.ones_(getattr(self, name))

    def _check(self, input: Tensor, axes: tuple[int, ...], expected: str) -> None:
        name = type(self).__name__
        check_tensors(name, input=input)
        if input.ndim not in axes or input.shape[1] != self.num_features:
            raise ValueError(
                f"{name}: expected input of shape {expected} with {self.num_features} "
                f"channels, got {input.shape}"
            )

    def _averages(self) -> tuple[Tensor | None, Tensor | None]:
        """Running mean and variance where the coming batch will use or move them."""
        if self.training and not self.track_running_stats:
            return None, None
        return self.running_mean, self.running_var

    def _of_batch(self) -> bool:
        """Whether the coming batch is normalized by its own statistics."""
        return self.training or (self.running_mean is None and self.running_var is None)

    def _counted(self) -> Tensor | None:
        """The number of batches seen, where the coming one will count."""
        return self.num_batches_tracked if self.training and self.track_running_stats else None

    def _finished(self, output: Tensor, relu: bool, residual: Tensor | None) -> Tensor:
        """Count the batch, and add and rectify where no kernel did."""
        seen = self._counted()
        if seen is not None:
            seen.data[...] += 1
        if residual is not None:
            output = output + residual
        return output.relu() if relu else output

    def _weight_of_batch(self) -> float:
        """Its weight in the running averages: momentum, or that of a plain average."""
        if self.momentum is not None:
            return self.momentum
        seen = self._counted()
        return 0.0 if seen is None else 1 / (int(seen.data) + 1)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )
