"""The example in the README runs as it stands."""

from pathlib import Path

import nnet as nn


def test_example_learns(capsys):
    readme = Path(__file__).parents[2] / "README.md"
    _, _, rest = readme.read_text(encoding="utf-8").partition("```python\n")
    example = rest.partition("```")[0]
    lines = [line for line in example.splitlines() if line]
    assert len(lines) <= 15
    exec(compile(example, readme, "exec"), names := {})
    assert "validation loss" in capsys.readouterr().out
    assert nn.evaluate(names["model"], names["check"]).accuracy > 0.9
