"""Batches: order, sizes, normalization (inventory D1, D2)."""

import numpy as np
import pytest

import nnet as nn
from nnet import data


def counting(count, channels=1):
    images = np.arange(count * channels * 6).astype(np.uint8).reshape(count, channels, 2, 3)
    return data.ImageDataset(images, np.arange(count), tuple(map(str, range(count))))


def epoch_labels(loader):
    return np.concatenate([labels.numpy() for _, labels in loader]).tolist()


def test_in_order_without_shuffle():
    loader = data.DataLoader(counting(10), batch_size=4)
    batches = list(loader)
    assert len(loader) == 3
    assert [len(labels.numpy()) for _, labels in batches] == [4, 4, 2]
    assert epoch_labels(loader) == list(range(10))


@pytest.mark.parametrize(("count", "batch", "batches"), [(10, 4, 2), (8, 4, 2), (3, 4, 0)])
def test_drop_last(count, batch, batches):
    loader = data.DataLoader(counting(count), batch, drop_last=True)
    assert len(loader) == len(list(loader)) == batches
    assert all(len(labels.numpy()) == batch for _, labels in loader)


def test_d1_scaled_to_one_by_default():
    dataset = counting(40)
    images, labels = next(iter(data.DataLoader(dataset, batch_size=40)))
    assert images.numpy().dtype == np.float32 and labels.numpy().dtype == np.int64
    np.testing.assert_allclose(images.numpy(), dataset.images / 255, atol=1e-6)


def test_d2_normalized_by_channel():
    dataset = counting(9, channels=3)
    mean, std = (0.1, 0.5, 0.9), (0.2, 0.3, 0.4)
    loader = data.DataLoader(dataset, 9, shuffle=True, seed=5, mean=mean, std=std)
    images, labels = next(iter(loader))
    channels = (3, 1, 1)
    expected = (dataset.images[labels.numpy()] / 255 - np.reshape(mean, channels)) / np.reshape(
        std, channels
    )
    np.testing.assert_allclose(images.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_shuffle_is_a_function_of_seed_and_epoch():
    def epochs(seed, count=3):
        loader = data.DataLoader(counting(200), 16, shuffle=True, seed=seed)
        return [epoch_labels(loader) for _ in range(count)]

    first = epochs(3)
    assert first == epochs(3)
    assert first != epochs(4)
    assert first[0] != first[1] != first[2] != list(range(200))
    assert all(sorted(order) == list(range(200)) for order in first)
    again = data.DataLoader(counting(200), 7, shuffle=True, seed=3)
    again.epoch = 2
    assert epoch_labels(again) == first[2]


def test_an_abandoned_epoch_does_not_change_the_next():
    loader = data.DataLoader(counting(50), 5, shuffle=True, seed=1)
    next(iter(loader))
    assert epoch_labels(loader) == loader.order(1).tolist()


def test_shuffle_is_fair():
    """The first of 10 samples is each one about as often as another: chi-square, 9 degrees."""
    loader = data.DataLoader(counting(10), 10, shuffle=True, seed=0)
    firsts = np.bincount([loader.order(epoch)[0] for epoch in range(5000)], minlength=10)
    assert ((firsts - 500) ** 2 / 500).sum() < 27.9  # exceeded once in a thousand


def test_seed_from_manual_seed():
    def order():
        nn.manual_seed(11)
        return epoch_labels(data.DataLoader(counting(100), 10, shuffle=True))

    assert order() == order()
    nn.manual_seed(12)
    assert epoch_labels(data.DataLoader(counting(100), 10, shuffle=True)) != order()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size of at least 1, got 0"),
        ({"batch_size": 2.5}, "batch_size of at least 1, got 2.5"),
        ({"mean": (0.1, 0.2)}, "mean of 1 numbers"),
        ({"std": (0.1, 0.2)}, "std of 1 numbers"),
        ({"std": (0.0,)}, "std > 0"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.DataLoader(counting(4), **arguments)


def test_arrays_of_floats_become_what_layers_have_and_keep_their_rows():
    x, y = np.arange(30.0).reshape(10, 3), np.arange(10)
    points = data.ArrayDataset(x, y)
    loader = data.DataLoader(points, 4, shuffle=True, seed=1)
    batches = list(loader)
    assert [inputs.shape for inputs, _ in batches] == [(4, 3), (4, 3), (2, 3)]
    assert {inputs.dtype for inputs, _ in batches} == {np.dtype(np.float32)}
    for inputs, targets in batches:
        np.testing.assert_array_equal(inputs.numpy(), x[targets.numpy()])
    assert sorted(epoch_labels(loader)) == list(range(10))
    assert data.ArrayDataset(x, dtype=None).batch(np.array([2]))[0].dtype == np.float64
    inputs, targets = points[3]
    assert inputs.tolist() == [9, 10, 11] and targets == 3
    assert len(points.subset(y % 2 == 1)) == 5 and points.subset([7])[0][1] == 7


def test_arrays_do_not_change_with_what_they_were_made_from_being_shuffled():
    x = np.zeros((4, 2), np.float32)
    inputs, *_ = data.ArrayDataset(x).batch(np.array([0, 1]))
    inputs += 1
    assert not x.any()


def test_pairs_one_by_one_are_stacked():
    pairs = [([float(i), -float(i)], i) for i in range(5)]
    batches = list(data.DataLoader(pairs, 2))
    assert [inputs.tolist() for inputs, _ in batches[:1]] == [[[0, 0], [1, -1]]]
    assert batches[2][1].tolist() == [4] and batches[0][1].dtype == np.int64
    (alone,) = data.DataLoader([nn.ones(3)] * 2, 2)
    assert alone.shape == (2, 3)


def test_anything_with_a_length_and_batches_is_a_data_set():
    class Squares:
        def __len__(self):
            return 5

        def batch(self, indices):
            return nn.tensor(indices**2)

    assert [batch.tolist() for batch in data.DataLoader(Squares(), 3)] == [[0, 1, 4], [9, 16]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: data.ArrayDataset(), ValueError, "at least one array"),
        (lambda: data.ArrayDataset(np.ones(3), np.ones(4)), ValueError, r"\[\(3,\), \(4,\)\]"),
        (lambda: data.ArrayDataset(np.ones(())), ValueError, r"\[\(\)\]"),
        (lambda: data.ArrayDataset(np.array(["a"])), TypeError, "float32, float64"),
        (lambda: data.DataLoader(iter([1])), TypeError, "which has a length, got list_iterator"),
        (lambda: data.DataLoader([1], mean=[0.5]), ValueError, "with an ImageDataset alone"),
    ],
)
def test_what_is_no_data_set_is_told(make, error, message):
    with pytest.raises(error, match=message):
        make()
