"""Sequential with its fused neighbours, and lists of modules."""

from collections import OrderedDict

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close, assert_same_bits

# What each that runs as one with ReLU is made with.
FUSED = {
    nn.Linear: (3, 4),
    nn.Conv1d: (3, 4, 3),
    nn.Conv2d: (3, 4, 3),
    nn.BatchNorm1d: (3,),
    nn.BatchNorm2d: (3,),
    nn.BatchNorm3d: (3,),
}


def layer_of(kind):
    return kind(*FUSED[kind])


def input_of(kind):
    positions = {nn.Conv1d: 1, nn.Conv2d: 2, nn.BatchNorm2d: 2, nn.BatchNorm3d: 3}.get(kind, 0)
    shape = (6, 3, *[5] * positions)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_what_fuses_is_tested_here():
    kinds = {kind for kind in vars(nn).values() if isinstance(kind, type)}
    assert {kind for kind in kinds if "fuses" in vars(kind)} == FUSED.keys()


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("training", [True, False])
def test_fused_neighbours_equal_the_plain_ones_to_rounding(kind, training, monkeypatch):
    layer = layer_of(kind)
    model = nn.Sequential(layer, nn.ReLU()).train(training)
    calls = []
    plain_forward = layer.forward
    monkeypatch.setattr(
        kind, "forward", lambda self, x, **named: calls.append(named) or plain_forward(x, **named)
    )
    results = []
    for hooked in (False, True):
        if hooked:
            model[1].register_forward_hook(lambda *_: None)
        x = nn.Tensor(input_of(kind), requires_grad=True)
        model.zero_grad()
        y = model(x)
        (y * y).sum().backward()
        results.append([y.data, x.grad.data, *(p.grad.data.copy() for p in layer.parameters())])
    assert calls == [{"relu": True}, {}]
    for fused, plain in zip(*results, strict=True):
        assert_close(fused, plain, 1e-6)


def test_a_hook_on_either_of_two_neighbours_sees_its_own_output():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    x = nn.Tensor(input_of(nn.Linear))
    expected = model(x)
    for i in (0, 1):
        seen = []
        handle = model[i].register_forward_hook(lambda m, a, output, seen=seen: seen.append(output))
        assert_close(model(x), expected.data, 1e-6)
        handle.remove()
        assert len(seen) == 1 and (seen[0].data.min() < 0) == (i == 0)


def test_a_whole_network_is_the_same_fused_and_hooked():
    nn.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(8, 3),
    )
    x, labels = nn.randn(6, 1, 12, 12), nn.tensor([0, 1, 2, 0, 1, 2])
    state = nn.random.get_state()

    def run():
        nn.random.set_state(state)
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        return [loss.data, *(parameter.grad.data.copy() for parameter in model.parameters())]

    fused = run()
    assert_same_bits(run(), fused)
    for module in model:
        module.register_forward_hook(lambda *_: None)
    for one, other in zip(run(), fused, strict=True):
        assert_close(one, other, 1e-5)


def test_subclasses_are_not_fused():
    class Doubled(nn.Linear):
        def forward(self, input):
            return 2 * super().forward(input)

    model = nn.Sequential(Doubled(3, 4), nn.ReLU())
    assert model(nn.Tensor(input_of(nn.Linear))).data.min() == 0


def test_one_module_at_two_places():
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(3, 3), relu, relu, nn.Linear(3, 3), relu)
    x = nn.Tensor(input_of(nn.Linear))
    assert_close(model(x), model[3](model[0](x).relu()).relu(), 1e-6)


def test_indexing_slicing_and_changing():
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    assert len(model) == 3 and model[-1] is model[2] and [*model][1] is model[1]
    head = model[:2]
    assert isinstance(head, nn.Sequential) and len(head) == 2 and head[0] is model[0]
    tail = model[1:]
    assert list(tail.state_dict()) == ["2.weight", "2.bias"]
    model[1] = nn.Tanh()
    assert isinstance(model[1], nn.Tanh)
    assert model.append(nn.ReLU()) is model and len(model) == 4
    del model[1]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    model.insert(0, nn.Flatten())
    assert list(model.state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert len(model.extend([nn.ReLU(), nn.ReLU()])) == 6
    with pytest.raises(IndexError, match="Sequential: expected an index below 6, got 6"):
        _ = model[6]
    with pytest.raises(TypeError, match="add_module: expected a Module, got function"):
        nn.Sequential(lambda x: x)


def test_names_from_a_dict():
    model = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 1, 1), act=nn.ReLU()))
    assert [name for name, _ in model.named_children()] == ["conv", "act"]
    assert model.conv is model[0] and list(model[:1].state_dict()) == ["conv.weight", "conv.bias"]


def test_module_list():
    layers = nn.ModuleList([nn.Linear(1, 1)])
    layers.append(nn.Linear(2, 2)).extend([nn.Linear(3, 3), nn.Linear(4, 4)])
    assert len(layers) == 4 and len(list(layers.parameters())) == 8
    assert [layer.in_features for layer in layers[1:3]] == [2, 3]
    assert isinstance(layers[1:3], nn.ModuleList) and "0.weight" in layers[1:3].state_dict()
    with pytest.raises(NotImplementedError, match="ModuleList: expected a method forward"):
        layers(nn.zeros(1))


@pytest.mark.parametrize(
    "empty", [nn.Sequential(), nn.Sequential({}), nn.Sequential(nn.ReLU())[:0]]
)
def test_without_modules_a_sequential_is_the_identity(empty):
    x = nn.tensor([-1.0, 2.0], requires_grad=True)
    assert empty(x) is x and len(empty) == 0 and list(empty) == []
    model = nn.Sequential(nn.Linear(2, 2), empty, nn.ReLU())
    assert_same_bits(model(x).data, np.maximum(model[0](x).data, 0))
    assert list(nn.ModuleList()) == [] == list(nn.ModuleList([nn.ReLU()])[1:])


def test_emptied_it_is_the_identity():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    del model[:]
    x = nn.ones(2)
    assert model(x) is x


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("position", [0, 1])
def test_a_forward_set_on_one_of_two_neighbours_is_called(kind, position):
    model = nn.Sequential(layer_of(kind), nn.ReLU()).eval()
    x = nn.Tensor(input_of(kind))
    inside = model[0](x)
    model[position].forward = lambda t: t + 100
    expected = (x + 100).relu() if position == 0 else inside + 100
    assert_close(model(x), expected.data, 1e-6)
    del model[position].forward
    assert_close(model(x), inside.relu().data, 1e-6)


def test_a_class_with_its_own_call_is_called():
    class Shifted(nn.ReLU):
        def __call__(self, x):
            return super().__call__(x) + 100

    model = nn.Sequential(nn.Linear(3, 4), Shifted())
    assert model(nn.Tensor(input_of(nn.Linear))).data.min() == 100


def test_a_call_replaced_for_all_modules_sees_each(monkeypatch):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    seen, plain = [], nn.Module.__call__
    monkeypatch.setattr(
        nn.Module, "__call__", lambda self, *args: (seen.append(self), plain(self, *args))[1]
    )
    model(nn.Tensor(input_of(nn.Linear)))
    assert seen == [model, model[0], model[1]]


def test_what_is_appended_to_a_slice_takes_no_others_place():
    layers = [nn.Linear(2, 2), nn.ReLU(), nn.Tanh()]
    tail = nn.Sequential(*layers)[1:].extend([nn.Sigmoid(), nn.ELU()])
    assert [type(module) for module in tail] == [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.ELU]
    assert [name for name, _ in tail.named_children()] == ["1", "2", "3", "4"]
