"""Draws from tensors and into them: frequencies, seeds, gradients, errors."""

import numpy as np
import pytest

import nnet as nn

DRAWS = {
    "uniform_": lambda: nn.zeros(50).uniform_(-1, 3),
    "normal_": lambda: nn.zeros(50).normal_(),
    "bernoulli_": lambda: nn.zeros(50).bernoulli_(),
    "bernoulli": lambda: nn.bernoulli(nn.full((50,), 0.5)),
    "multinomial": lambda: nn.ones(50).multinomial(50),
    "multinomial again": lambda: nn.multinomial(nn.ones(50), 50, replacement=True),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_repeats_them(name):
    nn.manual_seed(4)
    first, second = DRAWS[name](), DRAWS[name]()
    assert first.tolist() != second.tolist()
    nn.manual_seed(4)
    assert DRAWS[name]().tolist() == first.tolist()


@pytest.mark.parametrize("dtype", [nn.float32, nn.float64])
def test_methods_write_into_the_tensor(dtype):
    nn.manual_seed(0)
    whole = nn.zeros(3, 40_000, dtype=dtype)
    x = whole.t()[:, 1]  # not contiguous
    assert x.uniform_(-1, 3) is x and x.dtype == dtype
    assert -1 <= x.min() < -0.99 and 2.99 < x.max() < 3 and abs(x.mean() - 1) < 0.03
    assert x.normal_(5, 2) is x and abs(x.mean() - 5) < 0.05 and abs(x.std() - 2) < 0.05
    assert x.bernoulli_(0.2) is x and set(x.tolist()) == {0, 1} and abs(x.mean() - 0.2) < 0.01
    assert whole[0].sum() == whole[2].sum() == 0 and whole[1].sum() > 0
    assert x.bernoulli_(nn.tensor([1.0])).tolist() == [1] * len(x)
    assert nn.zeros(0, 2).uniform_().normal_().bernoulli_().shape == (0, 2)
    assert nn.tensor(2.0).uniform_(3, to=3) == 3


def test_integers_can_be_zeros_and_ones():
    assert nn.tensor([5, 5]).bernoulli_(1).tolist() == [1, 1]
    assert nn.tensor([5, 5]).bernoulli(0).tolist() == [0, 0]


def test_bernoulli_has_the_probabilities_of_its_elements():
    nn.manual_seed(0)
    p = nn.tensor([[0.0], [0.3], [1.0]], dtype=nn.float64).expand(3, 20_000)
    y = nn.bernoulli(p)
    assert y.dtype == nn.float64 and y.shape == p.shape
    assert np.abs(y.data.mean(1) - [0, 0.3, 1]).max() < 0.02


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("dtype", [nn.float32, nn.float64])
def test_the_first_of_a_multinomial_has_its_probability(replacement, dtype):
    nn.manual_seed(0)
    weights = nn.tensor([4.0, 0.0, 1.0, 3.0, 0.0], dtype=dtype)
    found = nn.multinomial(weights.expand(20_000, 5), 2, replacement)
    assert found.shape == (20_000, 2) and found.dtype == nn.int64 and not found.requires_grad
    share = np.bincount(found.data[:, 0], minlength=5) / 20_000
    assert np.abs(share - weights.data / 8).max() < 0.015 and share[1] == share[4] == 0
    after = found.data[found.data[:, 0] == 0, 1]
    expected = [0.5, 0, 0.125, 0.375, 0] if replacement else [0, 0, 0.25, 0.75, 0]
    assert np.abs(np.bincount(after, minlength=5) / len(after) - expected).max() < 0.02


def test_a_multinomial_of_all_has_each_once_and_those_of_weight_0_last():
    weights = nn.tensor([0.0, 1e-30, 3.0, 0.0, 1e30])
    found = weights.multinomial(5)
    assert set(found[:3].tolist()) == {1, 2, 4} and set(found[3:].tolist()) == {0, 3}
    assert nn.multinomial(nn.ones(0, 3), 2).shape == (0, 2)
    assert nn.multinomial(nn.tensor([0.0, 3e38, 0.0]), 9, True).tolist() == [1] * 9
    assert nn.multinomial(nn.tensor([[1.0, 0.0], [0.0, 1.0]]).t(), 1).tolist() == [[0], [1]]


def test_gradients_are_zero():
    x = nn.tensor([0.2, 0.8], requires_grad=True)
    y = nn.bernoulli(x)
    assert y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]
    for write in (lambda z: z.uniform_(), lambda z: z.normal_(), lambda z: z.bernoulli_()):
        x = nn.tensor([0.2, 0.8], requires_grad=True)
        z = x * 2
        write(z[:1])
        (z * 3).sum().backward()
        assert x.grad.tolist() == [0, 6]


def test_leaves_are_written_to_inside_no_grad_alone():
    for method in ("uniform_", "normal_", "bernoulli_"):
        x = nn.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match=f"{method}: expected a computed tensor or no_grad"):
            getattr(x, method)()
        with nn.no_grad():
            getattr(x, method)()
        assert (x.is_leaf and x.requires_grad and x.tolist() != [1, 1]) or method == "bernoulli_"


WRONG = {
    "uniform_": (lambda x, t: x.uniform_(2, 1), ValueError, "uniform_: expected from <= to"),
    "uniform_ nan": (lambda x, t: x.uniform_(float("nan"), 1), ValueError, "got nan and 1"),
    "uniform_ long": (lambda x, t: x.long().uniform_(), TypeError, "got int64"),
    "normal_": (lambda x, t: x.normal_(0, -1), ValueError, "normal_: expected std >= 0, got -1"),
    "normal_ long": (lambda x, t: x.long().normal_(), TypeError, "normal_: expected float32"),
    "bernoulli_": (lambda x, t: x.bernoulli_(1.5), ValueError, r"probabilities in \[0, 1\]"),
    "bernoulli": (lambda x, t: t.bernoulli(x + 2), ValueError, r"probabilities in \[0, 1\]"),
    "bernoulli nan": (lambda x, t: (x / 0 * 0).bernoulli(), ValueError, "probabilities"),
    "bernoulli long": (lambda x, t: t.bernoulli(x.long()), TypeError, "bernoulli: expected float"),
    "multinomial long": (lambda x, t: x.long().multinomial(1), TypeError, "got int64"),
    "multinomial 0": (lambda x, t: x.multinomial(0), ValueError, "num_samples >= 1"),
    "multinomial 3": (lambda x, t: x.multinomial(3), ValueError, "at most 2 without"),
    "multinomial 1.5": (lambda x, t: x.multinomial(1.5), TypeError, "an integer num_samples"),
    "multinomial zeros": (lambda x, t: (x * 0).multinomial(1), ValueError, "an element above 0"),
    "multinomial below": (lambda x, t: (-x).multinomial(1), ValueError, "none below 0"),
    "multinomial nan": (lambda x, t: (x / 0).multinomial(1), ValueError, "finite elements"),
    "multinomial axes": (lambda x, t: x[None, None].multinomial(1), ValueError, "1 or 2 axes"),
    "multinomial none": (lambda x, t: x.sum().multinomial(1, True), ValueError, "1 or 2 axes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_pytorch_refuses_is_an_error_that_tells(name):
    torch = pytest.importorskip("torch")
    call, error, told = WRONG[name]
    with pytest.raises((TypeError, RuntimeError, NotImplementedError)):
        call(torch.ones(2), torch)
    with pytest.raises(error, match=told):
        call(nn.ones(2), nn)


@pytest.fixture(autouse=True)
def keep_state():
    before = nn.random.get_state()
    yield
    nn.random.set_state(before)
