"""Compiled kernels on disk, over several processes and whatever befalls the files."""

import itertools
import textwrap

import pytest

from kernels import _cache
from tests.kernels.house import KERNELS, SCRIPT, House


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
        ("_cache.py", []),
        ("_threads.py", []),
    ],
)
def test_cache_folder_follows_the_sources(house, monkeypatch, name, changed):
    def hashes():
        return {op: _cache._sources_hash.__wrapped__(house.package / op) for op in ("one", "two")}

    monkeypatch.setattr(_cache, "_KERNELS", house.package)
    before = hashes()
    assert hashes() == before and before["one"] != before["two"]
    house.write(name, (house.package / name).read_text() + "# edited\n")
    assert [op for op, value in hashes().items() if value != before[op]] == changed


def test_cache_folder_follows_numba(monkeypatch):
    before = _cache._sources_hash.__wrapped__(KERNELS)
    monkeypatch.setattr(_cache.numba, "__version__", "0.0.0")
    assert _cache._sources_hash.__wrapped__(KERNELS) != before


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
