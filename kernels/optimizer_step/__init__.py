"""One step of an optimizer over flat buffers, in one pass over memory.

The formulas are PyTorch's. This is the only op that changes its arguments: `param` and the
state are updated in place, for a model's parameters are one buffer that layers hold views of,
and a second copy would cost the memory traffic that the one pass saves. Implementations mark
them `inout_`. They are called by position: for a small model keywords would take as long as
the step.
"""

import numpy as np

from kernels._check import check_in_place, float_arrays
from kernels._device import Implementations, device_of
from kernels.optimizer_step import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


def sgd(
    param: np.ndarray,
    grad: np.ndarray,
    momentum_buffer: np.ndarray | None,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    first_step: bool = False,
    maximize: bool = False,
) -> None:
    """Gradient descent, in place on param and momentum_buffer.

        g = grad + weight_decay * param        (-grad to maximize)
        b = g on the first step, else momentum * b + (1 - dampening) * g
        param -= lr * (g + momentum * b if nesterov else b)

    param, grad      (size,) float32 or float64
    momentum_buffer  the same, not read on the first step; None if momentum is 0
    first_step       whether this is the first step of these parameters

    Raises TypeError for other dtypes, ValueError for other shapes, for arrays that cannot be
    updated in place and for a momentum without its buffer. Sutskever et al. 2013.

    >>> import numpy as np
    >>> from kernels import optimizer_step
    >>> param = np.array([1.0, 2.0])
    >>> optimizer_step.sgd(param, np.array([1.0, -1.0]), None, lr=0.5)
    >>> param
    array([0.5, 2.5])
    """
    if momentum == 0:
        grad = _checked("sgd", grad, param=param)
        IMPLEMENTATIONS[device_of(param)].sgd(
            grad, float(lr), float(weight_decay), bool(maximize), param
        )
        return
    if momentum_buffer is None:
        raise ValueError(f"sgd: expected a momentum_buffer for momentum {momentum}, got None")
    grad = _checked("sgd", grad, param=param, momentum_buffer=momentum_buffer)
    IMPLEMENTATIONS[device_of(param)].sgd_momentum(
        grad,
        float(lr),
        float(momentum),
        float(dampening),
        float(weight_decay),
        bool(nesterov),
        bool(first_step),
        bool(maximize),
        param,
        momentum_buffer,
    )


def adam(
    param: np.ndarray,
    grad: np.ndarray,
    exp_avg: np.ndarray,
    exp_avg_sq: np.ndarray,
    *,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    step: int,
    decoupled: bool = False,
    maximize: bool = False,
) -> None:
    """Adam, or AdamW if decoupled, in place on param, exp_avg and exp_avg_sq.

        g = grad + weight_decay * param        (-grad to maximize)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        param -= lr * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps)

    AdamW shrinks param by 1 - lr * weight_decay first and leaves g alone.

    param, grad          (size,) float32 or float64
    exp_avg, exp_avg_sq  the same: m and v, zeros before the first step
    step                 1 for the first step

    Raises TypeError for other dtypes, ValueError for other shapes, for arrays that cannot be
    updated in place and for step < 1. Kingma & Ba 2015; Loshchilov & Hutter 2019.

    >>> import numpy as np
    >>> from kernels import optimizer_step
    >>> param, m, v = np.zeros((3, 2))
    >>> optimizer_step.adam(param, np.array([5.0, -0.1]), m, v, lr=0.01, step=1)
    >>> param.round(6)
    array([-0.01,  0.01])
    """
    if step < 1:
        raise ValueError(f"adam: expected step counted from 1, got {step}")
    grad = _checked("adam", grad, param=param, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    IMPLEMENTATIONS[device_of(param)].adam(
        grad,
        float(lr),
        float(beta1),
        float(beta2),
        float(eps),
        float(weight_decay),
        int(step),
        bool(decoupled),
        bool(maximize),
        param,
        exp_avg,
        exp_avg_sq,
    )


def _checked(op: str, grad: np.ndarray, **updated: np.ndarray) -> np.ndarray:
    """The gradient, C-contiguous; what is updated has its shape and can be written where it is."""
    *_, grad = float_arrays(op, **updated, grad=grad)
    shape = grad.shape
    for name, array in updated.items():
        if array.ndim != 1 and name == "param":
            raise ValueError(f"{op}: expected param of shape (size,), got {array.shape}")
        if array.shape != shape:
            what, wanted = ("grad", array.shape) if name == "param" else (name, shape)
            got = shape if name == "param" else array.shape
            raise ValueError(f"{op}: expected {what} of shape {wanted}, got {got}")
        check_in_place(op, name, array)
    return grad
