"""Parts of an epoch for several workers, and batches that are transformed."""

import numpy as np
import pytest

import nnet as nn
from nnet import data
from nnet.data.batches import edges
from tests.helpers import assert_same_bits

SIZES = [
    (0, 1, 3),
    (5, 2, 2),
    (6, 3, 2),
    (9, 2, 2),
    (9, 4, 2),
    (64, 4, 3),
    (101, 7, 4),
    (403, 16, 5),
]


class Numbered:
    """Samples that are their own index, of some length."""

    def __init__(self, count):
        self.lengths = np.random.default_rng(count).integers(1, 60, count)

    def __len__(self):
        return len(self.lengths)

    def batch(self, indices, batch_first=False):
        return nn.tensor(indices), nn.tensor(self.lengths[indices])


LOADERS = {
    "DataLoader": data.DataLoader,
    "BucketLoader": data.BucketLoader,
    "BucketLoader of small pools": lambda *given, **more: data.BucketLoader(*given, pool=2, **more),
}


def epochs_of(name, count, batch_size, size, *, epochs=3, **options):
    """By epoch and rank, the samples of each batch."""
    loaders = [
        LOADERS[name](Numbered(count), batch_size, seed=1, share=(rank, size), **options)
        for rank in range(size)
    ]
    found = []
    for epoch in range(epochs):
        batches = [[indices.numpy() for indices, _ in loader] for loader in loaders]
        for loader, of_rank in zip(loaders, batches, strict=True):
            assert len(loader) == len(of_rank)
            assert_same_bits(loader.batches(epoch), of_rank)
        found.append(batches)
    return found


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("count", "batch_size", "size"), SIZES)
@pytest.mark.parametrize("name", LOADERS)
def test_each_sample_is_in_one_share_and_shares_have_as_many_batches(
    name, count, batch_size, size, shuffle
):
    for ranks in epochs_of(name, count, batch_size, size, shuffle=shuffle):
        together = np.concatenate([batch for rank in ranks for batch in rank] or [[]])
        assert sorted(together) == list(range(count))
        assert {len(rank) for rank in ranks} == {-(-count // (size * batch_size))}
        assert all(0 < len(batch) <= batch_size for rank in ranks for batch in rank)
        samples = [sum(map(len, rank)) for rank in ranks]
        assert max(samples) - min(samples) <= 1


@pytest.mark.parametrize(("count", "batch_size", "size"), [*SIZES, (5, 1, 2), (1, 1, 2), (7, 9, 3)])
@pytest.mark.parametrize("name", LOADERS)
def test_shares_without_a_rest_have_as_many_full_batches(name, count, batch_size, size):
    for ranks in epochs_of(name, count, batch_size, size, shuffle=True, drop_last=True):
        assert {len(rank) for rank in ranks} == {count // size // batch_size}
        batches = [batch for rank in ranks for batch in rank]
        assert all(len(batch) == batch_size for batch in batches)
        together = np.concatenate(batches or [[]])
        assert len(set(together)) == len(together) >= count - (size * batch_size - 1)


@pytest.mark.parametrize("name", LOADERS)
def test_shares_are_shuffled_anew_each_epoch(name):
    first, second, _ = epochs_of(name, 101, 7, 4, shuffle=True)
    for one, other in zip(first, second, strict=True):
        assert set(np.concatenate(one)) != set(np.concatenate(other))


def test_shares_are_of_the_order_that_one_worker_has():
    whole = data.DataLoader(Numbered(10), 2, True, 5)
    parts = [data.DataLoader(Numbered(10), 2, True, 5, share=(rank, 3)) for rank in range(3)]
    for epoch in range(2):
        for rank, part in enumerate(parts):
            assert_same_bits(part.order(epoch), whole.order(epoch)[rank::3])


@pytest.mark.parametrize("name", LOADERS)
def test_one_share_is_the_whole(name):
    ((alone,), *_) = epochs_of(name, 101, 7, 1, shuffle=True)
    whole = LOADERS[name](Numbered(101), 7, shuffle=True, seed=1)
    assert_same_bits([indices.numpy() for indices, _ in whole], alone)


def test_buckets_of_a_share_are_of_one_length_each():
    (ranks,) = epochs_of("BucketLoader", 403, 8, 2, shuffle=True, epochs=1)
    lengths = Numbered(403).lengths
    for rank in ranks:
        assert np.mean([np.ptp(lengths[batch]) for batch in rank]) < 5


@pytest.mark.parametrize(
    ("count", "size", "batches", "expected"),
    [(7, 3, 3, [0, 3, 6, 7]), (6, 3, 3, [0, 3, 5, 6]), (3, 9, 3, [0, 1, 2, 3]), (0, 3, 0, [0])],
)
def test_edges_leave_no_batch_empty(count, size, batches, expected):
    assert edges(count, size, batches).tolist() == expected


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    ("share", "error", "message"),
    [
        (3, TypeError, r"share as \(rank, size\), got 3"),
        ((0, 1, 2), TypeError, r"share as \(rank, size\), got \(0, 1, 2\)"),
        ((0.0, 2), TypeError, r"share as \(rank, size\), got \(0.0, 2\)"),
        ((2, 2), ValueError, r"a share with 0 <= rank < size, got \(2, 2\)"),
        ((-1, 2), ValueError, r"a share with 0 <= rank < size, got \(-1, 2\)"),
        ((0, 0), ValueError, r"a share with 0 <= rank < size, got \(0, 0\)"),
        (
            (0, 6),
            ValueError,
            "a sample for each of 1 batches in each of 6 shares, .* got 5 samples",
        ),
        (
            (1, 2),
            ValueError,
            "a sample for each of 3 batches in each of 2 shares, .* got 5 samples",
        ),
    ],
)
def test_what_is_no_share_is_refused(name, share, error, message):
    with pytest.raises(error, match=f"Loader: expected {message}"):
        LOADERS[name](Numbered(5), 1, share=share)


@pytest.mark.parametrize("name", LOADERS)
def test_a_share_that_is_shuffled_needs_a_seed(name):
    with pytest.raises(ValueError, match="Loader: expected a seed, so that all shares"):
        LOADERS[name](Numbered(5), 2, shuffle=True, share=(0, 2))


@pytest.mark.parametrize("name", LOADERS)
def test_a_transform_is_given_each_batch(name):
    given = []

    def transform(batch):
        given.append(batch)
        return {"indices": batch[0], "doubled": batch[1] * 2}

    plain = LOADERS[name](Numbered(11), 4, shuffle=True, seed=3)
    changed = list(LOADERS[name](Numbered(11), 4, shuffle=True, seed=3, transform=transform))
    assert len(given) == len(changed) == 3
    for (indices, lengths), batch, found in zip(plain, given, changed, strict=True):
        assert_same_bits([each.numpy() for each in batch], [indices.numpy(), lengths.numpy()])
        assert_same_bits(found["indices"].numpy(), indices.numpy())
        assert_same_bits(found["doubled"].numpy(), 2 * lengths.numpy())


def test_a_transform_is_given_images_as_they_are_normalized():
    images = data.ImageDataset(np.full((4, 1, 2, 2), 51, np.uint8), np.arange(4), tuple("abcd"))
    loader = data.DataLoader(
        images, 4, mean=(0.1,), std=(0.5,), transform=lambda batch: batch[0] + 1
    )
    np.testing.assert_allclose(next(iter(loader)).numpy(), 1.2, rtol=1e-6)


@pytest.mark.parametrize("name", LOADERS)
def test_what_is_no_transform_is_refused(name):
    with pytest.raises(TypeError, match="expected transform as a function, got 3"):
        LOADERS[name](Numbered(5), 2, transform=3)


@pytest.mark.parametrize("name", LOADERS)
def test_what_is_no_data_set_is_refused(name):
    with pytest.raises(TypeError, match="expected a data set, which has a length, got list_iter"):
        LOADERS[name](iter([1]))
