"""Compiling, the disk cache over several processes, threads (design: the same bits on any)."""

import itertools
import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numba
import numpy as np
import pytest

from kernels import _jit
from kernels._jit import prange, thread_id

KERNELS = Path(_jit.__file__).parent

# A package of two ops that share a helper, small enough to compile in a blink.
FILES = {
    "__init__.py": "",
    "_factor.py": "FACTOR = 2\n",
    "_unused.py": "",
    "_shared/__init__.py": "from kernels._shared.scaling import scaled\n",
    "_shared/scaling.py": """
        from kernels import _jit
        from kernels._factor import FACTOR

        @_jit.jit
        def scaled(v):
            return FACTOR * v
        """,
    "one/__init__.py": "",
    "one/cpu.py": """
        from kernels import _jit
        from kernels._shared import scaled

        @_jit.jit
        def run(x, out_y):
            for i in range(x.size):
                out_y[i] = scaled(x[i]) + 1
        """,
    "two/__init__.py": "",
    "two/_own.py": "MORE = 2\n",
    "two/cpu.py": """
        from .. import _jit
        from .._shared import scaled
        from ._own import MORE

        @_jit.jit
        def run(x, out_y):
            for i in range(x.size):
                out_y[i] = scaled(x[i]) + MORE
        """,
}

SCRIPT = """
    import json
    from pathlib import Path

    import numpy as np

    from kernels import _jit
    from kernels.one import cpu as one
    from kernels.two import cpu as two

    results = {"folders": [], "values": [], "misses": 0}
    for op in (one, two):
        out_y = np.empty(2)
        op.run(np.ones(2), out_y)
        results["values"].append(out_y[1])
        results["misses"] += sum(op.run.stats.cache_misses.values())
        if _jit.cache_folder():
            results["folders"].append(Path(op.run.stats.cache_path).name)
    print(json.dumps(results))
    """


class House:
    """A copy of the shared modules with ops of its own, and a cache of its own."""

    def __init__(self, folder):
        self.folder, self.cache = folder, folder / "cache"
        self.package = folder / "kernels"
        for name in ("_jit.py", "_memory.py"):
            self.write(name, (KERNELS / name).read_text())
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def edit(self, name, old, new):
        text = (self.package / name).read_text()
        assert old in text
        (self.package / name).write_text(text.replace(old, new))

    def start(self, script=SCRIPT, warnings="error", **environment):
        return subprocess.Popen(
            [sys.executable, "-W", warnings, "-c", textwrap.dedent(script)],
            cwd=self.folder,
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process):
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        return json.loads(output), errors

    def run(self, *args, **named):
        return self.finish(self.start(*args, **named))

    def cached(self):
        return sorted(path for path in self.cache.rglob("*") if path.is_file())


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_second_process_loads_what_the_first_compiled(house):
    first, errors = house.run()
    assert first["values"] == [3, 4] and first["misses"] == 2
    assert [line.split(" for ")[0] for line in errors.splitlines()] == [
        "nnet: compiling one",
        "nnet: compiling two",
    ]
    assert errors.count("once; later starts read kernels from") == 1
    second, errors = house.run()
    assert second == {**first, "misses": 0}
    assert errors == ""


def test_edited_helper_is_compiled_into_every_op(house):
    house.run()
    house.edit("_shared/scaling.py", "FACTOR * v", "FACTOR * v + 3")
    edited, _ = house.run()
    assert edited["values"] == [6, 7] and edited["misses"] == 2


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("one/cpu.py", ["one"]),
        ("two/__init__.py", ["two"]),
        ("two/_own.py", ["two"]),
        ("_factor.py", ["one", "two"]),
        ("_unused.py", []),
        ("_shared/scaling.py", ["one", "two"]),
        ("_jit.py", ["one", "two"]),
        ("_memory.py", []),
    ],
)
def test_cache_folder_follows_the_sources(house, monkeypatch, name, changed):
    def hashes():
        return {op: _jit._sources_hash.__wrapped__(house.package / op) for op in ("one", "two")}

    monkeypatch.setattr(_jit, "_KERNELS", house.package)
    before = hashes()
    assert hashes() == before and before["one"] != before["two"]
    house.write(name, (house.package / name).read_text() + "# edited\n")
    assert [op for op, value in hashes().items() if value != before[op]] == changed


def test_cache_folder_follows_numba(monkeypatch):
    before = _jit._sources_hash.__wrapped__(KERNELS)
    monkeypatch.setattr(_jit.numba, "__version__", "0.0.0")
    assert _jit._sources_hash.__wrapped__(KERNELS) != before


def test_unwritable_cache_folder_warns_once_and_compiles(house):
    house.cache.write_text("a file, not a folder")
    results, errors = house.run(warnings="default")
    assert results["values"] == [3, 4] and results["folders"] == []
    assert errors.count("RuntimeWarning") == 1 and "each process compiles its own" in errors


def test_full_disk_leaves_results_right_and_no_fragments(house):
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    results, _ = house.run(limit + textwrap.dedent(SCRIPT))
    assert results["values"] == [3, 4]
    assert house.cached() == []


def test_op_folder_that_cannot_be_written_is_no_reason_to_stop(house):
    house.run()
    for path in house.cached():
        path.unlink()
    for folder in {path for path in house.cache.rglob("*-*") if path.is_dir()}:
        folder.rmdir()
        folder.write_text("a file, not a folder")
    results, _ = house.run()
    assert results["values"] == [3, 4] and results["misses"] == 2


def test_processes_compile_the_same_kernel_at_once(house):
    for results, _ in [house.finish(p) for p in [house.start() for _ in range(3)]]:
        assert results["values"] == [3, 4]
    assert {path.suffix for path in house.cached()} == {".nbc"}
    assert house.run()[0]["misses"] == 0


def test_damaged_cache_files_are_compiled_again(house):
    house.run()
    damages = itertools.cycle(
        [lambda whole: b"", lambda whole: whole[:-9], lambda whole: b"\0" * 99]
    )
    for path, damage in zip(house.cached(), damages, strict=False):
        path.write_bytes(damage(path.read_bytes()))
    repaired, _ = house.run()
    assert repaired["values"] == [3, 4] and repaired["misses"] == 2
    assert house.run()[0]["misses"] == 0


@_jit.parallel
def _record_threads(out_threads):
    for task in prange(out_threads.size):
        out_threads[task] = thread_id()


@_jit.parallel
def _sum_rows(x, out_sums):
    for row in prange(x.shape[0]):
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
        _record_threads(threads)
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
    _sum_rows(out_sums=sums, x=x)
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
            _sum_rows(x, sums)
            if not np.array_equal(sums, x.sum(1)):
                wrong.append(x[0, 0])

    workers = [threading.Thread(target=work, args=(x,)) for x in inputs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_launches_from_several_python_threads_where_the_layer_would_abort(house):
    house.write(
        "three/cpu.py",
        """
        from kernels import _jit
        from kernels._jit import prange

        @_jit.parallel
        def double(x, out_y):
            for row in prange(x.shape[0]):
                for i in range(x.shape[1]):
                    out_y[row, i] = 2 * x[row, i]
        """,
    )
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
                double(x, y)
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


def test_flags_keep_rounding_errors_division_and_nan():
    out = np.zeros(3)
    _scalar_arithmetic(1.0, 2.0**-60, out)
    assert out[0] == 2.0**-60
    assert out[1] == np.inf
    assert out[2] == 1
