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
