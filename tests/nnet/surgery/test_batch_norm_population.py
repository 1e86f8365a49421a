"""Population statistics, the paper's second half of training."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close, assert_same_bits


def batches_of(*shape, count=7):
    rng = np.random.default_rng(0)
    return [rng.normal(3, 2, shape).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize(
    ("kind", "shape"), [(nn.BatchNorm1d, (5, 3)), (nn.BatchNorm2d, (4, 3, 6, 2))]
)
def test_a3_e1_population_statistics_are_means_over_batches(kind, shape):
    batches = batches_of(*shape)
    layer = kind(3)
    layer.weight.data[...] = 7
    assert nn.population_statistics(layer, map(nn.Tensor, batches)) is layer
    flat = [np.moveaxis(b, 1, -1).reshape(-1, 3).astype(np.float64) for b in batches]
    assert_close(layer.running_mean, np.mean([b.mean(0) for b in flat], 0), 1e-6)
    assert_close(layer.running_var, np.mean([b.var(0, ddof=1) for b in flat], 0), 1e-6)
    assert layer.weight.tolist() == [7, 7, 7] and layer.momentum == 0.1
    assert layer.num_batches_tracked.item() == len(batches)


def test_a3_a_later_layer_sees_what_training_gives_and_no_dropout():
    nn.manual_seed(0)
    first, second = nn.BatchNorm1d(3), nn.BatchNorm1d(4)
    model = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.9), nn.Linear(3, 4), second)
    model.eval()
    first.train()
    modes = [module.training for module in model.modules()]
    batches = [nn.Tensor(batch) for batch in batches_of(16, 3)]
    nn.population_statistics(model, [(batch, None) for batch in batches])
    assert [module.training for module in model.modules()] == modes
    plain = nn.BatchNorm1d(3)
    inputs = [model[3](plain(batch).relu()).data for batch in batches]
    assert_close(second.running_mean, np.mean([x.mean(0) for x in inputs], 0), 1e-6)
    assert_close(second.running_var, np.mean([x.var(0, ddof=1) for x in inputs], 0), 1e-6)


def test_a3_population_limit_and_a_data_loader():
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), np.uint8)
    dataset = nn.data.ImageDataset(images, np.zeros(20, np.int64), ("any",))
    layer = nn.BatchNorm2d(3)
    nn.population_statistics(layer, nn.data.DataLoader(dataset, batch_size=5), limit=2)
    assert_close(layer.running_mean, images[:10].mean((0, 2, 3)) / 255, 1e-6)


def test_a_failure_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)).eval()
    batches = [nn.Tensor(batch) for batch in batches_of(5, 3)]
    before = [value.data.copy() for value in model.state_dict().values()]
    for given in ([], [*batches, nn.ones(5, 4)], [batches[0], nn.ones(1, 3)]):
        with pytest.raises(ValueError, match="expected"):
            nn.population_statistics(model, given)
        assert_same_bits([value.data for value in model.state_dict().values()], before)
        assert model[0].momentum == 0.1 and not model[0].training
        assert not model[0]._forward_hooks


def test_a_model_without_running_statistics_is_named():
    with pytest.raises(ValueError, match="a batch normalization with running statistics, got Lin"):
        nn.population_statistics(nn.Linear(3, 2), [nn.ones(2, 3)])
    with pytest.raises(ValueError, match="running statistics"):
        nn.population_statistics(nn.BatchNorm1d(3, track_running_stats=False), [nn.ones(2, 3)])


def test_averages_that_are_tracked_no_more_are_left_alone():
    kept, moved = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    kept.track_running_stats = False
    nn.population_statistics(nn.Sequential(moved, kept), [nn.tensor([[0.0], [4.0]])])
    assert moved.running_mean.item() == 2 and kept.running_mean.item() == 0
    with pytest.raises(ValueError, match="expected a batch normalization with running statistics"):
        nn.population_statistics(kept, [nn.tensor([[0.0], [4.0]])])
