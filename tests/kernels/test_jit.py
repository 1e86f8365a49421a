"""Compiling, its flags, threads (design: the same bits on any)."""

import textwrap
import threading

import numba
import numpy as np
import pytest

from kernels import _jit
from kernels._jit import thread_id
from tests.kernels.house import House


@_jit.parallel
def _record_threads(task, out_threads):
    out_threads[task] = thread_id()


@_jit.parallel
def _sum_rows(row, x, out_sums):
    total = 0.0
    for i in range(x.shape[1]):
        total += x[row, i]
    out_sums[row] = total


@_jit.jit
def _scalar_arithmetic(a, b, out):
    """What flags that reorder or assume away would break."""
    total = a + b
    moved = total - a
    out[0] = (a - (total - moved)) + (b - moved)
    out[1] = a / (b - b)
    out[2] = np.isnan(out[1] * 0.0)


def test_set_num_threads_decides_who_works():
    most = numba.config.NUMBA_NUM_THREADS
    assert _jit.thread_rows() == most
    for count in range(1, most + 1):
        _jit.set_num_threads(count)
        assert _jit.get_num_threads() == count
        threads = np.full(64, -1)
        _record_threads(64, threads)
        assert set(threads) <= set(range(count))


@pytest.mark.parametrize("count", [0, -1, 1.0, "2", None, True, 10**6])
def test_set_num_threads_refuses_other_numbers(count):
    before = _jit.get_num_threads()
    with pytest.raises(ValueError, match=r"expected an integer from 1 to \d+, got "):
        _jit.set_num_threads(count)
    assert _jit.get_num_threads() == before


def test_threading_layer_has_a_name():
    assert _jit.threading_layer() in ("omp", "tbb", "workqueue")
    assert _jit.threading_layer() == numba.threading_layer()


def test_launch_takes_keywords_and_keeps_its_name():
    x, sums = np.ones((3, 5)), np.full(3, np.nan)
    _sum_rows(3, out_sums=sums, x=x)
    assert sums.tolist() == [5, 5, 5]
    assert (
        _sum_rows.__name__ == "_sum_rows"
        and "x" in _sum_rows.dispatcher.py_func.__code__.co_varnames
    )


def test_launches_from_several_python_threads():
    inputs = [np.full((50, 40), k, np.float64) for k in range(4)]
    wrong = []

    def work(x):
        for _ in range(50):
            sums = np.full(50, np.nan)
            _sum_rows(50, x, sums)
            if not np.array_equal(sums, x.sum(1)):
                wrong.append(x[0, 0])

    workers = [threading.Thread(target=work, args=(x,)) for x in inputs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    house.write(
        "three/cpu.py",
        """
        from kernels import _jit

        @_jit.parallel
        def double(row, x, out_y):
            for i in range(x.shape[1]):
                out_y[row, i] = 2 * x[row, i]
        """,
    )
    return house


def test_launches_from_several_python_threads_where_the_layer_would_abort(house):
    script = """
        import json
        import threading

        import numpy as np

        from kernels import _jit
        from kernels.three.cpu import double

        outs = np.zeros((4, 2000))

        def work(k):
            x, y = np.full((100, 100), 1.0 + k), np.empty((100, 100))
            for i in range(2000):
                double(100, x, y)
                outs[k, i] = y.sum()

        workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(json.dumps([_jit.threading_layer(), np.unique(outs, axis=1).tolist()]))
        """
    results, _ = house.run(script, NUMBA_THREADING_LAYER="workqueue")
    assert results == ["workqueue", [[20_000.0], [40_000.0], [60_000.0], [80_000.0]]]


def test_without_compiling_kernels_run_as_python(house):
    script = """
        import json

        import numpy as np

        from kernels.one.cpu import run
        from kernels.three.cpu import double

        x, y = np.ones((2, 3)), np.empty((2, 3))
        double(len(x), x, y)
        run(x[0], y[0])
        print(json.dumps(y.tolist()))
        """
    results, errors = house.run(script, NUMBA_DISABLE_JIT="1")
    assert results == [[3.0] * 3, [2.0] * 3]
    assert errors == ""


def test_a_refused_launch_and_an_interrupted_one_leave_the_lock_free(house):
    script = """
        import json
        import signal
        import threading
        import time

        import numpy as np

        from kernels import _jit
        from kernels.three.cpu import double

        x, y = np.ones((2000, 2000)), np.empty((2000, 2000))
        double(len(x), x, y)
        raised = []
        for wrong in ((3, x), (3, x, "text"), (3, x, y[0])):
            try:
                double(*wrong)
            except Exception as error:
                raised.append(type(error).__name__)
        for _ in range(20):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                while True:
                    double(100, x, y)
            except KeyboardInterrupt:
                raised.append("KeyboardInterrupt")
        other = threading.Thread(target=double, args=(len(x), x, y), daemon=True)
        other.start()
        other.join(20)
        print(json.dumps([_jit.threading_layer(), raised, other.is_alive()]))
        """
    interrupt = """
        import signal
        signal.signal(signal.SIGALRM, signal.default_int_handler)
    """
    script = textwrap.dedent(interrupt) + textwrap.dedent(script)
    results, _ = house.run(script, seconds=100, NUMBA_THREADING_LAYER="workqueue")
    errors = ["TypeError", "TypingError", "TypingError"]
    assert results == ["workqueue", errors + ["KeyboardInterrupt"] * 20, False]


def test_a_signal_handler_launches_in_the_middle_of_launches(house):
    script = """
        import json
        import signal
        import time

        import numpy as np

        from kernels.three.cpu import double

        done = []

        def handler(*_):
            out = np.empty((3, 3))
            double(3, np.ones((3, 3)), out)
            done.append(out.sum())
            signal.setitimer(signal.ITIMER_REAL, 0.001)

        signal.signal(signal.SIGALRM, handler)
        x, y = np.ones((300, 300)), np.empty((300, 300))
        double(len(x), x, y)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        while len(done) < 300:
            double(len(x), x, y)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps([sorted(set(done)), y.sum()]))
        """
    results, _ = house.run(script, seconds=60, NUMBA_THREADING_LAYER="workqueue")
    assert results == [[18.0], 180_000.0]


def test_set_num_threads_is_for_the_thread_that_calls_it():
    most, seen = numba.config.NUMBA_NUM_THREADS, []

    def work():
        seen.append(_jit.get_num_threads())
        _jit.set_num_threads(most)
        seen.append(_jit.get_num_threads())

    _jit.set_num_threads(1)
    try:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        assert _jit.get_num_threads() == 1
        assert seen == [most, most]
    finally:
        _jit.set_num_threads(most)


def test_flags_keep_rounding_errors_division_and_nan():
    out = np.zeros(3)
    _scalar_arithmetic(1.0, 2.0**-60, out)
    assert out[0] == 2.0**-60
    assert out[1] == np.inf
    assert out[2] == 1
