"""What every load and store of a checked kernel calls: who touched which byte, and who else.

Each cell of the arena, 4 bytes or one, knows its last writer and two readers since the launch
began, as `epoch << 32 | task`; a new launch is a new epoch, and nothing is cleared.
"""

from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
from numba import carray, cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from tests.races.arena import Arena

READ, WRITE = 0, 1
MOST_CONFLICTS = 8
MOST_TASKS = 1 << 31
_FIELDS = 4

# Numbers in the state.
_BASE, _SIZE, _TASK, _EPOCH, _TASKS, _DIVISOR, _THREADS, _CONFLICTS, _SHIFT = range(9)

# Numbers of each cell.
_WRITER, _READER, _SECOND_READER = range(3)


class Conflict(NamedTuple):
    task: int
    other: int  # -1: beside every array
    offset: int
    kinds: int  # READ | WRITE of the task, twice that of the other


@intrinsic
def _as_pointer(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.uintp), codegen


# Compiled code takes these by address: which shadows are in use is known at a launch only.
_numbers = np.zeros(9, np.int64)
_found = np.zeros((MOST_CONFLICTS, _FIELDS), np.int64)
_shadows = np.zeros(2, np.int64)
_NUMBERS, _FOUND, _SHADOWS = (a.ctypes.data for a in (_numbers, _found, _shadows))
_owners = np.zeros((0, 3), np.int64)
_inside = np.zeros(0, np.uint8)


@njit(error_model="numpy")
def _thread_of(task, numbers):
    return task // numbers[_DIVISOR] % numbers[_THREADS]


@njit(error_model="numpy")
def _report(numbers, task, other, offset, kinds):
    found = carray(_as_pointer(_FOUND), (MOST_CONFLICTS, _FIELDS), np.int64)
    if numbers[_CONFLICTS] < MOST_CONFLICTS:
        row = found[numbers[_CONFLICTS]]
        row[0], row[1], row[2], row[3] = task, other, offset, kinds
    numbers[_CONFLICTS] += 1
    return False


@njit(error_model="numpy")
def _touch(address, count, kind):
    numbers = carray(_as_pointer(_NUMBERS), 9, np.int64)
    first, size, task = address - numbers[_BASE], numbers[_SIZE], numbers[_TASK]
    if first + count <= 0 or first >= size:
        return
    first, stop = max(0, first), min(size, first + count)
    shadows = carray(_as_pointer(_SHADOWS), 2, np.int64)
    inside = carray(_as_pointer(shadows[1]), size, np.uint8)
    if not (inside[first] and inside[stop - 1]):
        _report(numbers, task, -1, first if not inside[first] else stop - 1, kind)
        return
    if task < 0:
        return
    owners = carray(_as_pointer(shadows[0]), (size, 3), np.int64)
    shift = numbers[_SHIFT]
    for cell in range(first >> shift, ((stop - 1) >> shift) + 1):
        if not _touch_cell(task, cell, kind, owners[cell], numbers):
            return


@njit(error_model="numpy")
def _touch_cell(task, cell, kind, row, numbers):
    """Whether that was free of conflict."""
    epoch, at = numbers[_EPOCH], cell << numbers[_SHIFT]
    me = epoch << 32 | task
    writer = _other(row[_WRITER], task, numbers)
    if writer >= 0:
        return _report(numbers, task, writer, at, kind | 2 * WRITE)
    if kind == READ:
        if row[_READER] >> 32 != epoch:
            row[_READER] = me
        elif _other(row[_READER], task, numbers) >= 0:
            row[_SECOND_READER] = me
        return True
    for seen in (_READER, _SECOND_READER):
        reader = _other(row[seen], task, numbers)
        if reader >= 0:
            return _report(numbers, task, reader, at, WRITE)
    row[_WRITER] = me
    return True


@njit(error_model="numpy")
def _other(owner, task, numbers):
    """The task that touched a byte in this launch on another thread than `task`, or -1."""
    if owner >> 32 != numbers[_EPOCH]:
        return -1
    other = owner & 0xFFFFFFFF
    if other == task or _thread_of(other, numbers) == _thread_of(task, numbers):
        return -1
    return other


@cfunc(types.void(types.int64, types.int64, types.int64))
def _access(address, count, kind):
    _touch(address, count, kind)


@cfunc(types.void(types.int64, types.uint64, types.int64, types.int64))
def _masked(address, mask, element, kind):
    lane = 0
    while mask:
        if mask & np.uint64(1):
            _touch(address + lane * element, element, kind)
        mask >>= np.uint64(1)
        lane += 1


@cfunc(types.void(types.int64))
def _enter_task(task):
    numbers = carray(_as_pointer(_NUMBERS), 9, np.int64)
    numbers[_TASK], numbers[_TASKS] = task, task + 1


@cfunc(types.int64())
def _thread():
    numbers = carray(_as_pointer(_NUMBERS), 9, np.int64)
    return _thread_of(numbers[_TASK], numbers)


ACCESS, MASKED = "nnet_race_access", "nnet_race_masked"
_NATIVE = {
    ACCESS: _access,
    MASKED: _masked,
    "nnet_race_task": _enter_task,
    "nnet_race_thread": _thread,
}
for _name, _function in _NATIVE.items():
    llvm.add_symbol(_name, _function.address)

enter_task = types.ExternalFunction("nnet_race_task", types.void(types.int64))
thread = types.ExternalFunction("nnet_race_thread", types.int64())


def start(arena: Arena, divisor: int, threads: int) -> None:
    """Watch an arena; task t runs on thread t // divisor % threads."""
    global _owners, _inside
    size = len(arena.inside)
    if len(_owners) < size:
        _owners = np.zeros((2 * size, 3), np.int64)
    _inside = arena.inside
    _shadows[:] = _owners.ctypes.data, _inside.ctypes.data
    epoch, shift = _numbers[_EPOCH] + 1, 2 if arena.itemsize % 4 == 0 else 0
    _numbers[:] = arena.address, size, -1, epoch, 0, divisor, threads, 0, shift


def stop() -> tuple[list[Conflict], int]:
    """No longer watch; the first conflicts that were seen, and how many tasks there were."""
    _numbers[_SIZE] = 0
    seen = min(int(_numbers[_CONFLICTS]), MOST_CONFLICTS)
    return [Conflict(*map(int, row)) for row in _found[:seen]], int(_numbers[_TASKS])
