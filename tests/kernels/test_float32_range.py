"""Normalization and lengths of numbers whose squares no float32 holds."""

import numpy as np
import pytest

from kernels import batch_norm, clip_norm, embedding, group_norm, max_norm

SHAPES = [(7, 5), (300, 40), (3, 4, 7, 9), (5, 3, 40, 50)]
SIZES = [1e-25, 1e-18, 1e18, 1e19, 1e25, 1e30]


def data(shape, size):
    rng = np.random.default_rng(0)
    return ((rng.standard_normal(shape) + 1) * size).astype(np.float32)


def normalized(x, axes, centred=True):
    x = x.astype(np.float64)
    centre = x.mean(axes, keepdims=True) if centred else 0.0
    return (x - centre) / np.sqrt(((x - centre) ** 2).mean(axes, keepdims=True))


def ones(count):
    return np.ones(count, np.float32), np.zeros(count, np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_batch_norm(size, shape):
    x = data(shape, size)
    y, _ = batch_norm.forward(x, *ones(shape[1]), eps=1e-60)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(y, normalized(x, axes), rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", [*SHAPES, (4, 3000)], ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_group_norm(size, shape, centred):
    x = data(shape, size)
    y, _ = group_norm.forward(x, *ones(shape[1]), eps=1e-60, centred=centred)
    axes = tuple(range(1, x.ndim))
    np.testing.assert_allclose(y, normalized(x, axes, centred), rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("size", [1e-35, 1e-25, 1e19, 1e30, 1e38])
def test_lengths(size):
    x = data(70_001, 0.3 * size)
    length = np.sqrt(np.square(x, dtype=np.float64).sum())
    assert clip_norm.norm([x]) == pytest.approx(length, rel=1e-9)
    rows = data((300, 67), 0.3 * size)
    # PyTorch's renormalize adds 1e-7 to a length.
    shrinks = [lambda table: max_norm.project(table, size)]
    if size > 1:
        shrinks.append(lambda table: embedding.renormalize(np.arange(300), table, size))
    for shrink in shrinks:
        table = rows.copy()
        shrink(table)
        lengths = np.sqrt(np.square(table, dtype=np.float64).sum(axis=1))
        assert lengths.max() <= size * 1.00001
        assert lengths.min() >= size * 0.9
