"""The PyTorch script that runs with its imports and data loading changed."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_pytorch_script_trains():
    script = ROOT / "examples" / "from_pytorch.py"
    command = [sys.executable, "-W", "error", str(script), "--limit", "2000", "--epochs", "2"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    accuracies = re.findall(r"Accuracy: \d+/2000 \(([\d.]+)%\)", done.stdout)
    assert len(accuracies) == 2 and float(accuracies[1]) > 85, done.stdout
