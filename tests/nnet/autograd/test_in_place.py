"""Writes in place: who sees them, what the tape makes of them, and what backward refuses."""

import itertools
import threading

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet import optim
from tests.helpers import assert_close, central_differences

SPOILED = "an array of shape .* was written to since"


def leaf(*values: float) -> nn.Tensor:
    return nn.tensor([float(value) for value in values], requires_grad=True)


def write_by_the_library(t: nn.Tensor) -> None:
    t += 100


WRITES = {
    "augmented": write_by_the_library,
    "add_": lambda t: t.add_(1),
    "mul_": lambda t: t.mul_(2),
    "fill_": lambda t: t.fill_(2),
    "zero_": lambda t: t.zero_(),
    "copy_": lambda t: t.copy_(nn.ones(2)),
    "clamp_": lambda t: t.clamp_(0, 1),
    "item": lambda t: t.__setitem__(0, 5),
    "a view": lambda t: t[1:].add_(1),
    "detached": lambda t: t.detach().add_(1),
    "data augmented": lambda t: setattr(t, "data", t.data.__iadd__(1)),
    "init": lambda t: nn.init.ones_(t),
    "relu": lambda t: F.relu(t, inplace=True),
    "dropout": lambda t: F.dropout(t, inplace=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_backward_refuses_what_was_written_to_since(write):
    w, d = leaf(1, 2), nn.tensor([3.0, 4.0])
    y = (w * d).sum()
    write(d)
    with pytest.raises(RuntimeError, match=f"expected what __mul__ kept .*{SPOILED}"):
        y.backward()
    assert w.grad is None


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_backward_goes_on_where_the_old_values_are_not_needed(write):
    w, d = leaf(1, 2), nn.tensor([3.0, 4.0])
    y = (w + d).sum()
    write(d)
    y.backward()
    assert w.grad.tolist() == [1, 1]


def test_a_step_of_an_optimizer_between_two_walks():
    w = leaf(1)
    optimizer = optim.SGD([w], lr=1.0)
    a, b = (w * w).sum(), (w * w * w).sum()
    a.backward()
    optimizer.step()
    optimizer.zero_grad()
    with pytest.raises(RuntimeError, match=SPOILED):
        b.backward()


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW])
def test_steps_spoil_what_they_change_and_nothing_else(kind):
    first, second = nn.Linear(3, 3), nn.Linear(3, 1)
    optimizer = kind(second.parameters(), lr=0.1)
    hidden = first(nn.ones(2, 3))
    second(hidden.detach()).sum().backward()
    optimizer.step()
    hidden.sum().backward()
    assert first.weight.grad.tolist() == [[2.0] * 3] * 3


def test_a_layer_on_constant_input_does_not_need_its_weight():
    layer, x = nn.Linear(3, 2), nn.ones(4, 3)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    first, second = layer(x).sum(), layer(x).sum()
    first.backward()
    optimizer.step()
    optimizer.zero_grad()
    second.backward()
    assert layer.weight.grad.tolist() == [[4.0] * 3] * 2
    weight = leaf(1, 2).reshape(2, 1)
    y = (x.reshape(6, 2) @ weight).sum()
    with nn.no_grad():
        weight.mul_(2)
    y.backward()


def test_loading_and_clipping_are_writes():
    w = nn.Parameter([1.0])
    optimizer = optim.SGD([w], lr=1.0)
    for write in (
        lambda: nn.clip_grad_norm_([w], 1e-3),
        lambda: w.grad.zero_(),
        lambda: (w * 3).sum().backward(),
        lambda: optimizer.zero_grad(set_to_none=False),
    ):
        w.grad = None
        (w * 3).sum().backward()
        other = leaf(1)
        y = (other * w.grad).sum()
        write()
        with pytest.raises(RuntimeError, match=SPOILED):
            y.backward()
    layer = nn.Linear(1, 1)
    y = layer(leaf(1).reshape(1, 1)).sum()
    layer.load_state_dict({"weight": [[2.0]], "bias": [0.0]})
    with pytest.raises(RuntimeError, match=SPOILED):
        y.backward()
    weight = nn.Parameter([[3.0, 4.0]])
    y = (weight * weight).sum()
    nn.max_norm_(weight, 1.0)
    with pytest.raises(RuntimeError, match=SPOILED):
        y.backward()


def test_running_averages_that_somebody_kept():
    norm, w, x = nn.BatchNorm1d(2), leaf(1, 1), nn.tensor([[1.0, 2.0], [3.0, 6.0]])
    use = norm.eval()(w * x)
    kept = w * norm.running_mean
    norm.train()(x)
    use.sum().backward()
    assert_close(w.grad.data, x.data.sum(0) / np.sqrt(1 + 1e-5), 1e-6)
    with pytest.raises(RuntimeError, match=SPOILED):
        kept.sum().backward()


def test_values_assigned_are_other_values():
    w = leaf(1, 2)
    y = (w * w).sum()
    w.data = nn.tensor([5.0, 6.0])
    assert w.tolist() == [5, 6] and repr(w) == "tensor([5., 6.], requires_grad=True)"
    y.backward()
    assert w.grad.tolist() == [2, 4]
    w.data = w.data - 4
    assert w.tolist() == [1, 2]
    for wrong in ([1.0], 3, "x", None):
        with pytest.raises(TypeError, match="data: expected a tensor or an array, got"):
            w.data = wrong
    for wrong in (nn.tensor([1, 2]), np.array([True])):
        with pytest.raises(TypeError, match="data: expected dtype float32 or float64 where"):
            w.data = wrong
    p = nn.Parameter([1.0])
    p.data = nn.ones(2)
    assert (p * 2).tolist() == [2, 2] and "tensor([1., 1.]" in repr(p)


def test_an_operation_of_ones_own_that_reads_its_tensor_late():
    def square(x):
        return nn.record(x.data * x.data, (x,), lambda dy: 2 * x.data * dy)

    w = leaf(3)
    y = square(w)
    w.data = np.ones(1, np.float32)
    with pytest.raises(RuntimeError, match=f"expected what square kept .*{SPOILED}"):
        y.backward()


def test_a_residual_branch_that_begins_in_place():
    # As in PyTorch: the shortcut adds what the rectifier left.
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(2, 2, bias=False))

        def forward(self, x):
            return x + self.branch(x)

    block = Block()
    block.load_state_dict({"branch.1.weight": [[1.0, 2.0], [3.0, 4.0]]})
    w = leaf(-1, 2)
    x = (w * 1).reshape(1, 2)
    y = block(x)
    assert y.tolist() == [[4.0, 10.0]] and x.tolist() == [[0.0, 2.0]]
    y.sum().backward()
    assert w.grad.tolist() == [0, 7]


IN_PLACE = {
    "relu": F.relu,
    "leaky_relu": lambda x, inplace: F.leaky_relu(x, 0.1, inplace),
    "leaky_relu falling": lambda x, inplace: F.leaky_relu(x, -0.5, inplace),
    "elu": lambda x, inplace: F.elu(x, 0.8, inplace),
    "selu": F.selu,
    "celu": lambda x, inplace: F.celu(x, 0.7, inplace),
    "hardtanh": lambda x, inplace: F.hardtanh(x, -0.5, 0.5, inplace),
    "relu6": F.relu6,
    "silu": F.silu,
    "dropout": lambda x, inplace: F.dropout(x, 0.4, True, inplace),
    "dropout classic": lambda x, inplace: F.dropout(x, 0.4, False, inplace, inverted=False),
    "dropout of all": lambda x, inplace: F.dropout(x, 1.0, True, inplace),
    "alpha_dropout": lambda x, inplace: F.alpha_dropout(x, 0.4, True, inplace),
    "dropout1d": lambda x, inplace: F.dropout1d(x, 0.4, True, inplace),
    "dropout2d": lambda x, inplace: F.dropout2d(x[None], 0.4, True, inplace)[0],
    "feature_alpha_dropout": lambda x, inplace: F.feature_alpha_dropout(x, 0.4, True, inplace),
}


@pytest.mark.parametrize("laid", ["contiguous", "transposed", "large"])
@pytest.mark.parametrize("function", IN_PLACE.values(), ids=IN_PLACE)
def test_functions_in_place_are_the_functions(function, laid):
    values = np.random.default_rng(0).standard_normal((3, 5, 4000 if laid == "large" else 7))
    results = []
    for inplace in (False, True):
        nn.manual_seed(3)
        w = nn.Tensor(values.astype(np.float32), requires_grad=True)
        x = w * 1
        x = x.transpose(1, 2) if laid == "transposed" else x
        y = function(x, inplace)
        assert np.shares_memory(x.data, y.data) is inplace
        if inplace:
            assert y.data.tobytes() == x.data.tobytes()
        (y * y).sum().backward()
        results.append((y.data, w.grad.data))
    for plain, in_place in zip(*results, strict=True):
        assert plain.tobytes() == in_place.tobytes()


LAYERS = [
    nn.ReLU(True),
    nn.LeakyReLU(inplace=True),
    nn.ELU(inplace=True),
    nn.SELU(True),
    nn.CELU(inplace=True),
    nn.Hardtanh(inplace=True),
    nn.ReLU6(True),
    nn.SiLU(True),
    nn.Dropout(1.0, inplace=True),
    nn.Dropout1d(1.0, inplace=True),
    nn.Dropout2d(1.0, inplace=True),
    nn.Dropout3d(1.0, inplace=True),
    nn.AlphaDropout(1.0, inplace=True),
    nn.FeatureAlphaDropout(1.0, inplace=True),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_layers_in_place_change_what_they_are_given(layer):
    axes = {"Dropout1d": 3, "Dropout2d": 4, "Dropout3d": 5}.get(type(layer).__name__, 2)
    x = nn.full((2,) * axes, -3.0)
    y = layer(x)
    assert y is x and (x.data != -3).all()
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="got a leaf that requires a gradient"):
        layer(x)
    with nn.no_grad():
        layer(x)


def test_what_shares_memory_sees_the_write_and_its_gradient():
    w = leaf(-1, 2)
    x = w * 3
    alias, row = x, x.reshape(1, 2)
    x *= nn.tensor([10.0, 100.0])
    assert alias is x and row.tolist() == [[-30, 600]]
    (row * nn.tensor([1.0, 2.0])).sum().backward()
    assert w.grad.tolist() == [30, 600]


def test_a_write_through_a_view_reaches_the_rest():
    w = leaf(1, 2, 3)
    x = w * 1
    whole, part, last = x.reshape(3, 1), x[:2], x[2]
    part *= w[1:]
    assert x.tolist() == [2, 6, 3] and whole.tolist() == [[2], [6], [3]] and last.item() == 3
    (whole.reshape(3) * nn.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert w.grad.tolist() == [2, 1 + 30, 100 + 20]


def test_recorded_assignment_to_a_buffer_without_gradient():
    w = leaf(1, 2, 3)
    buffer = nn.zeros(2, 3)
    before = buffer[0]
    buffer[0] = w * 2
    buffer[1, 1:] = (w * w)[:2]
    assert before.requires_grad and before.tolist() == [2, 4, 6]
    (before * before).sum().backward(retain_graph=True)
    assert w.grad.tolist() == [8, 16, 24]
    w.grad = None
    buffer.sum().backward()
    assert w.grad.tolist() == [4, 6, 2]


def test_gradients_of_writes_against_central_differences():
    def program(a: nn.Tensor, b: nn.Tensor) -> nn.Tensor:
        x = a * b
        columns = x.t()
        columns[1] *= b[:, 0]
        x /= b + 3
        x[:, 1:].add_(a[:, 1:], alpha=2)
        x[0].copy_(a[1] * a[0])
        x[1, 0] = b[1, 1]
        flat = x.view(-1)
        flat[4:].clamp_(-0.4, 0.4)
        return (x * columns.t()).sum()

    points = [np.random.default_rng(i).standard_normal((3, 2)) for i in (1, 2)]
    tensors = [nn.Tensor(point.copy(), requires_grad=True) for point in points]
    program(*tensors).backward()
    for i, tensor in enumerate(tensors):

        def value(moved: np.ndarray, i: int = i) -> float:
            given = [moved if j == i else point for j, point in enumerate(points)]
            return program(*(nn.Tensor(each.copy()) for each in given)).item()

        assert_close(tensor.grad.data, central_differences(value, points[i]), 1e-7)


def test_views_of_leaves_and_views_made_inside_no_grad():
    w = leaf(1, 2)
    for view in (w.view(-1), w[:1], w.reshape(2, 1).t()):
        with pytest.raises(RuntimeError, match="got a view of a leaf that requires a gradient"):
            view.add_(1)
    x = w * 1
    with nn.no_grad():
        view = x.view(-1)
        view.add_(1)
    assert x.tolist() == [2, 3]
    with pytest.raises(RuntimeError, match="expected a view made where operations are recorded"):
        view.add_(w)
    assert x.tolist() == [2, 3]


def test_retained_gradients_are_those_of_the_new_values():
    w = leaf(1, 2, 3)
    y = w * 1
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    assert y.grad.tolist() == [6, 12, 18] and w.grad.tolist() == [18, 36, 54]


def test_what_does_not_fit_is_refused_before_anything_is_written():
    x = nn.ones(2)
    for write, error, message in (
        (lambda: x.add_(nn.ones(3, 2)), ValueError, "expected what fits into float32 of shape"),
        (lambda: nn.ones(2).long().add_(1.5), TypeError, "expected what fits into int64"),
        (lambda: (leaf(1, 2) * 1).add_(nn.ones(3, 2)), ValueError, "expected a result of shape"),
        (lambda: nn.tensor([1]).copy_(nn.ones(1)), TypeError, "copy_: expected values that fit"),
        (lambda: x.add_("a"), TypeError, "expected a tensor, an array or a number"),
    ):
        with pytest.raises(error, match=message):
            write()
    assert x.tolist() == [1, 1]
    read_only = nn.Tensor(np.broadcast_to(np.ones(1, np.float32), 3))
    with pytest.raises(ValueError, match="read-only"):
        read_only.add_(1)


HOLDERS = {
    "view": lambda g: g.view(-1),
    "reshape": lambda g: g.reshape(2, 1),
    "flatten": lambda g: g.flatten(),
    "first": lambda g: g[0],
    "slice": lambda g: g[:1],
    "t": lambda g: g.t(),
    "unsqueeze": lambda g: g.unsqueeze(0),
    "detach": lambda g: g.detach(),
    "itself": lambda g: g,
    "array": lambda g: g.numpy(),
    "array's part": lambda g: g.numpy()[1:],
    "array's ravel": lambda g: g.numpy().ravel(),
    "view of a view": lambda g: g.numpy().reshape(2, 1)[1:][0],
    "memoryview": lambda g: memoryview(g.numpy()),
    "strided": lambda g: np.lib.stride_tricks.as_strided(g.numpy(), (2, 2), (0, 4)),
    "frombuffer": lambda g: np.frombuffer(g.numpy(), np.float32),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_a_held_gradient_keeps_its_values(hold):
    p = nn.Parameter([1.0, 2.0])
    optimizer = optim.SGD([p])
    for again in (lambda: setattr(p, "grad", None), optimizer.zero_grad):
        (p * 3).sum().backward()
        held = hold(p.grad)
        again()
        (p * 5).sum().backward()
        assert (np.asarray(held) == 3).all() and p.grad.tolist() == [5, 5]
        again()


def test_what_was_taken_before_the_optimizer_follows_the_weights():
    layer = nn.Linear(3, 2)
    array = np.ones((2, 2), np.float32)
    own = nn.Parameter(array)
    kept = layer.state_dict(), layer.weight.detach(), layer.bias.data, own.data[1:]
    optimizer = optim.SGD([*layer.parameters(), own], lr=0.5)
    for _ in range(2):
        (layer(nn.ones(1, 3)).sum() + own.sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
    state, weight, bias, row = kept
    assert state["weight"].tolist() == weight.tolist() == layer.weight.tolist()
    assert state["bias"].tolist() == bias.tolist() == layer.bias.tolist()
    assert array.tolist() == own.tolist() == [[0, 0], [0, 0]] and row.tolist() == [[0, 0]]


def test_parameters_that_nobody_else_holds_lie_in_a_row():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model.load_state_dict(model.state_dict())
    optimizer = optim.Adam(model.parameters())
    model(nn.randn(5, 3)).sum().backward()
    assert [len(list(bucket.runs())) for buckets in optimizer._buckets for bucket in buckets] == [1]


def test_a_spread_parameter_is_updated_where_it_lies():
    array = np.zeros((2, 4), np.float32)
    p = nn.Parameter(array[:, ::2])
    optimizer = optim.SGD([p], lr=1.0)
    p.sum().backward()
    optimizer.step()
    assert array.tolist() == [[-1, 0, -1, 0]] * 2 and p.tolist() == [[-1, -1]] * 2


def test_notes_of_many_writes_stay_few():
    from nnet.autograd.writes import log

    base, w = nn.zeros(200_000), leaf(2)
    y = w * w
    for i in range(0, 6000, 2):
        base[i] = i
    other = nn.zeros(5000)
    for i in range(5000):
        other[i : i + 1] = 1
    assert len(log.notes) < 9000
    y.backward()
    assert w.grad.item() == 4
    x = w * base[:1]
    for _ in range(5):
        for i in range(3000):
            base[i] = 1
    with pytest.raises(RuntimeError, match=SPOILED):
        x.backward()


def test_writes_of_other_threads_spoil_nothing_here():
    stop = threading.Event()
    errors = []

    def write():
        t = nn.zeros(64)
        while not stop.is_set():
            t += 1

    def walk():
        try:
            for _ in itertools.islice(iter(int, 1), 200):
                w = leaf(1, 2)
                (w.exp() * w).sum().backward()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    walkers = [threading.Thread(target=walk) for _ in range(2)]
    for thread in [*threads, *walkers]:
        thread.start()
    for thread in walkers:
        thread.join()
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
