"""DropConnect against the same written in PyTorch's operations, on this library's masks."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from kernels.bernoulli_mask import forward as draw
from kernels.drop_connect import reference
from tests.helpers import assert_close

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [1, 3, None])
def test_b9_drop_connect_values_and_gradients(share, dtype):
    n, units, inputs, p = 7, 20, 150, 0.4
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal(shape).astype(dtype)
        for shape in ((n, inputs), (units, inputs), (units,), (n, units))
    ]
    nn.manual_seed(5)
    ours = [nn.Tensor(array.copy(), requires_grad=True) for array in arrays[:3]]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays[:3]]
    y = F.drop_connect(F.linear, *ours, p, share=share)
    if share:
        threshold = round(p * 2**32)
        masks = reference.masks(5, 0, threshold, -(-n // share), units, inputs)
        masks = torch.tensor(np.repeat(masks, share, axis=0)[:n].astype(dtype))
        expected = torch.einsum("noi,oi,ni->no", masks, theirs[1], theirs[0]) + theirs[2]
    else:
        mask, _ = draw(np.ones((units, inputs), dtype), p, seed=5, stream=0, scale=1)
        x, weight, bias = theirs
        expected = torch.nn.functional.linear(x, weight * torch.tensor(mask), bias)
    tolerance = 1e-5 if dtype == np.float32 else 1e-10
    assert_close(y, expected.detach().numpy(), tolerance)
    y.backward(nn.Tensor(arrays[3]))
    expected.backward(torch.tensor(arrays[3]))
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one.grad, other.grad.numpy(), tolerance)
