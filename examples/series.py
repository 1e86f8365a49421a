"""Series of different lengths, told apart by recurrent layers that read them in both directions.

    python examples/series.py [FILE.npz] [--epochs N]

Makes up slow and fast waves if no file is given; see `nnet.data.series_npz` for what a file holds.
`nnet train series FILE.npz` is the same with a run folder.
"""

import argparse

import numpy as np

import nnet as nn
import nnet.functional as F
from nnet import data, models, optim


def waves(count, seed):
    """Waves of one of three speeds on two channels, 8 to 24 steps long, in noise."""
    rng = np.random.default_rng(seed)
    labels, lengths = rng.integers(0, 3, count), rng.integers(8, 25, count)
    turns = np.arange(24)[:, None] * (0.4 + 0.3 * labels[:, None, None])
    series = np.sin(turns + rng.uniform(0, 6, (count, 1, 2))) + rng.normal(0, 0.2, (count, 24, 2))
    return data.SeriesDataset(series, lengths, labels, ("slow", "medium", "fast"))


def accuracy(model, batches):
    right = total = 0
    model.eval()
    with nn.no_grad():
        for series, lengths, labels in batches:
            right += int((model(series, lengths).argmax(1) == labels).sum().item())
            total += len(labels)
    model.train()
    return right / total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?")
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()

    nn.manual_seed(0)
    if options.file:
        train, test = data.series_npz(options.file)
    else:
        train, test = waves(200, seed=0), waves(100, seed=1)
    statistics = data.series_statistics(train)
    batches = data.BucketLoader(train.standardized(statistics), 16, shuffle=True, seed=0)
    check = data.BucketLoader(test.standardized(statistics), 100)

    model = models.SeriesClassifier(train.series.shape[2], len(train.classes), hidden=32)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(1, options.epochs + 1):
        for series, lengths, labels in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(series, lengths), labels)
            loss.backward()
            optimizer.step()
        print(
            f"epoch {epoch}: loss {loss.item():.3f}, accuracy {100 * accuracy(model, check):.1f} %"
        )


if __name__ == "__main__":
    main()
