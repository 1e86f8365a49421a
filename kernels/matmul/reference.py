"""The matrix product as NumPy states it: the oracle of this op."""

import numpy as np


def product(a, b, bias, transpose_a, transpose_b, relu, out_y):
    """out_y = op(a) op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a      (M, K), or (K, M) where `transpose_a`
    b      (K, N), or (N, K) where `transpose_b`
    bias   (N,) or (0,)
    out_y  (M, N)
    """
    y = (a.T if transpose_a else a) @ (b.T if transpose_b else b)
    if bias.size:
        y = y + bias
    out_y[...] = np.maximum(y, 0) if relu else y


def accumulate(a, b, transpose_a, transpose_b, inout_y):
    """inout_y += op(a) op(b); as `product`."""
    inout_y += (a.T if transpose_a else a) @ (b.T if transpose_b else b)


def product_stacks(a, b, bias, a_items, b_items, transpose_a, transpose_b, relu, out_y):
    """As `product` for every item of a stack.

    a                 (A, M, K), or (A, K, M) where `transpose_a`
    b                 (B, K, N), or (B, N, K) where `transpose_b`
    a_items, b_items  (items,) which matrices are multiplied
    out_y             (items, M, N)
    """
    for y, i, j in zip(out_y, a_items, b_items, strict=True):
        product(a[i], b[j], bias, transpose_a, transpose_b, relu, y)
