"""What must be an integer is no float and no bool: TypeError, before anything is computed."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F

IMAGES, SCORES, TABLE = nn.ones(2, 4, 6, 6), nn.ones(2, 4), nn.ones(3, 4)
LABELS = nn.tensor([0, 1])
STEPS = nn.ones(3, 2, 4)

OPTIONS = {
    "padding_idx": lambda n: F.embedding(LABELS, TABLE, n),
    "padding_idx of a layer": lambda n: nn.Embedding(3, 4, padding_idx=n),
    "num_classes": lambda n: F.one_hot(nn.tensor([0]), n),
    "ignore_index": lambda n: F.cross_entropy(SCORES, LABELS, ignore_index=n),
    "ignore_index of nll": lambda n: F.nll_loss(SCORES, LABELS, ignore_index=n),
    "num_groups": lambda n: F.group_norm(IMAGES, n),
    "size": lambda n: F.local_response_norm(IMAGES, n),
    "pieces": lambda n: F.maxout(SCORES, n),
    "dim": lambda n: F.softmax(SCORES, n),
    "dim of maxout": lambda n: F.maxout(SCORES, 2, n),
    "stride": lambda n: F.conv2d(IMAGES, nn.ones(4, 4, 3, 3), stride=n),
    "stride of one axis": lambda n: F.conv2d(IMAGES, nn.ones(4, 4, 3, 3), stride=(1, n)),
    "kernel_size": lambda n: F.max_pool2d(IMAGES, n),
    "output_size": lambda n: F.adaptive_avg_pool2d(IMAGES, n),
    "pad": lambda n: F.pad(SCORES, (n, 1)),
    "flatten": lambda n: IMAGES.flatten(n),
    "unsqueeze": lambda n: SCORES.unsqueeze(n),
    "transpose": lambda n: SCORES.transpose(n, 0),
    "permute": lambda n: SCORES.permute(n, 0),
    "split": lambda n: SCORES.split(n),
    "split into": lambda n: SCORES.split([n, 1]),
    "sum": lambda n: SCORES.sum(n),
    "mean": lambda n: SCORES.mean([0, n]),
    "max": lambda n: SCORES.max(n),
    "argmax": lambda n: SCORES.argmax(n),
    "cat": lambda n: nn.cat([SCORES, SCORES], n),
    "stack": lambda n: nn.stack([SCORES, SCORES], n),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("number", [1.0, True, np.float32(1), 0.5, "1"], ids=repr)
def test_options_that_are_no_integers_are_refused(name, number):
    with pytest.raises(TypeError, match=r"integer|index"):
        OPTIONS[name](number)


@pytest.mark.parametrize("name", OPTIONS)
def test_integers_of_numpy_and_of_tensors_are_taken(name):
    for number in (np.int64(1), np.uint8(1), nn.tensor(1)):
        OPTIONS[name](number)


LABELLED = {
    "cross_entropy": lambda t: F.cross_entropy(SCORES, t),
    "nll_loss": lambda t: F.nll_loss(SCORES, t),
    "multi_margin_loss": lambda t: F.multi_margin_loss(SCORES, t),
    "one_hot": lambda t: F.one_hot(t, 3),
    "embedding": lambda t: F.embedding(t, TABLE),
    "lengths": lambda t: F.gru(STEPS, nn.ones(2, 2), nn.ones(6, 4), nn.ones(6, 2), lengths=t),
}


@pytest.mark.parametrize("name", LABELLED)
def test_labels_and_ids_are_integers(name):
    for wrong in (nn.tensor([True, True]), nn.tensor([1.0, 1.0])):
        with pytest.raises((TypeError, ValueError), match="integer|int64|expected probabilities"):
            LABELLED[name](wrong)
    LABELLED[name](nn.tensor([1, 1]))


def test_the_number_of_classes_is_at_least_1_or_told_by_the_labels():
    assert F.one_hot(nn.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    for count in (0, -2):
        with pytest.raises(ValueError, match="one_hot: expected num_classes of at least 1, got"):
            F.one_hot(nn.tensor([0]), count)
    with pytest.raises(ValueError, match="one_hot: expected num_classes of at least 1, got -1"):
        F.one_hot(nn.tensor(np.zeros(0, np.int64)))
    assert F.one_hot(nn.tensor(np.zeros(0, np.int64)), 3).shape == (0, 3)
