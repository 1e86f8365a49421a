"""Optimizers: one kernel call over flat buffers, whatever the user does to his parameters."""

import copy
from itertools import pairwise

import numpy as np
import pytest

import nnet as nn
from kernels import optimizer_step
from nnet import optim
from tests.helpers import assert_close

rng = np.random.default_rng(0)

SHAPES = [(3, 4), (4,), (), (17,), (2, 3, 1, 1)]


def make_parameters(dtype=np.float64):
    seeded = np.random.default_rng(5)
    return [nn.Parameter(seeded.normal(size=shape).astype(dtype)) for shape in SHAPES]


def backward(parameters, skip=()):
    """Gradients that depend on the parameters."""
    chosen = [p for i, p in enumerate(parameters) if i not in skip]
    total = sum((p * p * p + p).sum() for p in chosen)
    total.backward()


class PlainSGD:
    """Momentum SGD a parameter at a time, in NumPy: the oracle."""

    def __init__(self, parameters, lr, momentum):
        self.values = [p.data.copy() for p in parameters]
        self.buffers = [None] * len(parameters)
        self.lr, self.momentum = lr, momentum

    def step(self, gradients):
        for i, gradient in enumerate(gradients):
            if gradient is not None:
                old = self.buffers[i]
                self.buffers[i] = gradient if old is None else self.momentum * old + gradient
                self.values[i] = self.values[i] - self.lr * self.buffers[i]


def step_beside(optimizer, oracle, parameters):
    oracle.step([None if p.grad is None else p.grad.data.copy() for p in parameters])
    optimizer.step()
    for parameter, value in zip(parameters, oracle.values, strict=True):
        assert_close(parameter, value, 1e-12)


@pytest.fixture
def calls(monkeypatch):
    """The sizes that each call of a kernel got."""
    sizes = []
    for name in ("sgd", "adam"):
        kernel = getattr(optimizer_step, name)
        monkeypatch.setattr(
            optimizer_step,
            name,
            lambda param, *args, kernel=kernel, **named: (
                sizes.append(param.size),
                kernel(param, *args, **named),
            )[1],
        )
    return sizes


def pair_of(parameters, momentum=0.9):
    return optim.SGD(parameters, lr=0.01, momentum=momentum), PlainSGD(parameters, 0.01, momentum)


def test_parameters_and_gradients_lie_in_flat_buffers(calls):
    parameters = make_parameters(np.float32)
    before = [p.data.copy() for p in parameters]
    optimizer = optim.Adam(parameters)
    buffers = {id(p._home.buffers) for p in parameters}
    assert len(buffers) == 1
    values, gradients = parameters[0]._home.buffers
    for parameter, old in zip(parameters, before, strict=True):
        assert np.shares_memory(parameter.data, values) and (parameter.data == old).all()
    backward(parameters)
    for parameter in parameters:
        assert np.shares_memory(parameter.grad.data, gradients)
        assert_close(parameter.grad, 3 * parameter.data**2 + 1, 1e-6)
    optimizer.step()
    assert len(calls) == 1, "one kernel call a step"


def test_a_network_steps_in_one_kernel_call(calls):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(nn.randn(4, 1, 4, 4)), nn.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
    assert len(calls) == 3


def test_parameters_without_gradient_are_skipped(calls):
    parameters = make_parameters()
    optimizer, oracle = pair_of(parameters)
    for skip in [(1,), (1,), (0, 3), (), (2,), ()]:
        optimizer.zero_grad()
        backward(parameters, skip)
        step_beside(optimizer, oracle, parameters)
    optimizer.zero_grad()
    step_beside(optimizer, oracle, parameters)


def test_runs_part_where_the_step_numbers_differ(calls):
    parameters = make_parameters()
    optimizer = optim.Adam(parameters)
    backward(parameters, skip=(1,))
    optimizer.step()
    assert len(calls) == 2
    optimizer.zero_grad()
    backward(parameters)
    optimizer.step()
    assert len(calls) == 2 + 3
    state = optimizer.state_dict()["state"]
    assert [state[i]["step"] for i in range(5)] == [2, 1, 2, 2, 2]


def test_zero_grad_forgets_and_the_next_gradient_overwrites():
    parameters = make_parameters()
    optimizer = optim.SGD(parameters, lr=0.1)
    backward(parameters)
    expected = [p.grad.data.copy() for p in parameters]
    backward(parameters)
    assert_close(parameters[0].grad, 2 * expected[0], 1e-12)
    optimizer.zero_grad()
    assert all(p.grad is None for p in parameters)
    backward(parameters)
    for parameter, gradient in zip(parameters, expected, strict=True):
        assert_close(parameter.grad, gradient, 1e-12)
    optimizer.zero_grad(set_to_none=False)
    assert all(not p.grad.data.any() for p in parameters)


def test_a_gradient_that_is_held_keeps_its_values(calls):
    parameters = make_parameters()
    optimizer, oracle = pair_of(parameters)
    backward(parameters)
    held, array = parameters[0].grad, parameters[1].grad.numpy()
    kept = held.data.copy(), array.copy()
    step_beside(optimizer, oracle, parameters)
    optimizer.zero_grad()
    backward(parameters)
    assert (held.data == kept[0]).all() and (array == kept[1]).all()
    step_beside(optimizer, oracle, parameters)
    del held, array
    calls.clear()
    optimizer.zero_grad()
    backward(parameters)
    step_beside(optimizer, oracle, parameters)
    assert len(calls) == 1


def test_assigned_values_are_used_as_they_are():
    parameters = make_parameters()
    optimizer, oracle = pair_of(parameters)
    for i in range(4):
        optimizer.zero_grad()
        if i == 1:
            mine = rng.normal(size=(3, 4))
            parameters[0].data = mine
            oracle.values[0] = mine.copy()
        if i == 2:
            parameters[1].data = np.broadcast_to(np.float64(3), (4,))
            oracle.values[1] = np.full(4, 3.0)
        backward(parameters)
        step_beside(optimizer, oracle, parameters)
    assert parameters[0].data is mine


def test_assigned_gradients_are_used_as_they_are():
    parameters = make_parameters()
    optimizer, oracle = pair_of(parameters)
    for i in range(4):
        optimizer.zero_grad()
        backward(parameters)
        if i == 1:
            parameters[0].grad = nn.Tensor(rng.normal(size=(4, 3)).T)
        if i == 2:
            parameters[3].grad.data = rng.normal(size=17)
            parameters[4].grad.data *= 0.1
            parameters[1].grad *= 0.5
        step_beside(optimizer, oracle, parameters)


def test_wrong_gradients_are_errors():
    parameter = nn.Parameter(nn.zeros(3))
    optimizer = optim.SGD([parameter], lr=0.1)
    for gradient, error, message in (
        (nn.zeros(2), ValueError, r"expected a gradient of shape \(3,\), got \(2,\)"),
        (nn.zeros(3).double(), TypeError, "expected a float32 parameter and gradient .*float64"),
        (np.zeros(3, np.float32), TypeError, "expected a float32 parameter .* got .*ndarray"),
    ):
        parameter.grad = gradient
        with pytest.raises(error, match=message):
            optimizer.step()


def test_loading_weights_before_or_after_building_the_optimizer(calls):
    model, other = nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    parameters = list(model.parameters())
    optimizer, oracle = pair_of(parameters)
    model.load_state_dict(other.state_dict())
    oracle.values = [p.data.copy() for p in other.parameters()]
    for _ in range(3):
        optimizer.zero_grad()
        backward(parameters)
        step_beside(optimizer, oracle, parameters)
    assert len(calls) == 3, "still one call a step"


def test_two_optimizers_share_parameters(calls):
    parameters = make_parameters()
    first, second = optim.SGD(parameters, lr=0.1), optim.SGD(parameters, lr=0.01)
    part = optim.SGD(parameters[2:], lr=0.001)
    values = [p.data.copy() for p in parameters]
    for optimizer, lr, start in ((first, 0.1, 0), (second, 0.01, 0), (part, 0.001, 2)) * 2:
        first.zero_grad()
        backward(parameters)
        for i in range(start, len(parameters)):
            values[i] = values[i] - lr * parameters[i].grad.data
        optimizer.step()
        for parameter, value in zip(parameters, values, strict=True):
            assert_close(parameter, value, 1e-12)
    assert len(calls) == 2 * 3


def test_another_order_of_parameters_moves_them_to_a_row_again(calls):
    parameters = make_parameters()
    former, former_oracle = pair_of(parameters)
    backward(parameters)
    optimizer, oracle = pair_of(parameters[::-1])
    step_beside(optimizer, oracle, parameters[::-1])
    assert len(calls) == 1, "gradients from before moved along"
    former_oracle.values = oracle.values[::-1]
    step_beside(former, former_oracle, parameters)
    assert len(calls) == 1 + len(parameters), "in the former order no two are neighbours"


def test_a_parameter_that_became_another_array_gets_its_gradient_beside():
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model.double()
    model.bias.data = np.ones((1, 2))
    (model.weight.sum() * 1e-12 + 1 + model.bias).sum().backward()
    assert model.weight.grad.dtype == np.float64 and model.bias.grad.shape == (1, 2)
    assert optimizer.param_groups[0]["params"][0].grad is model.weight.grad


def test_tied_memory_stays_tied():
    one = nn.Parameter(rng.normal(size=5))
    other = nn.Parameter(one.data)
    optimizer = optim.SGD([one, other, nn.Parameter(np.ones(2))], lr=0.1)
    assert np.shares_memory(one.data, other.data)
    one.grad = nn.Tensor(np.ones(5))
    before = one.data.copy()
    optimizer.step()
    assert_close(other, before - 0.1, 1e-12)


def test_groups_have_their_own_options_and_dtypes(calls):
    weights, biases = make_parameters(), make_parameters(np.float32)
    optimizer = optim.SGD(
        [{"params": weights, "lr": 1.0}, {"params": iter(biases), "weight_decay": 0.5}], lr=0.1
    )
    optimizer.add_param_group({"params": nn.Parameter([2.0]), "lr": 0.0})
    assert [group["lr"] for group in optimizer.param_groups] == [1.0, 0.1, 0.0]
    backward([*weights, *biases])
    expected = weights[0].data - weights[0].grad.data
    other = biases[0].data - 0.1 * (biases[0].grad.data + 0.5 * biases[0].data)
    optimizer.step()
    assert_close(weights[0], expected, 1e-12)
    assert_close(biases[0], other, 1e-6)
    assert len(calls) == 2
    mixed = optim.SGD([nn.Parameter([1.0]), nn.Parameter(np.ones(1))], lr=0.1)
    for parameter in mixed.param_groups[0]["params"]:
        parameter.grad = nn.ones_like(parameter)
    mixed.step()
    assert [p.dtype for p in mixed.param_groups[0]["params"]] == [np.float32, np.float64]
    assert_close(mixed.param_groups[0]["params"][1], [0.9], 1e-12)


def test_plain_tensors_and_named_parameters_can_be_optimized():
    x = nn.tensor([4.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.1)
    model = nn.Linear(2, 1)
    optim.Adam(model.named_parameters()).step()
    for _ in range(50):
        optimizer.zero_grad()
        ((x - 1) ** 2).sum().backward()
        optimizer.step()
    assert x.item() == pytest.approx(1, abs=1e-3)


def test_frozen_parameters_stay():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    before = model[0].weight.tolist()
    optimizer = optim.Adam(model.parameters(), lr=0.1, weight_decay=0.1)
    model(nn.ones(1, 2)).sum().backward()
    optimizer.step()
    assert model[0].weight.tolist() == before and model[0].weight.grad is None


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW])
def test_state_goes_on_where_it_was(kind):
    options = {"lr": 0.01, **({"momentum": 0.9} if kind is optim.SGD else {})}
    one, other = make_parameters(), make_parameters()
    first, second = kind(one, **options), kind(other, lr=0.5)
    for skip in ((), (2,)):
        first.zero_grad()
        backward(one, skip)
        first.step()
    state = copy.deepcopy(first.state_dict())
    for parameter, source in zip(other, one, strict=True):
        parameter.data[...] = source.data
    second.load_state_dict(state)
    assert second.param_groups[0]["lr"] == 0.01
    for _ in range(2):
        for optimizer, parameters in ((first, one), (second, other)):
            optimizer.zero_grad()
            backward(parameters)
            optimizer.step()
    for parameter, expected in zip(other, one, strict=True):
        assert_close(parameter, expected.data, 1e-14)


def test_state_of_other_parameters_is_an_error():
    optimizer = optim.Adam(make_parameters())
    state = optimizer.state_dict()
    with pytest.raises(
        ValueError, match=r"Adam: expected state for groups of \[1\] parameters, got"
    ):
        optim.Adam([nn.Parameter([1.0])]).load_state_dict(state)
    parameters = make_parameters()
    trained = optim.Adam(parameters, lr=0.5)
    backward(parameters)
    trained.step()
    wrong = trained.state_dict()
    wrong["state"][1]["exp_avg"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"expected exp_avg of parameter 1 of shape \(4,\), got"):
        optimizer.load_state_dict(wrong)
    assert optimizer.param_groups[0]["lr"] == 1e-3 and not optimizer.state_dict()["state"]


def test_momentum_switched_on_later_starts_with_the_gradient():
    parameters = make_parameters()
    optimizer, oracle = pair_of(parameters, momentum=0)
    for momentum in (0, 0, 0.9, 0.9):
        optimizer.param_groups[0]["momentum"] = momentum
        if momentum and oracle.momentum == 0:
            oracle.momentum, oracle.buffers = momentum, [None] * len(parameters)
            assert not optimizer.state_dict()["state"], "without momentum there is no state"
        optimizer.zero_grad()
        backward(parameters)
        step_beside(optimizer, oracle, parameters)


def test_a_closure_is_called_with_recording_on():
    x = nn.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with nn.no_grad():
        assert optimizer.step(closure).item() == 1
    assert x.item() == pytest.approx(0.8)


def test_f_adams_first_step_is_the_rate_times_the_sign():
    x = nn.Parameter(np.array([1.0, -2.0, 3.0]))
    optimizer = optim.Adam([x], lr=0.01)
    x.grad = nn.Tensor(np.array([1e-3, -50.0, 2.0]))
    optimizer.step()
    assert_close(x, [0.99, -1.99, 2.99], 1e-6)


def test_c9_momentum_free_descent_zigzags():
    point = nn.Parameter(np.array([-7.0, 2.0]))
    optimizer = optim.SGD([point], lr=0.95)
    signs = []
    for _ in range(30):
        optimizer.zero_grad()
        (point * point * np.array([1 / 20, 1.0])).sum().backward()
        optimizer.step()
        signs.append(np.sign(point.data[1]))
    assert all(a == -b for a, b in pairwise(signs))
    assert_close(point, [-0.350, 0.0848], 1e-3)


P = nn.Parameter([1.0])

BAD = {
    "lr": (lambda: optim.SGD([P], lr=-0.1), r"SGD: expected 0 <= lr < inf, got -0\.1"),
    "nan lr": (lambda: optim.Adam([P], lr=float("nan")), r"Adam: expected 0 <= lr < inf, got nan"),
    "group lr": (lambda: optim.SGD([{"params": [P], "lr": -1}]), r"SGD: expected 0 <= lr .*got -1"),
    "decay": (
        lambda: optim.AdamW([P], weight_decay=-1),
        r"AdamW: expected 0 <= weight_decay < inf, got -1",
    ),
    "momentum": (
        lambda: optim.SGD([P], momentum=-1),
        r"SGD: expected 0 <= momentum < inf, got -1",
    ),
    "nesterov": (
        lambda: optim.SGD([P], nesterov=True),
        r"SGD: expected momentum > 0 and dampening 0 with nesterov, got momentum 0",
    ),
    "dampened nesterov": (
        lambda: optim.SGD([P], momentum=0.9, dampening=0.1, nesterov=True),
        r"SGD: expected momentum > 0 and dampening 0 with nesterov, .*dampening 0\.1",
    ),
    "betas": (lambda: optim.Adam([P], betas=(0.9, 1.0)), r"Adam: expected 0 <= betas < 1, got"),
    "eps": (lambda: optim.Adam([P], eps=-1e-8), r"Adam: expected 0 <= eps < inf, got -1e-08"),
    "nothing": (lambda: optim.SGD([]), r"SGD: expected at least one parameter, got none"),
    "twice": (lambda: optim.SGD([P, P]), r"SGD: expected each parameter once, got .*\(1,\) twice"),
    "two groups": (
        lambda: optim.SGD([{"params": [P]}, {"params": [P]}]),
        r"SGD: expected each parameter once",
    ),
    "computed": (lambda: optim.SGD([P * 2]), r"SGD: expected float tensors that are leaves"),
    "integers": (lambda: optim.SGD([nn.tensor([1])]), r"SGD: expected float tensors"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_options_are_errors(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types_are_errors():
    with pytest.raises(TypeError, match="SGD: expected parameters to be tensors, got ndarray"):
        optim.SGD([np.ones(2)])
    with pytest.raises(TypeError, match="SGD: expected an iterable of parameters, got one tensor"):
        optim.SGD(P)
    model = nn.Linear(1, 1)
    optimizer = optim.Adam(model.parameters())
    model.double()
    model(nn.ones(1, 1, dtype=np.float64)).backward()
    with pytest.raises(TypeError, match="expected a float32 parameter and gradient as when it was"):
        optimizer.step()
