"""Text that goes on from a prompt, a character at a time."""

from collections.abc import Iterator

import numpy as np

from ...autograd.recording import no_grad
from ...autograd.tensor import Tensor
from ...data.order import stream
from ...module.modes import evaluating
from ...module.module import Module
from ...runs.run_folder import Run
from ..job import check_finite
from .description import TextDescription
from .text import ids_of, vocabulary_of


def generate(
    run: Run, prompt: str, length: int = 500, temperature: float = 1.0, seed: int = 0
) -> Iterator[str]:
    """Characters that go on from the prompt, drawn by what the model thinks of them.

    length       how many
    temperature  scores are divided by it: below 1 the likely becomes likelier, 0 is the likeliest
    seed         of the draws; one seed, one text

    Raises ValueError, before the first character, for a run of another kind, an empty prompt and a
    prompt with characters that the model has not seen; NotFinite where a score is no number.
    """
    if not isinstance(run.description, TextDescription):
        raise ValueError(f"{run.folder}: expected the run of a language model, see predict")
    if not prompt:
        raise ValueError("prompt: expected at least one character, got an empty text")
    vocabulary = vocabulary_of(run.description)
    ids = ids_of(prompt, vocabulary, "prompt")
    drawn = np.random.Generator(stream(seed, 0)).random(length)
    return (vocabulary.symbols[each] for each in _continued(run.model, ids, drawn, temperature))


def _continued(
    model: Module, ids: np.ndarray, drawn: np.ndarray, temperature: float
) -> Iterator[int]:
    state = None
    with evaluating(model), no_grad():
        for uniform in drawn:
            scores, state = model(Tensor(ids[:, None]), state)
            chosen = _chosen(scores.numpy()[-1, 0].astype(np.float64), uniform, temperature)
            yield chosen
            ids = np.array([chosen], np.int64)


def _chosen(scores: np.ndarray, uniform: float, temperature: float) -> int:
    check_finite("scores of characters", scores)
    if temperature == 0:
        return int(scores.argmax())
    with np.errstate(over="ignore"):
        weights = np.exp((scores - scores.max()) / temperature)
    bounds = np.cumsum(weights)
    return min(int(np.searchsorted(bounds, uniform * bounds[-1], "right")), len(scores) - 1)
