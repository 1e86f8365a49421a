"""An algorithm of convolution is a folder of its own and a line in the list of the op."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from kernels import conv2d
from tests.helpers import assert_same_bits

# Of what the list knows nothing but its line: it applies to 2 x 2 filters, by another's kernels.
ALGORITHM = """
from kernels.conv2d.im2col import forward, to_input, to_weight

APPLIES_TO = "2 x 2 filters"


def applies(problem, to_input=False):
    return problem.window[:2] == (2, 2)


def pays(problem, to_input=False):
    return True
"""


@pytest.fixture
def op(tmp_path, monkeypatch):
    """The op from a text with one line more than its own."""
    (tmp_path / "thrown_away.py").write_text(ALGORITHM)
    monkeypatch.syspath_prepend(tmp_path)
    algorithm = importlib.import_module("thrown_away")
    path = Path(conv2d.__file__)
    line = "    cpu_winograd=winograd,\n"
    text = path.read_text()
    assert text.count(line) == 1
    text = text.replace(line, "    cpu_thrown_away=thrown_away,\n" + line)
    names = {"__name__": "kernels.conv2d", "__path__": conv2d.__path__, "thrown_away": algorithm}
    exec(compile(text, path, "exec"), names)
    yield names
    del sys.modules["thrown_away"]


def test_the_first_that_applies_and_pays_runs(op):
    assert op["ALGORITHMS"] == ("auto", "thrown_away", *conv2d.ALGORITHMS[1:])
    rng = np.random.default_rng(0)
    x, dy = rng.normal(0, 1, (2, 16, 9, 9)), rng.normal(0, 1, (2, 16, 8, 8))
    weight = rng.normal(0, 1, (16, 16, 2, 2))
    called = []
    for name in ("forward", "to_input", "to_weight"):
        function = getattr(op["thrown_away"], name)

        def noted(*args, name=name, function=function):
            called.append(name)
            return function(*args)

        setattr(op["thrown_away"], name, noted)
    y, saved = op["forward"](x, weight)
    found = (y, *op["backward"](dy, saved)[:2])
    assert called == ["forward", "to_input", "to_weight"]
    y, saved = conv2d.forward(x, weight, algorithm="im2col")
    assert_same_bits(found, (y, *conv2d.backward(dy, saved)[:2]))
    called.clear()
    op["forward"](x, weight[:, :, :1, :1].copy())
    assert not called


def test_what_it_does_not_apply_to_is_told(op):
    x, weight = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))
    with pytest.raises(ValueError, match="expected 2 x 2 filters for algorithm 'thrown_away'"):
        op["forward"](x, weight, algorithm="thrown_away")
