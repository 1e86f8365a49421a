"""The pool: blocks come back when nobody looks into them, never before (no two arrays overlap)."""

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

from kernels import _memory

BIG = 100_000  # float32; far above the smallest pooled size


def address(array):
    return array.__array_interface__["data"][0]


@pytest.fixture(autouse=True)
def empty_pool():
    gc.collect()
    _memory.release()
    yield
    _memory.release()


def test_block_comes_back_when_the_array_dies():
    first = _memory.empty(BIG, np.float32)
    place = address(first)
    assert _memory.idle_bytes() == 0
    del first
    assert BIG * 4 <= _memory.idle_bytes() <= BIG * 4 * 1.125
    second = _memory.empty(BIG, np.float32)
    assert address(second) == place and _memory.idle_bytes() == 0


@pytest.mark.parametrize(
    "look",
    [
        lambda array: array[5:10],
        lambda array: array[::2].T,
        lambda array: array.reshape(-1, 4)[3:].T[1],
        lambda array: array.view(np.uint8),
        lambda array: array.ravel().reshape(100, -1)[7],
        lambda array: memoryview(array),
        lambda array: np.frombuffer(array, np.int32),
        lambda array: np.asarray(memoryview(array))[3:],
        lambda array: np.lib.stride_tricks.sliding_window_view(array, 3),
        lambda array: iter([array]),
    ],
    ids=[
        "slice",
        "step",
        "reshape",
        "view",
        "ravel",
        "buffer",
        "frombuffer",
        "both",
        "windows",
        "iter",
    ],
)
def test_block_stays_while_anything_looks_into_it(look):
    array = _memory.empty(BIG, np.float32)
    array.fill(7)
    seen = look(array)
    place = address(array)
    del array
    assert _memory.idle_bytes() == 0
    other = _memory.empty(BIG, np.float32)
    other.fill(0)
    assert address(other) != place
    del other
    idle = _memory.idle_bytes()
    del seen
    assert _memory.idle_bytes() == 2 * idle


def test_copies_hold_no_block():
    array = _memory.empty(BIG, np.float32)
    array.fill(1)
    derived = [array.copy(), array + 1, array.astype(np.float64), array[[1, 2, 3]], array.sum()]
    del array
    assert _memory.idle_bytes() > 0
    assert len(derived) == 5


def test_another_shape_and_dtype_reuse_the_block():
    place = address(_memory.empty((100, 1000), np.float32))
    other = _memory.empty((25, 50, 40), np.float64)
    assert address(other) == place
    assert other.shape == (25, 50, 40) and other.dtype == np.float64 and other.flags.c_contiguous


def test_aligned_and_of_the_size_asked_for():
    for size in [16_384, 16_385, 17_011, 65_536, 99_991, 1_000_003]:
        for dtype in (np.float32, np.float64):
            array = _memory.empty(size, dtype)
            assert address(array) % _memory.ALIGNMENT == 0
            assert array.shape == (size,) and array.dtype == dtype
            assert array.flags.c_contiguous and array.flags.writeable and type(array) is np.ndarray
            array.fill(1)


@pytest.mark.parametrize("shape", [(), 0, (0, 5), (5, 0, 10**9), 3, (2, 3), np.zeros(2, int) + 40])
def test_shapes_are_what_numpy_makes_of_them(shape):
    for make in (_memory.empty, _memory.zeros):
        array, expected = make(shape, np.float32), np.empty(shape, np.float32)
        assert array.shape == expected.shape and array.dtype == expected.dtype


@pytest.mark.parametrize("shape", [-1, (-1, -50_000), (50_000, -1)])
def test_negative_sizes_are_refused_and_cost_no_block(shape):
    with pytest.raises(ValueError, match="negative dimensions"):
        _memory.empty(shape, np.float64)
    gc.collect()
    array = _memory.empty((50_000, 1), np.float64)
    other = _memory.empty((50_000, 1), np.float64)
    assert not np.shares_memory(array, other)


@pytest.mark.parametrize("size", [3, BIG])
def test_zeros_clears_a_used_block(size):
    for _ in range(3):
        array = _memory.zeros(size, np.float32)
        assert not array.any()
        array.fill(np.nan)
        del array


def test_waste_is_an_eighth_at_most():
    for size in np.unique(np.geomspace(_memory.SMALLEST_POOLED, 1 << 33, 5000).astype(int)):
        taken = _memory._size_class(int(size))
        assert size <= taken <= size * 1.125
        assert _memory._size_class(taken) == taken


def test_release_gives_idle_blocks_back_and_no_others():
    kept, gone = _memory.empty(BIG, np.float32), _memory.empty(BIG, np.float32)
    kept.fill(3)
    del gone
    _memory.release()
    assert _memory.idle_bytes() == 0
    assert (kept == 3).all()
    del kept
    assert _memory.idle_bytes() > 0


def test_idle_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(_memory, "IDLE_LIMIT", 1 << 20)
    largest = 0
    for size in range(20_000, 200_000, 1000):
        array = _memory.empty(size, np.float32)
        del array
        largest = max(largest, _memory.idle_bytes())
    # The limit, and the array that dies after it was looked at.
    assert 1 << 20 <= largest <= (1 << 20) + 200_000 * 4 * 1.125


def test_below_the_limit_nothing_is_given_up():
    arrays = [_memory.empty(size, np.float32) for size in (20_000, 30_000, 40_000)]
    places = {address(array) for array in arrays}
    del arrays
    _memory.empty(80_000, np.float32)
    again = [_memory.empty(size, np.float32) for size in (20_000, 30_000, 40_000)]
    assert {address(array) for array in again} == places


def stress(seed, rounds, failures):
    """Arrays of random sizes come, are cut to views, and go; each keeps its own number."""
    rng = np.random.default_rng(seed)
    live = []
    for number in range(rounds):
        size = int(rng.choice([900, 16_384, 17_000, 17_500, 40_000])) + int(rng.integers(3))
        array = _memory.empty(size, np.float32)
        array.fill(seed * rounds + number)
        if number % 3 == 1:
            array = array[size // 2 :]
        live.append((seed * rounds + number, array))
        while len(live) > rng.integers(1, 30):
            value, array = live.pop(rng.integers(len(live)))
            if not (array == value).all():
                failures.append(value)
            del array


def test_no_two_live_arrays_overlap():
    failures = []
    stress(0, 5000, failures)
    assert not failures


def test_no_two_live_arrays_overlap_over_threads():
    failures = []
    workers = [threading.Thread(target=stress, args=(k, 2000, failures)) for k in range(4)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(before)
    assert not failures


def test_arrays_in_a_cycle_come_back_with_the_collector():
    holder = [_memory.empty(BIG, np.float32)]
    holder.append(holder)
    del holder
    gc.collect()
    assert _memory.idle_bytes() > 0


@pytest.mark.parametrize("names_first", [False, True])
def test_arrays_alive_at_exit_say_nothing(names_first):
    """Also where the module has lost its names before the array dies."""
    script = (
        "import numpy as np; from kernels import _memory; x = _memory.empty(100_000, np.float32)"
    )
    if names_first:
        script += "; _memory.__dict__.clear(); del x"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
