"""Kernels in forked children: they run, on one thread, and give the parent's bits."""

import textwrap

import pytest

from tests.kernels.house import House

WORKER = """
    import hashlib
    import os

    import numpy as np

    from kernels import _jit
    from kernels.three.cpu import row_sums

    def digest(seed):
        x = np.random.default_rng(seed).standard_normal((67, 4001), np.float32)
        out_sums, out_tasks = np.full(67, np.nan, np.float32), np.full(67, -1)
        work = np.full((_jit.thread_rows(), 8), np.nan, np.float32)
        row_sums(x.shape[0], x, work, out_sums, out_tasks)
        assert (out_tasks == np.arange(67)).all() and np.allclose(out_sums, x.sum(1), atol=1e-2)
        return hashlib.sha256(out_sums).hexdigest()

    def digest_and_threads(seed):
        return digest(seed), _jit.get_num_threads(), os.getpid()
    """

KERNEL = """
    import numpy as np

    from kernels import _jit
    from kernels._jit import thread_id

    @_jit.parallel
    def row_sums(task, x, work, out_sums, out_tasks):
        lanes = work[thread_id()]
        lanes[:] = 0
        for i in range(x.shape[1]):
            lanes[i % 8] += x[task, i] * x[task, i - 1] + x[task, i]
            lanes[i % 8] -= x[task, i] * x[task, i - 1]
        total = np.float32(0)
        for lane in lanes:
            total += lane
        out_sums[task] = total
        out_tasks[task] = task
    """

START = """
    import json
    import multiprocessing
    import os
    import threading
    import time
    import warnings
    from concurrent.futures import ProcessPoolExecutor

    import numpy as np

    import worker
    from kernels import _jit
    from kernels.three.cpu import row_sums

    # From Python 3.12 on, at every fork of a process with threads.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

    def forked(work):
        \"\"\"What `work` returns in a child.\"\"\"
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(writer, json.dumps(work()).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader) as pipe:
            text = pipe.read()
        assert os.waitpid(pid, 0) == (pid, 0), text
        return json.loads(text)

    def started(method):
        context = multiprocessing.get_context(method)
        queue = context.SimpleQueue()
        children = [
            context.Process(target=worker.put, args=(queue, seed)) for seed in range(3)
        ]
        for child in children:
            child.start()
        results = dict(queue.get() for _ in children)
        for child in children:
            child.join()
            assert child.exitcode == 0
        return [results[seed] for seed in range(3)]

    """

LAYERS = ["omp", "workqueue"]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    house.write("three/__init__.py", "")
    house.write("three/cpu.py", KERNEL)
    put = "\n\ndef put(queue, seed):\n    queue.put((seed, digest(seed)))\n"
    house.write("../worker.py", textwrap.dedent(WORKER) + put)
    return house


@pytest.fixture(params=LAYERS)
def run(house, request):
    """Run a script on a threading layer, two threads wherever the machine has them."""

    def run(script):
        script = textwrap.dedent(START) + textwrap.dedent(script)
        results, _ = house.run(script, seconds=100, NUMBA_THREADING_LAYER=request.param)
        return results

    return run


CHILDREN = {
    "os.fork": "[forked(lambda: worker.digest(seed)) for seed in range(3)]",
    "child of a child": "[forked(lambda: forked(lambda: worker.digest(s))) for s in range(3)]",
    "Process, fork": "started('fork')",
    "Process, spawn": "started('spawn')",
    "Process, forkserver": "started('forkserver')",
    "Pool, fork": "multiprocessing.get_context('fork').Pool(2).map(worker.digest, range(3))",
    "Pool, spawn": "multiprocessing.get_context('spawn').Pool(2).map(worker.digest, range(3))",
    "Pool, forkserver": (
        "multiprocessing.get_context('forkserver').Pool(2).map(worker.digest, range(3))"
    ),
    "ProcessPoolExecutor, fork": (
        "list(ProcessPoolExecutor(2, multiprocessing.get_context('fork'))"
        ".map(worker.digest, range(3)))"
    ),
}


@pytest.mark.parametrize("children", CHILDREN)
def test_a_child_computes_the_bits_of_its_parent(run, children):
    expected, found, again = run(
        f"""
        expected = [worker.digest(seed) for seed in range(3)]
        found = {CHILDREN[children]}
        print(json.dumps([expected, found, [worker.digest(seed) for seed in range(3)]]))
        os._exit(0)
        """
    )
    assert len(set(expected)) == 3
    assert found == expected == again


def test_a_child_of_a_parent_with_threads_has_one(run):
    parent, child, set_in_child = run(
        """
        def after_set():
            _jit.set_num_threads(_jit.thread_rows())
            return worker.digest_and_threads(0)[:2]

        parent = worker.digest_and_threads(0)[:2]
        print(json.dumps([parent, forked(lambda: worker.digest_and_threads(0)[:2]),
                          forked(after_set)]))
        """
    )
    assert child == set_in_child == [parent[0], 1]


def test_a_child_forked_before_anything_ran_has_its_threads(run):
    child, grandchild, parent = run(
        """
        def grandchild():
            worker.digest(0)
            return forked(lambda: worker.digest_and_threads(0)[:2])

        results = [forked(lambda: worker.digest_and_threads(0)[:2]), forked(grandchild)]
        print(json.dumps([*results, worker.digest_and_threads(0)[:2]]))
        """
    )
    assert child == parent
    assert grandchild == [parent[0], 1]


def test_a_child_of_a_parent_whose_threads_others_started(run):
    child, parent = run(
        """
        _jit.set_num_threads(1)
        child = forked(lambda: worker.digest_and_threads(0)[:2])
        print(json.dumps([child, worker.digest_and_threads(0)[:2]]))
        """
    )
    assert child == parent == [parent[0], 1]


def test_a_child_launches_from_several_threads(run):
    expected, found = run(
        """
        def many():
            found = []
            workers = [
                threading.Thread(target=lambda s=seed: found.append([s, worker.digest(s)]))
                for seed in range(4) for _ in range(5)
            ]
            for each in workers:
                each.start()
            for each in workers:
                each.join()
            return sorted(found)

        expected = sorted([seed, worker.digest(seed)] for seed in range(4) for _ in range(5))
        print(json.dumps([expected, forked(many)]))
        """
    )
    assert found == expected


def test_a_fork_while_another_thread_launches(run):
    expected, found = run(
        """
        stop = threading.Event()

        def launch():
            x = np.ones((4, 400_000), np.float32)
            out_sums, out_tasks = np.empty(4, np.float32), np.empty(4, np.int64)
            work = np.empty((_jit.thread_rows(), 8), np.float32)
            while not stop.is_set():
                row_sums(x.shape[0], x, work, out_sums, out_tasks)

        expected = worker.digest(0)
        threads = [threading.Thread(target=launch) for _ in range(2)]
        for thread in threads:
            thread.start()
        found = [forked(lambda: worker.digest(0)) for _ in range(10)]
        stop.set()
        for thread in threads:
            thread.join()
        print(json.dumps([[expected] * 10, found]))
        """
    )
    assert found == expected


@pytest.mark.parametrize("warm", [True, False])
def test_a_fork_while_another_thread_compiles(run, warm):
    """In the middle of the first launch of all too, when threads are being started."""
    expected, found = run(
        f"""
        import numba
        from numba.core.compiler_lock import global_compiler_lock

        def compile_one():
            @numba.njit(parallel=True)
            def fresh(x):
                total = 0.0
                for i in numba.prange(x.size):
                    total += x[i]
                return total
            assert fresh(np.ones(9)) == 9

        if {warm}:
            worker.digest(0)
        thread = threading.Thread(target=compile_one)
        thread.start()
        found = []
        while thread.is_alive():
            found.append(forked(lambda: worker.digest(0)))
            time.sleep(0.05)
        print(json.dumps([[worker.digest(0)] * len(found), found]))
        """
    )
    assert found and found == expected


def test_a_killed_child_leaves_no_lock_behind(run):
    """Numba takes one that children share whenever it is asked for its threads."""
    rounds, stuck = run(
        """
        import signal

        worker.digest(0)
        rounds = 0
        for _ in range(40):
            pid = os.fork()
            while pid == 0:
                _jit.set_num_threads(1)
            time.sleep(0.02)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            asked = threading.Thread(target=_jit.set_num_threads, args=(1,), daemon=True)
            asked.start()
            asked.join(10)
            if asked.is_alive():
                break
            rounds += 1
        print(json.dumps([rounds, asked.is_alive()]), flush=True)
        os._exit(0)
        """
    )
    assert (rounds, stuck) == (40, False)
