"""What full whitening costs beside batch normalization: a step forward and back, in milliseconds.

python examples/batch_norm_whitening_cost.py --features 16 64 256
"""

import argparse
import time

import nnet as nn


def milliseconds(layer: nn.Module, x: nn.Tensor, rounds: int) -> float:
    """The fastest of several steps."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        layer(x).sum().backward()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    print("features  batch norm ms  whitening ms  ratio")
    for features in options.features:
        x = nn.randn(options.samples, features, requires_grad=True)
        cheap = milliseconds(nn.BatchNorm1d(features), x, options.rounds)
        full = milliseconds(nn.Whitening(features), x, options.rounds)
        print(f"{features:8d}  {cheap:13.3f}  {full:12.3f}  {full / cheap:5.0f}")
