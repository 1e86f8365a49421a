"""Loss and accuracy of a training as a picture."""

import os

import numpy as np

from ..training.history import History
from .files import written_beside


def draw_curves(history: History, path: str | os.PathLike) -> None:
    """Draw loss and accuracy against steps into a PNG.

    Raises ImportError naming the extra if matplotlib is not installed.

    >>> import nnet as nn, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "curves.png"
    >>> nn.training.draw_curves(nn.training.History(2, step_loss=[0.9, 0.4, 0.2]), path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("curves: matplotlib is missing, pip install 'nnet[plots]'") from error

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracies = figure.subplots(1, 2)

    steps = np.arange(1, len(history.step_loss) + 1)
    losses.plot(steps, history.step_loss, color="0.8", linewidth=0.7, label="each batch")
    # The last epoch may have ended early.
    ends = np.minimum(history.steps_an_epoch * np.arange(1, len(history.epochs) + 1), len(steps))
    for axes, measure in ((losses, "loss"), (accuracies, "accuracy")):
        for part in ("train", "validation"):
            values = [getattr(epoch, f"{part}_{measure}") for epoch in history.epochs]
            if values and None not in values:
                axes.plot(ends, values, marker="o", label=part)
        axes.set(xlabel="step", ylabel=measure)
        axes.grid(color="0.92")
        if axes.lines:
            axes.legend(frameon=False)
    if history.step_loss and min(history.step_loss) > 0:
        losses.set_yscale("log")
    with written_beside(path) as beside:
        figure.savefig(beside, format="png", dpi=120)
