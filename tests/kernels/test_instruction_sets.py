"""The innermost loops of matrix products, compiled for processors other than this one.

Nothing is run: the loop must multiply and add whole registers, and keep its sums in them.
"""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm
import pytest

# Compiles every tile as on a processor whose features are named on the command line.
PROGRAM = """
import json, re, sys
import llvmlite.binding as llvm
features = llvm.FeatureMap()
features.update({name: True for name in sys.argv[1:]})
llvm.get_host_cpu_features = lambda: features
import numba
from numba import float32, int64, types
from kernels import _jit, _tile
from kernels.matmul.direct import micro

vector, table, number = float32[::1], int64[::1], int64
place, flags = types.UniTuple(int64, 4), types.UniTuple(types.boolean, 4)
packed = (number, vector, number, vector, number, number, vector, number, number, types.boolean)
gather = (number, vector, number, table, number, table, number, vector, number, vector, number,
          types.boolean)
dots = (number, vector, number, number, vector, number, number, vector, number, number)
pair = types.UniTuple(int64, 2)
rows = (number, vector, place, vector, number, vector, pair, types.boolean)
wide = (number, vector, number, vector, pair, vector, pair, types.boolean)
direct = (number, vector, place, vector, place, flags, vector, vector, vector, place)
heights = {n: getattr(_tile, f"ROWS_{n}") for n in ("HIGH", "MIDDLE", "LOW")}
# What is called with the parameters {0}, and their types; widths and heights are constants.
tiles = {
    **{f"micro_kernel {n}": ("_tile.micro_kernel(%d, {0})" % n, packed) for n in (1, 2, 3)},
    **{f"gather_tile {n}": ("_tile.gather_tile(%d, {0})" % n, gather) for n in (1, 2)},
    "dot_tile": ("_tile.dot_tile({0})", dots),
    **{f"direct_kernel {n}": ("micro.direct_kernel(%d, {0})" % n, direct) for n in micro.WIDTHS},
    **{f"rows_kernel {name}": (
        "_tile.rows_kernel(p0, p1, (p2[0], p2[1], p2[2], %d), p3, p4, p5, p6, p7)" % (high - 1),
        rows) for name, high in heights.items()},
    "row_kernel": ("_tile.row_kernel({0})", wide),
}

def compiled(call, signature):
    names = ", ".join(f"p{k}" for k in range(len(signature)))
    scope = {"_tile": _tile, "micro": micro}
    exec(f"def probe({names}):\\n    {call.format(names)}", scope)
    probe = numba.njit(nogil=True, error_model="numpy", fastmath=_jit.FASTMATH)(scope["probe"])
    probe.compile(signature)
    code = probe.inspect_llvm(probe.signatures[0])
    # The ways in from Python count references by instructions of this processor.
    return re.sub(r"^define [^\\n]*@[^\\n]*(?:cpython|cfunc|NRT_)[^\\n]*\\{$.*?^\\}$", "", code,
                  flags=re.M | re.S)

print(json.dumps({name: compiled(call, sig) for name, (call, sig) in tiles.items()}))
"""


class Target(NamedTuple):
    """A processor: how LLVM names it, and how its assembly looks."""

    triple: str
    cpu: str
    register: int  # bytes
    features: tuple[str, ...]  # that the kernels ask for
    fma: str  # a multiplication and addition of whole registers, sums first or last
    stack: str  # a vector register going to the stack or coming from it
    jump: str


_X86_STACK = r"^v?\w+\b.*\(%rsp.*%[xyz]mm|^v?\w+\b.*%[xyz]mm.*\(%rsp"
_X86_JUMP, _ARM_JUMP = r"^j\w+\s+(\S+)", r"^(?:b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\d+,)\s*(\S+)"
TARGETS = {
    "avx2": Target(
        "x86_64-unknown-linux-gnu", "haswell", 32, ("avx2", "fma"),
        r"^vfmadd\d+ps\b.*%ymm", _X86_STACK, _X86_JUMP,
    ),
    "avx512": Target(
        "x86_64-unknown-linux-gnu", "skylake-avx512", 64, ("avx2", "fma", "avx512f"),
        r"^vfmadd\d+ps\b.*%zmm", _X86_STACK, _X86_JUMP,
    ),
    "neon-neoverse": Target(
        "aarch64-unknown-linux-gnu", "neoverse-n1", 16, ("neon",),
        r"^fmla\s+v\d+\.4s", r"^(?:ld|st)[rpu]\w*\s+[qv]\d+.*\[sp", _ARM_JUMP,
    ),
    "neon-apple": Target(
        "arm64-apple-macosx", "apple-m1", 16, ("neon",),
        r"^fmla(?:\.4s)?\s+v\d+", r"^(?:ld|st)[rpu]\w*\s+[qv]\d+.*\[sp", _ARM_JUMP,
    ),
    "sse2": Target(
        "x86_64-unknown-linux-gnu", "x86-64", 16, (),
        r"^addps\b.*%xmm", _X86_STACK, _X86_JUMP,
    ),
}  # fmt: skip

# A tile's sums: its rows times its registers of columns, by the size of a register.
SUMS = {
    "micro_kernel 1": {16: 4, 32: 4, 64: 8},
    "micro_kernel 2": {16: 8, 32: 8, 64: 16},
    "micro_kernel 3": {16: 12, 32: 12, 64: 24},
    "gather_tile 1": {16: 6, 32: 6, 64: 6},
    "gather_tile 2": {16: 12, 32: 12, 64: 12},
    "dot_tile": {16: 12, 32: 12, 64: 24},
    "direct_kernel 1": {16: 8, 32: 8, 64: 16},
    "direct_kernel 2": {16: 12, 32: 12, 64: 24},
    "direct_kernel 3": {16: 12, 32: 12, 64: 24},
    "direct_kernel 6": {16: 12, 32: 12, 64: 24},
    "rows_kernel HIGH": {16: 12, 32: 12, 64: 24},
    "rows_kernel MIDDLE": {16: 10, 32: 10, 64: 20},
    "rows_kernel LOW": {16: 8, 32: 8, 64: 16},
    "row_kernel": {16: 8, 32: 8, 64: 8},
}


@functools.cache
def modules(features: tuple[str, ...]) -> dict[str, str]:
    """LLVM's intermediate code of every tile for such a processor."""
    # What kernels are compiled for here does not count there.
    environment = {name: value for name, value in os.environ.items() if "NUMBA_CPU" not in name}
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, *features],
        cwd=Path(__file__).parents[2],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(finished.stdout)


@functools.cache
def machine(name: str) -> llvm.TargetMachine:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = TARGETS[name]
    try:
        found = llvm.Target.from_triple(target.triple)
    except RuntimeError as error:
        pytest.skip(f"this llvmlite cannot compile for {target.triple}: {error}")
    return found.create_target_machine(cpu=target.cpu, opt=3)


def innermost_loops(assembly: str, jump: str) -> list[list[str]]:
    """The instructions between a label and a jump back to it with no label between."""
    loops: list[list[str]] = []
    label, body = "", []
    for line in (line.split("#")[0].split("//")[0].strip() for line in assembly.splitlines()):
        if match := re.match(r"([\w.$]+):", line):
            label, body = match[1], []
        elif line and not line.startswith("."):
            body.append(re.sub(r"\s+", " ", line))
            back = re.match(jump, line)
            if back and back[1] == label:
                loops.append(body)
    return loops


def summing_loop(name: str, tile: str) -> list[str]:
    target = TARGETS[name]
    code = llvm.parse_assembly(modules(target.features)[tile])
    code.triple = target.triple
    code.data_layout = str(machine(name).target_data)
    assembly = machine(name).emit_assembly(code)
    found = [
        loop
        for loop in innermost_loops(assembly, target.jump)
        if any(re.match(target.fma, line) for line in loop)
    ]
    assert found, f"no loop of packed multiply-adds:\n{assembly}"
    return max(found, key=len)


@pytest.mark.parametrize("tile", SUMS)
@pytest.mark.parametrize("name", TARGETS)
def test_sums_are_packed_and_stay_in_registers(name, tile):
    if name == "sse2":
        pytest.xfail("without fused multiply-adds the processor calls a function for each lane")
    if (name, tile) == ("avx512", "dot_tile"):
        pytest.xfail("24 sums and the operands of a step are more than 32 registers hold")
    loop = summing_loop(name, tile)
    target = TARGETS[name]
    fused = [line for line in loop if re.match(target.fma, line)]
    assert len(fused) % SUMS[tile][target.register] == 0, "\n".join(loop)
    spilled = [line for line in loop if re.match(target.stack, line)]
    assert not spilled, "\n".join(loop)
    assert not any(line.startswith(("call", "bl ", "blr")) for line in loop), "\n".join(loop)
