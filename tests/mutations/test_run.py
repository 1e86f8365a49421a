"""The runner tells what was caught from what survived, and from what shows nothing."""

import os

import pytest

from tests.mutations import mutation, run
from tests.mutations.mutation import Mutation
from tests.mutations.run import judge, run_tests


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A tree of two files."""
    (tmp_path / "even.py").write_text("def is_even(n):\n    return n % 2 == 0\n")
    test = "from even import is_even\n\n\ndef test_two():\n    assert is_even(2)\n"
    (tmp_path / "test_even.py").write_text(test)
    for room in (mutation, run):
        monkeypatch.setattr(room, "ROOT", tmp_path)
    monkeypatch.setattr(run, "_COPIED", ("even.py", "test_even.py"))
    monkeypatch.setattr(run.runtime, "cache_folder", lambda: None)
    return tmp_path


def planted(new, old="n % 2 == 0"):
    return Mutation("even", "even.py", old, new, "test_even.py::test_two")


def test_outcomes_are_told_apart(tiny):
    environment = {**os.environ, "PYTHONPATH": str(tiny), "PYTHONDONTWRITEBYTECODE": "1"}
    for new, state, detail in (
        ("n % 2 == 1", "failed", "test_two: assert False"),
        ("m % 2 == 0", "broken", "NameError"),
    ):
        with planted(new).planted(tiny):
            outcome = run_tests(["test_even.py"], tiny, environment)
        assert outcome.state == state and detail in outcome.detail
    assert "n % 2 == 0\n" in (tiny / "even.py").read_text()


def test_what_survives_and_what_is_stale_is_named_and_fails(tiny, capsys):
    assert not judge([planted("n % 2 < 1"), planted("n % 2 == 1", old="n % 3 == 0")])
    shown = capsys.readouterr().out
    assert "0 of 2 caught, 1 stale" in shown
    assert "SURVIVED  even" in shown and "STALE     even: 0 times in even.py" in shown


def test_tests_that_fail_by_themselves_judge_nothing(tiny, capsys):
    (tiny / "test_even.py").write_text("def test_two():\n    assert 1 == 2\n")
    assert not judge([planted("n % 2 == 1")])
    assert "do not pass without a fault: test_two: assert 1 == 2" in capsys.readouterr().out
