"""Which samples of a data set are meant: masks and indices as in NumPy, nothing cast silently."""

import numpy as np
import pytest

import nnet as nn
from nnet import data
from nnet.data.order import shuffled
from nnet.jobs.seq2seq.pairs import Pairs, Vocabularies

COUNT = 6
LABELS = np.array([2, 0, 1, 2, 2, 0])


def images():
    pixels = np.arange(COUNT * 4).astype(np.uint8).reshape(COUNT, 1, 2, 2)
    return data.ImageDataset(pixels, LABELS, ("a", "b", "c"))


def series():
    values = np.arange(COUNT * 3.0).reshape(COUNT, 3, 1)
    return data.SeriesDataset(values, np.full(COUNT, 3), LABELS, ("a", "b", "c"))


def pairs():
    sources = [np.array([index]) for index in range(COUNT)]
    return data.PairDataset(sources, sources, padding=0)


def texts():
    listed = [(["abcdef"[index]], ["x"]) for index in range(COUNT)]
    specials = ["<pad>", "<bos>", "<eos>"]
    sides = (
        data.Vocabulary.from_tokens((p[side] for p in listed), "words", specials) for side in (0, 1)
    )
    return Pairs(listed, Vocabularies(*sides))


SETS = {
    "images": (images, lambda d: (d.images[:, 0, 0, 0] // 4).tolist()),
    "series": (series, lambda d: (d.series[:, 0, 0] // 3).astype(int).tolist()),
    "pairs": (pairs, lambda d: [int(ids[0]) for ids in d.sources]),
    "texts": (texts, lambda d: ["abcdef".index(source[0]) for source, _ in d._pairs]),
}
CHOICES = {
    "mask": (LABELS == 2, [0, 3, 4]),
    "mask as a list": ([True, False, False, False, False, True], [0, 5]),
    "mask as a tensor": (nn.tensor(LABELS) == nn.tensor(0), [1, 5]),
    "all": (np.ones(COUNT, bool), [0, 1, 2, 3, 4, 5]),
    "indices": (np.array([4, 0, 4]), [4, 0, 4]),
    "from the end": ([-1, -6], [5, 0]),
    "range": (range(1, 3), [1, 2]),
    "small unsigned": (np.array([5, 1], np.uint8), [5, 1]),
    "tensor": (nn.tensor([3]), [3]),
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", SETS)
def test_a_subset_is_what_numpy_would_choose(kind, choice):
    make, numbers = SETS[kind]
    given, expected = CHOICES[choice]
    assert numbers(make().subset(given)) == expected


@pytest.mark.parametrize("choice", CHOICES)
def test_a_batch_is_what_numpy_would_choose(choice):
    given, expected = CHOICES[choice]
    source, *_ = pairs().batch(given)
    assert source.numpy()[0].tolist() == expected
    values, *_ = series().batch(given)
    assert (values.numpy()[0, :, 0] // 3).tolist() == expected


WRONG = [
    ([0.0, 1.0], TypeError, "expected indices as integers or bool, got float64"),
    (np.array([1.5], np.float32), TypeError, "expected indices as integers or bool, got float32"),
    (["1"], TypeError, "expected indices as integers or bool"),
    ([None], TypeError, "expected indices as integers or bool"),
    ([True, False], IndexError, "expected a mask of 6 samples, got 2"),
    ([0, 6], IndexError, "expected indices from -6 to 5, got 6"),
    ([-7], IndexError, "expected indices from -6 to 5, got -7"),
    ([[0, 1]], ValueError, r"expected indices of one axis, got shape \(1, 2\)"),
    (3, ValueError, r"expected indices of one axis, got shape \(\)"),
]


@pytest.mark.parametrize(("given", "error", "message"), WRONG)
@pytest.mark.parametrize("kind", SETS)
def test_what_chooses_nothing_is_refused(kind, given, error, message):
    dataset = SETS[kind][0]()
    with pytest.raises(error, match=f"subset: {message}"):
        dataset.subset(given)
    if kind in ("series", "pairs"):
        with pytest.raises(error, match=f"batch: {message}"):
            dataset.batch(given)


@pytest.mark.parametrize("kind", ["images", "series"])
def test_an_empty_choice_is_an_empty_data_set(kind):
    for nothing in ([], np.zeros(COUNT, bool), range(0), np.empty(0, np.int32)):
        assert len(SETS[kind][0]().subset(nothing)) == 0


TEXT = np.arange(40)
SEEDED = {
    "DataLoader": lambda seed: data.DataLoader(images(), 2, True, seed),
    "BucketLoader": lambda seed: data.BucketLoader(pairs(), 2, True, seed),
    "TextWindows": lambda seed: data.TextWindows(TEXT, 2, 3, seed),
    "shuffled": lambda seed: shuffled(5, seed),
    "shuffled, by epoch": lambda seed: shuffled(5, 0, seed),
    "split": lambda seed: data.split(images(), 0.5, seed),
    "manual_seed": nn.manual_seed,
}


@pytest.mark.parametrize("name", SEEDED)
def test_seeds_are_integers_below_two_to_the_64(name):
    for seed in (1.5, 2.0, True, "1", np.float32(1)):
        with pytest.raises(TypeError, match=r"expected an integer (seed|epoch), got "):
            SEEDED[name](seed)
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match=r"expected 0 <= (seed|epoch) < 2\^64, got "):
            SEEDED[name](seed)
    for seed in (np.int64(3), np.uint8(3), 2**64 - 1):
        SEEDED[name](seed)


SIZED = {
    "DataLoader": lambda size: data.DataLoader(images(), size),
    "BucketLoader": lambda size: data.BucketLoader(pairs(), size),
    "BucketLoader's pool": lambda size: data.BucketLoader(pairs(), 2, pool=size),
    "TextStreams": lambda size: data.TextStreams(TEXT, size, 2),
    "TextStreams' steps": lambda size: data.TextStreams(TEXT, 2, size),
    "TextWindows": lambda size: data.TextWindows(TEXT, size, 2),
    "TextWindows' steps": lambda size: data.TextWindows(TEXT, 2, size),
}


@pytest.mark.parametrize("name", SIZED)
def test_sizes_are_integers_of_at_least_one(name):
    for size in (0, -1, 2.5, 2.0, True, "2", None):
        with pytest.raises(ValueError, match=f"expected .* of at least 1, got {size!r}"):
            SIZED[name](size)
    assert len(list(SIZED[name](np.int32(2)))) == len(list(SIZED[name](2)))


@pytest.mark.parametrize(
    "parts", [2, True, [2.5, 3.5], [3.0, 3.0], [0.8, 0.2], [True] * 6, "33", np.int64(2), None]
)
def test_shares_that_are_no_integers_are_refused(parts):
    with pytest.raises(TypeError, match="split: expected a fraction or the size of every part"):
        data.split(images(), parts)


@pytest.mark.parametrize(
    "parts", [0.0, 1.0, 1.5, -0.5, float("nan"), float("inf"), np.float32(0.01)]
)
def test_fractions_that_leave_a_part_empty_are_refused(parts):
    with pytest.raises(ValueError, match="split: expected a fraction of 6 samples"):
        data.split(images(), parts)


def test_shares_of_numpys_numbers():
    assert [len(part) for part in data.split(images(), np.array([2, 4]))] == [2, 4]
    assert [len(part) for part in data.split(images(), np.float32(0.5))] == [3, 3]


def test_ids_and_padding_are_integers():
    letters = data.Vocabulary.from_text("banana")
    assert letters.decode(nn.tensor([1, 0])) == letters.decode(np.array([1, 0], np.uint8)) == "ba"
    for ids in ([1.0], np.array([1.7]), [True], ["1"]):
        with pytest.raises(TypeError, match="Vocabulary: expected ids to be integers, got "):
            letters.decode(ids)
    for padding in (0.5, True, None, (0, 1.0), (0, 1, 2)):
        with pytest.raises(TypeError, match="PairDataset: expected padding as one or two ids"):
            data.PairDataset([np.array([1])], [np.array([1])], padding)
    ids = [np.array([1, 2]), np.array([3])]
    for value in (0.5, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="pad_sequence: expected a padding_value of int64"):
            nn.pad_sequence(ids, padding_value=value)
    assert nn.pad_sequence(ids, padding_value=-1.0).tolist() == [[1, 3], [2, -1]]
    with pytest.raises(TypeError, match=r"Seq2Seq: expected bos as an integer, got 1\.0"):
        nn.Seq2Seq(5, 5, 3, 4, pad=0, bos=1.0, eos=2)


def test_statistics_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="DataLoader: expected std > 0, got"):
        data.DataLoader(images(), std=(float("nan"),))
