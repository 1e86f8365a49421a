"""One step of SGD with momentum, or of Adam, in place on flat parameters.

Every call is a further step on the same arrays. The second step is what is measured: the first
one of SGD only copies the gradient.
"""

import numpy as np

from bench.case import Contender
from kernels import optimizer_step

LR, MOMENTUM = 1e-3, 0.9
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def with_numpy(
    param: np.ndarray, grad: np.ndarray, exp_avg: np.ndarray, exp_avg_sq: np.ndarray, kind: str
) -> Contender:
    """In place, with scratch that is allocated beforehand."""
    work, root = np.empty_like(param), np.empty_like(param)

    def sgd():
        np.multiply(exp_avg, np.float32(MOMENTUM), out=exp_avg)
        np.add(exp_avg, grad, out=exp_avg)
        np.multiply(exp_avg, np.float32(LR), out=work)
        np.subtract(param, work, out=param)
        return (param, exp_avg), None

    def adam():
        correction1, correction2 = 1 - BETA1**2, 1 - BETA2**2
        np.multiply(exp_avg, np.float32(BETA1), out=exp_avg)
        np.multiply(grad, np.float32(1 - BETA1), out=work)
        np.add(exp_avg, work, out=exp_avg)
        np.multiply(exp_avg_sq, np.float32(BETA2), out=exp_avg_sq)
        np.multiply(grad, grad, out=work)
        np.multiply(work, np.float32(1 - BETA2), out=work)
        np.add(exp_avg_sq, work, out=exp_avg_sq)
        np.multiply(exp_avg_sq, np.float32(1 / correction2), out=root)
        np.sqrt(root, out=root)
        np.add(root, np.float32(EPS), out=root)
        np.divide(exp_avg, root, out=work)
        np.multiply(work, np.float32(LR / correction1), out=work)
        np.subtract(param, work, out=param)
        return (param, exp_avg, exp_avg_sq), None

    return Contender(sgd if kind == "sgd" else adam)


def with_nnet(
    param: np.ndarray, grad: np.ndarray, exp_avg: np.ndarray, exp_avg_sq: np.ndarray, kind: str
) -> Contender:
    def sgd():
        optimizer_step.sgd(param, grad, exp_avg, lr=LR, momentum=MOMENTUM)
        return (param, exp_avg), None

    def adam():
        optimizer_step.adam(
            param, grad, exp_avg, exp_avg_sq, lr=LR, beta1=BETA1, beta2=BETA2, eps=EPS, step=2
        )
        return (param, exp_avg, exp_avg_sq), None

    return Contender(sgd if kind == "sgd" else adam)


def with_torch(
    param: np.ndarray, grad: np.ndarray, exp_avg: np.ndarray, exp_avg_sq: np.ndarray, kind: str
) -> Contender:
    """PyTorch's fused implementations, the fastest that it has on the CPU."""
    import torch

    weights = torch.tensor(param, requires_grad=True)
    weights.grad = torch.tensor(grad)
    first, second = torch.tensor(exp_avg), torch.tensor(exp_avg_sq)
    optimizer: torch.optim.Optimizer
    if kind == "sgd":
        optimizer = torch.optim.SGD([weights], lr=LR, momentum=MOMENTUM, fused=True)
        optimizer.state[weights] = {"momentum_buffer": first}
    else:
        optimizer = torch.optim.Adam([weights], lr=LR, betas=(BETA1, BETA2), eps=EPS, fused=True)
        state = {"step": torch.tensor(1.0), "exp_avg": first, "exp_avg_sq": second}
        optimizer.state[weights] = state
    results = (weights, first) if kind == "sgd" else (weights, first, second)

    def step():
        optimizer.step()
        return results, None

    return Contender(step)
