"""Tensor methods against PyTorch's: values, dtypes and gradients, ties and edges included."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

X = np.array([[1.0, 3.0, 3.0, -2.0], [0.0, -2.0, 5.0, 5.0], [0.5, 3.0, -0.5, 0.0]], np.float32)

SAME = {
    "max": lambda x: x.max(),
    "min": lambda x: x.min(),
    "max dim": lambda x: x.max(1).values,
    "min dim keepdim": lambda x: x.min(0, keepdim=True).values,
    "max pair": lambda x: x.max(1)[0] * x.max(1)[1],
    "argmax": lambda x: x.argmax(1) * x.sum(),
    "abs": lambda x: x.abs(),
    "clamp": lambda x: x.clamp(-0.5, 3),
    "clamp max": lambda x: x.clamp(max=0.0),
    "relu": lambda x: x.relu(),
    "square": lambda x: x.square(),
    "pow 0": lambda x: x**0,
    "pow 3": lambda x: x**3,
    "sqrt": lambda x: (x.abs() + 1).sqrt(),
    "mean dims": lambda x: x.mean((0, 1), keepdim=True),
    "var": lambda x: x.var(1),
    "std biased": lambda x: x.std(0, correction=0, keepdim=True),
    "int scalar": lambda x: 2 * x - 1,
    "rsub, rdiv": lambda x: (1 - x) * 3 / (x + 10),
    "bool sum": lambda x: (x > 0).sum() * x.sum(),
    "eq": lambda x: x.eq(3).float() * x,
    "any, all": lambda x: (x > 0).any(1) * x.T * (x < 9).all(),
    "index": lambda x: x[1:, [0, 2]],
    "index ints": lambda x: x[[0, 0, 2], [1, 1, 3]],
    "mask": lambda x: x[x > 0],
    "none": lambda x: x[None, ..., 1],
    "permute": lambda x: x.reshape(3, 2, 2).permute(2, 0, 1),
    "flatten": lambda x: x.reshape(3, 2, 2).flatten(1),
    "view_as": lambda x: x.view_as(x.T),
    "expand": lambda x: x.unsqueeze(1).expand(3, 2, -1),
    "split": lambda x: x.split([1, 3], dim=1)[1],
    "matmul": lambda x: x @ x.T @ x[:, 0],
    "squeeze": lambda x: x.unsqueeze(0).squeeze(),
    "in place": lambda x: x.clone().detach().add_(2).mul_(3).sub_(1).div_(2) * x,
    "double": lambda x: x.double() * 2,
    "scalar tensor": lambda x: x * x.sum().double(),
    "t": lambda x: x.t() * 1.5,
}


@pytest.mark.parametrize("name", SAME)
def test_methods_are_pytorchs(name):
    ours = nn.Tensor(X.copy(), requires_grad=True)
    theirs = torch.tensor(X, requires_grad=True)
    y, expected = SAME[name](ours), SAME[name](theirs)
    assert str(y.dtype) == str(expected.dtype).removeprefix("torch.")
    assert_close(y, expected.detach().numpy(), 1e-6)
    weights = np.arange(1.0, y.numel() + 1).reshape(y.shape).astype(y.dtype)
    y.backward(nn.Tensor(weights))
    expected.backward(torch.tensor(weights))
    assert_close(ours.grad, theirs.grad.numpy(), 1e-6)


def test_joining_and_choosing_are_pytorchs():
    results = []
    for library in (nn, torch):
        x = library.tensor(X, requires_grad=True)
        y = library.tensor(X[:, ::-1].copy(), requires_grad=True)
        parts = library.cat([x, y * 2], 1), library.stack([y, x], -1)
        chosen = library.where(x > y, x, y * 3), library.maximum(x, y), library.minimum(x, y)
        total = sum((part * part).sum() for part in parts + chosen)
        total.backward()
        results.append((total.item(), x.grad.numpy(), y.grad.numpy()))
    assert results[0][0] == pytest.approx(results[1][0])
    assert_close(results[0][1], results[1][1], 1e-6)
    assert_close(results[0][2], results[1][2], 1e-6)


def test_functions_are_pytorchs():
    x = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    for call in (
        lambda f, t: f.softmax(t, 1),
        lambda f, t: f.log_softmax(t, dim=-1),
        lambda f, t: f.pad(t, (1, 2, 0, 3), "constant", 2.5),
        lambda f, t: f.mse_loss(t, t * 0, reduction="sum"),
        lambda f, t: f.dropout(t, 0.5, False),
    ):
        assert_close(
            call(F, nn.tensor(x)), call(torch.nn.functional, torch.tensor(x)).numpy(), 1e-6
        )
    labels = np.array([2, 0, 1])
    expected = torch.nn.functional.one_hot(torch.tensor(labels)).numpy()
    assert (F.one_hot(nn.tensor(labels)).data == expected).all()
