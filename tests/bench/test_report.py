"""Tables of figures, and their place in a README."""

import json

import pytest

from bench import figures, peers, report, summary


def result(op, case, direction, contender, median):
    info = {"op": op, "case": case, "direction": direction, "contender": contender}
    return {
        "extra_info": info | {"flops": 2_000_000, "bytes": 1_000_000},
        "stats": {"median": median},
    }


@pytest.fixture
def results():
    machine = {
        "processor": "Abacus",
        "architecture": "wood",
        "cores": 2,
        "threads": 2,
        "threading layer": "omp",
        "pinned": False,
        "BLAS": "none",
        "python": "3.12.0",
        "numpy": "2.4.0",
    }
    return {
        "machine_info": {"nnet": machine},
        "benchmarks": [
            result("conv2d", "a", "forward", "numpy", 3e-3),
            result("conv2d", "a", "forward", "nnet", 1e-3),
            result("activation", "relu-b", "forward", "numpy", 1e-3),
            result("activation", "relu-b", "forward", "nnet", 2e-3),
            result("activation", "alone", "forward", "nnet", 2e-3),
        ],
    }


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_tables_give_rates_ratios_and_losses(results):
    text = report.tables(results)
    lines = text.splitlines()
    assert lines[0].startswith(
        "Abacus (wood), 2 core(s); 2 thread(s) on omp, not pinned to cores; python 3.12.0"
    )
    rows = [cells(line) for line in lines if line.startswith("| ")]
    assert ["a", "forward", "3.00", "1.00", "2.00 GFLOP/s", "3.00"] in rows
    assert ["relu-b", "forward", "1.00", "2.00", "0.500 GB/s", "0.50"] in rows
    assert "alone" not in text


def test_the_table_is_written_between_the_markers(tmp_path, results, monkeypatch, capsys):
    readme, kept = tmp_path / "README.md", tmp_path / "figures.json"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    kept.write_text(json.dumps(results))
    arguments = ["report", str(kept), "--write", str(readme)]
    for _ in range(2):
        monkeypatch.setattr("sys.argv", arguments)
        report.main()
    text = readme.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n") and text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text and text.count("**conv2d**") == 1
    assert capsys.readouterr().out == ""


def test_later_results_replace_the_ops_they_have(results):
    later = results | {"benchmarks": [result("conv2d", "c", "forward", "nnet", 1e-3)]}
    found = [each["extra_info"]["case"] for each in report.joined([results, later])["benchmarks"]]
    assert found == ["c", "relu-b", "relu-b", "alone"]
    elsewhere = {"machine_info": {"nnet": {"processor": "other"}}, "benchmarks": []}
    with pytest.raises(ValueError, match="expected figures of one machine"):
        report.joined([results, elsewhere])


def test_summary_of_both_kinds_of_figures(tmp_path, results, monkeypatch, capsys):
    machine = results["machine_info"]["nnet"]

    def figure(op, nnet, torch):
        seconds = {"nnet": nnet, "torch": torch}
        return figures.Figure(op, "a", "forward", 1, 1, seconds, seconds, 1.0)

    kept = [figure("training_step", 1e-3, 2e-3), figure("conv2d", 1, 8), figure("conv2d", 1, 0.5)]
    figures.save(tmp_path / "peers.json", machine, 3, kept)
    (tmp_path / "numpy.json").write_text(json.dumps(results))
    files = ["--peers", str(tmp_path / "peers.json"), "--numpy", str(tmp_path / "numpy.json")]
    monkeypatch.setattr("sys.argv", ["summary", *files])
    summary.main()
    rows = [cells(line) for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert ["a", "1.00", "2.00", "2.00"] in rows
    assert ["conv2d", "2.00", "0.50", "8.00", "3.00", "3.00", "3.00"] in rows
    assert ["activation", "", "", "", "0.50", "0.50", "0.50"] in rows
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{summary.BEGIN}\nold\n{summary.END}\n")
    monkeypatch.setattr("sys.argv", ["summary", *files, "--write", str(readme)])
    summary.main()
    assert "| conv2d " in readme.read_text() and "old" not in readme.read_text()
    figures.save(tmp_path / "peers.json", machine | {"numpy": "1.26"}, 3, kept)
    with pytest.raises(ValueError, match="figures of one machine and the same versions"):
        summary.main()


def test_figures_of_other_ops_are_kept_on_the_same_machine(tmp_path):
    machine, path = {"processor": "Abacus"}, tmp_path / "peers.json"
    assert peers._kept(path, machine, ["gru"]) == []
    made = [
        figures.Figure(op, "a", "forward", 1, 1, {"nnet": 1.0}, {"nnet": 1.0}, 1.0, None, ())
        for op in ("gru", "conv2d")
    ]
    figures.save(path, machine, 3, made)
    assert peers._kept(path, machine, ["gru"]) == made[1:]
    with pytest.raises(ValueError, match="got others in processor"):
        peers._kept(path, {"processor": "other"}, ["gru"])


def test_missing_markers_are_an_error(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing\n")
    with pytest.raises(ValueError, match=r"expected the lines <!-- bench:begin -->"):
        report.write_between_markers(readme, "text")
    assert readme.read_text() == "nothing\n"


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1.00"), (9.999, "10.0"), (99.6, "99.6"), (100, "100"), (3e-3, "0.00300")],
)
def test_significant(number, text):
    assert report.significant(number) == text
