"""The adding problem: gates remember what a plain recurrent layer forgets."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_i6_lstm_and_gru_solve_the_adding_problem_where_a_plain_layer_does_not():
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "adding_problem.py")],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    errors = {name: float(error) for name, error in re.findall(r"(\w+) +([\d.]+)\n", done.stdout)}
    assert errors["LSTM"] < 0.04 and errors["GRU"] < 0.04 < errors["RNN"], done.stdout
