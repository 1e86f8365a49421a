"""A picture of attention: where a model looked for each symbol that it wrote."""

import os
import warnings
from typing import Any, NamedTuple

import numpy as np

from ...runs.files import written_beside

# Inches on a side, and symbols of which each is named: more could not be read, and takes minutes.
_LARGEST, _NAMED = 20.0, 100


class Panel(NamedTuple):
    """source and output symbols, weights (outputs, sources), each in [0, 1]."""

    source: list[str]
    output: list[str]
    weights: np.ndarray | None


def check_drawing() -> tuple[Any, Any]:
    """What draws. Raises ImportError naming the extra if matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("attention: matplotlib is missing, pip install 'nnet[plots]'") from error
    return Figure, FigureCanvasAgg


def draw_attention(panels: list[Panel], path: str | os.PathLike) -> None:
    """Draw them side by side into a PNG, darker where the weight is larger.

    Symbols are named where there are no more than 100 on a side.

    Raises ImportError naming the extra if matplotlib is not installed.
    """
    figure_of, canvas_of = check_drawing()
    panels = [panel for panel in panels if panel.weights is not None and panel.output]
    widths = [1 + 0.25 * len(panel.source) for panel in panels]
    height = 1.2 + 0.25 * max((len(panel.output) for panel in panels), default=1)
    size = (min(max(3.0, sum(widths)), _LARGEST), min(height, _LARGEST))
    figure = figure_of(figsize=size, layout="constrained")
    canvas_of(figure)
    if panels:
        ratios = {"width_ratios": widths}
        row = figure.subplots(1, len(panels), squeeze=False, gridspec_kw=ratios)[0]
        for axes, panel in zip(row, panels, strict=True):
            axes.imshow(panel.weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
            if len(panel.source) <= _NAMED:
                turned = 90 if max(map(len, panel.source)) > 1 else 0
                axes.set_xticks(range(len(panel.source)), panel.source, rotation=turned)
            if len(panel.output) <= _NAMED:
                axes.set_yticks(range(len(panel.output)), panel.output)
            axes.set(xlabel="input", ylabel="output")
    with warnings.catch_warnings():
        # A symbol that the font lacks is drawn as a box.
        warnings.simplefilter("ignore")
        with written_beside(path) as beside:
            figure.savefig(beside, format="png", dpi=120)
