"""What a trained model from one sequence to another writes, and where it looked."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...data import Vocabulary, pad_sequence, read_text
from ...data.text.tokens import tokens_of
from ...models.seq2seq import Decoded
from ...models.seq2seq.attention_decoder import AttentionDecoder
from ...runs.run_folder import Run
from ..job import check_finite
from .attention_picture import Panel, check_drawing, draw_attention
from .description import PairDescription
from .pairs import Vocabularies

BEAM = 5

# More would be too small to be looked at.
_PANELS = 6

Draw = Callable[[list[Panel]], None]


def texts_of(inputs: Sequence[str], vocabulary: Vocabulary) -> list[Sequence[str]]:
    """The symbols of each text; an input that is the name of a file stands for its lines.

    Of a line with a tab the first part counts. Raises ValueError for an empty text, and naming all
    symbols that the model has not seen.
    """
    found = []
    for text in inputs:
        if text and _is_file(text):
            lines = [line for line in read_text(text).split("\n") if line.strip()]
            found += [line.split("\t")[0] for line in lines]
        else:
            found.append(text)
    tokens = [tokens_of(text.strip(), vocabulary.unit) for text in found]
    if not tokens or not all(tokens):
        raise ValueError("input: expected a text, got an empty one")
    unseen = sorted({token for each in tokens for token in each if token not in vocabulary})
    if unseen and vocabulary.unk is None:
        raise ValueError(
            f"input: expected {vocabulary.unit} that the model was trained on, "
            f"got {', '.join(map(repr, unseen))}"
        )
    return tokens


def picture_of(run: Run[PairDescription], path: str | None) -> Draw | None:
    """What draws a picture to that path, None for a model without attention.

    Without matplotlib, or room in the run's folder, a picture that was not asked for is left out,
    and a line says so. Raises ValueError for a picture of a model without attention, ImportError
    for one without matplotlib, FileNotFoundError for one in no folder.
    """
    if not isinstance(run.model.decoder, AttentionDecoder):
        if path is not None:
            raise ValueError("the model has no attention to be drawn")
        return None
    if path is not None:
        check_drawing()
        if not Path(path).parent.is_dir():
            raise FileNotFoundError(f"{path}: expected a folder for the picture, found none")
        return lambda panels: draw_attention(panels, path)
    file = run.folder / "attention.png"

    def draw(panels: list[Panel]) -> None:
        try:
            draw_attention(panels, file)
        except (ImportError, OSError) as error:
            print(f"no {file.name}: {error}", file=sys.stderr)

    return draw


def decoded(
    run: Run[PairDescription],
    vocabularies: Vocabularies,
    texts: Sequence[Sequence[str]],
    draw: Draw | None,
) -> Iterator[str]:
    """The output of each text, and at the end the picture of the first few.

    Raises NotFinite for a model that finds no output likely, nor unlikely.
    """
    source, target = vocabularies
    panels: list[Panel] = []
    for tokens in texts:
        ids = source.encode(tokens)
        (best,) = run.model.beam(
            pad_sequence([ids]), [len(ids)], BEAM, max_length=2 * run.description.longest + 1
        )
        check_finite("the score of an output", best.score)
        panels.append(_panel(tokens, target, best))
        yield target.decode(best.tokens)
    if draw is not None:
        draw(panels[:_PANELS])


def _panel(tokens: Sequence[str], target: Vocabulary, best: Decoded) -> Panel:
    return Panel(list(tokens), target.tokens(best.tokens), best.weights)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # as a long text is no name of a file
        return False
