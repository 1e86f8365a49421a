"""Optimizer steps over flat buffers (inventory F)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import optimizer_step
from kernels.optimizer_step import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    nan_poisoned,
    non_contiguous,
    read_only,
)

SIZES = [1, 2, 7, 16, 31, 64, 101]
TOLERANCES = {np.float32: 3e-7, np.float64: 1e-15}

SGD_RULES = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.2, "maximize": True},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01, "maximize": True},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
]
ADAM_RULES = [
    {"lr": 0.01},
    {"lr": 0.02, "beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.1},
    {"lr": 0.01, "weight_decay": 0.3, "decoupled": True, "maximize": True},
]


def _normal(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _sgd_rule(implementation, arrays, *, lr, weight_decay=0.0, maximize=False, **momentum):
    param, grad, buffer = arrays
    shared = {"grad": grad, "lr": lr, "weight_decay": weight_decay, "maximize": maximize}
    if momentum["momentum"]:
        implementation.sgd_momentum(
            **shared, **momentum, inout_param=param, inout_momentum_buffer=buffer
        )
    else:
        implementation.sgd(**shared, inout_param=param)


def _run_sgd(implementation, size, dtype, rule, first_step):
    rule = {"momentum": 0.0, "dampening": 0.0, "nesterov": False} | rule
    arrays = list(_normal(3, size, dtype=dtype))
    if first_step:
        arrays[2] = nan_poisoned(size, dtype)
    _sgd_rule(implementation, arrays, **rule, first_step=first_step)
    return arrays if rule["momentum"] else arrays[:2]


def _run_adam(implementation, size, dtype, rule, step):
    defaults = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
    rule = defaults | {"decoupled": False, "maximize": False} | rule
    param, grad, mean, square = _normal(4, size, dtype=dtype)
    square = square**2
    state = {"inout_param": param, "inout_exp_avg": mean, "inout_exp_avg_sq": square}
    implementation.adam(grad=grad, **rule, step=step, **state)
    return list(state.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("first_step", [True, False])
@pytest.mark.parametrize("rule", SGD_RULES)
def test_f_sgd_equals_reference(rule, first_step, dtype):
    for size in SIZES:
        actual = _run_sgd(cpu, size, dtype, rule, first_step)
        expected = _run_sgd(reference, size, dtype, rule, first_step)
        for one, other in zip(actual, expected, strict=True):
            assert_close(one, other, TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [1, 2, 1000])
@pytest.mark.parametrize("rule", ADAM_RULES)
def test_f_adam_equals_reference(rule, step, dtype):
    for size in SIZES:
        actual = _run_adam(cpu, size, dtype, rule, step)
        expected = _run_adam(reference, size, dtype, rule, step)
        for one, other in zip(actual, expected, strict=True):
            assert_close(one, other, TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [cpu._TASK, cpu._TASK + 1, 2 * cpu._TASK + 13])
def test_f_steps_of_several_tasks_equal_reference(size, dtype):
    for run, rules, first in ((_run_sgd, SGD_RULES[::2], False), (_run_adam, ADAM_RULES[:1], 2)):
        for rule in rules:
            actual = run(cpu, size, dtype, rule, first)
            expected = run(reference, size, dtype, rule, first)
            for one, other in zip(actual, expected, strict=True):
                assert_close(one, other, TOLERANCES[dtype])


@given(st.integers(1, 300), st.integers(0, 1 << 30), st.floats(0, 0.99))
def test_f_sgd_any_size(size, seed, momentum):
    param, grad, buffer = _normal(3, size, seed=seed)
    expected = param - 0.1 * (momentum * buffer + grad if momentum else grad)
    optimizer_step.sgd(param, grad, buffer, lr=0.1, momentum=momentum)
    assert_close(param, expected, 1e-14)


def test_f_nesterov_equals_its_look_ahead_form():
    """v' = m v - lr g(w + m v), w' = w + v' walks the same path, seen from w + m v."""
    curvature = np.linspace(0.5, 2.0, 5)
    ahead = _normal(5, seed=1)
    weight, velocity, buffer = ahead.copy(), np.zeros(5), np.zeros(5)
    for step in range(30):
        optimizer_step.sgd(
            ahead,
            curvature * ahead,
            buffer,
            lr=0.1,
            momentum=0.9,
            nesterov=True,
            first_step=step == 0,
        )
        velocity = 0.9 * velocity - 0.1 * curvature * (weight + 0.9 * velocity)
        weight = weight + velocity
        assert_close(ahead, weight + 0.9 * velocity, 1e-10)


def test_f_adam_first_step_is_rate_times_sign():
    grad = np.array([3e-3, -5.0, 1e4, 0.0, -1.0])
    param, mean, square = np.zeros((3, 5))
    optimizer_step.adam(param, grad, mean, square, lr=0.25, step=1)
    assert_close(param, -0.25 * np.sign(grad), 1e-6)


def test_f_step_gradient_unchanged_read_only_and_strided():
    param, grad, mean, square = abs(_normal(4, 37))
    rule = {"lr": 0.1, "step": 3}
    plain, strided = param.copy(), param.copy()
    optimizer_step.adam(plain, read_only(grad), mean.copy(), square.copy(), **rule)
    optimizer_step.adam(strided, non_contiguous(grad), mean.copy(), square.copy(), **rule)
    assert_same_bits(plain, strided)


def test_f_step_same_bits_on_any_number_of_threads():
    size = 3 * cpu._TASK + 13

    def run():
        one, other = _normal(3, size), abs(_normal(4, size, seed=1))
        optimizer_step.sgd(*one, lr=0.1, momentum=0.9)
        optimizer_step.adam(*other, lr=0.1, step=2)
        return list(one), list(other)

    assert_same_bits_on_threads(run)


def test_f_step_bits_do_not_depend_on_the_place_in_the_buffer():
    """The end of a run, where lanes are masked, computes as its middle does."""
    whole = abs(_normal(4, 64, dtype=np.float32))
    part = whole[:, :61].copy()
    optimizer_step.adam(*whole, lr=0.1, step=2)
    optimizer_step.adam(*part, lr=0.1, step=2)
    assert_same_bits(part, whole[:, :61].copy())


def test_f_step_empty():
    optimizer_step.sgd(*np.zeros((3, 0)), lr=0.1, momentum=0.9)
    optimizer_step.adam(*np.zeros((4, 0)), lr=0.1, step=1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"grad": np.zeros(4)}, ValueError, r"grad of shape \(3,\), got \(4,\)"),
        ({"grad": np.zeros(3, np.float32)}, TypeError, "expected grad of float64"),
        ({"param": np.zeros(3, np.int64)}, TypeError, "param of float32 or float64, got int64"),
        ({"param": np.zeros((3, 1))}, ValueError, r"param of shape \(size,\), got \(3, 1\)"),
        ({"param": read_only(np.zeros(3))}, ValueError, "param, which is written in place"),
        ({"param": np.zeros(6)[::2]}, ValueError, "param, which is written in place"),
        ({"momentum_buffer": np.zeros(2)}, ValueError, r"momentum_buffer of shape \(3,\)"),
        ({"momentum_buffer": None}, ValueError, "a momentum_buffer for momentum 0.9, got None"),
    ],
)
def test_f_step_bad_input(change, error, message):
    good = {name: np.zeros(3) for name in ("param", "grad", "momentum_buffer")}
    with pytest.raises(error, match=message):
        optimizer_step.sgd(**(good | change), lr=0.1, momentum=0.9)


def test_f_adam_bad_step_and_state():
    arrays = list(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="step counted from 1, got 0"):
        optimizer_step.adam(*arrays, lr=0.1, step=0)
    with pytest.raises(TypeError, match="expected exp_avg_sq of float64"):
        optimizer_step.adam(*arrays[:3], np.zeros(3, np.float32), lr=0.1, step=1)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def _trajectories(torch, make_optimizer, step_of, dtype):
    """50 steps down a bent valley, by PyTorch and by us, from the same start."""
    start = _normal(23, dtype=dtype, seed=2)
    scale = np.linspace(0.3, 3.0, 23).astype(dtype)
    theirs = torch.nn.Parameter(torch.tensor(start))
    ours = start.copy()
    optimizer = make_optimizer([theirs])
    for step in range(50):
        # Each its own gradient, so that errors may grow as they would in training.
        theirs.grad = torch.tensor(scale) * torch.sin(theirs.detach())
        optimizer.step()
        step_of(ours, scale * np.sin(ours), step)
    return ours, theirs.detach().numpy()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("rule", SGD_RULES)
def test_f_sgd_trajectory_equals_pytorch(torch, rule, dtype, tolerance):
    buffer = nan_poisoned(23, dtype)
    rule = rule | {"lr": 0.01}

    def step_of(param, grad, step):
        optimizer_step.sgd(param, grad, buffer, **rule, first_step=step == 0)

    actual, expected = _trajectories(torch, lambda p: torch.optim.SGD(p, **rule), step_of, dtype)
    assert_close(actual, expected, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("rule", ADAM_RULES)
def test_f_adam_trajectory_equals_pytorch(torch, rule, dtype, tolerance):
    mean, square = np.zeros((2, 23), dtype)

    def step_of(param, grad, step):
        optimizer_step.adam(param, grad, mean, square, **rule, step=step + 1)

    def make_optimizer(parameters):
        names = {"lr", "eps", "weight_decay", "maximize"} & rule.keys()
        kind = torch.optim.AdamW if rule.get("decoupled") else torch.optim.Adam
        betas = rule.get("beta1", 0.9), rule.get("beta2", 0.999)
        settings = {"weight_decay": 0.0} | {name: rule[name] for name in names}
        return kind(parameters, betas=betas, **settings)

    actual, expected = _trajectories(torch, make_optimizer, step_of, dtype)
    assert_close(actual, expected, tolerance)
