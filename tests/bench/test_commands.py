"""The commands around the benchmarks run, on one quick op each, and report what they should."""

import json
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from bench import (
    bits,
    compare,
    compile_time,
    figures,
    machine,
    measure,
    memory_use,
    numerics,
    peers,
    report,
    summary,
    test_ops,
)
from bench.case import Contender, Work
from bench.cases import CASES
from bench.figures import BEGIN, END, Figure, load, save
from bench.machine import describe_machine, pinned
from bench.profile import __main__ as profile
from bench.profile import overhead, peaks
from bench.profile.recorder import Recorder, counted
from bench.report import describe
from bench.training_step import TRAININGS
from kernels import activation, conv2d, gru, lstm, rnn


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


def test_peers_print_a_table_and_write_json(run, tmp_path, monkeypatch):
    monkeypatch.setattr(peaks, "bound", lambda work: 1e-9)
    path = tmp_path / "peers.json"
    arguments = ["gather_normalize", "--small", "--rounds", "3", "--json", str(path)]
    assert "**gather_normalize**" in run(peers.main, *arguments)
    record = json.loads(path.read_text())
    assert record["rounds"] == 3 and record["machine"]["threads"] >= 1
    assert len(record["figures"]) == sum(case.small for case in CASES["gather_normalize"])
    for figure in record["figures"]:
        assert {"numpy", "nnet"} <= figure["median"].keys()
        assert all(figure["best"][name] <= figure["median"][name] for name in figure["best"])
        assert figure["bound"] == 1e-9 and figure["scaling"] is None


def test_peers_time_whole_training_steps_on_one_thread_too(run, tmp_path, monkeypatch):
    tiny = next(training for training in TRAININGS if training.arguments)
    monkeypatch.setattr(peers, "TRAININGS", (tiny,))
    monkeypatch.setattr(peers, "WORTH_SHARING", 0)
    path = tmp_path / "peers.json"
    kept = ["--without", "numpy", "--json", str(path)]
    shown = run(peers.main, "training_step", "--scaling", "--rounds", "3", *kept)
    assert "mlp-64-batch32" in shown and "1 thread / all" in shown and "of bound %" in shown
    (figure,) = json.loads(path.read_text())["figures"]
    assert figure["scaling"] > 0 and figure["bound"] > 0


def test_peers_write_kept_figures_into_a_readme_without_measuring(run, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "measure", lambda _: pytest.fail("it measures"))
    seconds = {"numpy": 4e-3, "nnet": 1e-3, "torch": 0.5e-3}
    other = {"numpy": 4e-3, "nnet": 1e-3, "torch": 4.5e-3}
    rest = ("forward", 10, 10)
    figures = [
        Figure("conv2d", "a", *rest, seconds, seconds, 5e-4, 1.9, ("all", "some")),
        Figure("conv2d", "b", *rest, other, other, 5e-4, None, ("all",)),
    ]
    described = describe_machine()
    save(tmp_path / "peers.json", described, 15, figures)
    assert load(tmp_path / "peers.json") == (described, figures)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    for _ in range(2):
        arguments = ["--write", str(readme), "--json", str(tmp_path / "peers.json")]
        assert run(peers.main, *arguments) == ""
    text = readme.read_text()
    assert text.startswith(f"before\n{BEGIN}\n") and text.endswith(f"{END}\nafter\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    means = ["geometric mean: all", "forward", *[""] * 6, "4.00", "1.50", "4.00", "1.50"]
    assert means in cells and "geometric mean: some" not in text
    assert "Against numpy: faster in 2 of 2 figures." in text
    assert "faster in 1 of 2 figures, slower in: conv2d a forward 0.50." in text
    assert text.count("**conv2d**") == 1


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("bench/RESULTS.md", figures),
        ("bench/RESULTS.md", report),
        ("README.md", summary),
        ("docs/numerics.md", numerics),
    ],
)
def test_figures_have_their_places(name, room):
    text = (Path(peers.__file__).parents[1] / name).read_text()
    assert text.index(room.BEGIN) < text.index(room.END)


def test_errors_are_those_against_float64(run, tmp_path, monkeypatch):
    (relu,) = (case for case in CASES["activation"] if case.name == "relu-64x32x28x28")
    (product,) = (case for case in CASES["matmul"] if case.name == "NN-32x32x64")
    assert numerics.errors(relu)["nnet"] == (0.0, 0.0)
    for output, gradients in numerics.errors(product).values():
        assert 1e-8 < output < 1e-6 and 1e-8 < gradients < 1e-6
    right = product.contenders.with_nnet

    def wrong(**inputs):
        contender = right(**inputs)
        scale = 1.001 if inputs["a"].dtype == np.float32 else 1

        def forward():
            y, saved = contender.forward()
            return scale * y, saved

        return Contender(forward, contender.backward)

    monkeypatch.setattr(product.contenders, "with_nnet", wrong)
    monkeypatch.setattr(numerics.importlib.util, "find_spec", lambda name: None)
    page = tmp_path / "page.md"
    page.write_text(f"{numerics.BEGIN}\n{numerics.END}\n")
    monkeypatch.setattr(numerics, "SHOWN", (("matmul", "NN-32x32x64"),))
    assert run(numerics.main, "--write", str(page)) == ""
    assert "| matmul | NN-32x32x64 | 10000" in page.read_text()
    monkeypatch.setattr(numerics, "SHOWN", (("matmul", "brain"),))
    with pytest.raises(ValueError, match="cases of bench/cases, got .*brain"):
        numerics.shown_cases()


@pytest.mark.skipif(not machine.CAN_PIN, reason="threads cannot be pinned here")
def test_threads_stay_on_their_cores_and_are_let_go():
    allowed = os.sched_getaffinity(0)
    with pinned():
        assert len(os.sched_getaffinity(0)) == 1
        with pinned():
            pass
        assert len(os.sched_getaffinity(0)) == 1
        others = [
            os.sched_getaffinity(thread)
            for thread in map(int, os.listdir("/proc/self/task"))
            if thread != threading.get_native_id()
        ]
        cores = {core for other in others for core in other}
        assert not cores & os.sched_getaffinity(0) or len(allowed) == 1
    for thread in os.listdir("/proc/self/task"):
        assert os.sched_getaffinity(int(thread)) == allowed


def test_where_threads_cannot_be_pinned_nothing_happens(monkeypatch):
    monkeypatch.setattr(machine, "CAN_PIN", False)
    monkeypatch.setattr(machine, "_keep_on", lambda *_: pytest.fail("it pins"))
    with pinned():
        pass
    assert "not pinned to cores" in describe(describe_machine())


def test_peers_give_no_figures_for_contenders_that_differ(monkeypatch, capsys, tmp_path):
    gather = CASES["gather_normalize"][0].contenders
    right = gather.with_nnet
    monkeypatch.setattr(
        gather,
        "with_nnet",
        lambda images, indices, mean, std: right(images, indices, mean, 2 * std),
    )
    kept = ["--json", str(tmp_path / "peers.json")]
    arguments = ["peers", "gather_normalize", "--small", "--rounds", "3", *kept]
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


def test_budgets_are_printed_beside_what_was_measured(run, monkeypatch):
    """Of compiling nothing is measured here: another test does, and it takes half a minute."""
    loaded, imported = ([1.5, 1.4], [0.9, 0.8], [1.2, 1.1]), ([0.7], [0.9], [0.8])
    seconds = iter([[19.0, 23.0], *loaded, *imported, [58.0]])
    monkeypatch.setattr(compile_time, "REPEATS", 3)
    monkeypatch.setattr(compile_time, "_seconds", lambda *_: next(seconds))
    rows = run(compile_time.main, "--budgets").splitlines()[-5:]
    assert [[cell.strip() for cell in row.strip("|").split("|")] for row in rows] == [
        ["first training step, nothing compiled", "19.00", "20.0", "yes"],
        ["the same, of one processor", "23.00", "22.0", "no"],
        ["first training step, all compiled", "0.90", "1.0", "yes"],
        ["import nnet", "0.70", "0.8", "yes"],
        ["nnet warmup, nothing compiled", "58.00", "60.0", "yes"],
    ]


def test_starting_is_timed_in_a_fresh_process(tmp_path):
    assert 0 < compile_time._seconds(["-c", compile_time._IMPORT], str(tmp_path))[0] < 60


def test_every_case_is_benchmarked_in_every_direction():
    ((_, parameters),) = (mark.args for mark in test_ops.test_op.pytestmark)
    expected = [
        (case, direction, contender)
        for cases in CASES.values()
        for case in cases
        for direction in case.directions
        for contender in measure.CONTENDERS
    ]
    assert [each.values for each in parameters] == expected


def test_a_recorder_clocks_launches_and_then_lets_go():
    x = np.ones(1000, np.float32)
    relu = activation.ReLU()
    activation.forward(relu, x)
    before = dict(vars(activation.cpu))
    with Recorder() as recorder:
        activation.forward(relu, x)
        activation.forward(relu, x)
    assert dict(vars(activation.cpu)) == before
    (launches,) = recorder.launches.values()
    assert launches.calls == 2 and launches.seconds > 0
    assert launches.work == Work(0, 2 * 2 * x.nbytes)


def test_work_is_counted_from_the_names_of_arguments():
    a, b, y = np.empty((2, 3)), np.empty((3, 5)), np.empty((2, 5))
    product = {"a": a, "b": b, "work_a": np.empty(100), "out_y": y}
    assert counted("matmul.cpu.product", product) == Work(60, a.nbytes + b.nbytes + y.nbytes)
    assert counted("optimizer_step.cpu.sgd", {"grad": a, "inout_param": a}).bytes == 3 * a.nbytes
    assert counted("attention.cpu._forward", {"inputs": ((a, 1), (b, 1))}).bytes == 21 * a.itemsize


@pytest.mark.parametrize("algorithm", conv2d.ALGORITHMS[1:])
def test_work_of_convolutions_is_counted_whatever_the_algorithm(algorithm):
    x, weight = np.ones((2, 17, 9, 6)), np.ones((19, 17, 3, 3))

    def there_and_back():
        y, saved = conv2d.forward(x, weight, padding=(1, 1), algorithm=algorithm)
        conv2d.backward(y, saved)

    there_and_back()
    with Recorder() as recorder:
        there_and_back()
    flops = sum(launches.work.flops for launches in recorder.launches.values())
    assert flops == 3 * 2 * x.size * 19 * 9


@pytest.mark.parametrize("samples", [1, 17])
@pytest.mark.parametrize(("op", "gates"), [(rnn, 1), (gru, 3), (lstm, 4)])
def test_work_of_recurrent_layers_is_counted_in_walks_and_blocks(op, gates, samples):
    steps, inputs, hidden = 5, 3, 64
    states = [np.zeros((samples, hidden)) for _ in range(1 + (op is lstm))]
    x, rows = np.ones((steps, samples, inputs)), gates * hidden

    def there_and_back():
        (y, *_), saved = op.forward(x, *states, np.ones((rows, inputs)), np.ones((rows, hidden)))
        op.backward(y, *states, saved)

    there_and_back()
    with Recorder() as recorder:
        there_and_back()
    flops = sum(launches.work.flops for launches in recorder.launches.values())
    assert flops == 3 * 2 * steps * samples * rows * (inputs + hidden)


def test_profile_prints_kernels_and_their_share_of_the_bound(run, monkeypatch):
    monkeypatch.setattr(peaks, "bound", lambda work: 1e-9)
    shown = run(profile.main, "kernels", "--ops", "activation", "--small", "--rounds", "1")
    assert "**activation**" in shown and "of bound %" in shown and "relu-64x32x28x28" in shown


def test_profile_prints_what_python_costs(run, monkeypatch):
    monkeypatch.setattr(overhead, "CALLS", 2)
    shown = run(profile.main, "overhead", "--rounds", "1")
    rows = [line.split("|")[1:4] for line in shown.splitlines() if line.startswith("| ")][1:]
    assert [row[0].strip() for row in rows][:3] == ["add", "relu", "linear"]
    assert all(float(row[1]) > 0 for row in rows) and len(rows) == 8


def test_memory_use_refuses_what_it_does_not_know(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["command", "brain"])
    with pytest.raises(SystemExit):
        memory_use.main()
    assert "expected trainings among mnist_cnn-batch64" in capsys.readouterr().err


def test_profile_prints_the_kernels_and_the_python_of_a_step(run, monkeypatch):
    monkeypatch.setattr(peaks, "bound", lambda work: 1e-9)
    shown = run(profile.main, "step", "lines", "--batch", "2", "--rounds", "1")
    assert "**training step**, batch 2" in shown and "optimizer_step.cpu._adam_run" in shown
    assert "| Python " in shown and "nnet/autograd/tape.py:" in shown


def test_compare_times_this_tree_against_another(run, monkeypatch, capsys, tmp_path):
    case = next(each for each in CASES["softmax_cross_entropy"] if each.small)
    monkeypatch.setitem(CASES, "softmax_cross_entropy", (case,))
    arguments = [str(compare.HERE), "softmax_cross_entropy", "--rounds", "1"]
    printed = run(compare.main, *arguments, "--limit", "1000")
    for direction in case.directions:
        assert f"us  softmax_cross_entropy {case.name} {direction}\n" in printed
    assert printed.endswith("0 slower than 1000 times as long\n")
    with pytest.raises(SystemExit) as stopped:
        run(compare.main, *arguments, "--limit", "0.001")
    assert stopped.value.code == 1 and "  SLOWER\n" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run(compare.main, str(tmp_path))
    assert "expected a checkout with bench/cases" in capsys.readouterr().err


def test_bits_tell_which_case_computes_others(run, tmp_path, monkeypatch):
    monkeypatch.setattr(bits, "STORED", tmp_path / "bits.json")
    assert "no bits are stored" in run(bits.main, "gather_normalize")
    run(bits.main, "--write", "gather_normalize")
    stored = json.loads(bits.STORED.read_text())
    (hashes,) = stored.values()
    changed = next(iter(hashes))
    assert "float32" in changed and len(set(hashes.values())) > 2
    with pytest.raises(SystemExit) as ended:
        run(bits.main, "gather_normalize")
    assert ended.value.code == 0
    hashes[changed] = "another"
    bits.STORED.write_text(json.dumps(stored))
    with pytest.raises(SystemExit) as ended:
        run(bits.main, "gather_normalize")
    assert ended.value.code == 1
