"""The tape: recorded gradients against central differences, and what it keeps and frees."""

import asyncio
import contextvars
import gc
import threading
import weakref

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from kernels import _memory
from nnet.autograd.tape import LARGE
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(0)


def positive(*shape):
    return rng.uniform(0.5, 2.0, shape)


def signed(*shape):
    """Away from zero, so that no kink is near."""
    return rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


BROADCASTS = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((2, 3, 4), (3, 1)),
    ((), (2, 3)),
    ((2, 1, 5), (2, 7, 1)),
]

BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "maximum": lambda x, y: x.maximum(y),
    "minimum": lambda x, y: x.minimum(y),
    "where": lambda x, y: nn.where(nn.Tensor(np.array(x.data + y.data > 2.5)), x, y),
}


@pytest.mark.parametrize("shapes", BROADCASTS, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_gradients_of_binary_operations(name, shapes):
    check_gradients(BINARY[name], positive(*shapes[0]), positive(*shapes[1]), tolerance=1e-6)


UNARY = {
    "neg": lambda x: -x,
    "exp": lambda x: x.exp(),
    "log": lambda x: x.abs().log(),
    "sqrt": lambda x: x.abs().sqrt(),
    "abs": lambda x: abs(x),
    "square": lambda x: x.square(),
    "clamp both": lambda x: x.clamp(-1.0, 1.0),
    "clamp below": lambda x: x.clamp(min=0.1),
    "relu": lambda x: x.relu(),
    "sigmoid": lambda x: x.sigmoid(),
    "tanh": lambda x: x.tanh(),
    "number + x": lambda x: 2 + x,
    "number - x": lambda x: 2.5 - x,
    "number * x": lambda x: 3 * x,
    "number / x": lambda x: 2 / x,
    "number ** x": lambda x: 2**x,
    "x - number": lambda x: x - 2,
    "x / number": lambda x: x / 3,
    "x ** 3": lambda x: x**3,
    "x ** 1": lambda x: x**1,
    "x ** 0": lambda x: x**0 + x,
    "x ** -2": lambda x: x**-2,
    "|x| ** 0.5": lambda x: abs(x) ** 0.5,
    "array + x": lambda x: np.arange(4.0) + x,
    "array @ x": lambda x: np.ones((2, 3)) @ x,
    "sum": lambda x: x.sum(),
    "sum 0": lambda x: x.sum(0),
    "sum -1 keepdim": lambda x: x.sum(-1, keepdim=True),
    "sum both": lambda x: x.sum((0, 1)),
    "mean": lambda x: x.mean(),
    "mean 1": lambda x: x.mean(1),
    "mean keepdim": lambda x: x.mean((0, 1), keepdim=True),
    "var": lambda x: x.var(),
    "var 0": lambda x: x.var(0, correction=0),
    "std 1": lambda x: x.std(1, keepdim=True),
    "max": lambda x: x.max(),
    "max 0": lambda x: x.max(0).values,
    "max 1 keepdim": lambda x: x.max(1, keepdim=True).values,
    "min": lambda x: x.min(),
    "min -1": lambda x: x.min(-1).values,
    "reshape": lambda x: x.reshape(2, -1),
    "view tuple": lambda x: x.view((6, 2)),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "squeeze": lambda x: x.reshape(1, 3, 1, 4).squeeze(),
    "squeeze 0": lambda x: x.reshape(1, 3, 1, 4).squeeze(0),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "permute": lambda x: x.reshape(3, 2, 2).permute(2, 0, 1),
    "permute negative": lambda x: x.reshape(3, 2, 2).permute(-1, 0, -2),
    "transpose": lambda x: x.transpose(0, 1),
    "T": lambda x: x.T,
    "t": lambda x: x.t(),
    "expand": lambda x: x.unsqueeze(1).expand(-1, 5, -1),
    "expand front": lambda x: x.expand(2, 3, 4),
    "split": lambda x: nn.cat(x.split(3, dim=1)[::-1], dim=1),
    "clone": lambda x: x.clone(),
    "contiguous": lambda x: x.T.contiguous(),
    "through float64": lambda x: x.to(np.float64).double(),
    "x[1]": lambda x: x[1],
    "x[-1, 2]": lambda x: x[-1, 2],
    "x[1:, ::2]": lambda x: x[1:, ::2],
    "x[..., None]": lambda x: x[..., None],
    "x[[0, 2, 0]]": lambda x: x[[0, 2, 0]],
    "x[array, array]": lambda x: x[np.array([0, 1, 1]), np.array([3, 2, 2])],
    "x[tensor]": lambda x: x[nn.tensor([2, 2, 1])],
    "x[:, tensor]": lambda x: x[:, nn.tensor([[3, 0], [3, 3]])],
    "x[bool]": lambda x: x[np.array([True, False, True])],
    "x[bool matrix]": lambda x: x[nn.Tensor(np.eye(3, 4, dtype=bool))],
    "rows": lambda x: nn.stack(list(x)[::-1]),
    "x twice": lambda x: x * x + x * 3,
    "diamond": lambda x: (lambda y: y.exp() * y.sum(0))(x * 0.5),
}


@pytest.mark.parametrize("name", UNARY)
def test_gradients_of_methods(name):
    check_gradients(UNARY[name], signed(3, 4), tolerance=1e-6)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gradients_of_cat_and_stack(dim):
    check_gradients(lambda x, y, z: nn.cat([x, y, z], dim), *(signed(2, 2) for _ in range(3)))
    check_gradients(lambda x, y, z: nn.stack([x, y, z], dim), *(signed(2, 2) for _ in range(3)))
    pieces = (signed(2, 3), signed(2, 1)) if dim else (signed(3, 2), signed(1, 2))
    check_gradients(lambda x, y: nn.cat([x, y], dim), *pieces)


PRODUCTS = [
    ((3, 4), (4, 5)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((4,), (4,)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (2, 4, 5)),
    ((3, 4), (2, 4, 5)),
    ((6, 1, 3, 4), (2, 4, 5)),
    ((4,), (2, 4, 5)),
]


@pytest.mark.parametrize("shapes", PRODUCTS, ids=str)
def test_gradients_and_values_of_matmul(shapes):
    a, b = signed(*shapes[0]), signed(*shapes[1])
    assert_close((nn.Tensor(a) @ nn.Tensor(b)).data, a @ b, 1e-12)
    check_gradients(lambda x, y: x @ y, a, b, tolerance=1e-6)


def test_extremes_share_the_gradient_as_pytorch_does():
    x = nn.Tensor([[1.0, 5.0, 5.0], [5.0, 0.0, 2.0]], requires_grad=True)
    x.max().backward()
    assert_close(x.grad, [[0, 1 / 3, 1 / 3], [1 / 3, 0, 0]], 1e-7)
    x.grad = None
    x.max(1).values.sum().backward()
    assert x.grad.tolist() == [[0, 1, 0], [1, 0, 0]]
    y = nn.Tensor([[1.0, 4.0, 5.0], [6.0, 0.0, 2.0]], requires_grad=True)
    x.grad = None
    x.maximum(y).sum().backward()
    assert x.grad.tolist() == [[0.5, 1, 0.5], [0, 0.5, 0.5]]
    assert y.grad.tolist() == [[0.5, 0, 0.5], [1, 0.5, 0.5]]


def test_clamp_passes_the_gradient_at_its_bounds():
    x = nn.Tensor([-2.0, -1.0, 0.0, 1.0, 2.0], requires_grad=True)
    x.clamp(-1, 1).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]


def test_power_at_zero_has_finite_gradients():
    x = nn.Tensor([0.0, 2.0], requires_grad=True)
    p = nn.Tensor([2.0, 0.0], requires_grad=True)
    (x**p).sum().backward()
    assert x.grad.tolist() == [0, 0]
    assert_close(p.grad, [0, np.log(2)], 1e-6)


def test_gradients_accumulate_until_forgotten():
    x = nn.Tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    first = x.grad
    (x * 4).sum().backward()
    assert x.grad is first and x.grad.tolist() == [7, 7]
    x.grad = None
    (x * 4).sum().backward()
    assert x.grad.tolist() == [4, 4] and first.tolist() == [7, 7]


def test_the_gradient_of_one_use_is_not_shared_with_another_leaf():
    x = nn.Tensor([1.0], requires_grad=True)
    y = nn.Tensor([1.0], requires_grad=True)
    (x + y).backward()
    x.grad.data += 5
    assert y.grad.item() == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [LARGE - 1, LARGE + 5])
@pytest.mark.parametrize("uses", [2, 3, 4])
def test_gradients_of_several_uses_are_summed_in_an_array_of_their_own(uses, size, dtype):
    whole = np.random.default_rng(uses).integers
    x = nn.Tensor(whole(-9, 10, size).astype(dtype), requires_grad=True)
    shared = x * 2
    handed_on = []

    def use(slope):
        def backward(dy):
            gradient = dy if slope == 1 else dy * slope
            handed_on.append((gradient, gradient.copy()))
            return gradient

        return nn.record(shared.data * slope, (shared,), backward)

    slopes = (1, 2, 1, 1)[:uses]
    branches = [use(slope) for slope in slopes]
    dy = whole(-9, 10, size).astype(dtype)
    before = dy.copy()
    for tensor in (shared, *branches):
        tensor.retain_grad()
    sum(branches[1:], branches[0]).backward(dy)
    assert np.array_equal(shared.grad.data, sum(slopes) * before)
    assert np.array_equal(x.grad.data, 2 * sum(slopes) * before)
    assert len(handed_on) == uses
    for now, then in [*handed_on, (dy, before), *((b.grad.data, before) for b in branches)]:
        assert np.array_equal(now, then)


def test_only_what_needs_a_gradient_gets_one():
    x = nn.Tensor([1.0])
    w = nn.Tensor([2.0], requires_grad=True)
    asked = []

    def scale(x, w):
        needs = x.requires_grad, w.requires_grad

        def backward(dy):
            asked.append(needs)
            return tuple(
                dy * other if need else None
                for need, other in zip(needs, (w.data, x.data), strict=True)
            )

        return nn.record(x.data * w.data, (x, w), backward)

    scale(x, w).backward()
    assert asked == [(False, True)] and x.grad is None and w.grad.item() == 1


def test_a_second_walk_needs_retain_graph():
    x = nn.Tensor([3.0], requires_grad=True)
    y = (x * x).exp()
    y.backward(retain_graph=True)
    once = x.grad.item()
    y.backward()
    assert x.grad.item() == pytest.approx(2 * once)
    with pytest.raises(RuntimeError, match=r"freed by an earlier backward.*retain_graph=True"):
        y.backward()


def test_a_shared_part_that_was_freed_is_an_error():
    x = nn.Tensor([3.0], requires_grad=True)
    shared = x * x
    (shared * 2).backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        (shared * 3).backward()


def test_backward_frees_what_was_saved_and_computed_as_it_goes():
    saved, computed = [], []
    weight = nn.Tensor(np.zeros(1), requires_grad=True)

    class Watched:
        """Stands for what an operation saves."""

    def step(x):
        watched = Watched()
        saved.append(weakref.ref(watched))
        number = len(saved)

        def backward(dy, watched=watched):
            # Of what was recorded later all is used, so it must be gone by now.
            assert [ref() is not None for ref in saved] == [True] * number + [False] * (5 - number)
            assert all(ref() is None for ref in computed)
            dweight = dy * 2
            computed.append(weakref.ref(dweight))
            return dy, dweight

        return nn.record(x.data + 1, (x, weight), backward)

    x = nn.Tensor(np.zeros(1), requires_grad=True)
    gc.disable()
    try:
        y = x
        for _ in range(5):
            y = step(y)
        y.backward()
        assert not any(ref() is not None for ref in saved)
    finally:
        gc.enable()
    assert x.grad.item() == 1 and weight.grad.item() == 10


def test_an_intermediate_tensor_dies_although_its_result_lives():
    x = nn.Tensor(np.ones(3), requires_grad=True)
    middle = x + 1
    array = weakref.ref(middle.data)
    result = middle + 2
    del middle
    assert array() is None, "addition needs nothing of its operands"
    result.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_a_dropped_graph_is_freed_without_the_cycle_collector():
    x = nn.Tensor(np.ones(3), requires_grad=True)
    gc.disable()
    try:
        y = (x * 2).exp()
        saved = weakref.ref(y.data)
        del y
        assert saved() is None
    finally:
        gc.enable()


def test_a_chain_longer_than_the_recursion_limit():
    x = nn.Tensor([1.0], requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 0
    y.backward()
    assert x.grad.item() == 1
    for _ in range(20_000):
        y = y + x
    del y


def test_no_grad_records_nothing_inside_and_goes_back_after():
    x = nn.Tensor([1.0], requires_grad=True)
    with nn.no_grad():
        assert not nn.is_grad_enabled()
        with nn.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert nn.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), nn.no_grad():
        _ = 1 / 0
    assert nn.is_grad_enabled()

    @nn.no_grad()
    def twice(depth):
        """Says what it does."""
        assert not nn.is_grad_enabled()
        return twice(depth - 1) if depth else x * 2

    assert twice.__doc__ == "Says what it does."
    assert not twice(3).requires_grad and nn.is_grad_enabled()


def test_no_grad_holds_for_its_own_thread_only():
    seen = []
    with nn.no_grad():
        thread = threading.Thread(target=lambda: seen.append(nn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_no_grad_holds_for_its_own_task_only():
    async def other(entered, leave):
        await entered.wait()
        seen = nn.is_grad_enabled()
        leave.set()
        return seen

    async def within(entered, leave):
        with nn.no_grad():
            entered.set()
            await leave.wait()
            inherited = await asyncio.create_task(asyncio.sleep(0, nn.is_grad_enabled()))
            return nn.is_grad_enabled(), inherited

    async def both():
        entered, leave = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(within(entered, leave), other(entered, leave))

    assert asyncio.run(both()) == [(False, False), True]
    assert nn.is_grad_enabled()


def test_a_decorated_coroutine_records_nothing_and_its_caller_does():
    x = nn.Tensor([1.0], requires_grad=True)

    @nn.no_grad()
    async def quiet(pause):
        before = (x * 2).requires_grad
        await pause
        with nn.enable_grad():
            await asyncio.sleep(0)
            inside = (x * 2).requires_grad
        return before, inside, (x * 2).requires_grad

    async def pause():
        return nn.is_grad_enabled()

    async def caller():
        found = await quiet(pause())
        with pytest.raises(ZeroDivisionError):
            await quiet(failing())
        return found, (x * 2).requires_grad

    async def failing():
        raise ZeroDivisionError

    assert asyncio.run(caller()) == ((False, True, False), True)


@pytest.mark.parametrize("kind", [nn.no_grad, nn.enable_grad])
def test_a_decorated_generator_runs_inside_and_its_caller_outside(kind):
    inside, outside = kind.recording, not kind.recording
    seen = []

    @kind()
    def steps(count):
        """Counts."""
        try:
            for i in range(count):
                seen.append(nn.is_grad_enabled())
                try:
                    given = yield i
                except KeyError as error:
                    given = error
                seen.append((nn.is_grad_enabled(), given))
            return "end"
        finally:
            seen.append(nn.is_grad_enabled())

    def around():
        assert nn.is_grad_enabled() is outside
        return steps(3)

    mode = nn.enable_grad() if outside else nn.no_grad()
    with mode:
        assert steps.__doc__ == "Counts."
        walk = around()
        assert next(walk) == 0 and nn.is_grad_enabled() is outside
        assert walk.send("a") == 1 and nn.is_grad_enabled() is outside
        error = KeyError("b")
        assert walk.throw(error) == 2 and nn.is_grad_enabled() is outside
        with pytest.raises(StopIteration) as end:
            walk.send("c")
        assert end.value.value == "end" and nn.is_grad_enabled() is outside
        assert seen == [
            inside, (inside, "a"), inside, (inside, error), inside, (inside, "c"), inside
        ]  # fmt: skip
        del seen[:]
        walk = steps(3)
        next(walk)
        walk.close()
        assert seen == [inside, inside] and nn.is_grad_enabled() is outside
        assert list(steps(2)) == [0, 1] and nn.is_grad_enabled() is outside
        walk = steps(1)
        next(walk)
        with pytest.raises(ZeroDivisionError):
            walk.throw(ZeroDivisionError())
        assert nn.is_grad_enabled() is outside


def test_one_no_grad_serves_threads_and_itself_within():
    shared = nn.no_grad()
    entered, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with nn.no_grad(), shared:
            entered.set()
            leave.wait()
        seen.append(nn.is_grad_enabled())

    thread = threading.Thread(target=other)
    with shared:
        thread.start()
        entered.wait()
        with shared:
            seen.append(nn.is_grad_enabled())
        seen.append(nn.is_grad_enabled())
    seen.append(nn.is_grad_enabled())
    leave.set()
    thread.join()
    assert seen == [False, False, True, True] and nn.is_grad_enabled()


def test_a_generator_left_open_leaves_no_mode_behind():
    def quiet():
        with nn.no_grad():
            yield

    walk = quiet()
    next(walk)
    with nn.no_grad():
        walk.close()
    assert nn.is_grad_enabled()
    walk = quiet()
    contextvars.copy_context().run(next, walk)
    walk.close()
    assert nn.is_grad_enabled()


def test_a_mode_within_a_decorated_generator_lasts_over_its_pauses():
    @nn.no_grad()
    def steps():
        with nn.enable_grad():
            yield nn.is_grad_enabled()
            yield nn.is_grad_enabled()
        yield nn.is_grad_enabled()

    seen = []
    for inside in steps():
        with nn.no_grad():
            seen.append(inside)
        assert nn.is_grad_enabled()
    assert seen == [True, True, False]


def test_without_parentheses_it_decorates_too():
    x = nn.Tensor([1.0], requires_grad=True)

    @nn.no_grad
    def twice(y):
        return y * 2

    assert not twice(x).requires_grad and (x * 2).requires_grad
    with nn.no_grad():
        assert nn.enable_grad(lambda: x * 2)().requires_grad


def test_backward_says_what_it_expects():
    x = nn.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="expected a scalar or an argument `gradient`"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="expected a tensor that requires grad"):
        x.detach().backward()
    with pytest.raises(ValueError, match=r"gradient of shape \(2,\), got \(3,\)"):
        (x * 2).backward(np.ones(3))


def test_a_custom_operation_with_wrong_gradients_is_named():
    x = nn.Tensor([1.0, 2.0], requires_grad=True)
    y = nn.record(x.data.sum(), (x * 1,), lambda dy: dy)
    with pytest.raises(RuntimeError, match=r"gradient of shape \(2,\), got \(\)"):
        y.backward()
    y = nn.record(x.data.sum(), (x,), lambda dy: dy)
    with pytest.raises(RuntimeError, match=r"gradient of shape \(2,\), got \(\)"):
        y.backward()
    y = nn.record(x.data.sum(), (x,), lambda dy: (dy, dy))
    with pytest.raises(RuntimeError, match=r"expected 1 gradients from .*lambda.*got 2"):
        y.backward()


def test_retain_grad_keeps_the_gradient_of_a_computed_tensor():
    x = nn.Tensor([2.0], requires_grad=True)
    y = x * 3
    z = y * y
    y.retain_grad()
    z.backward()
    assert y.grad.item() == 12 and z.grad is None and x.grad.item() == 36


def test_gradients_have_the_dtype_of_what_they_belong_to():
    x = nn.Tensor(np.ones(3, np.float32), requires_grad=True)
    y = nn.Tensor(np.ones(3, np.float64), requires_grad=True)
    ((x * 2) * (y * 2)).sum().backward()
    assert x.grad.dtype == np.float32 and y.grad.dtype == np.float64
    x.grad = None
    x.double().sum().backward()
    assert x.grad.dtype == np.float32


def test_a_custom_gradient_of_another_dtype_is_cast_on_the_way():
    x = nn.Tensor(np.ones(3, np.float32), requires_grad=True)
    y = x.relu()
    nn.record(y.data * 2, (y,), lambda dy: dy.astype(np.float64) * 2).sum().backward()
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [2, 2, 2]


def test_scalars_go_through_kernels_on_the_way_back():
    x = nn.tensor(0.5, requires_grad=True)
    (x.relu() * 2 + x.tanh() * 3).backward()
    assert x.grad.item() == pytest.approx(2 + 3 * (1 - np.tanh(0.5) ** 2))


def test_a_non_finite_gradient_is_a_value_and_no_warning():
    x = nn.Tensor([0.0, 1.0], requires_grad=True)
    (x.log().sum() + x.sqrt().sum()).backward()
    assert x.grad.tolist() == [np.inf, 1.5]
    big = nn.Tensor([1e38], requires_grad=True)
    (big * 100 * big).sum().backward()
    assert big.grad.item() == np.inf


def dense_layers(rng):
    """Three layers 1024 wide, whose products and outputs come from the pool."""
    weights = [
        nn.tensor(rng.normal(size=(1024, 1024)) / 32, requires_grad=True, dtype=np.float32)
        for _ in range(3)
    ]
    biases = [nn.zeros(1024, requires_grad=True) for _ in range(3)]
    return list(zip(weights, biases, strict=True))


def test_linear_with_relu_holds_one_array_a_layer():
    """The output, which is also the next layer's input; what it was before ReLU is nowhere."""
    rng = np.random.default_rng(0)
    layers = dense_layers(rng)
    x = nn.tensor(rng.normal(size=(256, 1024)), dtype=np.float32)

    def forward():
        y = x
        for weight, bias in layers:
            y = F.linear(y, weight, bias, relu=True)
        return y

    forward().sum().backward()
    gc.collect()
    idle = _memory.idle_bytes()
    y = forward()
    assert idle - _memory.idle_bytes() == len(layers) * y.data.nbytes


def test_backward_frees_a_layer_as_soon_as_it_is_used():
    rng = np.random.default_rng(0)
    y = nn.tensor(rng.normal(size=(256, 1024)), dtype=np.float32)
    outputs, alive = [], []

    def watch(tensor):
        """Passes the gradient on and notes which layers' outputs are still there."""

        def backward(dy):
            alive.append([output() is not None for output in outputs])
            return dy

        return nn.record(tensor.data, (tensor,), backward)

    for weight, bias in dense_layers(rng):
        y = F.linear(watch(y) if outputs else y, weight, bias, relu=True)
        outputs.append(weakref.ref(y.data))
    total = y.sum()
    del y
    total.backward()
    assert alive == [[True, True, False], [True, False, False]]
    assert not any(output() is not None for output in outputs)
