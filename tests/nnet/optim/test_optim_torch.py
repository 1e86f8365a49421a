"""Optimizers and schedules against PyTorch's, step by step."""

import numpy as np
import pytest

import nnet as nn
from nnet import optim
from nnet.optim import lr_scheduler
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "SGD dampened": ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    "SGD nesterov": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "SGD decay": ("SGD", {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1}),
    "SGD maximize": ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    "Adam": ("Adam", {"lr": 0.05}),
    "Adam options": (
        "Adam",
        {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
    ),
    "Adam maximize": ("Adam", {"lr": 0.01, "maximize": True}),
    "AdamW": ("AdamW", {"lr": 0.05}),
    "AdamW decay": ("AdamW", {"lr": 0.02, "weight_decay": 0.3}),
}
SHAPES = [(7, 5), (5,), (33,)]


def pairs():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in SHAPES]
    ours = [nn.Parameter(value.copy()) for value in values]
    theirs = [torch.nn.Parameter(torch.tensor(value)) for value in values]
    return ours, theirs


def loss_of(parameters, step):
    """A different function each step; every fourth leaves one parameter out."""
    used = parameters if step % 4 else parameters[:2]
    return sum(((p - 0.1 * step) ** 2).sum() + (p**3).mean() for p in used)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_f_trajectories_are_pytorchs(name):
    kind, options = OPTIMIZERS[name]
    ours, theirs = pairs()
    one = getattr(optim, kind)(ours, **options)
    other = getattr(torch.optim, kind)(theirs, **options)
    for step in range(12):
        for optimizer, parameters in ((one, ours), (other, theirs)):
            optimizer.zero_grad()
            loss_of(parameters, step).backward()
            optimizer.step()
        for mine, reference in zip(ours, theirs, strict=True):
            assert_close(mine, reference.detach().numpy(), 1e-6 * 1e-3)


@pytest.mark.parametrize("name", ["SGD momentum", "Adam options", "AdamW"])
def test_state_of_pytorchs_optimizer_loads(name):
    kind, options = OPTIMIZERS[name]
    ours, theirs = pairs()
    other = getattr(torch.optim, kind)(theirs, **options)
    for step in (1, 2, 3):
        other.zero_grad()
        loss_of(theirs, step).backward()
        other.step()
    for mine, reference in zip(ours, theirs, strict=True):
        mine.data[...] = reference.detach().numpy()
    one = getattr(optim, kind)(ours, lr=1.0)
    one.load_state_dict(other.state_dict())
    for optimizer, parameters in ((one, ours), (other, theirs)):
        optimizer.zero_grad()
        loss_of(parameters, 5).backward()
        optimizer.step()
    for mine, reference in zip(ours, theirs, strict=True):
        assert_close(mine, reference.detach().numpy(), 1e-9)


SCHEDULES = {
    "StepLR": ("StepLR", {"step_size": 3}),
    "StepLR gamma": ("StepLR", {"step_size": 2, "gamma": 0.7}),
    "Cosine": ("CosineAnnealingLR", {"T_max": 9}),
    "Cosine minimum": ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    "OneCycle": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25}),
    "OneCycle epochs": (
        "OneCycleLR",
        {"max_lr": 0.5, "epochs": 4, "steps_per_epoch": 7, "pct_start": 0.2},
    ),
    "OneCycle linear": (
        "OneCycleLR",
        {"max_lr": [0.5, 0.1], "total_steps": 22, "anneal_strategy": "linear", "div_factor": 10},
    ),
    "OneCycle three phases": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 30, "three_phase": True, "final_div_factor": 100},
    ),
    "OneCycle momentum": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 25, "base_momentum": 0.5, "max_momentum": 0.8},
    ),
    "OneCycle without momentum": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 25, "cycle_momentum": False},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_f_schedules_are_pytorchs(name, kind):
    schedule, options = SCHEDULES[name]
    ours, theirs = pairs()
    more = {"momentum": 0.9} if kind == "SGD" else {}
    optimizers = []
    for library, parameters in ((optim, ours), (torch.optim, theirs)):
        groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.2}]
        optimizers.append(getattr(library, kind)(groups, lr=0.3, **more))
    schedules = [
        getattr(library, schedule)(optimizer, **options)
        for library, optimizer in zip(
            (lr_scheduler, torch.optim.lr_scheduler), optimizers, strict=True
        )
    ]
    for _ in range(20):
        for mine, reference in zip(*(o.param_groups for o in optimizers), strict=True):
            assert mine["lr"] == pytest.approx(reference["lr"], rel=1e-6)
            key = "momentum" if kind == "SGD" else "betas"
            assert mine[key] == pytest.approx(reference[key], rel=1e-6)
        for each in schedules:
            each.step()


def both(make, steps=50, lr=0.3, **loaded):
    """The rates that a program makes, in this library and in PyTorch."""
    found = []
    for library, schedules, parameter in (
        (optim, lr_scheduler, lambda: nn.Parameter([1.0])),
        (torch.optim, torch.optim.lr_scheduler, lambda: torch.nn.Parameter(torch.ones(1))),
    ):
        optimizer = library.SGD(
            [{"params": [parameter()]}, {"params": [parameter()], "lr": 0.2}], lr
        )
        found.append(list(make(optimizer, schedules, library.SGD, parameter)))
    assert len(found[0]) > 1
    for mine, reference in zip(*found, strict=True):
        assert mine == pytest.approx(reference, rel=1e-12, abs=1e-300)
    return found[0]


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


CHAINABLE = {
    "steps of 3": lambda s, o, **k: s.StepLR(o, 3, 0.5, **k),
    "steps of 1": lambda s, o, **k: s.StepLR(o, 1, 0.9, **k),
    "cosine of 7": lambda s, o, **k: s.CosineAnnealingLR(o, 7, **k),
    "cosine of 13 with a minimum": lambda s, o, **k: s.CosineAnnealingLR(o, 13, 0.01, **k),
    "cosine of 1": lambda s, o, **k: s.CosineAnnealingLR(o, 1, 0.05, **k),
}
CHAINS = [*[(name,) for name in CHAINABLE], *zip(CHAINABLE, [*CHAINABLE][1:], strict=False)]
CHAINS += [("cosine of 13 with a minimum", "steps of 1", "steps of 3")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("names", CHAINS)
def test_chained_schedules_multiply_as_pytorchs_do(names):
    def program(optimizer, schedules, _kind, _parameter):
        chain = [CHAINABLE[name](schedules, optimizer) for name in names]
        for _ in range(50):
            yield rates_of(optimizer)
            for each in chain:
                each.step()
                yield each.get_last_lr()

    both(program)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHAINABLE)
def test_a_rate_set_by_hand_and_a_group_added_later_go_on_as_pytorchs(name):
    def program(optimizer, schedules, _kind, parameter):
        schedule = CHAINABLE[name](schedules, optimizer)
        for step in range(50):
            if step == 5:
                optimizer.param_groups[1]["lr"] = 0.77
            if step == 11 and not name.startswith("cosine"):
                optimizer.add_param_group({"params": [parameter()], "lr": 0.6})
            schedule.step()
            yield rates_of(optimizer)

    both(program)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHAINABLE)
@pytest.mark.parametrize("with_schedule", [True, False])
@pytest.mark.parametrize("stop", [0, 1, 4, 9, 21])
def test_a_resumed_schedule_goes_on_as_pytorchs(name, with_schedule, stop):
    def program(optimizer, schedules, kind, parameter):
        schedule = CHAINABLE[name](schedules, optimizer)
        for _ in range(stop):
            schedule.step()
        groups = [{"params": [parameter()]}, {"params": [parameter()]}]
        resumed = kind(groups, lr=9.0)
        if with_schedule:
            follower = CHAINABLE[name](schedules, resumed)
            resumed.load_state_dict(optimizer.state_dict())
            follower.load_state_dict(schedule.state_dict())
        else:
            resumed.load_state_dict(optimizer.state_dict())
            follower = CHAINABLE[name](schedules, resumed, last_epoch=stop)
        yield [group["initial_lr"] for group in resumed.param_groups]
        for _ in range(50):
            yield rates_of(resumed)
            yield [follower.last_epoch]
            follower.step()

    both(program)


@pytest.mark.filterwarnings("ignore")
def test_the_state_of_pytorchs_schedule_loads():
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.3)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 7, 0.01)
    for _ in range(5):
        reference.step()
    ours = optim.SGD([nn.Parameter([1.0])], lr=1.0)
    schedule = lr_scheduler.CosineAnnealingLR(ours, 3)
    ours.load_state_dict(theirs.state_dict())
    schedule.load_state_dict(reference.state_dict())
    for _ in range(30):
        assert rates_of(ours) == pytest.approx(rates_of(theirs), rel=1e-12)
        reference.step()
        schedule.step()


def test_options_of_a_loaded_group_are_pytorchs():
    def program(optimizer, _schedules, kind, parameter):
        for i, group in enumerate(optimizer.param_groups):
            group["initial_lr"], group["name"], group["momentum"] = 0.5 + i, f"part {i}", 0.25
        other = kind([{"params": [parameter()], "mine": 1}, {"params": [parameter()]}], lr=1.0)
        other.load_state_dict(optimizer.state_dict())
        for own, group in zip(other.param_groups, optimizer.param_groups, strict=True):
            assert {**own, "params": 0} == {**group, "params": 0}
            assert own["params"] is not group["params"]
            yield [own["initial_lr"], own["lr"], own["momentum"]]

    both(program)
