"""LLVM's text of a module, with a call before each instruction that touches memory."""

import re

from tests.races.recorder import ACCESS, MASKED, READ, WRITE

_LOCAL = r'%(?:"[^"]*"|[-\w.$]+)'
_GLOBAL = r'@("[^"]*"|[-\w.$]+)'
_LOAD = re.compile(rf"\s+{_LOCAL} = load (?:atomic )?(?:volatile )?(.+?), ptr ({_LOCAL})")
_STORE = re.compile(rf"\s+store (?:atomic )?(?:volatile )?(.+), ptr ({_LOCAL})")
_CALL = re.compile(rf"\s+(?:{_LOCAL} = )?(?:\w+ )?call (.*?){_GLOBAL}\((.*)")
_ANY_CALL = re.compile(rf"\s+(?:{_LOCAL} = )?(?:\w+ )?(?:call|invoke) ")
# The ways in from Python: what they call by address is the interpreter's.
_WAY_IN = re.compile(r"define .*@(_ZN7cpython|cfunc\.)")
_MERGED = re.compile(r"^define (?:linkonce_odr|weak_odr|linkonce|weak|available_externally) ")

# These touch nothing that a kernel computes with: hints, counts of references, what happens to
# Python objects on the way in and out, and a reshape that looks at shapes alone.
_HARMLESS = re.compile(
    r"llvm\.(x86\.atomic|lifetime|assume|prefetch|invariant|experimental\.noalias)"
    r"|NRT_|nnet_race_|numba_|_?Py|memcmp$"
)

_BYTES = {"float": 4, "double": 8, "ptr": 8}


def instrumented(text: str) -> str:
    """The module, recording its accesses; raises ValueError for a call that may hide some.

    Recorded is what lies at computed addresses: constants and other globals are no arguments.
    """
    defined = {name.strip('"') for name in re.findall(rf"^define .*?{_GLOBAL}\(", text, re.M)}
    lines, way_in = [], False
    for number, line in enumerate(text.splitlines()):
        if line.startswith("define "):
            way_in = bool(_WAY_IN.match(line))
        # Another module's function of that name would take its place, and records nothing.
        line = _MERGED.sub("define internal ", line)
        # What was inferred of a function's accesses does not hold for the calls put into it.
        line = re.sub(r"memory\([^)]*\)", "", line)
        if _ANY_CALL.match(line) and not _CALL.match(line) and not way_in:
            raise ValueError(f"cannot tell what is called: {line.strip()}")
        lines += [f"  {each}" for each in _records(line, f"%race.{number}", defined)]
        lines.append(line)
    lines.append(f"declare void @{ACCESS}(ptr, i64, i64)")
    lines.append(f"declare void @{MASKED}(ptr, i64, i64, i64)")
    return "\n".join(lines)


def _records(line: str, temporary: str, defined: set[str]) -> list[str]:
    """The calls that go before a line; new names begin with `temporary`."""
    if found := _LOAD.match(line):
        return _whole(found[2], _size(found[1]), READ)
    if found := _STORE.match(line):
        return _whole(found[2], _size(_type(found[1])), WRITE)
    if not (found := _CALL.match(line)):
        return []
    name, arguments = found[2].strip('"'), _arguments(found[3])
    if name in defined or _HARMLESS.match(name):
        return []
    if masked := re.match(r"llvm\.masked\.(load|store|gather|scatter)\.", name):
        return _masked(masked[1], found[1], arguments, temporary)
    operands = [argument.split()[-1] for argument in arguments]
    if name.startswith("llvm.memset"):
        return _whole(operands[0], operands[2], WRITE)
    if name.startswith(("llvm.memcpy", "llvm.memmove")):
        return _whole(operands[0], operands[2], WRITE) + _whole(operands[1], operands[2], READ)
    if any(re.match(r"(<\d+ x )?ptr\b", argument) for argument in arguments):
        raise ValueError(f"cannot tell what {name} touches")
    return []


def _whole(pointer: str, size: str | int, kind: int) -> list[str]:
    if not pointer.startswith("%"):
        return []
    return [f"call void @{ACCESS}(ptr {pointer}, i64 {size}, i64 {kind})"]


def _masked(what: str, result: str, arguments: list[str], temporary: str) -> list[str]:
    kind = READ if what in ("load", "gather") else WRITE
    values = re.search(r"<(\d+) x ([\w]+)>", result if kind == READ else arguments[0])
    assert values
    lanes, element = int(values[1]), _size(values[2])
    mask = next(each for each in arguments if _type(each) == f"<{lanes} x i1>")
    where = arguments[0 if kind == READ else 1]
    address = where[where.rindex("%") :]
    if what in ("gather", "scatter"):
        return _by_lane(address, mask, lanes, element, kind, temporary)
    return _by_mask(address, mask, lanes, element, kind, temporary)


def _by_mask(
    pointer: str, mask: str, lanes: int, element: int | str, kind: int, temporary: str
) -> list[str]:
    """One call for up to 64 lanes."""
    lines = [f"{temporary}.bits = bitcast {mask} to i{lanes}"]
    for part in range(0, lanes, 64):
        name = f"{temporary}.{part}"
        word = f"zext i{lanes} {name}.high to i64"
        if lanes >= 64:
            word = f"trunc i{lanes} {name}.high to i64" if lanes > 64 else f"add i64 {name}.high, 0"
        lines += [
            f"{name}.high = lshr i{lanes} {temporary}.bits, {part}",
            f"{name}.word = {word}",
            f"{name}.at = getelementptr [{part} x i8], ptr {pointer}, i64 {element}",
            f"call void @{MASKED}(ptr {name}.at, i64 {name}.word, i64 {element}, i64 {kind})",
        ]
    return lines


def _by_lane(
    pointers: str, mask: str, lanes: int, element: int | str, kind: int, temporary: str
) -> list[str]:
    lines = []
    for lane in range(lanes):
        name = f"{temporary}.{lane}"
        lines += [
            f"{name}.at = extractelement <{lanes} x ptr> {pointers}, i64 {lane}",
            f"{name}.on = extractelement {mask}, i64 {lane}",
            f"{name}.word = zext i1 {name}.on to i64",
            f"call void @{MASKED}(ptr {name}.at, i64 {name}.word, i64 {element}, i64 {kind})",
        ]
    return lines


def _type(text: str) -> str:
    """The type that an operand begins with."""
    if text[0] not in "<{[":
        return text.split(" ", 1)[0]
    return text[: next(at for at, _, depth in _depths(text) if depth == 0) + 1]


def _size(kind: str) -> int | str:
    """Bytes that a value takes in memory; of a structure, a constant for LLVM to work out."""
    if kind in _BYTES:
        return _BYTES[kind]
    if integer := re.fullmatch(r"i(\d+)", kind):
        return -(-int(integer[1]) // 8)
    if vector := re.fullmatch(r"<(\d+) x (\w+)>", kind):
        lanes, element = int(vector[1]), vector[2]
        bits = int(element[1:]) if element[0] == "i" else 8 * _BYTES[element]
        return -(-lanes * bits // 8)
    return f"ptrtoint (ptr getelementptr ({kind}, ptr null, i32 1) to i64)"


def _arguments(text: str) -> list[str]:
    """Those of a call, from behind the opening bracket on."""
    found, begin = [], 0
    for at, letter, depth in _depths(text):
        if depth == -1 or (depth == 0 and letter == ","):
            found.append(text[begin:at].strip())
            begin = at + 1
        if depth == -1:
            return [argument for argument in found if argument]
    raise ValueError(f"no end of arguments: {text}")


def _depths(text: str) -> list[tuple[int, str, int]]:
    """Place and letter outside of quotes, and how many brackets are open behind it."""
    found, depth, quoted = [], 0, False
    for at, letter in enumerate(text):
        quoted ^= letter == '"'
        if not quoted:
            depth += (letter in "<{[(") - (letter in ">}])")
            found.append((at, letter, depth))
    return found
