"""The example of reversing sequences, on short ones: what attention is for, and where it looks."""

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "reverse_sequences.py"


def test_i10_attention_reverses_along_the_anti_diagonal_where_the_plain_model_fails():
    example = runpy.run_path(str(EXAMPLE))
    length, budget = 8, {"steps": 400, "samples": 32, "width": 64, "rate": 1e-2}
    right, places = example["test"](example["train"]("general", length, **budget), length)
    plain, _ = example["test"](example["train"](None, length, **budget), length)
    assert right >= 0.95 and places >= 0.9
    assert plain < right - 0.2


def test_i10_a_batch_is_sequences_and_the_same_backwards():
    example = runpy.run_path(str(EXAMPLE))
    lengths = np.array([3, 1, 5])
    source, target = example["batch"](np.random.default_rng(0), lengths)
    assert source.shape == (5, 3) and target.shape == (7, 3)
    for n, length in enumerate(lengths):
        assert not source[length:, n].any() and not target[length + 2 :, n].any()
        assert (source[:length, n] >= 3).all()
        assert target[: length + 2, n].tolist() == [1, *source[:length, n][::-1], 2]
