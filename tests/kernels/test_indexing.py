"""What an index of a kernel means: see `kernels._compiler.indexing`."""

import signal

import numpy as np
import pytest

from kernels import _jit
from tests.kernels.house import House

pytestmark = pytest.mark.skipif(
    _jit._PLAIN, reason="plain Numba counts negative indices from the end"
)

SCRIPT = """
    import json
    import numpy as np
    from kernels import _jit

    @_jit.jit
    def put(i, j, out):
        out[i, j] = 1.0

    put({i}, {j}, np.zeros((3, 4)))
    print(json.dumps("inside"))
    """


@_jit.jit
def _set_to_one(start, count, out):
    for i in range(start, start + count):
        out[i] = 1.0


@_jit.jit
def _set_nothing(start, count, out):
    for _ in range(start, start + count):
        out.size  # noqa: B018


@_jit.jit
def _last_ones(x, y, out):
    out[0], out[1], out[2] = x[-1], y[-1, -2], y[-1][-1]


def test_a_negative_number_in_the_source_counts_from_the_end():
    y, out = np.arange(6.0).reshape(2, 3), np.zeros(3)
    _last_ones(np.arange(4.0), y, out)
    np.testing.assert_array_equal(out, [3.0, 4.0, 5.0])


def lowered(kernel):
    """What LLVM is given of it."""
    return str(kernel.overloads[kernel.signatures[0]].library._final_module)


def test_a_computed_index_is_not_compared():
    """So the loop knows its neighbours: it writes whole registers, or calls memset."""
    out = np.zeros(10)
    _set_to_one(2, 5, out)
    np.testing.assert_array_equal(out, [0, 0, 1, 1, 1, 1, 1, 0, 0, 0])
    _set_nothing(2, 5, out)
    assert lowered(_set_to_one).count("select") == lowered(_set_nothing).count("select")


@pytest.mark.parametrize("i, j", [(0, 0), (2, 3)])
def test_an_index_inside_is_let_through_where_indices_are_checked(tmp_path, i, j):
    found, _ = House(tmp_path).run(SCRIPT.format(i=i, j=j), NNET_CHECK_INDICES="1")
    assert found == "inside"


@pytest.mark.parametrize("i, j", [(3, 0), (0, 4), (-1, 0), (0, -1)])
def test_an_index_outside_ends_the_process_where_indices_are_checked(tmp_path, i, j):
    process = House(tmp_path).start(SCRIPT.format(i=i, j=j), NNET_CHECK_INDICES="1")
    output, _ = process.communicate(timeout=300)
    assert output == ""
    assert -process.returncode in (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT)
