"""Sums of products of arrays over labelled axes, pair by pair, as products of matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kernels import matmul

from .broadcasting import quiet

Labels = tuple[int, ...]


def contract(terms: Sequence[Labels], result: Labels, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The arrays' products, summed over the labels that the result has not.

    A label stands at most once in a term, and names axes of one length; those of the result stand
    in some term.
    """
    left = list(zip(terms, arrays, strict=True))
    for step in _path(terms, result, arrays):
        chosen = [left.pop(i) for i in sorted(step, reverse=True)][::-1]
        while len(chosen) > 1:
            (a, x), (b, y), *chosen = chosen
            wanted = {*result, *(each for term, _ in left + chosen for each in term)}
            chosen.insert(0, _pair(a, x, b, y, wanted))
        left += chosen
    ((labels, total),) = left
    labels, total = _without(labels, total, set(result))
    return total.transpose([labels.index(each) for each in result])


def _path(
    terms: Sequence[Labels], result: Labels, arrays: Sequence[np.ndarray]
) -> Sequence[tuple[int, ...]]:
    if len(arrays) < 3:
        return [(0, 1)] * (len(arrays) - 1)
    mixed = [each for x, term in zip(arrays, terms, strict=True) for each in (x, list(term))]
    return np.einsum_path(*mixed, list(result), optimize="greedy")[0][1:]


def _pair(
    a: Labels, x: np.ndarray, b: Labels, y: np.ndarray, wanted: set[int]
) -> tuple[Labels, np.ndarray]:
    """Two terms as one: a stack of products of matrices."""
    a, x = _without(a, x, wanted | set(b))
    b, y = _without(b, y, wanted | set(a))
    stack = tuple(each for each in a if each in b and each in wanted)
    depth = tuple(each for each in a if each in b and each not in wanted)
    rows = tuple(each for each in a if each not in b)
    columns = tuple(each for each in b if each not in a)
    sizes = {**dict(zip(a, x.shape, strict=True)), **dict(zip(b, y.shape, strict=True))}
    x, x_turned = _matrices(a, x, stack, rows, depth)
    y, y_turned = _matrices(b, y, stack, depth, columns)
    if x.dtype.kind == "f" and depth:
        z = matmul.product(x, y, transpose_a=x_turned, transpose_b=y_turned)
    else:
        x = x.swapaxes(-1, -2) if x_turned else x
        y = y.swapaxes(-1, -2) if y_turned else y
        with quiet():
            z = x @ y if depth else x * y
    labels = stack + rows + columns
    return labels, z.reshape([sizes[each] for each in labels])


def _matrices(
    labels: Labels, x: np.ndarray, stack: Labels, rows: Labels, columns: Labels
) -> tuple[np.ndarray, bool]:
    """A stack of matrices, and whether they lie transposed, which spares a copy."""
    turned = labels == stack + columns + rows and labels != stack + rows + columns
    order = labels if turned else stack + rows + columns
    x = x.transpose([labels.index(each) for each in order])
    first = len(columns) if turned else len(rows)
    shape, n = x.shape, len(stack)
    height = int(np.prod(shape[n : n + first]))
    width = int(np.prod(shape[n + first :]))
    return x.reshape(*([int(np.prod(shape[:n]))] if n else []), height, width), turned


def _without(labels: Labels, x: np.ndarray, wanted: set[int]) -> tuple[Labels, np.ndarray]:
    """Summed over the axes that nobody asks for."""
    spare = tuple(i for i, each in enumerate(labels) if each not in wanted)
    if not spare:
        return labels, x
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    with quiet():
        total = np.sum(x, spare, dtype=wide).astype(x.dtype, copy=False)
    return tuple(each for each in labels if each in wanted), np.asarray(total)
