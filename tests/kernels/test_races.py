"""Every parallel kernel under the checker, and faults planted for it to find."""

import ast
import functools
import os
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

import kernels
from kernels import _jit
from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._math import decay
from kernels._simd import VALUE_BYTES, full, lanes, load, load_first, maximum, store, store_first
from tests.races.calls import CALLS
from tests.races.checker import Checker, RaceError, checked_launches, parallel_kernels
from tests.races.instructions import instrumented
from tests.races.recorder import ACCESS, READ, WRITE

pytestmark = pytest.mark.skipif(
    _jit._PLAIN, reason="the checker watches what kernels._compiler links"
)

CHECKER = Checker()


@functools.cache
def check(name: str) -> None:
    run = CALLS[name](np.random.default_rng(0))
    with checked_launches(CHECKER):
        run()


@pytest.mark.parametrize("name", CALLS)
def test_no_two_tasks_meet(name):
    check(name)


def test_each_parallel_loop_is_checked_with_several_tasks():
    for name in CALLS:
        check(name)
    missing = {}
    for name in parallel_kernels():
        tasks = CHECKER.tasks.get(name, 0)
        if tasks < 2:
            missing[name] = tasks
    assert not missing, "tests/races/calls.py has no call that gives these kernels two tasks"


def parallel_functions() -> dict[str, ast.FunctionDef]:
    house = Path(kernels.__file__).parent
    found = {}
    for path in house.rglob("*.py"):
        module = ".".join(path.relative_to(house).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
                if any(each.split(".")[-1] == "parallel" for each in decorators):
                    found[f"{module}.{node.name}"] = node
    return found


def test_the_checker_knows_each_function_under_parallel():
    assert set(parallel_kernels()) == set(parallel_functions())


def checked(task, tasks, *args):
    """On one thread: what is wrong on purpose is launched too."""
    its_own, before = Checker(), _jit.get_num_threads()
    _jit.set_num_threads(1)
    try:
        its_own.check(parallel(task), (tasks, *args), {})
    finally:
        _jit.set_num_threads(before)
    return its_own


def _each_its_own(task, x, out_y):
    out_y[task] = 2 * x[task]


def test_tasks_that_write_their_own_elements_are_free():
    x, y = np.ones(5), np.zeros(5)
    assert list(checked(_each_its_own, 5, x, y).tasks.values()) == [5]
    assert not y.any()  # the checker works on copies


def _all_the_same(task, out_y):
    out_y[task // 4] = 1.0


def test_equal_bits_in_one_element_are_a_race():
    with pytest.raises(RaceError, match=r"task 1 writes out_y\[0\], which task 0 writes"):
        checked(_all_the_same, 7, np.zeros(2))


def _from_the_neighbour(task, inout_x):
    inout_x[task] = inout_x[task + 1]


def test_a_read_of_what_a_later_task_writes_is_a_race():
    with pytest.raises(RaceError, match=r"task 1 writes inout_x\[1\], which task 0 reads"):
        checked(_from_the_neighbour, 2, np.ones(3))


def _running_sum(task, inout_x):
    inout_x[task + 1] += inout_x[task]


def test_a_read_of_what_an_earlier_task_wrote_is_a_race():
    with pytest.raises(RaceError, match=r"task 1 reads inout_x\[1\], which task 0 writes"):
        checked(_running_sum, 2, np.ones(3))


def _by_values(task, x, step, count, out_y):
    start = task * step
    if count == lanes(x):
        store(out_y, start, load(x, start))
    else:
        store_first(out_y, start, count, load_first(x, start, count, 0.0))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_lanes_that_are_masked_out_touch_nothing(dtype):
    x = np.ones(1000, dtype)
    for count in (2, 5, 7):
        checked(_by_values, x.size // count, x, count, count, np.zeros_like(x))
        with pytest.raises(RaceError, match=rf"task 1 writes out_y\[{count - 1}\], which task 0"):
            checked(_by_values, 99, x, count - 1, count, np.zeros_like(x))


def test_lanes_of_gathers_and_scatters_are_recorded_one_by_one():
    text = """
declare <2 x double> @llvm.masked.gather.v2f64.v2p0(<2 x ptr>, <2 x i1>, <2 x double>)
declare void @llvm.masked.scatter.v2f64.v2p0(<2 x double>, <2 x ptr>, <2 x i1>)
define void @f(<2 x ptr> %from, <2 x ptr> %to, <2 x i1> %on) {
  %x = call <2 x double> @llvm.masked.gather.v2f64.v2p0(<2 x ptr> align 8 %from, <2 x i1> %on, <2 x double> zeroinitializer)
  call void @llvm.masked.scatter.v2f64.v2p0(<2 x double> %x, <2 x ptr> align 8 %to, <2 x i1> %on)
  ret void
}
"""  # noqa: E501
    result = instrumented(text)
    llvm.parse_assembly(result).verify()
    lines = result.splitlines()
    assert sum("i64 8, i64 0)" in line for line in lines) == 2  # two lanes read
    assert sum("i64 8, i64 1)" in line for line in lines) == 2
    assert all(f"<2 x ptr> %{name}, i64 1" in result for name in ("from", "to"))


def test_copies_of_blocks_are_recorded_on_both_sides():
    text = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define void @f(ptr %to, ptr %from, i64 %size) {
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %to, ptr align 8 %from, i64 %size, i1 false)
  ret void
}
"""
    result = instrumented(text)
    llvm.parse_assembly(result).verify()
    assert f"call void @{ACCESS}(ptr %to, i64 %size, i64 {WRITE})" in result
    assert f"call void @{ACCESS}(ptr %from, i64 %size, i64 {READ})" in result


def _zeros(task, out_y):
    out_y[task : task + 2] = 0


def test_memory_that_is_cleared_is_seen():
    with pytest.raises(RaceError, match=r"writes out_y\[1, 0\], which task 0 writes"):
        checked(_zeros, 2, np.ones((3, 99), np.int8))


def _beyond(task, x, out_y):
    out_y[task] = x[task + 1]


@pytest.mark.skipif(
    bool(os.environ.get("NNET_CHECK_INDICES")), reason="the index ends the process by itself"
)
def test_a_read_beside_the_arrays_is_told():
    with pytest.raises(RaceError, match="task 4 reads byte 40 of x, which has 40"):
        checked(_beyond, 5, np.ones(5), np.zeros(5))


def _scratch(task, x, work, out_y):
    own = work[thread_id()]
    own[0] = x[task]
    out_y[task] = own[0] + 1


def test_scratch_of_a_thread_is_its_own():
    checked(_scratch, 40, np.arange(40.0), np.zeros((thread_rows(), 1)), np.zeros(40))


def _one_scratch(task, x, work, out_y):
    own = work[min(thread_id(), 1)]
    own[0] = x[task]
    out_y[task] = own[0] + 1


def test_scratch_that_two_threads_share_is_a_race():
    with pytest.raises(RaceError, match=r"work\[[01], 0\], which task"):
        checked(_one_scratch, 40, np.arange(40.0), np.zeros((thread_rows(), 1)), np.zeros(40))


def _far_apart(task, x, work, out_y):
    work[thread_id(), 0] = x[task]
    if task == 0 or task == x.size - 1:
        out_y[0] = task


@pytest.mark.parametrize("count", [2, 3, 4, 9, 10, 28])
def test_tasks_that_some_schedule_gives_to_one_thread_still_meet(count):
    with pytest.raises(RaceError, match=rf"task {count - 1} writes out_y\[0\], which task 0"):
        checked(_far_apart, count, np.ones(count), np.zeros((thread_rows(), 1)), np.zeros(1))


def _left_over(task, x, work, out_y):
    own = work[thread_id()]
    own[0] += x[task]
    out_y[task] = own[0]


def test_what_another_task_left_in_scratch_is_told():
    with pytest.raises(RaceError, match="depends on which thread runs which task"):
        checked(_left_over, 9, np.ones(9), np.zeros((thread_rows(), 1)), np.zeros(9))


def test_arrays_that_overlap_are_one_memory():
    both = np.ones(12)
    with pytest.raises(RaceError, match="which task"):
        checked(_each_its_own, 6, both[:6], both[3:9])
    checked(_each_its_own, 6, both[:6], both[6:])
    checked(_each_its_own, 6, both[:6], both[:6])


def _of_tuples(task, arrays, out):
    out[1][0] = arrays[0][task]


def test_arrays_in_tuples_have_names():
    with pytest.raises(RaceError, match=r"task 1 writes out\[1\]\[0\], which task 0 writes"):
        checked(_of_tuples, 3, (np.ones(3), np.ones(3)), (np.zeros(1), np.zeros(1)))


def test_an_unknown_instruction_that_takes_an_address_is_refused():
    text = "define void @f(ptr %p) {\n  call void @llvm.unheard.of(ptr %p)\n  ret void\n}\n"
    with pytest.raises(ValueError, match=r"cannot tell what llvm\.unheard\.of touches"):
        instrumented(text)


# Softmax of lines side by side as it once was: the last block of a row overlaps the one before,
# and what is written serves as scratch.


@jit
def _overlapping_start(x, block):
    _, length, inner = x.shape
    step = lanes(x)
    in_a_row = (inner + step - 1) // step
    outer, place = block // in_a_row, block % in_a_row
    first = max(0, min(place * step, inner - step))
    return outer * length * inner + first


@jit
def _one_block(start, x, out_y):
    length, inner = x.shape[1], x.shape[2]
    top, total = full(x, -np.inf), full(x, 0.0)
    for j in range(length):
        top = maximum(top, load(x, start + j * inner))
    for j in range(length):
        e = decay(load(x, start + j * inner) - top)
        store(out_y, start + j * inner, e)
        total += e
    for j in range(length):
        store(out_y, start + j * inner, load(out_y, start + j * inner) * (1.0 / total))


def _softmax_as_it_was(block, x, out_y):
    _one_block(_overlapping_start(x, block), x, out_y)


def test_the_race_of_softmax_along_another_axis_is_found():
    x = np.ones((1, 5, 300), np.float32)
    with pytest.raises(RaceError, match=r"task \d+ writes out_y\[0, 0, \d+\], which task \d+"):
        checked(_softmax_as_it_was, -(-300 // (VALUE_BYTES // 4)), x, np.zeros_like(x))
    whole = np.ones((1, 5, 256), np.float32)
    checked(_softmax_as_it_was, 256 // (VALUE_BYTES // 4), whole, np.zeros_like(whole))


# kernel, what is replaced in its source, what stands there then, a call, the array that tells
PLANTED = [
    (
        "batch_norm.cpu_columns.moments",
        "_moments(place, x, work)",
        "_moments(place // 2 * 2, x, work)",
        "batch norm (65, 505)",
        "work",
    ),
    (
        "batch_norm.cpu_planes.gradient",
        "range(task * span,",
        "range(task // 2 * span,",
        "batch norm (16, 8, 257)",
        "work|out",
    ),
    (
        "matmul.packed.cpu._pack_a",
        "last = blocks * share // shares, blocks * (share + 1) // shares",
        "last = blocks * share // shares, min(blocks, blocks * (share + 1) // shares + 1)",
        "matmul 333 300 257 NN",
        "work_a",
    ),
    (
        "matmul.packed.cpu._fill_columns",
        "work_spare[thread]",
        "work_spare[0]",
        "matmul 333 300 257 NN",
        "work_spare",
    ),
    (
        "pool2d.cpu_max._spread",
        "first, stop = planes_of(task, group, dy)",
        "first, stop = task * group, min((task + 1) * group + 1, dy.shape[0] * dy.shape[1])",
        "max pooling (7, 11, 30, 31) ((3, 3), (2, 2), (1, 1))",
        "out_dx",
    ),
    (
        "embedding.cpu._sum_runs",
        "min(size, (strip + 1) * width)",
        "min(size, (strip + 1) * width + 1)",
        "embedding 3 129 4001",
        "out_dweight",
    ),
    (
        "lstm.walk._walk",
        "share_of(samples, share, shares)",
        "share_of(samples, share * 0, shares)",
        "lstm (3, 7, 5, 33)",
        "work|inout",
    ),
    (
        "optimizer_step.cpu._adam_run",
        "min((task + 1) * _TASK, grad.size)",
        "min((task + 1) * _TASK + 1, grad.size)",
        "steps of optimizers 49189",
        "inout",
    ),
    (
        "conv2d.depthwise.correlate._correlate_group",
        "work_planes[thread]",
        "work_planes[0]",
        "convolution depthwise ((3, 10, 19, 17), 10, 10, 3, 1, 1, 1)",
        "work_planes",
    ),
    (
        "drop_connect.cpu._backward_part",
        "part * n,",
        "part // 2 * n,",
        "drop-connect 9 300 1000 1",
        "work_dx",
    ),
]


@pytest.mark.parametrize(
    ("kernel", "right", "wrong", "call", "array"),
    PLANTED,
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_planted_overlap_is_found(kernel, right, wrong, call, array):
    def edit(text: str) -> str:
        assert right in text
        return text.replace(right, wrong)

    run = CALLS[call](np.random.default_rng(0))
    with checked_launches(Checker({kernel: edit})), pytest.raises(RaceError) as found:
        run()
    lines = str(found.value).splitlines()
    assert lines[0].startswith(f"{kernel}:")
    assert any(f" {name}" in lines[1] for name in array.split("|"))
