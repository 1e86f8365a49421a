"""Changes to files: a function of the seed each, so that what was found can be found again."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from copy import deepcopy

import numpy as np

Rng = np.random.Generator
Change = Callable[[Rng, bytes], bytes]

NUMBERS = [
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
]
VALUES = [
    None, True, False, 0, 1, -1, 2, 7, 255, 65536, 10**6, 2**31 - 1, 2**31, 2**63, 10**30, 10**400,
    0.0, 0.5, -0.5, 1.5, 1e308, float("nan"), float("inf"), "", "a", "ab", "7", "\ud800", "\0",
    "../x", "/dev/zero", "gru", "dream", "x" * 1000, [], [1], [[]], ["a"], [0.5], [None] * 3,
    {}, {"a": 1}, [10**9, 1, 1], ["no", "yes", "no"],
]  # fmt: skip


def changed(rng: Rng, content: bytes) -> bytes:
    """One to three changes that know nothing of the format."""
    for _ in range(rng.integers(1, 4)):
        content = _CHANGES[rng.integers(len(_CHANGES))](rng, content)
    return content


def _place(rng: Rng, content: bytes) -> int:
    # Headers are short, and say most.
    end = len(content) + 1
    return int(rng.integers(min(end, 64) if rng.random() < 0.5 else end))


def _flip(rng: Rng, content: bytes) -> bytes:
    at = _place(rng, content)
    return content[:at] + bytes(byte ^ 1 << int(rng.integers(8)) for byte in content[at : at + 1]) \
        + content[at + 1 :]  # fmt: skip


def _truncate(rng: Rng, content: bytes) -> bytes:
    return content[: _place(rng, content)]


def _remove(rng: Rng, content: bytes) -> bytes:
    at = _place(rng, content)
    return content[:at] + content[at + int(rng.integers(1, 20)) :]


def _insert(rng: Rng, content: bytes) -> bytes:
    at = _place(rng, content)
    return content[:at] + rng.bytes(int(rng.integers(1, 20))) + content[at:]


def _repeat(rng: Rng, content: bytes) -> bytes:
    start, end = sorted((_place(rng, content), _place(rng, content)))
    return content[:end] + content[start:end] * int(rng.integers(1, 5)) + content[end:]


def _swap(rng: Rng, content: bytes) -> bytes:
    a, b, c = sorted(_place(rng, content) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def _number(rng: Rng, content: bytes) -> bytes:
    at, size = _place(rng, content), int(rng.choice([1, 2, 4, 8]))
    value = NUMBERS[rng.integers(len(NUMBERS))] % (1 << 8 * size)
    order = "big" if rng.random() < 0.5 else "little"
    return content[:at] + value.to_bytes(size, order) + content[at + size :]


def _digits(rng: Rng, content: bytes) -> bytes:
    """Another number in a text."""
    digits = [at for at, byte in enumerate(content[:400]) if 48 <= byte < 58]
    if not digits:
        return _number(rng, content)
    at = digits[rng.integers(len(digits))]
    return content[:at] + str(NUMBERS[rng.integers(len(NUMBERS))]).encode() + content[at + 1 :]


_CHANGES: list[Change] = [_flip, _truncate, _remove, _insert, _repeat, _swap, _number, _digits]


def inside_gzip(rng: Rng, content: bytes) -> bytes:
    """Whole gzip around what is changed."""
    return gzip.compress(changed(rng, gzip.decompress(content)), 1, mtime=0)


def inside_zip(rng: Rng, content: bytes) -> bytes:
    """A whole zip file of which one member, a name or the packing is changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        chosen = rng.integers(len(old.namelist()))
        for index, name in enumerate(old.namelist()):
            member = old.read(name)
            if index == chosen:
                kind = rng.random()
                member = changed(rng, member) if kind < 0.8 else member
                name = name if kind < 0.9 else name[:-1]
            packing = [0, 0, 8, 8, 12, 14][rng.integers(6)]
            new.writestr(zipfile.ZipInfo(name), member, packing)
    return target.getvalue()


def inside_png(rng: Rng, content: bytes) -> bytes:
    """Chunks of which one is changed, with checksums that fit."""
    target, at = [content[:8]], 8
    chunks = []
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    chosen = rng.integers(len(chunks))
    names = [
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"zTXt",
        b"iTXt",
        b"iCCP",
        b"acTL",
        b"fcTL",
    ]
    for index, (name, body) in enumerate(chunks):
        if index == chosen:
            if name == b"IDAT" and rng.random() < 0.5:
                body = zlib.compress(changed(rng, zlib.decompress(body)))
            else:
                body = changed(rng, body)
            name = name if rng.random() < 0.7 else names[rng.integers(len(names))]
        whole = name + body
        target += [struct.pack(">I", len(body)), whole, struct.pack(">I", zlib.crc32(whole))]
    return b"".join(target)


def inside_json(rng: Rng, content: bytes) -> bytes:
    """JSON of which one value or key is another."""
    tree = json.loads(content)
    for _ in range(rng.integers(1, 3)):
        places = list(_places(tree))
        if not places:
            break
        parent, key = places[rng.integers(len(places))]
        what = rng.random()
        if what < 0.7:
            parent[key] = deepcopy(VALUES[rng.integers(len(VALUES))])
        elif what < 0.8:
            parent[key] = [parent[key]]
        elif what < 0.9:
            del parent[key]
        elif isinstance(parent, dict):
            parent[f"{key}x"] = parent.pop(key)
    return json.dumps(tree).encode()


def _places(tree):
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def inside_safetensors(rng: Rng, content: bytes) -> bytes:
    """A description of which something is another, in a file that is whole."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    metadata = header["__metadata__"]
    change = inside_json if rng.random() < 0.8 else changed
    metadata["nnet"] = change(rng, metadata["nnet"].encode()).decode("latin-1")
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    return struct.pack("<Q", len(written)) + written + content[8 + size :]


def header_of_safetensors(rng: Rng, content: bytes) -> bytes:
    """A header of JSON of which something is another."""
    (size,) = struct.unpack("<Q", content[:8])
    written = inside_json(rng, content[8 : 8 + size])
    return struct.pack("<Q", len(written)) + written + content[8 + size :]
