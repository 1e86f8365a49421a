"""Programs of views and writes in place, drawn at random: PyTorch's values, gradients, refusals."""

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")

VIEWS = {
    "flat": lambda x: x.reshape(-1),
    "first": lambda x: x[0],
    "rest": lambda x: x[1:],
    "every other": lambda x: x[::2],
    "swapped": lambda x: x.transpose(0, -1),
    "column": lambda x: x[..., 1],
    "longer": lambda x: x.unsqueeze(0),
    "last two": lambda x: x[..., -2:],
}
WRITES = {
    "add": lambda lib, x, w: x.add_(w),
    "sub": lambda lib, x, w: x.__isub__(w),
    "mul": lambda lib, x, w: x.mul_(w),
    "div": lambda lib, x, w: x.div_(w),
    "number": lambda lib, x, w: x.mul_(3),
    "shift": lambda lib, x, w: x.__iadd__(1),
    "clamp": lambda lib, x, w: x.clamp_(-1, 1),
    "copy": lambda lib, x, w: x.copy_(w),
    "item": lambda lib, x, w: x.__setitem__(0, w),
    "fill": lambda lib, x, w: x.fill_(2),
    "relu": lambda lib, x, w: functional(lib).relu(x, inplace=True),
    "elu": lambda lib, x, w: functional(lib).elu(x, inplace=True),
    "silu": lambda lib, x, w: functional(lib).silu(x, inplace=True),
    "hardtanh": lambda lib, x, w: functional(lib).hardtanh(x, inplace=True),
}
READS = {
    "square": lambda x: x * x,
    "sum": lambda x: x + 1,
    "exp": lambda x: (x * 0.1).exp(),
    "tanh": lambda x: x.tanh(),
}


DIRECTIONS = np.random.default_rng(0).standard_normal((2, 3, 4))


def functional(lib):
    return lib.functional if lib is nn else lib.nn.functional


def run(lib, seed: int, moved: float = 0.0):
    """The values and gradients at the end of program number `seed`, or that it was refused."""
    rng = np.random.default_rng(seed)
    data = [rng.uniform(0.5, 2, (3, 4)) * rng.choice([-1, 1], (3, 4)) for _ in range(2)]
    data = [each + moved * direction for each, direction in zip(data, DIRECTIONS, strict=True)]
    if lib is nn:
        leaves = [nn.Tensor(each.copy(), requires_grad=True) for each in data]
        buffer = nn.Tensor(np.zeros((3, 4)))
    else:
        leaves = [torch.tensor(each, requires_grad=True) for each in data]
        buffer = torch.zeros(3, 4, dtype=torch.float64)
    known = [leaves[0] * 2, leaves[1] + 1, buffer]
    try:
        for _ in range(rng.integers(3, 9)):
            x = known[rng.integers(len(known))]
            kind = rng.choice(["view", "write", "read"], p=[0.4, 0.4, 0.2])
            if kind == "view" and x.ndim:
                name = rng.choice(list(VIEWS))
                if name in ("column", "last two") and x.shape[-1] < 2:
                    continue
                known.append(VIEWS[name](x))
            elif kind == "write":
                source = leaves[rng.integers(2)].reshape(-1)
                name = rng.choice(list(WRITES))
                w = source[rng.integers(source.shape[0])]
                if name == "item" and not x.ndim:
                    continue
                WRITES[name](lib, x, w)
            else:
                known.append(READS[rng.choice(list(READS))](x))
        total = sum((each * each).sum() for each in [*known, *leaves])
        total.backward()
    except RuntimeError:
        return "refused"
    values = [each.detach().numpy().copy() for each in [*known, *leaves]]
    grads = [each.grad.numpy().copy() for each in leaves]
    return values, grads


def test_random_programs_end_as_in_pytorch():
    refused = 0
    for seed in range(1500):
        expected, found = run(torch, seed), run(nn, seed)
        if found == "refused":
            assert expected == "refused", seed
            refused += 1
        elif expected == "refused":
            # Where a function in place wrote through a copy, that is kept.
            above, below = (run(nn, seed, moved)[0] for moved in (1e-6, -1e-6))
            slope = sum((a * a).sum() - (b * b).sum() for a, b in zip(above, below, strict=True))
            along = sum((d * g).sum() for d, g in zip(DIRECTIONS, found[1], strict=True))
            np.testing.assert_allclose(along, slope / 2e-6, 1e-5, err_msg=str(seed))
        else:
            for theirs, ours in zip(expected[0] + expected[1], found[0] + found[1], strict=True):
                np.testing.assert_allclose(ours, theirs, 1e-9, 1e-12, err_msg=str(seed))
    assert 100 < refused < 900
