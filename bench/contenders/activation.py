"""Functions of every element: ReLU and its kin, sigmoid, tanh, GELU, SiLU."""

import numpy as np
from scipy.special import ndtr

from bench.case import Contender
from kernels import activation

SLOPE = 0.01

FORMULAS = {
    "relu": activation.ReLU(),
    "leaky_relu": activation.LeakyReLU(SLOPE),
    "elu": activation.ELU(),
    "sigmoid": activation.Sigmoid(),
    "tanh": activation.Tanh(),
    "gelu": activation.GELU(),
    "silu": activation.SiLU(),
}


def with_numpy(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    """In place where that saves a pass; what backward can use again is kept."""
    one, half, slope = np.float32(1), np.float32(0.5), np.float32(SLOPE)
    density_at_0 = np.float32(1 / np.sqrt(2 * np.pi))

    def relu_forward():
        y = np.maximum(x, np.float32(0))
        return y, y

    def relu_backward(y):
        return dy * (y > 0)

    def leaky_relu_forward():
        y = x * slope
        np.maximum(x, y, out=y)
        return y, y

    def leaky_relu_backward(y):
        dx = dy * slope
        np.copyto(dx, dy, where=y > 0)
        return dx

    def elu_forward():
        y = np.minimum(x, np.float32(0))
        np.expm1(y, out=y)
        np.maximum(x, y, out=y)
        return y, y

    def elu_backward(y):
        dx = np.minimum(y, np.float32(0))
        dx += one
        dx *= dy
        return dx

    def sigmoid_forward():
        y = np.negative(x)
        np.exp(y, out=y)
        y += one
        np.reciprocal(y, out=y)
        return y, y

    def sigmoid_backward(y):
        dx = one - y
        dx *= y
        dx *= dy
        return dx

    def tanh_forward():
        y = np.tanh(x)
        return y, y

    def tanh_backward(y):
        dx = y * y
        np.subtract(one, dx, out=dx)
        dx *= dy
        return dx

    def gelu_forward():
        share = ndtr(x)
        return x * share, share

    def gelu_backward(share):
        dx = x * x
        dx *= -half
        np.exp(dx, out=dx)
        dx *= x
        dx *= density_at_0
        dx += share
        dx *= dy
        return dx

    def silu_forward():
        share, _ = sigmoid_forward()
        return x * share, share

    def silu_backward(share):
        dx = one - share
        dx *= x
        dx += one
        dx *= share
        dx *= dy
        return dx

    return {
        "relu": Contender(relu_forward, relu_backward),
        "leaky_relu": Contender(leaky_relu_forward, leaky_relu_backward),
        "elu": Contender(elu_forward, elu_backward),
        "sigmoid": Contender(sigmoid_forward, sigmoid_backward),
        "tanh": Contender(tanh_forward, tanh_backward),
        "gelu": Contender(gelu_forward, gelu_backward),
        "silu": Contender(silu_forward, silu_backward),
    }[kind]


def with_nnet(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    formula = FORMULAS[kind]
    return Contender(
        lambda: activation.forward(formula, x), lambda saved: activation.backward(dy, saved)
    )


def with_torch(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    function = getattr(torch if kind in ("relu", "sigmoid", "tanh") else torch.nn.functional, kind)

    def forward():
        y = function(leaf)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
