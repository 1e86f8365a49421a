"""Kernels: arrays in, arrays out. Each op is a folder; `README.md` states their contract."""

from kernels import (
    activation,
    batch_norm,
    bernoulli_mask,
    conv2d,
    drop_connect,
    gather_normalize,
    gaussian_mask,
    group_norm,
    matmul,
    max_norm,
    optimizer_step,
    pool2d,
    softmax_cross_entropy,
)

__all__ = [
    "activation",
    "batch_norm",
    "bernoulli_mask",
    "conv2d",
    "drop_connect",
    "gather_normalize",
    "gaussian_mask",
    "group_norm",
    "matmul",
    "max_norm",
    "optimizer_step",
    "pool2d",
    "softmax_cross_entropy",
]
