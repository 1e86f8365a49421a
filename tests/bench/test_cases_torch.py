"""PyTorch's contenders give the values of the others."""

import pytest

from bench.cases import CASES
from bench.training_step import TRAININGS

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    "case",
    [case for cases in CASES.values() for case in cases if case.small],
    ids=lambda case: f"{case.op}-{case.name}",
)
def test_contenders_agree(case):
    case.check(("nnet", "torch"))


@pytest.mark.parametrize("training", TRAININGS, ids=lambda training: training.name)
def test_training_steps_agree(training):
    training.check(size=8)


def test_a_network_whose_gradients_differ_is_found_out(monkeypatch):
    (tiny,) = (each for each in TRAININGS if each.small and each.arguments)
    forward = torch.nn.Linear.forward
    monkeypatch.setattr(
        torch.nn.Linear,
        "forward",
        # The value is the same, the gradient twice as large.
        lambda self, x: 2 * forward(self, x) - forward(self, x).detach(),
    )
    with pytest.raises(AssertionError, match="gradient of 1.weight: differ by"):
        tiny.check(size=8)
