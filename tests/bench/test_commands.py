"""The commands around the benchmarks run, on one quick op each, and report what they should."""

import json
import sys

import numpy as np
import pytest

from bench import compile_time, measure, peers
from bench.case import Work
from bench.cases import CASES
from bench.profile import __main__ as profile
from bench.profile import peaks
from bench.profile.recorder import Recorder, counted
from kernels import activation


@pytest.fixture(autouse=True)
def tools():
    """What the extra `bench` installs."""
    pytest.importorskip("cpuinfo")
    pytest.importorskip("line_profiler")
    pytest.importorskip("threadpoolctl")


@pytest.fixture
def run(monkeypatch, capsys):
    def run_main(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        main()
        return capsys.readouterr().out

    return run_main


def test_peers_print_a_table_and_write_json(run, tmp_path):
    path = tmp_path / "peers.json"
    arguments = ["gather_normalize", "--small", "--rounds", "3", "--json", str(path)]
    assert "**gather_normalize**" in run(peers.main, *arguments)
    record = json.loads(path.read_text())
    assert record["rounds"] == 3 and record["machine"]["threads"] >= 1
    assert len(record["figures"]) == sum(case.small for case in CASES["gather_normalize"])
    for figure in record["figures"]:
        assert {"numpy", "nnet"} <= figure["median"].keys()
        assert all(figure["best"][name] <= figure["median"][name] for name in figure["best"])


def test_peers_give_no_figures_for_contenders_that_differ(monkeypatch, capsys):
    gather = CASES["gather_normalize"][0].contenders
    right = gather.with_nnet
    monkeypatch.setattr(
        gather,
        "with_nnet",
        lambda images, indices, mean, std: right(images, indices, mean, 2 * std),
    )
    arguments = ["peers", "gather_normalize", "--small", "--rounds", "3"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        peers.main()
    shown = capsys.readouterr()
    assert stopped.value.code == 1
    assert "no figures: gather_normalize" in shown.err and "**gather_normalize**" not in shown.out


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (peers.main, ["convolve"], "expected ops among matmul"),
        (peers.main, ["--rounds", "1"], "expected at least 3 rounds, got 1"),
        (compile_time.main, ["convolve"], "expected ops among matmul"),
        (profile.main, ["everything"], "expected sections among peaks"),
    ],
)
def test_unknown_names_are_refused(main, arguments, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["command", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert message in capsys.readouterr().err


def test_compiling_takes_longer_than_loading():
    ((name, compiling, _, loading, _),) = compile_time.measure("gather_normalize")
    assert name == "gather_normalize" and float(compiling) > float(loading)


def test_every_case_is_benchmarked_in_every_direction():
    for op, cases in CASES.items():
        _, parameters = measure.over_cases(op).args
        assert len(parameters) == 2 * sum(len(case.directions) for case in cases)


def test_a_recorder_clocks_launches_and_then_lets_go():
    x = np.ones(1000, np.float32)
    activation.relu_forward(x)
    before = dict(vars(activation.cpu))
    with Recorder() as recorder:
        activation.relu_forward(x)
        activation.relu_forward(x)
    assert dict(vars(activation.cpu)) == before
    (launches,) = recorder.launches.values()
    assert launches.calls == 2 and launches.seconds > 0
    assert launches.work == Work(0, 2 * 2 * x.nbytes)


def test_work_is_counted_from_the_names_of_arguments():
    a, b, y = np.empty((2, 3)), np.empty((3, 5)), np.empty((2, 5))
    product = {"a": a, "b": b, "work_a": np.empty(100), "out_y": y}
    assert counted("matmul.cpu.product", product) == Work(60, a.nbytes + b.nbytes + y.nbytes)
    x, weight, dy = np.empty((2, 3, 8, 8)), np.empty((4, 3, 3, 3)), np.empty((2, 4, 6, 6))
    flops = 2 * dy.size * 3 * 3 * 3
    for arguments in (
        {"x": x, "weight": weight, "out_y": dy},
        {"dy": dy, "weight": weight, "out_dx": x},
        {"x": dy, "weight": weight, "transposed": True, "out_y": x},
        {"x": x, "dy": dy, "out_dweight": weight},
    ):
        assert counted("conv2d.cpu.any", arguments).flops == flops
    assert counted("optimizer_step.cpu.sgd", {"grad": a, "inout_param": a}).bytes == 3 * a.nbytes


def test_profile_prints_kernels_and_their_share_of_the_bound(run, monkeypatch):
    monkeypatch.setattr(peaks, "bound", lambda work: 1e-9)
    shown = run(profile.main, "kernels", "--ops", "activation", "--small", "--rounds", "1")
    assert "**activation**" in shown and "of bound %" in shown and "relu-64x32x28x28" in shown


def test_profile_prints_the_kernels_and_the_python_of_a_step(run, monkeypatch):
    monkeypatch.setattr(peaks, "bound", lambda work: 1e-9)
    shown = run(profile.main, "step", "lines", "--batch", "2", "--rounds", "1")
    assert "**training step**, batch 2" in shown and "optimizer_step.cpu.adam" in shown
    assert "| Python " in shown and "nnet/tape.py:" in shown
