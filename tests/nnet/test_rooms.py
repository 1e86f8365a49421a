"""The rules of nnet's rooms that a program can check; CONTRIBUTING.md says what they are for."""

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

import nnet
from tests.nnet import rooms

HOUSE = Path(nnet.__file__).parent
ROOT = Path(__file__).parents[2]
SOURCES = rooms.sources_of(HOUSE)

# From the ground up: a room imports rooms of the floors below its own, and itself.
FLOORS = [
    ("names", "random", "environment"),
    ("autograd",),
    ("init", "module", "functional", "data"),
    ("layers", "optim"),
    ("surgery", "inspection", "models"),
    ("training",),
    ("runs",),
    ("warmup", "jobs"),
    ("cli",),
]
LOOSE = {
    "__init__.py",
    "__main__.py",
    "names.py",
    "init.py",
    "random.py",
    "environment.py",
    "warmup.py",
}

# nn.training.load_run and its like are looked for there, and found where they are.
UPWARDS = ["nnet.training imports nnet.jobs"]

MOST_LINES = 200

PUBLIC = (
    *("", "functional", "optim", "optim.lr_scheduler", "data", "models"),
    *("training", "jobs", "init"),
)

# What the packages of extras are imported by, where it is not their name.
IMPORTED_AS = {
    "numba-cuda": "numba.cuda",
    "pillow": "PIL",
    "py-cpuinfo": "cpuinfo",
}


def public_docstrings():
    """Those of functions and classes, by name: "fit", "functional.relu"."""
    for room in PUBLIC:
        module = importlib.import_module(".".join(["nnet", *room.split(".")]).rstrip("."))
        own = [name for name, value in vars(module).items() if is_of(value, module.__name__)]
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            if not name.startswith("_") and (is_of(value, "nnet") or is_of(value, "kernels")):
                text = vars(value)["__doc__"] if inspect.isclass(value) else value.__doc__
                yield f"{room}.{name}".lstrip("."), text


def is_of(value, module):
    callable_ = inspect.isclass(value) or inspect.isfunction(value)
    return callable_ and f"{value.__module__}.".startswith(f"{module}.")


def extras():
    """Their packages, by the names that they are imported by."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra, packages in project["optional-dependencies"].items():
        names = [re.split(r"[<>=;\[ ]", package)[0] for package in packages]
        others = [name for name in names if name != "nnet"]
        yield extra, [IMPORTED_AS.get(name, name.replace("-", "_")) for name in others]


def test_a_room_imports_rooms_below_it():
    assert rooms.wrong_ways(SOURCES, FLOORS) == UPWARDS


def test_modules_import_in_no_circle():
    assert rooms.circle(SOURCES, apart=UPWARDS) == []


def test_rooms_and_loose_files_are_those_planned():
    assert rooms.strays(SOURCES, FLOORS, LOOSE) == []


def test_contributors_are_told_the_rooms_from_the_ground_up():
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    told = re.findall(r"`(\w+)`", " ".join(rows))
    floor = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    assert set(told) == floor.keys()
    assert told == sorted(told, key=floor.__getitem__)


def test_tests_lie_in_the_same_rooms():
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/*.py")}
    assert folders <= {path.partition("/")[0] for path in SOURCES if "/" in path}


def test_functions_and_layers_are_in_the_same_families():
    assert rooms.unlike(SOURCES) == []


def test_files_are_short():
    assert rooms.too_long(SOURCES, MOST_LINES) == []


def test_public_names_show_an_example():
    assert rooms.without_examples(dict(public_docstrings())) == []


def test_types_are_told_to_users():
    assert (HOUSE / "py.typed").read_bytes() == b""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"] == {"packages": ["kernels", "nnet"]}


def test_extras_are_used():
    folders = ("nnet", "kernels", "bench", "tests", "examples")
    texts = [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert rooms.unused_extras(dict(extras()), texts) == []


# A house of two floors in which nothing is wrong.
HIGH = "from ..low.a import a\nb = a\n"
SMALL = {
    "__init__.py": "from .high.b import b\nfrom .low.a import a\n",
    "low/__init__.py": "",
    "low/a.py": "a = 1\n",
    "low/other.py": "import numpy as np\nfrom .a import a\n",
    "beside/__init__.py": "",
    "beside/c.py": "c = 1\n",
    "high/__init__.py": "from . import b\n",
    "high/b.py": HIGH,
}
TWO = [("low", "beside"), ("high",)]
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "


def test_nothing_is_wrong_where_nothing_is():
    assert rooms.wrong_ways(SMALL, TWO) == []
    assert rooms.circle(SMALL) == []
    assert rooms.strays(SMALL, TWO, {"__init__.py"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "from ..high.b import b",
        "from ..high import b as other",
        "from .. import high",
        "from ..beside.c import c",
        "from .. import b",
        "import nnet.high.b",
        "from nnet import high",
        "import nnet",
        FOR_TYPES + "from ..high.b import b",
        "def late():\n    from ..high import b",
        "import importlib\nhigh = importlib.import_module('..high', __package__)",
        "from importlib import import_module\nhigh = import_module('nnet.high.b')",
    ],
)
def test_a_way_up_is_seen(text):
    assert len(rooms.wrong_ways(SMALL | {"low/a.py": text}, TWO)) == 1


@pytest.mark.parametrize(
    "planted",
    [
        {"low/a.py": "from .other import np"},
        {"low/a.py": FOR_TYPES + "from .other import np"},
        {"low/a.py": "def late():\n    from . import other"},
        {"low/__init__.py": "from .a import a", "low/a.py": "from . import z"},
        {"low/a.py": "from ..high.b import b"},
        {"low/a.py": "from . import a"},
    ],
)
def test_a_circle_is_seen(planted):
    assert rooms.circle(SMALL | planted) != []


@pytest.mark.parametrize(
    "planted, floors, told",
    [
        ({"utils.py": ""}, TWO, "utils.py lies loose"),
        ({"cellar/d.py": ""}, TWO, "cellar/ is no room"),
        ({}, [*TWO, ("roof",)], "roof is not there"),
        ({"low/bare/__init__.py": ""}, TWO, "low/bare/__init__.py stands before nothing"),
    ],
)
def test_a_stray_is_seen(planted, floors, told):
    assert rooms.strays(SMALL | planted, floors, {"__init__.py"}) == [told]


@pytest.mark.parametrize("room, other", [("functional", "layers"), ("layers", "functional")])
def test_a_family_without_its_twin_is_seen(room, other):
    planted = {f"{room}/pooling/one.py": "", f"{other}/linear.py": "", f"{room}/linear.py": ""}
    assert rooms.unlike(planted) == [f"{room}/pooling without {other}/pooling"]
    assert rooms.unlike(planted | {f"{other}/pooling.py": ""}) == []


@pytest.mark.parametrize("lines, told", [(2, []), (3, ["a.py has 3 lines"])])
def test_a_long_file_is_seen(lines, told):
    assert rooms.too_long({"a.py": "x = 1\n" * lines}, 2) == told


@pytest.mark.parametrize(
    "text, told", [("Says much.", ["one"]), (None, ["one"]), (">>> one()", [])]
)
def test_a_missing_example_is_seen(text, told):
    assert rooms.without_examples({"one": text}) == told


@pytest.mark.parametrize(
    "text, unused",
    [
        ("import onnx", False),
        ("from onnx.helper import make_node", False),
        ("def f():\n    import onnx.helper", False),
        ("import onnxruntime", True),
        ("from . import onnx", True),
        ("print('import onnx')", True),
    ],
)
def test_an_extra_that_nothing_imports_is_seen(text, unused):
    assert rooms.unused_extras({"onnx": ["onnx"]}, [text]) == ["onnx"] * unused
