"""Each public name is listed in the module that has it, and handed on from there."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import nnet

HOUSE = Path(nnet.__file__).parent
# Those whose packages hand on all that their modules list.
ROOMS = ("autograd", "module", "functional", "layers", "surgery", "inspection", "data", "optim")
LISTING = sorted(
    path.relative_to(HOUSE)
    for room in ROOMS
    for path in (HOUSE / room).rglob("*.py")
    if path.name != "__init__.py" and "\n__all__ = " in path.read_text()
)


def module_of(path):
    return importlib.import_module(".".join(["nnet", *path.with_suffix("").parts]))


def test_modules_of_each_room_list_names():
    assert {path.parts[0] for path in LISTING} == set(ROOMS)


@pytest.mark.parametrize("path", LISTING, ids=str)
def test_what_a_module_lists_its_packages_hand_on(path):
    """Up to one that is a public name itself, as optim.lr_scheduler."""
    module = module_of(path)
    for depth in range(len(path.parts) - 1, 0, -1):
        package = importlib.import_module(".".join(["nnet", *path.parts[:depth]]))
        for name in module.__all__:
            assert getattr(package, name) is getattr(module, name)
            assert name in package.__all__
        if is_public(*path.parts[:depth]):
            break


def is_public(*parts):
    """Whether the package above lists this one, as a module."""
    above = importlib.import_module(".".join(["nnet", *parts[:-1]]))
    return parts[-1] in above.__all__ and isinstance(getattr(above, parts[-1]), ModuleType)


def test_packages_that_are_names_themselves():
    public = {path.parts[:depth] for path in LISTING for depth in range(1, len(path.parts))}
    assert {"/".join(parts) for parts in public if is_public(*parts)} == {
        "data",
        "functional",
        "optim",
        "optim/lr_scheduler",
    }


@pytest.mark.parametrize("room", ["autograd", "module", "layers", "surgery", "inspection"])
def test_the_package_hands_on_what_these_rooms_do(room):
    module = importlib.import_module(f"nnet.{room}")
    assert set(module.__all__) <= set(nnet.__all__)


def test_no_name_is_listed_twice_and_no_module_without_being_named():
    assert len(nnet.__all__) == len(set(nnet.__all__))
    modules = {name for name in nnet.__all__ if isinstance(getattr(nnet, name), ModuleType)}
    assert modules == {
        *("data", "functional", "init", "jobs", "models", "optim", "random", "training"),
    }
    assert not set(nnet.__all__) - set(dir(nnet))


def test_packages_list_nothing_themselves():
    """Type checkers would follow the list, not the stars."""
    for path in (HOUSE / room for room in ROOMS):
        for init in path.rglob("__init__.py"):
            assert not [
                node for node in ast.parse(init.read_text()).body if isinstance(node, ast.Assign)
            ], init


def test_type_checkers_see_every_public_name(tmp_path):
    names = [f"nnet.{name}" for name in nnet.__all__]
    for room in ("functional", "optim", "data", "models"):
        names += [f"nnet.{room}.{name}" for name in getattr(nnet, room).__all__]
    script = tmp_path / "uses.py"
    lines = [f"reveal_type({name})" for name in [*names, "nnet.gone"]]
    script.write_text("\n".join(["import nnet", *lines]))
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    command += [f"--cache-dir={HOUSE.parent / '.mypy_cache'}", script]
    told = subprocess.run(command, cwd=HOUSE.parent, capture_output=True, text=True).stdout
    *types, last = told.splitlines()
    assert last.startswith("Success") and len(types) == len(names) + 1
    unknown = [line for line in types if line.endswith('Revealed type is "Any"')]
    assert unknown == types[-1:]  # that of nnet.gone
