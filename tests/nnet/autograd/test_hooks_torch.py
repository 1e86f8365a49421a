"""Hooks of tensors, and gradients that are asked for, against PyTorch's."""

import gc
import weakref

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")


def leaf(t, *values):
    return t.tensor([1.0, 2.0, 3.0] if not values else list(values), requires_grad=True)


def on_a_leaf(t):
    x, seen = leaf(t), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * x).sum().backward()  # once, with the sum
    (x * 3).sum().backward()
    return seen, x.grad


def on_what_was_computed(t):
    x, seen = leaf(t), []
    h = x * 2
    h.register_hook(lambda g: seen.append(g.tolist()))
    h.register_hook(lambda g: g + 1)
    h.retain_grad()
    (h * h + h).sum().backward()
    return seen, x.grad, h.grad


def on_the_root(t):
    x = leaf(t, 3.0)
    x.register_hook(lambda g: g * 5)
    x.backward(t.tensor([2.0]))
    y = x * 2
    y.register_hook(lambda g: g * 7)
    y.backward()
    return (x.grad,)


def removed(t):
    x, seen = leaf(t), []
    first = x.register_hook(lambda g: seen.append("first"))
    second = x.register_hook(lambda g: seen.append("second"))
    x.sum().backward()
    first.remove()
    first.remove()
    x.sum().backward()
    second.remove()
    third = x.register_hook(lambda g: g * 100)
    second.remove()
    x.sum().backward()
    third.remove()
    x.sum().backward()
    return seen, x.grad


def one_of_several_outputs(t):
    x = leaf(t)
    values = x.reshape(1, 3).max(1)[0]
    a, b = (x * 2).split([1, 2])
    b.register_hook(lambda g: g * 3)
    values.register_hook(lambda g: -g)
    (a.sum() + b.sum() + values.sum()).backward()
    return (x.grad,)


def before_a_write(t):
    x = leaf(t)
    h = x * 2
    h.register_hook(lambda g: g * 10)  # of the values before
    h *= 3
    h.register_hook(lambda g: g + 1)
    h.sum().backward()
    return (x.grad,)


def in_double(t):
    x = t.tensor([[1.0], [2.0]], dtype=t.double, requires_grad=True)
    x.register_hook(lambda g: g * 0.1)
    (x.t() * x).sum().backward()
    return (x.grad,)


def grad_of_a_leaf(t):
    x, w = leaf(t), leaf(t)
    return *t.autograd.grad((x * x * w).sum(), x), x.grad, w.grad


def grad_of_several(t):
    x, w = leaf(t), leaf(t)
    h = x * w
    found = t.autograd.grad([h.sum(), (h * h)], [w, h, x, x], [None, t.tensor([1.0, 0.0, -1.0])])
    return found


def grad_of_the_output(t):
    x = leaf(t, 2.0)
    y = x * 3
    return t.autograd.grad([x, y, y], [x, y])


def grad_leaves_the_rest(t):
    x = leaf(t)
    h = x.exp()
    (g,) = t.autograd.grad((h * h).sum(), h)
    h.backward(g)  # below h nothing was walked
    return g, x.grad


def grad_twice(t):
    x = leaf(t)
    y = (x * x).sum()
    return *t.autograd.grad(y, x, retain_graph=True), *t.autograd.grad(y, x)


def grad_unused(t):
    x, w = leaf(t), leaf(t)
    y = (x * 2).sum()
    found = t.autograd.grad(y, [x, w], retain_graph=True, allow_unused=True)
    return *found, *t.autograd.grad(y, [w, x], materialize_grads=True)


def grad_with_hooks(t):
    x, w, seen = leaf(t), leaf(t), []
    h, other = x * w, w.exp()
    x.register_hook(lambda g: g * 10)
    h.register_hook(lambda g: g * 3)
    other.register_hook(lambda g: seen.append("other"))
    w.register_hook(lambda g: seen.append("w"))
    (h.sum() + other.sum()).backward(retain_graph=True)
    found = t.autograd.grad(h.sum() + other.sum(), x, retain_graph=True)
    return seen, *found, *t.autograd.grad(h.sum(), h), x.grad, w.grad


def grad_of_a_written_one(t):
    x = leaf(t)
    y = x * 2
    y[0] = x[2] * x[2]
    return t.autograd.grad((y * y).sum(), (x, y))


def grad_of_nothing(t):
    x = t.zeros(0, 2, requires_grad=True)
    return t.autograd.grad((x * 2).sum(), x)


@pytest.mark.parametrize(
    "steps",
    [
        *(on_a_leaf, on_what_was_computed, on_the_root, removed, one_of_several_outputs),
        *(before_a_write, in_double, grad_of_a_leaf, grad_of_several, grad_of_the_output),
        *(grad_leaves_the_rest, grad_twice, grad_unused, grad_with_hooks, grad_of_a_written_one),
        grad_of_nothing,
    ],
    ids=lambda steps: steps.__name__,
)
def test_gradients_are_pytorchs(steps):
    for ours, theirs in zip(steps(nn), steps(torch), strict=True):
        if theirs is None or isinstance(theirs, list):
            assert ours == theirs
        else:
            assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
            assert not ours.requires_grad and ours.shape == tuple(theirs.shape)
            np.testing.assert_allclose(ours.data, theirs.numpy(), rtol=1e-6)


def test_gradients_of_parameters_in_one_buffer_are_copies():
    """Some operations write the first gradient of a parameter where the buffer has it."""
    nn.manual_seed(0)
    model = nn.Sequential(nn.Embedding(50, 8), nn.Linear(8, 3))
    nn.optim.SGD(model.parameters(), lr=0.1)
    tokens = nn.tensor([3, 3, 7])

    def loss():
        h = model[0](tokens) + model[0](tokens * 2)
        return model[1](h).square().sum()

    found = nn.autograd.grad(loss(), list(model.parameters()))
    assert all(each.grad is None for each in model.parameters())
    kept = [each.data.copy() for each in found]
    loss().backward()
    for each, before, parameter in zip(found, kept, model.parameters(), strict=True):
        np.testing.assert_allclose(before, parameter.grad.data, rtol=1e-5)
        np.testing.assert_array_equal(each.data, before)
        assert not np.shares_memory(each.data, parameter.grad.data)


def test_a_hook_of_a_parameter_sees_the_sum_of_its_gradients():
    seen = []
    embedding = nn.Embedding(5, 2)
    embedding.weight.register_hook(lambda g: seen.append(g.sum().item()))
    tokens = nn.tensor([1, 2])
    (embedding(tokens) + embedding(tokens)).sum().backward()
    assert seen == [8] and embedding.weight.grad.sum() == 8


def test_hooks_go_with_the_graph():
    x = leaf(nn)
    y = x * 2
    kept = np.zeros(3)
    gone = weakref.ref(kept)
    y.register_hook(lambda g, kept=kept: g * kept)
    del kept
    assert gone() is not None
    del y
    gc.collect()
    assert gone() is None


WRONG = {
    "no gradient": (lambda t, x: t.ones(2).register_hook(print), RuntimeError, "requires grad"),
    "shape": (lambda t, x: hooked(x, lambda g: g[:1]), ValueError, "of shape"),
    "dtype": (lambda t, x: hooked(x, lambda g: g.double()), ValueError, "got .* float64"),
    "kind": (lambda t, x: hooked(x, lambda g: 3), TypeError, "a tensor or None, got int"),
    "unused": (lambda t, x: t.autograd.grad(x.sum(), leaf(t)), RuntimeError, "allow_unused=True"),
    "input": (lambda t, x: t.autograd.grad(x.sum(), t.ones(3)), RuntimeError, "require grad"),
    "output": (lambda t, x: t.autograd.grad(t.ones(1), x), RuntimeError, "that requires grad"),
    "several": (lambda t, x: t.autograd.grad(x * 2, x), RuntimeError, "expected a scalar"),
    "seed": (lambda t, x: t.autograd.grad(x, x, t.ones(2)), ValueError, "shape .3,., got .2,."),
    "seeds": (lambda t, x: t.autograd.grad([x, x], x, [x]), ValueError, "2 grad_outputs, got 1"),
    "list": (lambda t, x: t.autograd.grad(x.sum(), 3), TypeError, "expected inputs as tensors"),
    "twice": (lambda t, x: twice(t, (x * x).sum(), x), RuntimeError, "retain_graph=True"),
}


def hooked(x, hook):
    x.register_hook(hook)
    x.sum().backward()


def twice(t, y, x):
    t.autograd.grad(y, x)
    t.autograd.grad(y, x)


@pytest.mark.parametrize("name", WRONG)
def test_what_pytorch_refuses_is_an_error_that_tells(name):
    call, error, told = WRONG[name]
    with pytest.raises((TypeError, RuntimeError, AttributeError)):
        call(torch, leaf(torch))
    with pytest.raises(error, match=told):
        call(nn, leaf(nn))


def test_gradients_of_gradients_are_refused():
    x = leaf(nn)
    with pytest.raises(ValueError, match="create_graph=False, got True"):
        nn.autograd.grad(x.sum(), x, create_graph=True)
    with pytest.raises(TypeError, match="expected a function, got int"):
        x.register_hook(3)
