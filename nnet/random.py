"""Random numbers: all that the library draws follows from two integers, (seed, stream).

Each use takes the next stream: a dropout mask hands (seed, stream) to its kernel, everything
else draws from a NumPy generator keyed by them. A forked process goes on from its parent's, and so
draws the same as its siblings until it calls `manual_seed`.
"""

import numpy as np

_seed = 0
_stream = 0


def manual_seed(seed: int) -> None:
    """Start anew: what is drawn from here on follows from the seed.

    Raises TypeError unless seed is an integer, ValueError unless 0 <= seed < 2^64.

    >>> import nnet as nn
    >>> nn.manual_seed(3)
    >>> first = nn.rand(2)
    >>> nn.manual_seed(3)
    >>> bool((nn.rand(2) == first).all())
    True
    """
    set_state((seed, 0))


def next_stream() -> tuple[int, int]:
    """(seed, stream) that nothing else will use."""
    global _stream
    _stream += 1
    return _seed, _stream - 1


def generator() -> np.random.Generator:
    """A NumPy generator on a stream of its own."""
    return np.random.Generator(np.random.Philox(key=np.array(next_stream(), np.uint64)))


def next_seed() -> int:
    """A seed for something that keeps its own random numbers."""
    return int(generator().integers(2**63))


def get_state() -> tuple[int, int]:
    """(seed, next stream): all that is needed to go on from here."""
    return _seed, _stream


def set_state(state: tuple[int, int]) -> None:
    """Go on from what `get_state` returned."""
    global _seed, _stream
    for name, value in zip(("seed", "stream"), state, strict=True):
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise TypeError(f"manual_seed: expected an integer {name}, got {value!r}")
        if not 0 <= value < 2**64:
            raise ValueError(f"manual_seed: expected 0 <= {name} < 2^64, got {value}")
    _seed, _stream = int(state[0]), int(state[1])
