"""Recurrent layers cost as much as there is to compute: no more a step or a sample if many."""

import sys

import pytest

import kernels
from bench.profile import __main__ as profile
from bench.profile import scaling


@pytest.fixture
def ops(monkeypatch):
    present = {op: sizes for op, sizes in scaling.OPS.items() if op in kernels.__all__}
    monkeypatch.setattr(scaling, "OPS", present)
    return present


def test_exponents():
    assert scaling.exponent([1, 10, 100], [5, 500, 50_000]) == pytest.approx(2)
    assert scaling.exponent([3, 6], [7, 7]) == pytest.approx(0)


def test_memory_is_linear_in_steps_and_in_samples(ops):
    sizes = (256, 512, 1024)
    for op in ops:
        for shapes in ([(size, 3) for size in sizes], [(5, size) for size in sizes]):
            calls = [scaling.layer(op, *shape) for shape in shapes]
            held = [scaling.most_held(call) for call in [*calls, *calls]][len(calls) :]
            assert scaling.exponent(sizes, held) <= scaling.MOST


@pytest.mark.usefixtures("ops")
def test_profile_prints_exponents(monkeypatch, capsys):
    pytest.importorskip("cpuinfo")
    pytest.importorskip("line_profiler")
    pytest.importorskip("threadpoolctl")
    monkeypatch.setattr(scaling, "STEPS", (4, 8))
    monkeypatch.setattr(scaling, "SAMPLES", (2, 4))
    monkeypatch.setattr(sys, "argv", ["profile", "scaling", "--rounds", "1"])
    profile.main()
    shown = capsys.readouterr().out
    assert "steps 4 to 8" in shown and "samples 2 to 4" in shown and "exponent of time" in shown
