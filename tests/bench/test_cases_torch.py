"""PyTorch's contenders give the values of the others."""

import pytest

from bench.cases import CASES

pytest.importorskip("torch")


@pytest.mark.parametrize(
    "case",
    [case for cases in CASES.values() for case in cases if case.small],
    ids=lambda case: f"{case.op}-{case.name}",
)
def test_contenders_agree(case):
    case.check(("nnet", "torch"))
