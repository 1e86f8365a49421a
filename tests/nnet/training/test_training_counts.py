"""What a mean of losses and an accuracy are over: labels that count, by weight, of all batches."""

import functools

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet import optim

rng = np.random.default_rng(0)
CLASSES = 4
CLASS_WEIGHTS = nn.tensor([1.0, 0.0, 3.0, 0.5])


def scores(*shape):
    return nn.Tensor(rng.normal(size=shape).astype(np.float32))


def labels(*shape, ignored=-100):
    found = rng.integers(0, CLASSES, shape)
    found = np.where(rng.random(shape) < 0.3, ignored, found)
    found.flat[0] = 0
    return nn.Tensor(found)


LOSSES = {
    "function": (F.cross_entropy, -100),
    "layer": (nn.CrossEntropyLoss(), -100),
    "another index": (nn.CrossEntropyLoss(ignore_index=2), 2),
    "below zero": (nn.CrossEntropyLoss(ignore_index=-1), -1),
    "weights": (nn.CrossEntropyLoss(CLASS_WEIGHTS), -100),
    "weights and smoothing": (nn.CrossEntropyLoss(CLASS_WEIGHTS, label_smoothing=0.2), -100),
    "bound options": (functools.partial(F.cross_entropy, weight=CLASS_WEIGHTS, ignore_index=1), 1),
    "likelihood": (nn.NLLLoss(CLASS_WEIGHTS, ignore_index=3), 3),
    "bound likelihood": (functools.partial(F.nll_loss, ignore_index=-7), -7),
    "one's own": (lambda outputs, targets: F.cross_entropy(outputs, targets), -100),
}
# Batches of other sizes, of axes behind the classes, and one that counts nothing.
SHAPES = {
    "samples": [(5,), (3,), (1,)],
    "places": [(5, 2), (1, 2)],
    "images": [(2, 3, 2), (1, 3, 2)],
}


@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("name", LOSSES)
def test_an_evaluation_in_batches_is_that_of_one_batch(name, axes):
    loss, ignored = LOSSES[name]
    if axes != "samples" and name == "one's own":
        axes = "samples"
    batches = []
    for shape in SHAPES[axes]:
        given = scores(shape[0], CLASSES, *shape[1:])
        batches.append((given, labels(*shape, ignored=ignored)))
    nothing = np.full(SHAPES[axes][-1], ignored)
    batches.insert(1, (scores(nothing.shape[0], CLASSES, *nothing.shape[1:]), nn.Tensor(nothing)))
    joined = [
        np.concatenate([np.asarray(each) for each in side]) for side in zip(*batches, strict=True)
    ]
    expected = loss(nn.Tensor(joined[0]), nn.Tensor(joined[1])).item()
    counts = joined[1] != ignored
    right = (joined[0].argmax(1) == joined[1])[counts].mean()
    found = nn.evaluate(nn.Identity(), batches, loss)
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert found.accuracy == pytest.approx(right)


def test_ignored_labels_count_for_nothing():
    batch = nn.tensor([[1.0, 0.0], [1.0, 0.0]]), nn.tensor([0, -100])
    loss, accuracy = nn.evaluate(nn.Identity(), [batch])
    assert accuracy == 1.0 and loss == pytest.approx(np.log(1 + np.exp(-1)), rel=1e-6)


def test_soft_labels_count_their_places():
    batches = []
    for size in (5, 2):
        soft = rng.dirichlet(np.ones(CLASSES), (size, 3)).transpose(0, 2, 1).astype(np.float32)
        batches.append((scores(size, CLASSES, 3), nn.Tensor(soft)))
    joined = [nn.cat(each) for each in zip(*batches, strict=True)]
    found = nn.evaluate(nn.Identity(), batches, nn.CrossEntropyLoss(CLASS_WEIGHTS))
    expected = F.cross_entropy(*joined, CLASS_WEIGHTS).item()
    assert found.loss == pytest.approx(expected, rel=1e-5) and found.accuracy is None


def test_labels_that_are_all_ignored_are_refused_in_the_end():
    nothing = scores(3, CLASSES), nn.tensor([-100, -100, -100])
    with pytest.raises(ValueError, match="evaluate: expected at least one label that counts"):
        nn.evaluate(nn.Identity(), [nothing])
    model = nn.Linear(CLASSES, CLASSES)
    before = model.weight.data.copy()
    with pytest.raises(ValueError, match="fit: expected an epoch with a label that counts"):
        nn.fit(
            model,
            [nothing],
            epochs=1,
            optimizer=optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1),
            progress=False,
        )
    assert (model.weight.data == before).all()


@pytest.mark.parametrize("name", ["function", "weights", "bound options"])
def test_a_training_tells_the_means_of_the_labels_that_count(name):
    """At a rate of 0 an epoch is an evaluation."""
    loss, ignored = LOSSES[name]
    batches = [(scores(size, CLASSES), labels(size, ignored=ignored)) for size in (7, 2, 5)]
    batches.append((scores(2, CLASSES), nn.Tensor(np.full(2, ignored))))
    model = nn.Linear(CLASSES, CLASSES)
    history = nn.fit(
        model,
        batches,
        epochs=2,
        optimizer=optim.SGD(model.parameters(), lr=0.0),
        loss=loss,
        validation=batches,
        progress=False,
    )
    expected = nn.evaluate(
        model, [tuple(nn.cat(each) for each in zip(*batches, strict=True))], loss
    )
    for epoch in history.epochs:
        assert epoch.train_loss == pytest.approx(expected.loss, rel=1e-5)
        assert epoch.validation_loss == pytest.approx(expected.loss, rel=1e-5)
        assert epoch.train_accuracy == epoch.validation_accuracy == expected.accuracy
    assert len(history.step_loss) == 2 * 3 and np.isfinite(history.step_loss).all()


class TwoHeads(nn.Module):
    def __init__(self, named):
        super().__init__()
        self.first, self.second = nn.Linear(3, 2), nn.Linear(3, 1)
        self.named = named

    def forward(self, x):
        if isinstance(x, dict):
            x = x["x"]
        if isinstance(x, tuple | list):
            x = x[0] + x[1]
        outputs = self.first(x), self.second(x)
        return dict(zip(("first", "second"), outputs, strict=True)) if self.named else outputs


def both(outputs, targets):
    if isinstance(outputs, dict):
        outputs = outputs["first"], outputs["second"]
    wanted = targets if isinstance(targets, tuple | list) else (targets, 0.0)
    if isinstance(targets, dict):
        wanted = targets["label"], targets["value"]
    return F.cross_entropy(outputs[0], wanted[0]) + ((outputs[1] - wanted[1]) ** 2).mean()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("inputs", ["tensor", "pair", "list", "dict"])
@pytest.mark.parametrize("targets", ["labels", "pair", "dict", "array"])
def test_of_several_outputs_the_loss_decides(named, inputs, targets):
    nn.manual_seed(0)
    batches, sizes = [], (5, 2)
    for size in sizes:
        x, label, value = scores(size, 3), nn.Tensor(rng.integers(0, 2, size)), scores(size, 1)
        given = {"tensor": x, "pair": (x, x), "list": [x, x], "dict": {"x": x}}[inputs]
        wanted = {
            "labels": label,
            "pair": (label, value),
            "dict": {"label": label, "value": value},
            "array": label,
        }[targets]
        batches.append((given, wanted))
    model = TwoHeads(named)
    with nn.no_grad():
        losses = [both(model(given), wanted).item() for given, wanted in batches]
    found = nn.evaluate(model, batches, both)
    assert found.loss == pytest.approx(np.average(losses, weights=sizes), rel=1e-6)
    assert found.accuracy is None
    history = nn.fit(
        model,
        batches,
        epochs=30,
        optimizer=optim.Adam(model.parameters(), lr=0.05),
        loss=both,
        validation=batches,
        progress=False,
    )
    assert history.step_loss[0] == pytest.approx(losses[0], rel=1e-6)
    assert history.epochs[-1].validation_loss < found.loss
    assert history.epochs[-1].train_accuracy is None


def test_without_targets_inputs_are_counted():
    batches = [(scores(4, 3), None), (scores(1, 3), None)]
    model = nn.Linear(3, 3)
    losses = [((model(x) - x) ** 2).mean().item() for x, _ in batches]

    class Reconstructs(nn.Module):
        def forward(self, x):
            return x, model(x)

    found = nn.evaluate(Reconstructs(), batches, lambda pair, _: ((pair[1] - pair[0]) ** 2).mean())
    assert found.loss == pytest.approx(np.average(losses, weights=[4, 1]), rel=1e-6)


def test_a_loss_of_a_dict_that_is_not_finite_is_named():
    x = {"x": nn.tensor([[np.nan, 1.0, 2.0]])}
    model = TwoHeads(True)
    with pytest.raises(nn.training.NonFiniteLoss, match="the inputs of the model"):
        nn.fit(
            model,
            [(x, nn.tensor([1]))],
            epochs=1,
            optimizer=optim.SGD(model.parameters()),
            loss=both,
            progress=False,
        )


@pytest.mark.parametrize("epochs", [1.0, True, "2", None])
def test_epochs_are_an_integer(epochs):
    with pytest.raises(TypeError, match="fit: expected epochs as an integer, got"):
        nn.fit(nn.Identity(), [0], epochs=epochs, optimizer=None)


def test_dead_units_of_a_module_that_is_called_twice_are_those_of_both_calls():
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 2), relu, nn.Linear(2, 4), relu)
    model[0].bias.data[...] = [-1000.0, 1000.0]
    nn.init.zeros_(model[2].weight)
    model[2].bias.data[...] = [-1.0, -1.0, -1.0, 1.0]
    batches = [(nn.rand(8, 2), None), (nn.rand(3, 2), None)]
    assert nn.training.dead_units(model, batches) == (
        pytest.approx(4 / 6),
        {"1": pytest.approx(4 / 6)},
    )


def test_a_loss_of_ones_own_says_that_its_mean_is_over_labels():
    class Focal(nn.Module):
        of_labels = True
        ignore_index = 3

        def forward(self, outputs, targets):
            return F.cross_entropy(outputs, targets, ignore_index=3)

    batches = [(scores(n, CLASSES, 7), labels(n, 7, ignored=3)) for n in (5, 2)]
    loss = Focal()
    found = nn.evaluate(nn.Identity(), batches, loss)
    summed = sum(F.cross_entropy(*each, ignore_index=3, reduction="sum").item() for each in batches)
    count = sum((targets.data != 3).sum() for _, targets in batches)
    assert found.loss == pytest.approx(summed / count, rel=1e-5) and found.accuracy is not None
    loss.of_labels = False
    assert nn.evaluate(nn.Identity(), batches, loss).accuracy is None
