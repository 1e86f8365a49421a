"""ReLU, sigmoid and tanh."""

import numpy as np

from bench.case import Contender
from kernels import activation


def with_numpy(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    one = np.float32(1)

    def relu_forward():
        y = np.maximum(x, np.float32(0))
        return y, y

    def sigmoid_forward():
        y = np.negative(x)
        np.exp(y, out=y)
        y += one
        np.reciprocal(y, out=y)
        return y, y

    def tanh_forward():
        y = np.tanh(x)
        return y, y

    def relu_backward(y):
        return dy * (y > 0)

    def sigmoid_backward(y):
        dx = one - y
        dx *= y
        dx *= dy
        return dx

    def tanh_backward(y):
        dx = y * y
        np.subtract(one, dx, out=dx)
        dx *= dy
        return dx

    return {
        "relu": Contender(relu_forward, relu_backward),
        "sigmoid": Contender(sigmoid_forward, sigmoid_backward),
        "tanh": Contender(tanh_forward, tanh_backward),
    }[kind]


def with_nnet(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    forward = getattr(activation, f"{kind}_forward")
    backward = getattr(activation, f"{kind}_backward")
    return Contender(lambda: forward(x), lambda saved: backward(dy, saved))


def with_torch(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    function = getattr(torch, kind)

    def forward():
        y = function(leaf)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
