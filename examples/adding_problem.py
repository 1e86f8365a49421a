"""The adding problem: what lies far apart in a sequence must be remembered to be added.

Each step brings a number from 0 to 1 and a mark; two of the steps are marked, one in each half.
After the last step the sum of the two marked numbers is asked for. Who always says 1 has a mean
squared error of 0.167. Plain, LSTM and GRU layers get the same steps of the same optimizer; the
LSTM starts with gates that keep what they have for 1 to `length` steps (Tallec & Ollivier 2018).
Hochreiter & Schmidhuber 1997, section 5.4.

python examples/adding_problem.py --length 100 --steps 1200
"""

import argparse

import numpy as np

import nnet as nn
import nnet.functional as F
from nnet import optim

CELLS = nn.RNN, nn.LSTM, nn.GRU


class Adder(nn.Module):
    """The last state of a recurrent layer, and a linear map of it."""

    def __init__(self, cell: type[nn.Module], width: int) -> None:
        super().__init__()
        self.recurrent = cell(2, width)
        self.linear = nn.Linear(width, 1)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        output, _ = self.recurrent(x)
        return self.linear(output[-1]).squeeze(1)


def remember(layer: nn.LSTM, rng: np.random.Generator, length: int) -> None:
    """Open forget gates and shut input gates, so that units keep their cell for 1 to length steps.

    A cell that loses f at each step is lost after 1 / (1 - f) of them, so the bias is the log of
    that number of steps.
    """
    width = layer.hidden_size
    biases = np.log(rng.uniform(1, length - 1, width))
    layer.bias_ih_l0.data[: 2 * width] = 0
    layer.bias_hh_l0.data[: 2 * width] = np.concatenate([-biases, biases])


def batch(rng: np.random.Generator, length: int, samples: int) -> tuple[nn.Tensor, nn.Tensor]:
    """Sequences (length, samples, 2), and the sums (samples,)."""
    x = np.zeros((length, samples, 2), np.float32)
    x[..., 0] = rng.random((length, samples))
    every, half = np.arange(samples), length // 2
    for marked in (rng.integers(0, half, samples), rng.integers(half, length, samples)):
        x[marked, every, 1] = 1
    return nn.Tensor(x), nn.Tensor(x.prod(2).sum(0))


def train(cell: type[nn.Module], length: int, steps: int, width: int, samples: int) -> float:
    """The mean squared error on new sequences after so many steps."""
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    model = Adder(cell, width)
    if cell is nn.LSTM:
        remember(model.recurrent, rng, length)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        x, sums = batch(rng, length, samples)
        optimizer.zero_grad()
        F.mse_loss(model(x), sums).backward()
        nn.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with nn.no_grad():
        x, sums = batch(np.random.default_rng(1), length, 1000)
        return F.mse_loss(model(x), sums).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    print("layer  mean squared error (0.167 for always saying 1)")
    for cell in CELLS:
        error = train(cell, options.length, options.steps, options.width, options.batch)
        print(f"{cell.__name__:5s}  {error:.4f}", flush=True)
