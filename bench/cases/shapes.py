"""What cases of every op are written with."""

import numpy as np

Shape = tuple[int, ...]

FLOAT = 4  # bytes


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def times(*shape: int) -> str:
    return "x".join(map(str, shape))
