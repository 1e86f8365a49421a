"""From one sequence to another, with attention: numbers into words, or any file of pairs.

    python examples/seq2seq.py [FILE.tsv] [--epochs N]

A file holds a pair a line, with a tab between; without one, numbers below 1000 are to be spelled.
`nnet train seq2seq FILE.tsv` is the same with a run folder and pictures of the attention.
"""

import argparse

import nnet as nn
from nnet import data, optim
from nnet.data.order import shuffled

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def spelled(number):
    """342 -> three hundred forty two"""
    if number < 20:
        return [SMALL[number]]
    if number < 100:
        return [TENS[number // 10 - 2], *(spelled(number % 10) if number % 10 else [])]
    return [SMALL[number // 100], "hundred", *(spelled(number % 100) if number % 100 else [])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?")
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()

    nn.manual_seed(0)
    if options.file:
        pairs, unit = data.read_pairs(options.file, "characters"), "characters"
    else:
        pairs, unit = [(list(str(n)), spelled(n)) for n in range(1000)], "words"
    pairs = [pairs[index] for index in shuffled(len(pairs), seed=0)]
    source = data.Vocabulary.from_tokens((s for s, _ in pairs), "characters", ["<pad>"])
    target = data.Vocabulary.from_tokens((t for _, t in pairs), unit, ["<pad>", "<bos>", "<eos>"])
    dataset = data.PairDataset.from_tokens(pairs, source, target)
    cut = len(pairs) // 10
    batches = data.BucketLoader(dataset.subset(range(cut, len(pairs))), 32, shuffle=True, seed=0)

    model = nn.Seq2Seq(len(source), len(target), 32, 64, attention="general")
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    longest = 2 * max(len(t) for _, t in pairs)
    for epoch in range(1, options.epochs + 1):
        for inputs, lengths, targets, _ in batches:
            optimizer.zero_grad()
            loss = model.loss(inputs, targets, lengths)
            loss.backward()
            nn.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        print(f"epoch {epoch}: loss {loss.item():.3f}")

    inputs, lengths, *_ = dataset.batch(range(cut))
    outputs = model.greedy(inputs, lengths, max_length=longest)
    written = [target.decode(output.tokens) for output in outputs]
    wanted = [target.decode(target.encode(tokens)) for _, tokens in pairs[:cut]]
    right = sum(a == b for a, b in zip(written, wanted, strict=True))
    print(f"held back: {right} of {cut} outputs are right from beginning to end")
    for (tokens, _), output in list(zip(pairs, written, strict=False))[:5]:
        print(f"  {''.join(tokens)} -> {output}")


if __name__ == "__main__":
    main()
