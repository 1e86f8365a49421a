"""The rules of nnet's rooms, each a function of sources that tells what breaks it.

Sources are texts by the path of their file in the package, as "layers/linear.py".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path, PurePath

Sources = Mapping[str, str]


def sources_of(folder: Path) -> dict[str, str]:
    paths = sorted(folder.rglob("*.py"))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def module_of(path: str, package: str = "nnet") -> str:
    parts = [package, *PurePath(path).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room of a module; "" for the package itself."""
    return (module.split(".") + [""])[1]


def imported(path: str, text: str, modules: Iterable[str]) -> Iterator[str]:
    """What a file imports, modules where it can be told: for types alone or when called, too."""
    module = module_of(path)
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names = (f"{base}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else base for name in names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            if node.args and isinstance(node.args[0], ast.Constant):
                yield resolve_name(node.args[0].value, package)


def graph(sources: Sources) -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports."""
    modules = {module_of(path) for path in sources}
    return {
        module_of(path): {
            name for name in imported(path, text, modules) if name.split(".")[0] == "nnet"
        }
        for path, text in sources.items()
    }


def wrong_ways(sources: Sources, floors: Sequence[Sequence[str]]) -> list[str]:
    """Imports of a room that is not on a floor below; the package itself stands on all."""
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms}
    floor[""] = floor["__main__"] = len(floors)
    return [
        f"{module} imports {name}"
        for module, names in graph(sources).items()
        for name in sorted(names)
        if room_of(name) != room_of(module) and floor[room_of(name)] >= floor[room_of(module)]
    ]


def circle(sources: Sources, apart: Sequence[str] = ()) -> list[str]:
    """Modules that import one another in a circle, if there are some.

    apart  imports that do not count, as `wrong_ways` tells them
    """
    edges = {
        module: {name for name in names if f"{module} imports {name}" not in apart}
        for module, names in graph(sources).items()
    }
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def strays(sources: Sources, floors: Sequence[Sequence[str]], loose: Iterable[str]) -> list[str]:
    """Loose files and rooms that nobody planned, rooms that are not there or hold nothing."""
    planned = {room for rooms in floors for room in rooms}
    inside = {path.split("/")[0] for path in sources if "/" in path}
    above = {path for path in sources if "/" not in path}
    full = {path.rpartition("/")[0] for path in sources if not path.endswith("__init__.py")}
    return [
        *(f"{path} lies loose" for path in sorted(above - set(loose))),
        *(f"{room}/ is no room" for room in sorted(inside - planned)),
        *(f"{room} is not there" for room in sorted(planned - inside - {p[:-3] for p in above})),
        *(
            f"{path} stands before nothing"
            for path in sorted(sources)
            if path.endswith("/__init__.py")
            and not any(f"{each}/".startswith(path.removesuffix("__init__.py")) for each in full)
        ),
    ]


def unlike(sources: Sources) -> list[str]:
    """Families of functions without one of layers of that name, and the other way round."""
    places = [path.removesuffix(".py").split("/") for path in sources]
    names = {(parts[0], parts[1]) for parts in places if len(parts) > 1}
    families = {(parts[0], parts[1]) for parts in places if len(parts) > 2}
    twin = {"functional": "layers", "layers": "functional"}
    return [
        f"{room}/{family} without {twin[room]}/{family}"
        for room, family in sorted(families)
        if room in twin and (twin[room], family) not in names
    ]


def too_long(sources: Sources, most: int) -> list[str]:
    """Files of more lines than `most`."""
    lines = {path: len(text.splitlines()) for path, text in sources.items()}
    return [f"{path} has {count} lines" for path, count in lines.items() if count > most]


def without_examples(documented: Mapping[str, str | None]) -> list[str]:
    """Names whose docstring shows no example."""
    return sorted(name for name, text in documented.items() if text is None or ">>>" not in text)


def unused_extras(extras: Mapping[str, Iterable[str]], texts: Iterable[str]) -> list[str]:
    """Extras none of whose packages is imported; packages by the names that they are imported by.

    texts  sources of whatever may use them
    """
    used: set[str] = set()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                used |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                used |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return [
        extra
        for extra, packages in extras.items()
        if not any(f"{name}.".startswith(f"{package}.") for name in used for package in packages)
    ]
