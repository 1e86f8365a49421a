"""Modules: what they consist of, their state, hooks, modes."""

import copy

import numpy as np
import pytest

import nnet as nn


class Block(nn.Module):
    """Everything a module may have."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.scale = nn.Parameter(nn.ones(4))
        self.nothing = None
        self.register_parameter("absent", None)
        self.register_buffer("count", nn.tensor(0))
        self.register_buffer("scratch", nn.zeros(2), persistent=False)
        self.norm = nn.BatchNorm1d(4)
        self.plain = [nn.Linear(9, 9)]

    def forward(self, x):
        return self.norm(self.first(x) * self.scale)


NAMES = ["scale", "first.weight", "first.bias", "norm.weight", "norm.bias"]
STATE = [
    "scale",
    "count",
    "first.weight",
    "first.bias",
    "norm.weight",
    "norm.bias",
    "norm.running_mean",
    "norm.running_var",
    "norm.num_batches_tracked",
]


def test_names_of_parameters_buffers_and_modules():
    block = Block()
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert [name for name, _ in block.named_parameters(recurse=False)] == ["scale"]
    assert [name for name, _ in block.named_parameters(prefix="a")][1] == "a.first.weight"
    assert [name for name, _ in block.named_buffers()] == [
        "count",
        "scratch",
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    ]
    assert len(list(block.buffers(recurse=False))) == 2
    assert [name for name, _ in block.named_modules()] == ["", "first", "norm"]
    assert [name for name, _ in block.named_children()] == ["first", "norm"]
    assert next(block.modules()) is block and len(list(block.children())) == 2
    assert block.get_submodule("first") is block.first and block.get_submodule("") is block
    assert list(block.state_dict()) == STATE
    assert next(iter(block.state_dict("a."))) == "a.scale"


def test_what_is_shared_counts_once_and_is_saved_under_each_name():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    twice = nn.Sequential(model[0], model[0])
    assert len(list(model.parameters())) == 3 and len(list(twice.modules())) == 2
    assert len(list(twice.parameters())) == 2 and len(twice.state_dict()) == 4
    assert len(twice) == 2


def test_assignment_keeps_parameters_parameters():
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="Linear: expected a Parameter or None for 'weight', got T"):
        layer.weight = nn.ones(2, 2)
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    layer.bias = nn.Parameter(nn.ones(2))
    del layer.weight
    assert [name for name, _ in layer.named_parameters()] == ["bias"]


def test_names_must_be_free():
    module = nn.Module()
    for register, value in (
        (module.register_buffer, nn.zeros(1)),
        (module.register_parameter, nn.Parameter(nn.zeros(1))),
        (module.add_module, nn.ReLU()),
    ):
        for name in ("a.b", "", "forward"):
            with pytest.raises(ValueError, match="expected a name that is free and without dots"):
                register(name, value)
        with pytest.raises(TypeError, match="got int"):
            register("fine", 3)


def test_a_module_without_init_or_forward_says_so():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.ReLU()

        def forward(self, x):
            return self.layer(x)

    with pytest.raises(
        AttributeError, match=r"Forgetful has no .*call super\(\).__init__\(\) first"
    ):
        Forgetful()(nn.zeros(1))
    with pytest.raises(NotImplementedError, match="expected a method forward"):
        nn.Module()(nn.zeros(1))
    with pytest.raises(AttributeError, match="Linear has no attribute 'wieght'"):
        _ = nn.Linear(1, 1).wieght


def test_train_and_eval_reach_all_modules():
    block = Block()
    assert block.eval() is block and not any(module.training for module in block.modules())
    assert block.train() is block and all(module.training for module in block.modules())


def test_zero_grad_and_requires_grad():
    block = Block()
    block(nn.randn(5, 3)).sum().backward()
    assert all(parameter.grad is not None for parameter in block.parameters())
    block.zero_grad(set_to_none=False)
    assert not any(parameter.grad.data.any() for parameter in block.parameters())
    block.zero_grad()
    assert all(parameter.grad is None for parameter in block.parameters())
    block.first.requires_grad_(False)
    block(nn.randn(5, 3)).sum().backward()
    assert block.first.weight.grad is None and block.scale.grad is not None


def test_apply_visits_children_first():
    seen = []
    Block().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "BatchNorm1d", "Block"]


def test_casting_keeps_integers():
    block = Block()
    parameter = block.scale
    block(nn.randn(5, 3)).sum().backward()
    assert block.double() is block and block.scale is parameter
    assert parameter.dtype == parameter.grad.dtype == np.float64
    assert block.norm.running_mean.dtype == np.float64
    assert block.norm.num_batches_tracked.dtype == np.int64
    assert block(nn.randn(5, 3, dtype=np.float64)).dtype == np.float64
    assert block.float().scale.dtype == np.float32 and block.to("cpu", np.float64) is block
    assert block.scale.dtype == np.float64 and block.cpu() is block
    with pytest.raises(TypeError, match="expected dtype float32 or float64, got int64"):
        block.to(np.int64)
    with pytest.raises(ValueError, match="expected the device 'cpu', got 'cuda:0'"):
        block.to("cuda:0")
    with pytest.raises(ValueError, match="expected the device 'cpu', got 'cuda'"):
        nn.Linear(2, 2, device="cuda")


def test_forward_hooks_see_and_may_replace_the_output():
    layer = nn.Linear(2, 3)
    seen = []
    watch = layer.register_forward_hook(
        lambda module, args, output: seen.append((module, args, output))
    )
    change = layer.register_forward_hook(lambda module, args, output: output * 0)
    x = nn.ones(1, 2)
    assert layer(x).tolist() == [[0, 0, 0]]
    assert seen[0][0] is layer and seen[0][1] == (x,) and seen[0][2].shape == (1, 3)
    change.remove()
    change.remove()
    assert layer(x).tolist() != [[0, 0, 0]] and len(seen) == 2
    watch.remove()
    layer(x)
    assert len(seen) == 2


def test_state_is_on_the_modules_memory_and_loads_in_place():
    one, other = Block(), Block()
    other.count.fill_(7)
    array = one.first.weight.data
    state = other.state_dict()
    assert np.shares_memory(state["scale"].data, other.scale.data)
    assert not state["scale"].requires_grad
    left = one.load_state_dict(state)
    assert left == ([], []) and one.first.weight.data is array and one.count.item() == 7
    for name, value in one.state_dict().items():
        assert (value == other.state_dict()[name]).all()
    one.load_state_dict({**state, "scale": np.arange(4.0)})
    assert one.scale.tolist() == [0, 1, 2, 3]
    assert one.scale.dtype == np.float32


def test_state_that_does_not_fit_changes_nothing():
    block = Block()
    good = {name: value.data + 1 for name, value in block.state_dict().items()}
    before = copy.deepcopy(block.state_dict())
    for change, message in (
        (lambda s: s.pop("scale"), "missing scale"),
        (lambda s: s.update(extra=np.ones(1)), "unexpected extra"),
        (
            lambda s: s.update({"norm.bias": np.ones(5)}),
            r"expected norm.bias of shape \(4,\), got \(5,\)",
        ),
        (lambda s: s.update(count=np.array(1.5)), "expected count of int64, got float64"),
    ):
        state = dict(good)
        change(state)
        with pytest.raises(ValueError, match=f"Block.load_state_dict: {message}"):
            block.load_state_dict(state)
    with pytest.raises(TypeError, match="expected a tensor or an array of numbers, got str"):
        block.load_state_dict({**good, "norm.bias": "a"})
    with pytest.raises(ValueError, match=r"missing scale; unexpected extra; expected norm.bias"):
        block.load_state_dict(
            {k: v for k, v in good.items() if k != "scale"}
            | {"extra": np.ones(1), "norm.bias": np.ones(5)}
        )
    for name, value in block.state_dict().items():
        assert (value == before[name]).all()


def test_state_that_is_not_strict():
    block = Block()
    left = block.load_state_dict({"scale": np.full(4, 3.0), "extra": [1.0]}, strict=False)
    assert left.missing_keys == STATE[1:] and left.unexpected_keys == ["extra"]
    assert block.scale.tolist() == [3, 3, 3, 3]
    with pytest.raises(ValueError, match="expected scale of shape"):
        block.load_state_dict({"scale": np.ones(5)}, strict=False)


def test_a_copied_module_shares_nothing():
    block = Block()
    optimizer = nn.optim.SGD(block.parameters(), lr=1.0)
    block(nn.randn(5, 3)).square().sum().backward()
    twin = copy.deepcopy(block)
    before = twin.scale.tolist()
    optimizer.step()
    assert twin.scale.tolist() == before != block.scale.tolist()
    assert twin.scale._home is None
    assert list(twin.state_dict()) == STATE


def test_repr_shows_the_tree():
    assert repr(nn.Sequential(nn.Linear(1, 2), nn.Sequential(nn.ReLU()))) == (
        "Sequential(\n"
        "  (0): Linear(in_features=1, out_features=2, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "  )\n"
        ")"
    )


def test_hooks_see_what_was_given_by_name_if_they_ask():
    seen = []
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(
        lambda module, args, kwargs, output: seen.append((args, kwargs)), with_kwargs=True
    )
    layer.register_forward_hook(lambda module, args, output: seen.append(args) or output * 0)
    x = nn.ones(1, 2)
    assert layer(input=x).tolist() == [[0.0, 0.0]]
    assert seen == [((), {"input": x}), ()]
