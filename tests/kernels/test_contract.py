"""The house rules of kernels/README.md that a program can check."""

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kernels
from kernels._device import Implementations, device_of

HOUSE = Path(kernels.__file__).parent
OPS = sorted(
    folder.name
    for folder in HOUSE.iterdir()
    if (folder / "reference.py").exists() or (folder / "cpu.py").exists()
)
SOURCES = {str(path.relative_to(HOUSE)): path for path in sorted(HOUSE.rglob("*.py"))}
OP_SOURCES = [name for name in SOURCES if name.split("/")[0] in OPS]
MOST_LINES, MOST_PARAMETERS = 300, 16

# What Numba itself needs of SciPy when it is imported, and nothing of what SciPy computes.
SCIPY_BASICS = ("scipy", "scipy.version")

# What an op may call of another, and compiles nothing from.
OF_OTHER_OPS = {"conv_transpose2d": {"kernels.conv2d", "kernels.conv2d.geometry"}}

# np.sum and its like add float32 one by one; the others allocate.
NOT_IN_COMPILED_CODE = {
    *("sum", "nansum", "mean", "var", "std", "cumsum", "dot"),
    *("empty", "zeros", "ones", "full", "arange", "array", "copy", "empty_like", "zeros_like"),
}


def parsed(name: str) -> ast.Module:
    return ast.parse(SOURCES[name].read_text())


def imported(name: str) -> set[str]:
    """Absolute names of the modules that a source file imports."""
    package = ["kernels", *SOURCES[name].relative_to(HOUSE).parts[:-1]]
    modules = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            # `from kernels import matmul` imports a module, `from kernels._jit import jit` a name.
            whole = module == "kernels"
            modules |= {f"{module}.{alias.name}" for alias in node.names} if whole else {module}
    return modules


def top(module: str) -> str:
    return module.split(".")[0]


def compiled_functions(name: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.FunctionDef):
            decorators = {
                ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list
            }
            if decorators & {"jit", "parallel"}:
                yield node


def parameters(function: object) -> list[str]:
    function = getattr(function, "py_func", function)
    return list(inspect.signature(function).parameters)


def implementation_functions(op: str) -> dict[str, object]:
    """Those of the reference: public, and either writing to an out_ or returning nothing."""
    reference = importlib.import_module(f"kernels.{op}").IMPLEMENTATIONS["reference"]
    functions = {
        name: value
        for name, value in vars(reference).items()
        if inspect.isfunction(value) and value.__module__ == reference.__name__
    }
    return {
        name: value
        for name, value in functions.items()
        if not name.startswith("_")
        and (not returns_a_value(value) or any(p.startswith("out") for p in parameters(value)))
    }


def returns_a_value(function: object) -> bool:
    nodes = ast.walk(ast.parse(inspect.getsource(function)))
    return any(isinstance(node, ast.Return) and node.value is not None for node in nodes)


def without_scratch(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("work")]


def test_every_op_is_re_exported():
    assert sorted(kernels.__all__) == OPS


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_points_back_to_layers(name):
    assert "nnet" not in {top(module) for module in imported(name)}


@pytest.mark.parametrize("op", OPS)
def test_a_reference_needs_numpy_alone(op):
    allowed = {"__future__", "typing", "numpy", "scipy.special"}
    assert imported(f"{op}/reference.py") <= allowed


@pytest.mark.parametrize("name", OP_SOURCES)
def test_an_op_stands_on_shared_modules_and_itself(name):
    op = name.split("/")[0]
    own = f"kernels.{op}"
    for module in imported(name) - OF_OTHER_OPS.get(op, set()):
        if top(module) == "kernels":
            assert module.startswith(("kernels._", f"{own}.")) or module == own
        else:
            third_party = top(module) not in sys.stdlib_module_names
            assert not third_party or top(module) in {"numpy", "numba", "llvmlite"}


@pytest.mark.parametrize("op", OPS)
def test_implementations_are_named_once_by_device(op):
    values = [
        node.value
        for node in parsed(f"{op}/__init__.py").body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and "IMPLEMENTATIONS" in ast.unparse(node).split("=")[0]
    ]
    assert len(values) == 1 and isinstance(values[0], ast.Call) and not values[0].args
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in values[0].keywords}
    table = importlib.import_module(f"kernels.{op}").IMPLEMENTATIONS
    assert isinstance(table, Implementations) and list(table) == list(named)
    assert next(iter(named)) == "reference" and "cpu" in {name.split("_")[0] for name in named}


@pytest.mark.parametrize("name", OP_SOURCES)
def test_an_op_finds_its_implementation_by_the_device_of_an_array(name):
    """No `cpu.forward(...)` in what is called from outside."""
    if name.count("/") == 1 and name.endswith("/__init__.py"):
        for node in ast.walk(parsed(name)):
            if isinstance(node, ast.Attribute):
                assert not ast.unparse(node.value).startswith("cpu"), ast.unparse(node)


@pytest.mark.parametrize("op", OPS)
def test_a_device_without_an_implementation_is_told(op):
    table = importlib.import_module(f"kernels.{op}").IMPLEMENTATIONS
    with pytest.raises(TypeError, match=f"{op}: expected arrays on cpu, got some on cuda"):
        table["cuda"]
    with pytest.raises(TypeError, match="expected arrays on cpu"):
        table.on("cuda")


def test_the_device_is_that_of_the_array():
    class Own(np.ndarray):
        pass

    assert device_of(np.ones(1)) == device_of(np.ones(1).view(Own)) == "cpu"
    with pytest.raises(TypeError, match="expected an array, got list"):
        device_of([1.0])


@pytest.mark.parametrize("name", SOURCES)
def test_modules_are_named_in_full_when_imported(name):
    for node in ast.walk(parsed(name)):
        assert not isinstance(node, ast.ImportFrom) or not node.level


@pytest.mark.parametrize("name", OP_SOURCES)
def test_an_op_uses_no_private_name_of_another_file(name):
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.ImportFrom) and node.module != "kernels":
            assert not [alias.name for alias in node.names if alias.name.startswith("_")]


@pytest.mark.parametrize("op", OPS)
def test_a_reference_has_nothing_that_others_import(op):
    """An oracle knows no constant of those that it judges, nor they one of the oracle."""
    for name in OP_SOURCES:
        if not name.endswith("/__init__.py"):
            assert f"kernels.{op}.reference" not in imported(name), name


@pytest.mark.parametrize("op", OPS)
def test_twins_have_the_same_parameters(op):
    """Scratch apart, which belongs to an algorithm. The CPU's have them all between them."""
    wanted = implementation_functions(op)
    assert wanted
    found = set()
    for implementation, module in importlib.import_module(f"kernels.{op}").IMPLEMENTATIONS.items():
        twins = {name: getattr(module, name) for name in wanted if hasattr(module, name)}
        assert twins, implementation
        found |= twins.keys() if implementation.startswith("cpu") else set()
        for name, twin in twins.items():
            function = wanted[name]
            actual, expected = without_scratch(parameters(twin)), parameters(function)
            assert actual == without_scratch(expected), f"{implementation}.{name}"
    assert found == wanted.keys()


@pytest.mark.parametrize("op", OPS)
def test_outputs_come_last_and_nothing_is_returned(op):
    for name, function in implementation_functions(op).items():
        outputs = [parameter.startswith("out") for parameter in parameters(function)]
        assert outputs == sorted(outputs), f"{name}: out_ before an input"
        assert not returns_a_value(function), name


@pytest.mark.parametrize("op", OPS)
def test_every_op_has_tests(op):
    assert (Path(__file__).parent / f"test_{op}.py").exists()


@pytest.mark.parametrize("name", SOURCES)
def test_numba_flags_are_set_in_one_place(name):
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            assert name == "_jit.py"
            assert ast.unparse(node.value) != "True"


@pytest.mark.parametrize("name", SOURCES)
def test_random_numbers_come_from_philox(name):
    assert not {"random", "numpy.random"} & imported(name)
    for node in ast.walk(parsed(name)):
        assert not isinstance(node, ast.Attribute) or ast.unparse(node) != "np.random"


@pytest.mark.parametrize("name", OP_SOURCES)
def test_compiled_code_neither_allocates_nor_adds_naively(name):
    for function in compiled_functions(name):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = node.func
                from_numpy = ast.unparse(called.value) == "np"
                assert not from_numpy or called.attr not in NOT_IN_COMPILED_CODE, (
                    f"{function.name}: {ast.unparse(node)}"
                )


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "_jit.py"])
def test_tasks_are_launched_in_one_way(name):
    used = {node.id for node in ast.walk(parsed(name)) if isinstance(node, ast.Name)}
    assert not used & {"prange", "njit", "pndindex", "guvectorize", "vectorize"}


@pytest.mark.parametrize("name", SOURCES)
def test_files_are_short(name):
    lines = len(SOURCES[name].read_text().splitlines())
    assert lines <= MOST_LINES, f"{lines} lines, {MOST_LINES} allowed"


@pytest.mark.parametrize("name", SOURCES)
def test_lists_of_parameters_are_short(name):
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.FunctionDef):
            count = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
            assert count <= MOST_PARAMETERS, f"{node.name}: {count} parameters"


def test_importing_kernels_imports_little():
    program = "import sys, kernels; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=HOUSE.parent,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    unwanted = {"nnet", "torch", "jax", "matplotlib", "sklearn", "tqdm", "cuda", "numba_cuda"}
    assert not unwanted & {top(module) for module in modules}
    assert not any(module.startswith("numba.cuda") for module in modules)
    scipy = {module for module in modules if top(module) == "scipy"}
    assert not {m for m in scipy if not m.startswith("scipy._") and m not in SCIPY_BASICS}
