"""What `fit` calls and when, and how what it calls ends a training."""

import math

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet import optim
from nnet.training import Callback, ClipGradients, Clock, Guard, Progress, StopTraining
from tests.helpers import assert_same_bits

HOOKS = [name for name in vars(Callback) if name.startswith(("before_", "after_"))]
STEP = ["before_step", "after_loss", "after_backward", "after_step"]
EPOCH = ["before_epoch", *STEP, *STEP, "after_epoch"]
NOTHING = nn.tensor([[1.0, 2.0]]), nn.tensor([-100])


class Recorder(Callback):
    """Does something with the training each time, and notes what it was called for."""

    def __init__(self, **actions):
        self.calls = []
        self.actions = actions


def _recording(name):
    def called(self, training):
        self.calls.append(name)
        self.actions.get(name, lambda training: None)(training)

    return called


for each in HOOKS:
    setattr(Recorder, each, _recording(each))


def raises(error, at=(0, 0)):
    """An action that raises from that epoch and step on."""

    def action(training):
        if (training.epoch, training.step) >= at:
            raise error

    return action


def model_and_batches(count=2):
    nn.manual_seed(0)
    batches = [(nn.rand(3, 2), nn.tensor([0, 1, 1])) for _ in range(count)]
    return nn.Linear(2, 2), batches


def train(callbacks, *, epochs=2, batches=None, model=None, rate=0.1, **more):
    made, given = model_and_batches()
    model = model or made
    optimizer = optim.SGD(model.parameters(), lr=rate)
    return nn.fit(
        model,
        batches or given,
        epochs=epochs,
        optimizer=optimizer,
        callbacks=callbacks,
        progress=False,
        **more,
    )


def test_hooks_are_called_in_their_order():
    recorder = Recorder()
    history = train([recorder])
    assert set(HOOKS) == {"before_fit", "after_fit", *EPOCH}
    assert recorder.calls == ["before_fit", *EPOCH, *EPOCH, "after_fit"]
    assert history.stopped is None and not history.interrupted


def test_callbacks_are_called_in_the_order_given():
    calls = []
    first, second = (
        Recorder(
            **{name: lambda training, n=n, name=name: calls.append((name, n)) for name in HOOKS}
        )
        for n in range(2)
    )
    train([first, second], epochs=1)
    assert calls == [(name, n) for name in ["before_fit", *EPOCH, "after_fit"] for n in range(2)]


def test_a_batch_passed_over_is_a_step_of_its_epoch_that_is_not_taken():
    steps = []
    recorder = Recorder(after_step=lambda training: steps.append(training.step))
    _, (one, two) = model_and_batches()
    history = train([recorder], epochs=1, batches=[one, NOTHING, two])
    assert recorder.calls[1:-1] == ["before_epoch", *STEP, "before_step", *STEP, "after_epoch"]
    assert steps == [1, 3] and len(history.step_loss) == 2


def test_what_callbacks_see():
    model, batches = model_and_batches()
    seen = []

    def before_step(training):
        assert training.batch is batches[training.step - 1]
        seen.append(model.weight.data.copy())

    def after_loss(training):
        assert training.loss == training.measured.loss.item() and training.measured.size == 3
        assert training.loss == F.cross_entropy(model(training.batch[0]), training.batch[1]).item()
        assert model.weight.grad is None or not model.weight.grad.numpy().any()
        assert len(training.history.step_loss) == 2 * (training.epoch - 1) + training.step - 1

    def after_backward(training):
        assert model.weight.grad.numpy().any()
        assert_same_bits(model.weight.data, seen[-1])

    def after_step(training):
        assert training.history.step_loss[-1] == training.loss
        assert training.learning_rate == 0.1
        assert (model.weight.data != seen[-1]).any()

    def after_epoch(training):
        assert training.average.loss == training.history.epochs[-1].train_loss
        assert len(training.history.epochs) == training.epoch
        assert training.history.epochs[-1].validation_loss is not None

    def after_fit(training):
        assert training.model is model and (training.epoch, training.step) == (2, 2)

    actions = (before_step, after_loss, after_backward, after_step, after_epoch, after_fit)
    recorder = Recorder(**{action.__name__: action for action in actions})
    train([recorder], model=model, batches=batches, validation=batches)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("hook", "at", "epochs", "steps"),
    [
        ("before_fit", (0, 0), 0, 0),
        ("before_epoch", (1, 0), 0, 0),
        ("before_epoch", (2, 0), 1, 2),
        ("before_step", (1, 1), 0, 0),
        ("before_step", (2, 2), 2, 3),
        ("after_loss", (2, 2), 2, 3),
        ("after_backward", (1, 1), 0, 0),
        ("after_backward", (2, 1), 1, 2),
        ("after_step", (1, 1), 1, 1),
        ("after_step", (2, 2), 2, 4),
        ("after_epoch", (1, 2), 1, 2),
        ("after_fit", (2, 2), 2, 4),
    ],
)
def test_a_training_stops_at_each_hook(hook, at, epochs, steps):
    _, validation = model_and_batches(1)
    recorder = Recorder(**{hook: raises(StopTraining("enough"), at)})
    history = train([recorder], validation=validation)
    assert (len(history.epochs), len(history.step_loss)) == (epochs, steps)
    assert history.stopped == (None if hook == "after_fit" else "enough")
    assert not history.interrupted
    assert recorder.calls.count("after_epoch") == epochs
    assert recorder.calls.count("after_fit") == 1 and recorder.calls[-1] == "after_fit"
    assert all(epoch.validation_loss is not None for epoch in history.epochs)


def test_others_are_called_though_one_stops():
    later, last = Recorder(), Recorder(after_step=raises(StopTraining("too late")))
    history = train([Recorder(after_step=raises(StopTraining("first"))), later, last])
    assert later.calls == ["before_fit", "before_epoch", *STEP, "after_epoch", "after_fit"]
    assert history.stopped == "first"


def test_a_stop_without_a_reason_is_told_as_well():
    assert train([Recorder(after_step=raises(StopTraining()))]).stopped == "a callback ended it"


@pytest.mark.parametrize("hook", HOOKS)
def test_other_exceptions_go_through_behind_after_fit(hook):
    recorder, other = Recorder(**{hook: raises(RuntimeError("mine"))}), Recorder()
    with pytest.raises(RuntimeError, match="mine"):
        train([other, recorder])
    assert recorder.calls[-1] == "after_fit"
    assert hook == "after_fit" or recorder.calls[-2] == hook
    assert other.calls[-1] == "after_fit"


def test_after_fit_is_called_after_ctrl_c():
    recorder = Recorder(after_loss=raises(KeyboardInterrupt(), (2, 1)))
    history = train([recorder])
    assert history.interrupted and history.stopped is None
    assert recorder.calls == ["before_fit", *EPOCH, *EPOCH[:3], "after_fit"]
    assert (len(history.epochs), len(history.step_loss)) == (1, 2)


def length(model):
    return math.sqrt(sum(float((p.grad.numpy() ** 2).sum()) for p in model.parameters()))


def test_gradients_are_clipped_between_backward_and_the_step():
    seen = []

    def look(training):
        seen.append(length(training.model))

    ahead, behind = Recorder(after_backward=look), Recorder(after_backward=look)
    model, batches = model_and_batches(1)
    before = [p.data.copy() for p in model.parameters()]
    callbacks = [ahead, ClipGradients(1e-3), behind]
    train(callbacks, epochs=1, model=model, batches=batches, rate=1.0)
    assert seen[0] > 0.1 and seen[1] == pytest.approx(1e-3, rel=1e-5)
    moved = [p.data - b for p, b in zip(model.parameters(), before, strict=True)]
    assert math.sqrt(sum(float((m**2).sum()) for m in moved)) == pytest.approx(1e-3, rel=1e-3)


def test_clip_stands_behind_the_callbacks_given_and_is_the_same():
    lengths, results = [], []
    look = Recorder(after_backward=lambda training: lengths.append(length(training.model)))
    for callbacks, clip in (([look], 1e-3), ([look, ClipGradients(1e-3)], None)):
        model, batches = model_and_batches()
        train(callbacks, model=model, batches=batches, clip=clip)
        results.append([p.data for p in model.parameters()])
    assert min(lengths) > 0.05
    assert_same_bits(*results)


def test_a_changed_gradient_is_what_the_step_takes():
    model, batches = model_and_batches()
    before = model.weight.data.copy()

    def forget(training):
        for parameter in training.model.parameters():
            parameter.grad.data[...] = 0

    train([Recorder(after_backward=forget)], model=model, batches=batches)
    assert_same_bits(model.weight.data, before)


def poisoned_at(step):
    def poison(training):
        if len(training.history.step_loss) == step:
            training.model.weight.data[0, 0] = np.nan

    return Recorder(after_step=poison)


def test_a_guard_given_takes_the_place_of_the_default():
    with pytest.raises(nn.training.NonFiniteLoss) as caught:
        train([Guard(every=3), poisoned_at(7)], epochs=9)
    error = caught.value
    assert (error.good_step, error.epoch, error.step) == (6, 4, 2)
    with pytest.raises(nn.training.NonFiniteLoss) as caught:
        train([poisoned_at(7)], epochs=9)
    assert caught.value.good_step == 0
    with pytest.raises(ValueError, match="Guard: expected every of at least 1, got 0"):
        Guard(every=0)


def test_what_is_loaded_before_the_first_epoch_is_what_comes_back():
    model, batches = model_and_batches()

    def load(training):
        model.weight.data[...] = 0.25

    callbacks = [Recorder(before_fit=load), poisoned_at(1)]
    with pytest.raises(nn.training.NonFiniteLoss):
        train(callbacks, model=model, batches=batches)
    assert (model.weight.data == 0.25).all()


@pytest.mark.parametrize("named", [False, True])
def test_inputs_that_are_not_finite_are_named_in_batches_of_any_form(named):
    """What the model is given counts, not where it lies in a batch."""
    model = nn.Linear(2, 2)
    batch = {"labels": nn.tensor([0]), "pixels": nn.tensor([[np.nan, 1.0]])}

    def measure(model, batch):
        x = batch["pixels"]
        scores = model(input=x) if named else model(x)
        return nn.training.Measured(F.cross_entropy(scores, batch["labels"]), 1, None)

    with pytest.raises(nn.training.NonFiniteLoss, match="the inputs of the model"):
        train([], model=model, batches=[batch], measure=lambda: measure)


def test_a_state_that_is_carried_is_no_input():
    """The failing batch has left its state to the measure; the layer is named all the same."""
    model = nn.GRU(2, 2)
    state = None

    def measure(model, batch):
        nonlocal state
        y, state = model(batch, state)
        state = state.detach()
        return nn.training.Measured((y * y).mean(), 1, None)

    def poison(training):
        training.model.weight_ih_l0.data[0, 0] = np.nan

    with pytest.raises(nn.training.NonFiniteLoss) as caught:
        train(
            [Recorder(after_step=poison)],
            model=model,
            batches=[nn.rand(4, 1, 2)],
            measure=lambda: measure,
        )
    assert "a GRU (its weight_ih_l0" in caught.value.where


@pytest.mark.parametrize("ends", ["clock", "clock as a callback", "callback"])
def test_without_a_number_of_epochs_something_else_ends_the_training(ends):
    callbacks, clock = [Recorder(after_step=raises(StopTraining("enough"), (3, 1)))], None
    if ends == "clock":
        callbacks, clock = [], Clock(1e-12)
    if ends == "clock as a callback":
        callbacks = [Clock(1e-12)]
    history = train(callbacks, epochs=None, clock=clock)
    steps, reason = (5, "enough") if ends == "callback" else (1, "the time is over")
    assert len(history.step_loss) == steps and history.stopped == reason


def test_a_training_that_nothing_could_end_is_refused():
    with pytest.raises(TypeError, match="got None, and no clock or callback to end it"):
        train([], epochs=None)


class Bar:
    """In place of tqdm's."""

    def __init__(self, total, desc, **options):
        self.total, self.title, self.n, self.closed = total, desc, 0, False

    def update(self, count):
        self.n += count

    def set_postfix_str(self, text, refresh):
        self.text = text

    def close(self):
        self.closed = True


@pytest.fixture
def bars(monkeypatch):
    made = []
    monkeypatch.setattr("tqdm.tqdm", lambda **options: made.append(Bar(**options)) or made[-1])
    return made


def test_a_bar_counts_the_batches_passed_over_too(bars, capsys):
    _, (one, two) = model_and_batches()
    train([Progress()], epochs=2, batches=[one, NOTHING, two])
    assert [(bar.total, bar.title, bar.n) for bar in bars] == [
        (3, "epoch 1/2", 3),
        (3, "epoch 2/2", 3),
    ]
    assert all(bar.closed and bar.text.startswith("loss ") for bar in bars)
    assert [line[:9] for line in capsys.readouterr().out.splitlines()] == ["epoch 1/2", "epoch 2/2"]


def test_a_bar_is_closed_however_the_training_ends(bars, capsys):
    with pytest.raises(RuntimeError):
        train([Progress(), Recorder(after_step=raises(RuntimeError()))])
    train([Progress(), Recorder(after_loss=raises(KeyboardInterrupt()))])
    train([Progress(), Recorder(after_step=raises(StopTraining()))], epochs=None)
    assert [(bar.closed, bar.title) for bar in bars] == [
        (True, "epoch 1/2"), (True, "epoch 1/2"), (True, "epoch 1"),
    ]  # fmt: skip
    assert capsys.readouterr().out.startswith("epoch 1  training loss")


def test_one_bar_is_shown_where_one_is_given(bars):
    model, batches = model_and_batches()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for callbacks in ([], [Progress()]):
        nn.fit(model, batches, epochs=1, optimizer=optimizer, callbacks=callbacks)
    assert len(bars) == 2
