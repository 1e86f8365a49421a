"""Reversing sequences: what attention is for, and where it looks.

A sequence of up to 20 random symbols is to be written backwards. The plain model must press it all
into the encoder's last state; with attention the decoder looks at the encoder's states again at
every step. Both have the same sizes and see the same sequences, drawn anew for every batch; they
are tested by greedy decoding on others, of one length each. Nobody shows the model where to look:
the share of its weights whose greatest lies on the anti-diagonal, where the symbol to be written
stands, is what it found out for itself. Bahdanau et al. 2015.

    python examples/reverse_sequences.py --length 20 --steps 1500
"""

import argparse

import numpy as np

import nnet as nn
from nnet import optim

PAD, BOS, EOS = SPECIALS = 0, 1, 2
SYMBOLS = 16
SIZE = len(SPECIALS) + SYMBOLS


def batch(rng: np.random.Generator, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (S, N), padded, and the same backwards between begin and end (S + 2, N)."""
    longest = lengths.max()
    source = np.full((longest, len(lengths)), PAD)
    target = np.full((longest + 2, len(lengths)), PAD)
    for n, length in enumerate(lengths):
        symbols = rng.integers(len(SPECIALS), SIZE, length)
        source[:length, n] = symbols
        target[: length + 2, n] = BOS, *symbols[::-1], EOS
    return source, target


def train(
    attention: str | None, length: int, steps: int, samples: int, width: int, rate: float
) -> nn.Seq2Seq:
    """A model after so many batches of sequences of 1 to `length` symbols."""
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    model = nn.Seq2Seq(SIZE, SIZE, width // 4, width, attention=attention)
    optimizer = optim.Adam(model.parameters(), lr=rate)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        lengths = rng.integers(1, length + 1, samples)
        source, target = batch(rng, lengths)
        optimizer.zero_grad()
        model.loss(source, target, lengths).backward()
        nn.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model


def test(model: nn.Seq2Seq, length: int, samples: int = 200) -> tuple[float, float]:
    """The share of tokens that are right, and of weights that are greatest on the anti-diagonal.

    The end counts as a token. Weights of the plain model are none, so their share is NaN.
    """
    source, target = batch(np.random.default_rng([1, length]), np.full(samples, length))
    right = places = 0
    for n, found in enumerate(model.greedy(source, max_length=length + 1)):
        written = [*found.tokens, EOS][: length + 1]
        right += sum(map(int.__eq__, written, target[1:, n].tolist()))
        if found.weights is None:
            places = float("nan")
        else:
            looked = found.weights.argmax(axis=1)[:length]
            places += int((looked == np.arange(length)[::-1][: len(looked)]).sum())
    return right / (samples * (length + 1)), places / (samples * length)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--attention", default="general")
    options = parser.parse_args()
    print("attention  length  right tokens  on the anti-diagonal")
    for attention in (None, options.attention):
        model = train(
            attention, options.length, options.steps, options.batch, options.width, options.rate
        )
        for length in (options.length // 4, options.length // 2, options.length):
            right, places = test(model, length)
            print(f"{attention!s:9s}  {length:6d}  {right:12.3f}  {places:20.3f}", flush=True)
