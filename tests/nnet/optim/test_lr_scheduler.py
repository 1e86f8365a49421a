"""Learning-rate schedules: their formulas, their state, their errors. PyTorch: beside."""

import math

import pytest

import nnet as nn
from nnet import optim
from nnet.optim import lr_scheduler


def optimizer(lr=1.0, **options):
    return optim.SGD([nn.Parameter([1.0])], lr=lr, **options)


def rates(schedule, steps):
    seen = [schedule.get_last_lr()[0]]
    for _ in range(steps):
        schedule.step()
        seen.append(schedule.get_last_lr()[0])
    return seen


def test_f_step_falls_by_gamma():
    assert rates(lr_scheduler.StepLR(optimizer(), 2), 4) == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_f_cosine_falls_to_its_minimum():
    seen = rates(lr_scheduler.CosineAnnealingLR(optimizer(), T_max=4, eta_min=0.2), 4)
    assert seen == pytest.approx([0.2 + 0.4 * (1 + math.cos(math.pi * i / 4)) for i in range(5)])


def test_f_one_cycle_rises_and_falls_and_mirrors_momentum():
    chosen = optimizer(momentum=0.9)
    schedule = lr_scheduler.OneCycleLR(chosen, max_lr=1.0, epochs=2, steps_per_epoch=10)
    rate, momentum = [], []
    for _ in range(20):
        rate.append(chosen.param_groups[0]["lr"])
        momentum.append(chosen.param_groups[0]["momentum"])
        chosen.step()
        schedule.step()
    assert rate[0] == pytest.approx(1 / 25) and rate[5] == max(rate) == 1
    assert rate[-1] == pytest.approx(1 / 25 / 1e4)
    assert momentum[0] == 0.95 and momentum[5] == 0.85 and momentum[-1] == pytest.approx(0.95)
    with pytest.raises(ValueError, match="OneCycleLR: expected at most 20 steps, got step 21"):
        schedule.step()


def test_a_schedule_goes_on_where_it_was():
    for make in (
        lambda o: lr_scheduler.StepLR(o, 3, 0.5),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
        lambda o: lr_scheduler.OneCycleLR(o, 2.0, total_steps=12, cycle_momentum=False),
    ):
        one, other = make(optimizer()), make(optimizer())
        rates(one, 5)
        other.load_state_dict(one.state_dict())
        assert other.get_last_lr() == one.get_last_lr() and rates(other, 4) == rates(one, 4)


def test_wrong_options_are_errors():
    for call, message in (
        (lambda: lr_scheduler.StepLR(optimizer(), 0), "StepLR: expected step_size >= 1, got 0"),
        (
            lambda: lr_scheduler.CosineAnnealingLR(optimizer(), 0),
            "CosineAnnealingLR: expected T_max >= 1, got 0",
        ),
        (
            lambda: lr_scheduler.OneCycleLR(optimizer(), 1.0),
            "OneCycleLR: expected total_steps >= 1",
        ),
        (
            lambda: lr_scheduler.OneCycleLR(optimizer(), 1.0, 10, pct_start=2),
            "OneCycleLR: expected pct_start from 0 to 1, got 2",
        ),
        (
            lambda: lr_scheduler.OneCycleLR(optimizer(), 1.0, 10, anneal_strategy="exp"),
            "OneCycleLR: expected anneal_strategy 'cos' or 'linear', got 'exp'",
        ),
        (
            lambda: lr_scheduler.OneCycleLR(optimizer(), [1.0, 2.0], 10),
            "OneCycleLR: expected 1 rates, got 2",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="StepLR: expected an optimizer, got float"):
        lr_scheduler.StepLR(0.1, 2)


def test_two_chained_steps_multiply():
    chosen = optimizer()
    schedules = lr_scheduler.StepLR(chosen, 1, 0.5), lr_scheduler.StepLR(chosen, 1, 0.1)
    for schedule in schedules:
        schedule.step()
    assert chosen.param_groups[0]["lr"] == pytest.approx(0.05)
    assert [each.get_last_lr() for each in schedules] == [[0.5], pytest.approx([0.05])]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: lr_scheduler.StepLR(o, 1, 0.5),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
        lambda o: lr_scheduler.OneCycleLR(o, 2.0, 12, cycle_momentum=False),
    ],
)
def test_a_group_added_later_goes_along(make):
    chosen = optimizer()
    schedule, alone = make(chosen), make(optimizer())
    chosen.add_param_group({"params": [nn.Parameter([1.0])], "lr": 1.0})
    for _ in range(4):
        schedule.step()
        alone.step()
    first, second = (group["lr"] for group in chosen.param_groups)
    assert first == alone.get_last_lr()[0]
    assert second == (1.0 if isinstance(schedule, lr_scheduler.OneCycleLR) else first)
    assert schedule.get_last_lr() == [first, second]


def test_a_saved_state_does_not_move_with_the_schedule():
    schedule = lr_scheduler.StepLR(optimizer(), 1, 0.5)
    saved = schedule.state_dict()
    schedule.optimizer.add_param_group({"params": [nn.Parameter([1.0])]})
    schedule.step()
    assert saved["last_epoch"] == 0 and saved["_last_lr"] == [1.0] and saved["base_lrs"] == [1.0]


def test_going_on_needs_the_first_rate_of_every_group():
    with pytest.raises(KeyError, match="StepLR: expected initial_lr in group 0 .* last_epoch 3"):
        lr_scheduler.StepLR(optimizer(), 2, last_epoch=3)
    resumed = optimizer(lr=0.01)
    resumed.load_state_dict(lr_scheduler.StepLR(optimizer(lr=0.1), 1).optimizer.state_dict())
    assert resumed.param_groups[0]["initial_lr"] == 0.1
    assert lr_scheduler.StepLR(resumed, 1, last_epoch=0).get_last_lr() == pytest.approx([0.01])


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda v: lr_scheduler.StepLR(optimizer(), v), "step_size"),
        (lambda v: lr_scheduler.CosineAnnealingLR(optimizer(), v), "T_max"),
        (lambda v: lr_scheduler.OneCycleLR(optimizer(momentum=0.9), 1.0, v), "total_steps"),
        (lambda v: lr_scheduler.OneCycleLR(optimizer(), 1.0, None, v, 3), "epochs"),
        (lambda v: lr_scheduler.StepLR(optimizer(), 2, last_epoch=v), "last_epoch"),
    ],
)
@pytest.mark.parametrize("value", [1.5, True, "3", 2.0])
def test_numbers_of_steps_are_integers(make, option, value):
    with pytest.raises(TypeError, match=f"expected {option} as an integer, got {value!r}"):
        make(value)


def test_a_loaded_state_is_checked_before_anything_changes():
    chosen = optim.Adam([nn.Parameter([1.0])], lr=0.1)
    state = chosen.state_dict()
    state["param_groups"][0].update(lr=0.7, betas=(0.9, 1.5))
    with pytest.raises(ValueError, match="Adam: expected 0 <= betas < 1"):
        chosen.load_state_dict(state)
    assert chosen.param_groups[0]["lr"] == 0.1 and chosen.param_groups[0]["betas"] == (0.9, 0.999)
