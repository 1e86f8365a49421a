"""Random draws: what they are of, that a seed repeats them, and their gradients."""

import numpy as np
import pytest

import nnet as nn

DRAWS = {
    "rand": lambda: nn.rand(50),
    "randn": lambda: nn.randn(50),
    "rand_like": lambda: nn.rand_like(nn.zeros(50)),
    "randn_like": lambda: nn.randn_like(nn.zeros(50)),
    "randint": lambda: nn.randint(1000, (50,)),
    "randint_like": lambda: nn.randint_like(nn.zeros(50), 1000),
    "randperm": lambda: nn.randperm(50),
    "normal": lambda: nn.normal(0, 1, (50,)),
    "normal tensors": lambda: nn.normal(nn.zeros(50), nn.ones(50)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_repeats_them(name):
    nn.manual_seed(4)
    first, second = DRAWS[name](), DRAWS[name]()
    assert first.tolist() != second.tolist()
    nn.manual_seed(4)
    assert DRAWS[name]().tolist() == first.tolist()


def test_integers_are_each_as_likely():
    nn.manual_seed(0)
    counts = np.bincount(nn.randint(2, 7, (50_000,)).data, minlength=8)
    assert (counts[[0, 1, 7]] == 0).all() and np.abs(counts[2:7] - 10_000).max() < 500


def test_bounds_as_wide_as_the_dtype():
    assert nn.randint(2**63 - 1, 2**63, (2,)).tolist() == [2**63 - 1] * 2
    assert set(nn.randint(256, (5000,), dtype=nn.uint8).tolist()) == set(range(256))
    assert set(nn.randint(2, (50,), dtype=nn.bool).tolist()) == {False, True}


def test_a_permutation_has_each_once():
    assert sorted(nn.randperm(100).tolist()) == list(range(100)) != nn.randperm(100).tolist()


def test_normal_has_its_mean_and_deviation():
    nn.manual_seed(0)
    x = nn.normal(nn.tensor([[-5.0], [3.0]]), nn.full((1, 20_000), 0.5))
    assert np.abs(x.data.mean(1) - [-5, 3]).max() < 0.02
    assert np.abs(x.data.std(1) - 0.5).max() < 0.02
    assert nn.normal(2.0, 0.0, (2,)).tolist() == [2, 2]


def test_gradients_to_what_was_drawn_around_are_zero():
    mean, std = nn.zeros(2, 1, requires_grad=True), nn.ones(3, requires_grad=True)
    (nn.normal(mean, std) * 2).sum().backward()
    assert mean.grad.tolist() == [[0], [0]] and std.grad.tolist() == [0, 0, 0]


@pytest.fixture(autouse=True)
def keep_state():
    before = nn.random.get_state()
    yield
    nn.random.set_state(before)
