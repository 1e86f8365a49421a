"""Several outputs of one recorded operation."""

import gc
import weakref

import numpy as np
import pytest

import nnet as nn
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(0)


def three(x, w, seen=None):
    """x w, x + w and x - w as the outputs of one operation."""

    def backward(*dys):
        if seen is not None:
            seen.append(tuple(dy is not None for dy in dys))
        product, plus, minus = (np.zeros(x.shape) if dy is None else dy for dy in dys)
        return product * w.data + plus + minus, product * x.data + plus - minus

    return nn.record_outputs((x.data * w.data, x.data + w.data, x.data - w.data), (x, w), backward)


def leaves():
    return (
        nn.Tensor(rng.normal(size=3), requires_grad=True),
        nn.Tensor(rng.normal(size=3), requires_grad=True),
    )


@pytest.mark.parametrize("used", [(0,), (1,), (2,), (0, 2), (2, 1), (0, 1, 2), (1, 1, 0, 1)])
def test_outputs_of_one_operation_run_its_backward_once(used):
    seen = []

    def function(x, w):
        found = three(x, w, seen)
        total = x * 0
        for each in used:
            total = total + found[each].exp() * (each + 1)
        return total

    check_gradients(function, rng.normal(size=3), rng.normal(size=3))
    assert seen == [tuple(each in used for each in range(3))]


def test_the_gradients_of_inputs_that_were_computed_flow_on():
    check_gradients(
        lambda x, w: nn.stack(three(*three(x * 2, w.exp())[:2])).sum(0),
        rng.normal(size=3),
        rng.normal(size=3),
    )


def test_a_retained_graph_is_walked_from_any_output_as_often_as_wanted():
    x, w = leaves()
    seen = []
    product, plus, _ = three(x, w, seen)
    ones = np.ones(3)
    product.backward(ones, retain_graph=True)
    assert x.grad.tolist() == w.data.tolist()
    product.backward(ones, retain_graph=True)
    assert x.grad.tolist() == (2 * w.data).tolist()
    x.grad = w.grad = None
    plus.backward(ones, retain_graph=True)
    assert x.grad.tolist() == w.grad.tolist() == [1, 1, 1]
    (product.sum() + plus.sum()).backward()
    assert seen == [(True, False, False)] * 2 + [(False, True, False), (True, True, False)]


def test_the_second_output_finds_its_operation_freed():
    x, w = leaves()
    product, plus, _ = three(x, w)
    product.sum().backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        plus.sum().backward()


def test_outputs_record_nothing_where_nothing_is_to_be_recorded():
    x, w = leaves()
    with nn.no_grad():
        assert not any(each.requires_grad or each._node for each in three(x, w))
    assert not any(each.requires_grad for each in three(x.detach(), w.detach()))
    assert all(each.requires_grad for each in three(x.detach(), w))


def test_an_output_keeps_its_own_gradient():
    x, w = leaves()
    product, plus, minus = three(x, w)
    for each in (product, plus):
        each.retain_grad()
    (product * 3 + plus + plus).sum().backward()
    assert product.grad.tolist() == [3, 3, 3] and plus.grad.tolist() == [2, 2, 2]
    assert minus.grad is None


def test_an_input_that_needs_no_gradient_is_left_out():
    x = nn.Tensor(np.ones(3), requires_grad=True)
    one, _ = nn.record_outputs((x.data, x.data), (None, x), lambda dy, _: (None, dy))
    one.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_wrong_gradients_of_outputs_name_the_operation():
    x = nn.Tensor(np.ones(3), requires_grad=True)
    one, _ = nn.record_outputs((x.data, x.data), (x,), lambda dy, other: (dy, other))
    with pytest.raises(RuntimeError, match=r"expected 1 gradients from .*lambda.*got 2"):
        one.sum().backward()


def test_what_outputs_saved_is_freed_by_the_walk_and_with_the_graph():
    class Saved:
        """Stands for what an operation saves."""

    def recorded(x):
        saved = Saved()
        outputs = nn.record_outputs((x.data, x.data), (x,), lambda *dys: (saved and dys[0],))
        return outputs, weakref.ref(saved)

    x = nn.Tensor(np.ones(3), requires_grad=True)
    gc.disable()
    try:
        (one, _two), saved = recorded(x)
        one.sum().backward()
        assert saved() is None
        outputs, saved = recorded(x)
        del outputs
        assert saved() is None
    finally:
        gc.enable()
