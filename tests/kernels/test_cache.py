"""Compiled kernels on disk, over several processes and whatever befalls the files."""

import itertools
import os
import pickle
import shutil
import signal
import textwrap
from fractions import Fraction
from pathlib import Path

import pytest
from numba.core import config

from kernels import _cache
from tests.kernels.house import KERNELS, SCRIPT, House


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("compiled"))
    house.run()
    return house.folder


@pytest.fixture
def warm_house(compiled, tmp_path):
    """One whose kernels were compiled and kept before."""
    return House(shutil.copytree(compiled, tmp_path / "house"))


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


def test_edited_helper_is_compiled_into_every_op(warm_house):
    warm_house.edit("_shared/scaling.py", "FACTOR * v", "FACTOR * v + 3")
    edited, _ = warm_house.run()
    assert edited["values"] == [6, 7] and edited["misses"] == 2


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("one/cpu.py", ["one"]),
        ("two/__init__.py", ["two"]),
        ("two/_own.py", ["two"]),
        ("two/part/cpu.py", ["two"]),
        ("_of_part.py", ["two"]),
        ("_factor.py", ["one", "two"]),
        ("_unused.py", []),
        ("_shared/scaling.py", ["one", "two"]),
        ("_jit.py", ["one", "two"]),
        ("_memory.py", []),
        ("_cache.py", []),
        ("_threads.py", []),
    ],
)
def test_cache_folder_follows_the_sources(house, monkeypatch, request, name, changed):
    def forget():
        for known in (_cache._files_of, _cache._read, _cache._shared_modules):
            known.cache_clear()

    def hashes():
        forget()  # as a new process finds them
        return {op: _cache._sources_hash.__wrapped__(house.package / op) for op in ("one", "two")}

    monkeypatch.setattr(_cache, "_KERNELS", house.package)
    request.addfinalizer(forget)
    before = hashes()
    assert hashes() == before and before["one"] != before["two"]
    house.write(name, (house.package / name).read_text() + "# edited\n")
    assert [op for op, value in hashes().items() if value != before[op]] == changed


def test_kernels_of_one_name_in_folders_of_an_op_are_kept_apart(house):
    script = """
        import json

        import numpy as np

        from kernels.two import cpu
        from kernels.two.part import cpu as part

        out = np.empty((2, 2))
        for op, out_y in zip((cpu, part), out):
            op.run(np.ones(2), out_y)
        print(json.dumps(out.tolist()))
        """
    for _ in range(2):
        values, _ = house.run(textwrap.dedent(script))
        assert values == [[4, 4], [5, 5]]


def test_cache_folder_follows_numba(monkeypatch):
    before = _cache._sources_hash.__wrapped__(KERNELS)
    monkeypatch.setattr(_cache.numba, "__version__", "0.0.0")
    assert _cache._sources_hash.__wrapped__(KERNELS) != before


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("OPT", config._OptLevel("1")),
        ("OPT", config._OptLevel("max")),
        ("LOOP_VECTORIZE", 0),
        ("SLP_VECTORIZE", 1),
        ("DEBUGINFO_DEFAULT", 1),
    ],
)
def test_cache_folder_follows_settings_of_numba(monkeypatch, setting, value):
    before = _cache._sources_hash.__wrapped__(KERNELS)
    monkeypatch.setattr(config, setting, value)
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


def test_op_folder_that_cannot_be_written_is_no_reason_to_stop(warm_house):
    for path in warm_house.cached():
        path.unlink()
    for folder in {path for path in warm_house.cache.rglob("*-*") if path.is_dir()}:
        folder.rmdir()
        folder.write_text("a file, not a folder")
    results, _ = warm_house.run()
    assert results["values"] == [3, 4] and results["misses"] == 2


def test_processes_compile_the_same_kernel_at_once(house):
    for results, _ in [house.finish(p) for p in [house.start() for _ in range(3)]]:
        assert results["values"] == [3, 4]
    assert {path.suffix for path in house.cached()} == {".nbc"}
    assert house.run()[0]["misses"] == 0


def test_damaged_cache_files_are_compiled_again(warm_house):
    damages = itertools.cycle(
        [lambda whole: b"", lambda whole: whole[:-9], lambda whole: b"\0" * 99]
    )
    for path, damage in zip(warm_house.cached(), damages, strict=False):
        path.write_bytes(damage(path.read_bytes()))
    repaired, _ = warm_house.run()
    assert repaired["values"] == [3, 4] and repaired["misses"] == 2
    assert warm_house.run()[0]["misses"] == 0


LOADING = """
    import json
    import os
    from pathlib import Path

    import numpy as np

    from kernels.one import cpu as one

    one.run(np.ones(2), np.empty(2))
    assert not one.run.stats.cache_misses
    (signature,) = getattr(one.run, "entries", one.run.overloads)
    (path,) = Path(one.run.stats.cache_path).iterdir()
    whole = path.read_bytes()

    def is_loaded(contents):
        path.write_bytes(contents)
        return one.run._cache.load_overload(signature, one.run.targetctx) is not None

    """


@pytest.mark.parametrize("name", ["_jit.py", "_compiler/library.py", "_compiler/launch.py"])
def test_what_compiles_is_part_of_what_is_compiled_from(warm_house, name):
    source = warm_house.package / name
    source.write_text(source.read_text() + "# edited\n")
    assert warm_house.run()[0]["misses"] == 2


def test_a_changed_byte_anywhere_is_refused(warm_house):
    script = """
        positions = [*range(80), *range(80, len(whole), len(whole) // 200), len(whole) - 1]
        loaded = []
        for position in positions:
            changed = bytearray(whole)
            changed[position] ^= 1 << position % 8
            loaded.append(is_loaded(changed))
        print(json.dumps([len(loaded), sum(loaded), is_loaded(whole)]))
        """
    (tried, loaded, unchanged), _ = warm_house.run(
        textwrap.dedent(LOADING) + textwrap.dedent(script)
    )
    assert tried > 250 and loaded == 0 and unchanged


def test_a_file_cut_or_lengthened_anywhere_is_refused(warm_house):
    script = """
        lengths = [*range(80), *range(80, len(whole), len(whole) // 50), len(whole) - 1]
        loaded = [is_loaded(whole[:length]) for length in lengths]
        loaded += [is_loaded(whole + more) for more in (b"\\0", b"\\n", whole)]
        print(json.dumps([sum(loaded), is_loaded(whole)]))
        """
    results, _ = warm_house.run(textwrap.dedent(LOADING) + textwrap.dedent(script))
    assert results == [0, True]


class _Touch:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pickles_of_other_things_are_neither_loaded_nor_run(warm_house, tmp_path):
    trace = tmp_path / "trace"
    foreign = pickle.dumps(Fraction(1, 3)).replace(b"fractions", b"fractionz")
    others = [pickle.dumps(_Touch(trace)), foreign]
    others += [pickle.dumps(other) for other in ({}, (), (1, 2, 3), None, "text", [None] * 9)]
    script = f"""
        others = {others}
        print(json.dumps([is_loaded(each) for each in others]))
        path.write_bytes(others[0])
        """
    loaded, _ = warm_house.run(textwrap.dedent(LOADING) + textwrap.dedent(script))
    assert loaded == [False] * 8
    repaired, _ = warm_house.run()
    assert repaired["values"] == [3, 4] and repaired["misses"] == 1
    assert not trace.exists()


def test_contents_swapped_among_names_are_compiled_again(warm_house):
    """Between two ops, and between two signatures of one function."""
    first, second = warm_house.cached_ops()
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    repaired, _ = warm_house.run()
    assert repaired["values"] == [3, 4] and repaired["misses"] == 2

    script = """
        import json

        import numpy as np

        from kernels.one import cpu as one

        values = []
        for dtype in (np.float32, np.float64):
            x, out_y = np.full(3, 2, dtype), np.empty(3, dtype)
            one.run(x, out_y)
            values += out_y.tolist()
        print(json.dumps([values, sum(one.run.stats.cache_misses.values())]))
        """
    assert warm_house.run(script)[0] == [[5.0] * 6, 1]
    first, second = sorted(first.parent.iterdir())
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    assert warm_house.run(script)[0] == [[5.0] * 6, 2]
    assert warm_house.run(script)[0] == [[5.0] * 6, 0]


@pytest.mark.parametrize("thing", ["FIFO", "device", "link to it", "link to nothing", "writable"])
def test_what_is_no_file_of_the_user_alone_is_replaced(warm_house, tmp_path, thing):
    contents = [path.read_bytes() for path in warm_house.cached_ops()]
    elsewhere = [tmp_path / "first.nbc", tmp_path / "second.nbc"]
    for path, whole, other in zip(warm_house.cached_ops(), contents, elsewhere, strict=True):
        if thing == "writable":
            path.chmod(0o666)
            continue
        path.unlink()
        if thing == "FIFO":
            os.mkfifo(path)
        elif thing == "device":
            path.symlink_to("/dev/zero")
        else:
            path.symlink_to(other)
            if thing == "link to it":
                other.write_bytes(whole[:-1])
    results, _ = warm_house.run(seconds=60)
    assert results["values"] == [3, 4] and results["misses"] == 2
    assert warm_house.run()[0]["misses"] == 0
    for path, whole, other in zip(warm_house.cached_ops(), contents, elsewhere, strict=True):
        assert path.is_file() and not path.is_symlink()
        assert not other.exists() or other.read_bytes() == whole[:-1]


def test_the_cache_is_for_the_user_alone_whatever_the_umask(house):
    house.run("import os\nos.umask(0)\n" + textwrap.dedent(SCRIPT))
    folders = [path for path in house.cache.rglob("*") if path.is_dir()]
    assert len(folders) == 4 and len(house.cached()) == 2
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in house.cached()} == {0o600}
    assert house.run()[0]["misses"] == 0


@pytest.mark.parametrize("mode", [0o720, 0o1702])
def test_a_folder_that_others_can_write_to_is_refused(warm_house, mode):
    folder = warm_house.cache / "nnet" / "kernels"
    before = [(path, path.read_bytes()) for path in warm_house.cached()]
    folder.chmod(mode)
    results, errors = warm_house.run(warnings="default")
    assert results["values"] == [3, 4] and results["folders"] == []
    assert errors.count("RuntimeWarning") == 1
    assert "others" in errors and str(folder) in errors and "each process compiles" in errors
    assert [(path, path.read_bytes()) for path in warm_house.cached()] == before
    folder.chmod(0o755)
    assert warm_house.run()[0]["misses"] == 0


def test_a_folder_of_another_user_is_refused(warm_house):
    other = "import os\nuser = os.geteuid()\nos.geteuid = lambda: user + 1\n"
    results, errors = warm_house.run(other + textwrap.dedent(SCRIPT), warnings="default")
    assert results["values"] == [3, 4] and results["folders"] == []
    assert errors.count("RuntimeWarning") == 1 and "belong" in errors


def test_where_users_have_no_numbers_kernels_are_kept(house):
    none = "import os, numba, platformdirs\ndel os.geteuid, os.getuid, os.register_at_fork\n"
    assert house.run(none + textwrap.dedent(SCRIPT))[0]["misses"] == 2
    assert house.run(none + textwrap.dedent(SCRIPT))[0]["misses"] == 0


def test_a_link_to_a_folder_counts_as_what_it_leads_to(house, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (house.cache / "nnet").mkdir(parents=True)
    (house.cache / "nnet" / "kernels").symlink_to(elsewhere)
    assert house.run()[0]["misses"] == 2
    assert house.run()[0]["misses"] == 0
    assert len(list(elsewhere.rglob("*.nbc"))) == 2
    elsewhere.chmod(0o777)
    results, errors = house.run(warnings="default")
    assert results["folders"] == [] and errors.count("RuntimeWarning") == 1


def test_an_interrupted_write_leaves_nothing(house):
    script = """
        import json
        import os

        import numpy as np

        from kernels.one import cpu as one

        def interrupt(*_):
            raise KeyboardInterrupt

        replace, os.replace = os.replace, interrupt
        x, out_y = np.ones(2), np.empty(2)
        try:
            one.run(x, out_y)
        except KeyboardInterrupt:
            os.replace = replace
            one.run(x, out_y)
            print(json.dumps(out_y.tolist()))
        """
    assert house.run(script)[0] == [3, 3]
    assert all(path.suffix == ".nbc" for path in house.cached())
    assert house.run()[0]["values"] == [3, 4]


def test_a_process_killed_while_writing_leaves_the_next_to_go_on(house):
    script = """
        import os
        import signal

        import numpy as np

        from kernels.one import cpu as one

        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        one.run(np.ones(2), np.empty(2))
        """
    process = house.start(script)
    process.communicate(timeout=100)
    assert process.returncode == -signal.SIGKILL
    assert len(house.cached()) == 1
    results, _ = house.run()
    assert results["values"] == [3, 4] and results["misses"] == 2
    assert house.run()[0]["misses"] == 0


def test_a_cache_deleted_while_running_is_made_anew(house):
    script = """
        import json
        import shutil

        import numpy as np

        from kernels import _jit
        from kernels.one import cpu as one
        from kernels.two import cpu as two

        values = []
        for dtype in (np.float32, np.float64):
            for op in (one, two):
                out_y = np.empty(2, dtype)
                op.run(np.ones(2, dtype), out_y)
                values.append(float(out_y[1]))
            shutil.rmtree(_jit.cache_folder().parent)
        one.run(np.ones((2, 2), np.float64)[:, 0], np.empty(2))
        print(json.dumps(values))
        """
    assert house.run(script)[0] == [3, 4, 3, 4]
    assert len(house.cached()) == 1
    folders = [path for path in house.cache.rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert house.run()[0]["values"] == [3, 4]


def test_a_locator_for_functions_of_others_is_not_for_kernels(warm_house):
    results, errors = warm_house.run(NUMBA_CACHE_LOCATOR_CLASSES="UserWideCacheLocator")
    assert results["misses"] == 0 and errors == ""
