"""Random numbers: two integers are the whole state."""

import numpy as np
import pytest

import nnet as nn
from nnet import random


def draw():
    return [
        nn.randn(3).tolist(),
        nn.functional.dropout(nn.ones(200)).tolist(),
        random.next_seed(),
        nn.Linear(3, 2).weight.tolist(),
        random.generator().integers(1000, size=5).tolist(),
    ]


def test_the_state_is_two_integers_from_which_all_repeats():
    nn.manual_seed(11)
    draw()
    state = random.get_state()
    assert state == (11, 6) and all(type(number) is int for number in state)
    first = draw()
    assert draw() != first
    random.set_state(state)
    assert draw() == first


def test_no_stream_is_used_twice():
    nn.manual_seed(2**64 - 1)
    streams = [random.next_stream() for _ in range(5)]
    assert streams == [(2**64 - 1, i) for i in range(5)]
    assert random.generator().random() != random.generator().random()
    assert 0 <= random.next_seed() < 2**63


def test_any_integer_will_do_as_a_seed():
    nn.manual_seed(np.int64(7))
    assert random.get_state() == (7, 0)


@pytest.mark.parametrize("seed", [1.5, "1", None, True])
def test_other_seeds_are_type_errors(seed):
    with pytest.raises(TypeError, match="manual_seed: expected an integer seed, got"):
        nn.manual_seed(seed)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_out_of_range_are_errors(seed):
    before = random.get_state()
    with pytest.raises(ValueError, match=r"manual_seed: expected 0 <= seed < 2\^64, got"):
        nn.manual_seed(seed)
    assert random.get_state() == before


@pytest.fixture(autouse=True)
def keep_state():
    before = random.get_state()
    yield
    random.set_state(before)
