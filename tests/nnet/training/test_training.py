"""The training loop: what it reports, how it ends, what it leaves behind."""

import math

import numpy as np
import pytest

import nnet as nn
from nnet import data, optim
from nnet.module.modes import evaluating
from nnet.training import Callback
from nnet.training.history import Epoch, History
from tests.helpers import assert_same_bits


def blobs(count=120, seed=0):
    """Three classes of 4x4 images that differ in which rows are bright."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.integers(0, 90, (count, 1, 4, 4), np.uint8)
    images[np.arange(count), 0, labels] += 120
    return data.ImageDataset(images, labels, ("top", "middle", "low"))


def small_model():
    nn.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(8, 3),
    )  # fmt: skip


def train(model, *, epochs=4, count=120, rate=0.05, **more):
    nn.manual_seed(7)
    loader = data.DataLoader(blobs(count), 32, shuffle=True, seed=0)
    optimizer = optim.Adam(model.parameters(), lr=rate)
    return nn.fit(model, loader, epochs=epochs, optimizer=optimizer, progress=False, **more)


def weights(model):
    return [np.array(value) for value in model.state_dict().values()]


class RaiseAt(Callback):
    def __init__(self, step, error):
        self.step, self.error = step, error

    def after_step(self, training):
        if len(training.history.step_loss) == self.step:
            raise self.error


def test_learns_and_reports():
    model = small_model()
    validation = data.DataLoader(blobs(64, seed=1), 30)
    history = train(model, validation=validation)
    assert len(history.epochs) == 4 and len(history.step_loss) == 4 * 4
    assert history.steps_an_epoch == 4 and not history.interrupted
    last = history.epochs[-1]
    assert last.train_loss < history.epochs[0].train_loss
    assert last.validation_accuracy > 0.95
    assert (last.validation_loss, last.validation_accuracy) == nn.evaluate(model, validation)
    assert last.learning_rate == 0.05 and last.seconds > 0
    assert history.seconds == sum(epoch.seconds for epoch in history.epochs)


def test_train_loss_is_the_average_over_samples():
    """The last batch is smaller and counts less."""
    history = train(small_model(), epochs=1, count=70)
    assert len(history.step_loss) == 3
    expected = np.average(history.step_loss, weights=[32, 32, 6])
    assert history.epochs[0].train_loss == pytest.approx(expected, rel=1e-12)


def test_same_seed_same_bits():
    first, second = small_model(), small_model()
    assert train(first).step_loss == train(second).step_loss
    assert_same_bits(weights(first), weights(second))


def test_continues_the_model_in_training_mode():
    model = small_model().eval()
    train(model, epochs=1)
    assert all(module.training for module in model.modules())


def test_regression_has_no_accuracy():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(40, 3)).astype(np.float32)
    batch = (nn.Tensor(inputs), nn.Tensor(inputs.sum(1, keepdims=True)))
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    squares = lambda outputs, targets: ((outputs - targets) ** 2).mean()  # noqa: E731
    history = nn.fit(
        model, [batch], epochs=60, optimizer=optimizer, loss=squares, validation=[batch],
        progress=False,
    )  # fmt: skip
    assert history.epochs[-1].train_accuracy is None
    assert history.epochs[-1].validation_accuracy is None
    assert history.epochs[-1].validation_loss < 1e-3


def test_gradients_are_clipped():
    """Plain descent then moves the weights by rate times the bound, at most."""
    before, after = small_model(), small_model()
    loader = data.DataLoader(blobs(32), 32)
    optimizer = optim.SGD(after.parameters(), lr=1.0)
    nn.fit(after, loader, epochs=1, optimizer=optimizer, clip=1e-3, progress=False)
    moved = [a.data - b.data for a, b in zip(after.parameters(), before.parameters(), strict=True)]
    length = np.sqrt(sum((each.astype(np.float64) ** 2).sum() for each in moved))
    assert length == pytest.approx(1e-3, rel=1e-2)


def test_the_clock_ends_the_training():
    model = small_model()
    history = train(model, clock=nn.training.Clock(1e-12), validation=data.DataLoader(blobs(), 60))
    assert len(history.step_loss) == len(history.epochs) == 1 and not history.interrupted
    assert history.epochs[0].validation_loss is not None
    assert history.stopped == "the time is over"
    patient = train(small_model(), clock=nn.training.Clock(60.0))
    assert len(patient.epochs) == 4 and patient.stopped is None


def test_a_measure_begins_anew_with_each_pass_and_counts_what_it_counts():
    """Batches of three parts; the second counts tenfold."""
    passes = []

    def measure():
        passes.append(0)

        def of_batch(model, batch):
            inputs, labels, count = batch
            passes[-1] += 1
            loss = nn.functional.cross_entropy(model(inputs), labels)
            return nn.training.Measured(loss, count, None)

        return of_batch

    inputs, labels = nn.rand(4, 3), nn.tensor([0, 1, 1, 0])
    batches = [(inputs, labels, 1), (inputs * 2, labels, 10)]
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = nn.fit(
        model, batches, epochs=2, optimizer=optimizer, validation=batches, measure=measure,
        progress=False,
    )  # fmt: skip
    assert passes == [2, 2, 2, 2]
    expected = np.average(history.step_loss[:2], weights=[1, 10])
    assert history.epochs[0].train_loss == pytest.approx(expected, rel=1e-12)
    assert history.epochs[0].train_accuracy is None
    found = nn.evaluate(model, batches, measure=measure())
    assert found == (history.epochs[1].validation_loss, None)


class CountingScheduler:
    def __init__(self):
        self.steps = 0

    def step(self):
        self.steps += 1


@pytest.mark.parametrize(("every", "steps"), [("step", 8), ("epoch", 2)])
def test_scheduler(every, steps):
    scheduler = CountingScheduler()
    train(small_model(), epochs=2, scheduler=scheduler, scheduler_every=every)
    assert scheduler.steps == steps


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "at least one epoch, got 0"),
        ({"count": 0}, "at least one batch, got none"),
        ({"scheduler_every": "day"}, "step or epoch, got 'day'"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(small_model(), **arguments)


def test_labels_out_of_range_are_refused():
    dataset = blobs(32)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with pytest.raises(ValueError, match="label"):
        nn.fit(
            model, data.DataLoader(dataset, 32), epochs=1,
            optimizer=optim.SGD(model.parameters(), lr=0.1), progress=False,
        )  # fmt: skip


def test_one_sample_in_training_is_refused():
    with pytest.raises(ValueError, match="batch_norm"):
        train(small_model(), count=33)


def test_ctrl_c_keeps_what_was_learnt():
    model, expected = small_model(), small_model()
    history = train(model, callbacks=[RaiseAt(5, KeyboardInterrupt())])
    assert history.interrupted
    assert len(history.epochs) == 1 and len(history.step_loss) == 5
    with pytest.raises(RuntimeError, match="stop"):
        train(expected, callbacks=[RaiseAt(5, RuntimeError("stop"))])
    assert_same_bits(weights(model), weights(expected))


def test_d5_g5_loss_that_is_not_finite_stops_and_restores():
    """A poisoned weight: the loss is NaN one step later, and the layer is named."""
    model = small_model()

    class Poison(Callback):
        def after_step(self, training):
            if len(training.history.step_loss) == 6:
                model[1].weight.data[2, 3] = np.nan

    before = weights(model)
    with pytest.raises(nn.training.NonFiniteLoss) as caught:
        train(model, callbacks=[Poison()])
    error = caught.value
    assert (error.epoch, error.step, error.good_step) == (2, 3, 0)
    assert math.isnan(error.loss) and len(error.history.step_loss) == 6
    assert error.where == "the output of 1, a Linear (its weight hold such values)"
    assert "epoch 2, step 3" in str(error)
    assert_same_bits(weights(model), before)


def test_d5_restored_weights_are_recent():
    model, at_fifty = small_model(), {}

    class Poison(Callback):
        def after_step(self, training):
            if len(training.history.step_loss) == 50:
                at_fifty["parameters"] = [np.array(p) for p in model.parameters()]
            if len(training.history.step_loss) == 67:
                model[5].bias.data[0] = np.inf

    with pytest.raises(nn.training.NonFiniteLoss) as caught:
        train(model, epochs=40, callbacks=[Poison()])
    assert caught.value.good_step == 50
    assert caught.value.where.startswith("the output of 5, a Linear (its bias")
    assert_same_bits([np.array(p) for p in model.parameters()], at_fifty["parameters"])
    assert math.isfinite(nn.evaluate(model, data.DataLoader(blobs(), 40)).loss)


def test_d5_too_high_a_rate_is_reported():
    """Raw pixels 0..255 and a rate of 1e30: flagged, with its step, never a crash."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    with pytest.raises(
        nn.training.NonFiniteLoss, match=r"the loss is (nan|inf) at epoch 1, step \d"
    ):
        loader = data.DataLoader(blobs(), 32, std=(1 / 255,))
        optimizer = optim.SGD(model.parameters(), lr=1e30)
        nn.fit(model, loader, epochs=1, optimizer=optimizer, progress=False)
    assert all(np.isfinite(value).all() for value in weights(model))


def test_inputs_that_are_not_finite_are_named():
    model = nn.Linear(3, 2)
    batch = (nn.Tensor(np.array([[1, np.inf, 0]], np.float32)), nn.Tensor(np.array([0])))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(nn.training.NonFiniteLoss, match="the inputs of the model"):
        nn.fit(model, [batch], epochs=1, optimizer=optimizer, progress=False)


def test_loss_that_is_not_finite_by_itself_is_named():
    model = nn.Linear(3, 2)
    batch = (nn.Tensor(np.ones((1, 3), np.float32)), nn.Tensor(np.array([0])))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(nn.training.NonFiniteLoss, match="not finite first: the loss;"):
        nn.fit(
            model, [batch], epochs=1, optimizer=optimizer, progress=False,
            loss=lambda outputs, targets: outputs.sum() * float("inf"),
        )  # fmt: skip


def test_evaluate_is_exact_and_changes_nothing():
    model = small_model()
    train(model)
    model[4].eval()
    before, modes = weights(model), [module.training for module in model.modules()]
    dataset = blobs(50, seed=3)
    whole = nn.evaluate(model, data.DataLoader(dataset, 50))
    parts = nn.evaluate(model, data.DataLoader(dataset, 7))
    assert parts.accuracy == whole.accuracy
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    assert_same_bits(weights(model), before)
    assert [module.training for module in model.modules()] == modes
    with evaluating(model), nn.no_grad():
        logits = model(nn.Tensor((dataset.images / 255).astype(np.float32))).numpy()
    logits = logits.astype(np.float64)
    picked = logits[np.arange(50), dataset.labels]
    assert whole.loss == pytest.approx((np.log(np.exp(logits).sum(1)) - picked).mean(), rel=1e-5)
    assert whole.accuracy == (logits.argmax(1) == dataset.labels).mean()


def test_evaluate_nothing():
    with pytest.raises(ValueError, match="at least one batch"):
        nn.evaluate(small_model(), [])


def test_history_json_round_trip():
    epoch = Epoch(0.5, 0.9, None, None, 1e-3, 2.5)
    history = History(2, [epoch, epoch], [0.7, 0.6, 0.5, 0.4], True, "enough")
    assert History.from_json(history.to_json()) == history


def test_prints_a_line_an_epoch(capsys):
    loader = data.DataLoader(blobs(), 32)
    model = small_model()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    nn.fit(model, loader, epochs=2, optimizer=optimizer, validation=loader)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert "training loss" in lines[0] and "validation loss" in lines[0]
