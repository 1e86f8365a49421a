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
