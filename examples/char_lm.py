"""A character language model: it reads a text and writes on in its manner.

    python examples/char_lm.py [--text FILE] [--epochs N] [--prompt TEXT]

Learns from the source of `nnet.functional` if no text is given. `nnet train char-lm` is the same
with a run folder.
"""

import argparse
from pathlib import Path

import numpy as np

import nnet as nn
import nnet.functional as F
from nnet import data, optim


class Writer(nn.Module):
    def __init__(self, symbols, hidden):
        super().__init__()
        self.embedding = nn.Embedding(symbols, 32)
        self.recurrent = nn.GRU(32, hidden)
        self.linear = nn.Linear(hidden, symbols)

    def forward(self, ids, state=None):
        outputs, state = self.recurrent(self.embedding(ids), state)
        return self.linear(outputs), state


def own_source():
    folder = Path(F.__file__).parent
    return "".join(path.read_text() for path in sorted(folder.glob("*.py")))


def run_epoch(model, streams, optimizer=None):
    """The mean loss of a character; the state is carried from batch to batch, the gradient not."""
    total, count, state = 0.0, 0, None
    for inputs, targets in streams:
        scores, state = model(inputs, state)
        state = state.detach()
        loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            nn.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        total += loss.item() * targets.numel()
        count += targets.numel()
    return total / count


def write(model, vocabulary, prompt, length, rng):
    """Draw characters one by one, each by what the model thinks of it."""
    ids, state, text = vocabulary.encode(prompt), None, prompt
    for _ in range(length):
        scores, state = model(nn.tensor(ids[:, None]), state)
        probabilities = F.softmax(scores[-1, 0], 0).numpy().astype(np.float64)
        ids = rng.choice(len(vocabulary), 1, p=probabilities / probabilities.sum())
        text += vocabulary.decode(ids)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--prompt")
    options = parser.parse_args()

    nn.manual_seed(0)
    text = data.read_text(options.text) if options.text else own_source()
    vocabulary = data.Vocabulary.from_text(text)
    train, held_back = (
        data.TextStreams(vocabulary.encode(part), batch_size=16, steps=64)
        for part in data.split_text(text, 0.1)
    )
    model = Writer(len(vocabulary), options.hidden)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    print(f"{len(text)} characters, {len(vocabulary)} different, {len(train)} steps an epoch")
    for epoch in range(1, options.epochs + 1):
        loss = run_epoch(model, train, optimizer)
        with nn.no_grad():
            print(f"epoch {epoch}: loss {loss:.3f}, held back {run_epoch(model, held_back):.3f}")
    with nn.no_grad():
        prompt = options.prompt or text[:20]
        print(write(model, vocabulary, prompt, 200, np.random.default_rng(0)))


if __name__ == "__main__":
    main()
