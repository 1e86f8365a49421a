"""No figure for what is not computed: all contenders of a case give the same values."""

from collections import Counter

import numpy as np
import pytest

from bench.case import Case, Contender, Work
from bench.cases import CASES

ALL = [case for cases in CASES.values() for case in cases]
SMALL = [case for case in ALL if case.small]


def name(case: Case) -> str:
    return f"{case.op}-{case.name}"


@pytest.mark.parametrize("case", SMALL, ids=name)
def test_contenders_agree(case):
    case.check(("numpy", "nnet"))


@pytest.mark.parametrize(
    "case",
    [c for c in SMALL if c.op not in ("optimizer_step", "bernoulli_mask", "drop_connect")],
    ids=name,
)
def test_a_second_call_gives_the_same(case):
    """A benchmark calls again and again, so no call may spoil the inputs of the next.

    But for optimizers, which go on from where they are, and dropout, which draws anew.
    """
    for contender in (case.contender("numpy"), case.contender("nnet")):
        for first, second in zip(contender.values(), contender.values(), strict=True):
            np.testing.assert_array_equal(first, second)


def test_every_op_has_small_cases_and_names_are_unique():
    assert all(any(case.small for case in cases) for cases in CASES.values())
    assert all(case.op == op for op, cases in CASES.items() for case in cases)
    assert max(Counter(map(name, ALL)).values()) == 1


def test_work_is_counted():
    product = next(case for case in CASES["matmul"] if case.name == "NN-32x32x64")
    assert product.work("forward") == Work(2 * 32 * 32 * 64, 4 * (32 * 64 * 2 + 32 * 32))
    assert product.work("forward+backward").flops == 6 * 32 * 32 * 64
    convolution = next(case for case in CASES["conv2d"] if case.name == "64x6x14x14-16-5x5")
    assert convolution.forward.flops == 2 * 64 * 16 * 10 * 10 * 6 * 5 * 5
    for case in ALL:
        inputs = case.inputs(np.random.default_rng(0)) if case.small else {}
        read = sum(a.nbytes for key, a in inputs.items() if key not in ("dy", "images"))
        assert case.work("forward+backward").bytes >= read


def test_a_wrong_contender_is_found_out(monkeypatch):
    case = next(case for case in CASES["activation"] if case.name.startswith("relu"))
    right = case.contenders.with_nnet

    def wrong(x, dy, kind):
        contender = right(x, dy, kind)
        return Contender(contender.forward, lambda saved: 1.001 * contender.backward(saved))

    monkeypatch.setattr(case.contenders, "with_nnet", wrong)
    with pytest.raises(AssertionError, match="nnet against numpy, result 1: differ by"):
        case.check(("numpy", "nnet"))


def test_dropout_that_keeps_too_much_is_found_out(monkeypatch):
    case = CASES["bernoulli_mask"][0]

    def keeps_all(x, dy):
        scale = np.float32(case.contenders.SCALE)
        return Contender(lambda: (x * scale, None), lambda saved: dy * scale)

    monkeypatch.setattr(case.contenders, "with_nnet", keeps_all)
    with pytest.raises(AssertionError, match="kept a share of 1"):
        case.check(("nnet",))
