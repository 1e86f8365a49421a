"""Layers against PyTorch's: outputs to 1e-5, gradients to 1e-4, weights by name."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

LAYERS = {
    "Linear": ("Linear", (7, 5), {}, (6, 7)),
    "Linear N-d": ("Linear", (7, 5), {"bias": False}, (2, 3, 7)),
    "Conv2d": ("Conv2d", (3, 8, 3), {}, (4, 3, 9, 10)),
    "Conv2d strided": ("Conv2d", (4, 6, (3, 2)), {"stride": 2, "padding": (1, 0)}, (2, 4, 9, 8)),
    "Conv2d grouped": ("Conv2d", (4, 8, 3), {"groups": 2, "dilation": 2}, (2, 4, 9, 9)),
    "Conv2d same": ("Conv2d", (2, 3, (4, 3)), {"padding": "same", "bias": False}, (2, 2, 7, 8)),
    "Conv2d one image": ("Conv2d", (2, 3, 3), {"padding": "valid"}, (2, 7, 8)),
    "BatchNorm1d": ("BatchNorm1d", (5,), {}, (8, 5)),
    "BatchNorm1d sequence": ("BatchNorm1d", (5,), {"eps": 0.1}, (4, 5, 6)),
    "BatchNorm2d": ("BatchNorm2d", (5,), {"momentum": 0.3}, (4, 5, 6, 3)),
    "BatchNorm2d averages": ("BatchNorm2d", (5,), {"momentum": None}, (4, 5, 6, 3)),
    "BatchNorm2d plain": ("BatchNorm2d", (5,), {"affine": False}, (4, 5, 6, 3)),
    "BatchNorm2d unbiased": ("BatchNorm2d", (5,), {"bias": False}, (4, 5, 6, 3)),
    "BatchNorm2d untracked": ("BatchNorm2d", (5,), {"track_running_stats": False}, (4, 5, 6, 3)),
    "ReLU": ("ReLU", (), {}, (4, 5)),
    "Sigmoid": ("Sigmoid", (), {}, (4, 5)),
    "Tanh": ("Tanh", (), {}, (4, 5)),
    "Softmax": ("Softmax", (1,), {}, (4, 5)),
    "LogSoftmax": ("LogSoftmax", (-1,), {}, (4, 5)),
    "MaxPool2d": ("MaxPool2d", (2,), {}, (2, 3, 7, 8)),
    "MaxPool2d options": (
        "MaxPool2d",
        (3,),
        {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
        (2, 3, 10, 9),
    ),
    "MaxPool2d one image": ("MaxPool2d", ((2, 3),), {}, (3, 7, 8)),
    "AvgPool2d": ("AvgPool2d", (2,), {}, (2, 3, 7, 8)),
    "AvgPool2d options": (
        "AvgPool2d",
        (3, 2),
        {"padding": 1, "ceil_mode": True, "count_include_pad": False},
        (2, 3, 8, 9),
    ),
    "AdaptiveAvgPool2d": ("AdaptiveAvgPool2d", (1,), {}, (2, 3, 7, 8)),
    "AdaptiveAvgPool2d pair": ("AdaptiveAvgPool2d", ((3, None),), {}, (2, 3, 7, 8)),
    "Flatten": ("Flatten", (), {}, (2, 3, 4)),
    "Flatten some": ("Flatten", (0, 1), {}, (2, 3, 4)),
    "Unflatten": ("Unflatten", (1, (2, 3)), {}, (4, 6)),
    "Identity": ("Identity", (), {}, (4, 6)),
    "Dropout": ("Dropout", (0.0,), {}, (4, 6)),
}


def beside(name):
    kind, arguments, options, shape = LAYERS[name]
    theirs = getattr(torch.nn, kind)(*arguments, **options)
    ours = getattr(nn, kind)(*arguments, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, np.random.default_rng(0).normal(1, 2, shape).astype(np.float32)


def run(model, tensor, weights):
    model.zero_grad()
    output = model(tensor)
    (output * weights(output.shape)).sum().backward()
    return output


def weights_of(shape):
    return np.random.default_rng(1).uniform(0.5, 1.5, tuple(shape)).astype(np.float32)


def compare(ours, theirs, x):
    mine = nn.Tensor(x.copy(), requires_grad=True)
    reference = torch.tensor(x, requires_grad=True)
    y = run(ours, mine, weights_of)
    expected = run(theirs, reference, lambda shape: torch.tensor(weights_of(shape)))
    assert_close(y, expected.detach().numpy(), 1e-5)
    assert_close(mine.grad, reference.grad.numpy(), 1e-4)
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert [name for name, _ in ours.named_parameters()] == list(gradients)
    for name, parameter in ours.named_parameters():
        assert_close(parameter.grad, gradients[name], 1e-4)
    for name, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[name], value.numpy(), 1e-5)


@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel")
@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_pytorchs(name):
    ours, theirs, x = beside(name)
    assert repr(ours) == repr(theirs)
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        compare(ours, theirs, x)


def network(library):
    n = library
    return n.Sequential(
        n.Conv2d(1, 8, 3, padding=1),
        n.ReLU(),
        n.Conv2d(8, 8, 3, bias=False),
        n.BatchNorm2d(8),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Sequential(n.Conv2d(8, 4, 1), n.Tanh(), n.AvgPool2d(2, ceil_mode=True)),
        n.Flatten(),
        n.Linear(4 * 7 * 7, 32),
        n.BatchNorm1d(32),
        n.ReLU(),
        n.Dropout(0.0),
        n.Linear(32, 10),
    )


def test_a_pytorch_state_dict_loads_by_name_and_gives_the_same():
    torch.manual_seed(0)
    theirs, ours = network(torch.nn), network(nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(16, 1, 28, 28)).astype(np.float32)
    for training in (True, False):
        compare(ours.train(training), theirs.train(training), x)
    back = network(torch.nn)
    back.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})


def test_a_training_run_follows_pytorchs():
    torch.manual_seed(1)
    theirs, ours = network(torch.nn), network(nn)
    ours.load_state_dict(theirs.state_dict())
    rng = np.random.default_rng(2)
    one = nn.optim.SGD(ours.parameters(), lr=0.05, momentum=0.9)
    other = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9)
    for _ in range(5):
        x = rng.normal(size=(16, 1, 28, 28)).astype(np.float32)
        labels = rng.integers(0, 10, 16)
        one.zero_grad()
        loss = nn.CrossEntropyLoss()(ours(nn.Tensor(x)), nn.Tensor(labels))
        loss.backward()
        one.step()
        other.zero_grad()
        expected = torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(labels))
        expected.backward()
        other.step()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-3)


LOSSES = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "ignored": {"ignore_index": 2},
    "weighted": {"weight": [0.5, 1.0, 2.0, 1.5]},
    "weighted, ignored, sum": {
        "weight": [0.5, 1.0, 2.0, 1.5],
        "ignore_index": 0,
        "reduction": "sum",
    },
}
SMOOTHED = {
    "smoothed": {"label_smoothing": 0.2},
    "smoothed, weighted": {"label_smoothing": 0.2, "weight": [0.5, 1.0, 2.0, 1.5]},
    "smoothed, weighted, none": {
        "label_smoothing": 0.1,
        "weight": [0.5, 1.0, 2.0, 1.5],
        "reduction": "none",
    },
}


def compare_losses(kind, options, x, target):
    results = []
    for library in (nn, torch):
        named = dict(options)
        if "weight" in named:
            named["weight"] = library.tensor(named["weight"])
        loss = getattr(library if library is nn else torch.nn, kind)(**named)
        tensor = library.tensor(x, requires_grad=True)
        value = loss(tensor, library.tensor(target))
        value.sum().backward()
        results.append((value.detach().numpy(), tensor.grad.numpy()))
    assert_close(results[0][0], results[1][0], 1e-5)
    assert_close(results[0][1], results[1][1], 1e-5)


@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 5), (2, 4, 3, 2)], ids=str)
@pytest.mark.parametrize("name", [*LOSSES, *SMOOTHED])
def test_classification_losses_are_pytorchs(name, shape):
    rng = np.random.default_rng(4)
    x = rng.normal(size=shape).astype(np.float32)
    labels = rng.integers(0, 4, shape[:1] + shape[2:] if len(shape) > 1 else ())
    labels = np.where(labels == LOSSES.get(name, {}).get("ignore_index"), 1, labels)
    compare_losses("CrossEntropyLoss", {**LOSSES, **SMOOTHED}[name], x, labels)
    if name in LOSSES:
        compare_losses("NLLLoss", LOSSES[name], x, labels)


@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 5)], ids=str)
@pytest.mark.parametrize("name", ["plain", "sum", "none", "weighted", *SMOOTHED])
def test_cross_entropy_with_probabilities_is_pytorchs(name, shape):
    rng = np.random.default_rng(4)
    x = rng.normal(size=shape).astype(np.float32)
    soft = np.exp(rng.normal(size=shape)).astype(np.float32)
    soft /= soft.sum(min(1, len(shape) - 1), keepdims=True)
    compare_losses("CrossEntropyLoss", {**LOSSES, **SMOOTHED}[name], x, soft)


def test_initial_values_are_distributed_as_pytorchs():
    nn.manual_seed(0)
    torch.manual_seed(0)
    for kind, arguments in (("Linear", (300, 200)), ("Conv2d", (40, 50, 3))):
        ours, theirs = getattr(nn, kind)(*arguments), getattr(torch.nn, kind)(*arguments)
        for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
            reference = reference.detach().numpy()
            bound = abs(reference).max()
            assert abs(mine.data).max() == pytest.approx(bound, rel=0.05)
            assert mine.data.std() == pytest.approx(reference.std(), rel=0.15)
            assert abs(mine.data.mean()) < bound / 4


def test_weights_in_bfloat16_are_taken_as_float32():
    theirs = torch.nn.Linear(3, 2).to(torch.bfloat16)
    ours = nn.Linear(3, 2)
    ours.load_state_dict(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name].data, value.float().numpy())
