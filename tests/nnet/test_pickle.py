"""What is pickled, copied or sent to another process comes back and does the same."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import nnet as nn
from nnet import data, optim
from nnet.optim import lr_scheduler
from tests.helpers import assert_same_bits

rng = np.random.default_rng(0)


def floats(*shape):
    return nn.Tensor(rng.normal(size=shape).astype(np.float32))


ROW, SERIES, IMAGES, VOLUMES = (5, 4), (3, 4, 8), (3, 4, 8, 6), (2, 4, 3, 4, 5)
NUMBERS = floats(5, 4), floats(5, 4)
LABELS = floats(5, 4), nn.tensor([0, 1, 2, 3, 0])
SIGNS = floats(5), nn.tensor([1.0, -1.0, 1.0, -1.0, 1.0])
SHARES = floats(5).sigmoid().detach(), nn.tensor([0.0, 1.0, 1.0, 0.0, 1.0])
QUERY = floats(6, 3, 4)

# How each is made, and what it is given: a shape of floats, or arguments.
MODULES = {
    "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(3), SERIES),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), IMAGES),
    "AdaptiveMaxPool1d": (lambda: nn.AdaptiveMaxPool1d(3), SERIES),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(2), IMAGES),
    "AlphaDropout": (lambda: nn.AlphaDropout(0.3), ROW),
    "AvgPool1d": (lambda: nn.AvgPool1d(2), SERIES),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), IMAGES),
    "BCELoss": (nn.BCELoss, SHARES),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, SHARES),
    "BahdanauAttention": (lambda: nn.BahdanauAttention(4, 4, 3), (floats(2, 4), floats(2, 7, 4))),
    "BatchInstanceNorm1d": (lambda: nn.BatchInstanceNorm1d(4), SERIES),
    "BatchInstanceNorm2d": (lambda: nn.BatchInstanceNorm2d(4), IMAGES),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4, momentum=None), ROW),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), IMAGES),
    "BatchNorm3d": (lambda: nn.BatchNorm3d(4, affine=False), VOLUMES),
    "BatchRenorm1d": (lambda: nn.BatchRenorm1d(4), ROW),
    "BatchRenorm2d": (lambda: nn.BatchRenorm2d(4), IMAGES),
    "CELU": (nn.CELU, ROW),
    "Conv1d": (lambda: nn.Conv1d(4, 3, 3, padding=1, padding_mode="circular"), SERIES),
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3, groups=2, bias=False), IMAGES),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(4, 3, 3), SERIES),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 3, 2, stride=2), IMAGES),
    "CrossEntropyLoss": (lambda: nn.CrossEntropyLoss(nn.ones(4), ignore_index=2), LABELS),
    "DropConnect": (lambda: nn.DropConnect(nn.Linear(4, 3), 0.5, nn.ReLU(), samples=3), ROW),
    "Dropout": (nn.Dropout, ROW),
    "Dropout1d": (nn.Dropout1d, SERIES),
    "Dropout2d": (nn.Dropout2d, IMAGES),
    "Dropout3d": (nn.Dropout3d, VOLUMES),
    "ELU": (nn.ELU, ROW),
    "Embedding": (lambda: nn.Embedding(9, 3, padding_idx=1), (nn.tensor([1, 2, 8]),)),
    "FeatureAlphaDropout": (nn.FeatureAlphaDropout, IMAGES),
    "Flatten": (lambda: nn.Flatten(1, 2), IMAGES),
    "GELU": (lambda: nn.GELU("tanh"), ROW),
    "GRU": (lambda: nn.GRU(4, 3, num_layers=2, dropout=0.5), (QUERY,)),
    "GRUCell": (lambda: nn.GRUCell(4, 3), ROW),
    "GaussianDropout": (nn.GaussianDropout, ROW),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), IMAGES),
    "Hardtanh": (nn.Hardtanh, ROW),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, SIGNS),
    "HuberLoss": (nn.HuberLoss, NUMBERS),
    "Identity": (nn.Identity, ROW),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(4, track_running_stats=True), SERIES),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4, affine=True), IMAGES),
    "InstanceNorm3d": (lambda: nn.InstanceNorm3d(4), VOLUMES),
    "KLDivLoss": (nn.KLDivLoss, SHARES),
    "L1Loss": (nn.L1Loss, NUMBERS),
    "LSTM": (lambda: nn.LSTM(4, 3, bidirectional=True), (QUERY,)),
    "LSTMCell": (lambda: nn.LSTMCell(4, 3), ROW),
    "LayerNorm": (lambda: nn.LayerNorm(4), ROW),
    "LeakyReLU": (nn.LeakyReLU, ROW),
    "Linear": (lambda: nn.Linear(4, 3), ROW),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(3), IMAGES),
    "LogSigmoid": (nn.LogSigmoid, ROW),
    "LogSoftmax": (lambda: nn.LogSoftmax(1), ROW),
    "LuongAttention": (lambda: nn.LuongAttention(4, 4), (floats(2, 4), floats(2, 7, 4))),
    "MSELoss": (nn.MSELoss, NUMBERS),
    "MaxPool1d": (lambda: nn.MaxPool1d(2), SERIES),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), IMAGES),
    "Maxout": (lambda: nn.Maxout(4, 3, pieces=3), ROW),
    "MaxoutConv2d": (lambda: nn.MaxoutConv2d(4, 3, 3), IMAGES),
    "MeanOnlyBatchNorm": (lambda: nn.MeanOnlyBatchNorm(4), ROW),
    "MultiMarginLoss": (nn.MultiMarginLoss, LABELS),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2, dropout=0.3), (QUERY,) * 3),
    "NLLLoss": (nn.NLLLoss, LABELS),
    "PReLU": (lambda: nn.PReLU(4), ROW),
    "PeepholeLSTM": (lambda: nn.PeepholeLSTM(4, 3), (QUERY,)),
    "RMSNorm": (lambda: nn.RMSNorm(4), ROW),
    "RNN": (lambda: nn.RNN(4, 3, nonlinearity="relu"), (QUERY,)),
    "RNNCell": (lambda: nn.RNNCell(4, 3), ROW),
    "ReLU": (nn.ReLU, ROW),
    "ReLU6": (nn.ReLU6, ROW),
    "SELU": (nn.SELU, ROW),
    "Seq2Seq": (
        lambda: nn.Seq2Seq(7, 7, 4, 4, attention="general", dropout=0.2),
        (nn.tensor([[3, 4], [5, 6]]), nn.tensor([[1, 1], [4, 5], [2, 2]])),
    ),
    "Sequential": (lambda: nn.Sequential({"map": nn.Linear(4, 3), "act": nn.ReLU()}), ROW),
    "SiLU": (nn.SiLU, ROW),
    "Sigmoid": (nn.Sigmoid, ROW),
    "SmoothL1Loss": (nn.SmoothL1Loss, NUMBERS),
    "Softmax": (lambda: nn.Softmax(0), ROW),
    "Softmin": (lambda: nn.Softmin(1), ROW),
    "Softplus": (nn.Softplus, ROW),
    "SwitchableNorm1d": (lambda: nn.SwitchableNorm1d(4), SERIES),
    "SwitchableNorm2d": (lambda: nn.SwitchableNorm2d(4), IMAGES),
    "Tanh": (nn.Tanh, ROW),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2),
        (QUERY,),
    ),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 8, activation="gelu"),
        (QUERY,),
    ),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 2)), ROW),
    "Whitening": (lambda: nn.Whitening(4), (12, 4)),
}


def hook(module, arguments, output):
    return output * 2


def with_hook():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    model[0].register_forward_hook(hook)
    return model


def shared():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.Tanh(), layer)


class Affine(nn.Module):
    """A model of one's own, with what modules may have."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.scale = nn.Parameter([2.0])
        self.register_buffer("shift", nn.ones(4))
        self.register_buffer("passing", nn.zeros(4), persistent=False)
        self.nothing = None

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale + self.shift + self.passing


MODELS = {
    **MODULES,
    "hooks": (with_hook, ROW),
    "a layer used twice": (shared, ROW),
    "one's own": (Affine, ROW),
    "weight norm": (lambda: nn.weight_norm(nn.Linear(4, 3)), ROW),
    "weight norm of one length": (lambda: nn.weight_norm(nn.Conv1d(4, 3, 2), dim=None), SERIES),
    "weight norm of two weights": (
        lambda: nn.weight_norm(nn.weight_norm(nn.LSTM(4, 3), "weight_hh_l0"), "weight_ih_l0"),
        (QUERY,),
    ),
    "spectral norm": (lambda: nn.spectral_norm(nn.Linear(4, 3)), ROW),
    "spectral norm, transposed": (lambda: nn.spectral_norm(nn.ConvTranspose1d(4, 3, 2)), SERIES),
    "spectral norm of a direction": (
        lambda: nn.spectral_norm(nn.weight_norm(nn.Linear(4, 3)), "weight_v"),
        ROW,
    ),
    "within a model": (
        lambda: nn.Sequential(nn.weight_norm(nn.Linear(4, 4)), nn.spectral_norm(nn.Linear(4, 3))),
        ROW,
    ),
    "residual network": (lambda: nn.models.ResNet(4, 1, 2, 3), (2, 4, 8, 8)),
    "language model": (lambda: nn.models.LanguageModel(9, 4, 3), (nn.tensor([[1], [2]]),)),
    "classifier of series": (
        lambda: nn.models.SeriesClassifier(4, 3, 2),
        (QUERY, nn.tensor([6, 2, 1])),
    ),
}
WAYS = {
    **{f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in (2, 5)},
    "deepcopy": copy.deepcopy,
}


def arrays(values):
    if isinstance(values, nn.Tensor):
        return [values.data]
    if isinstance(values, tuple | list):
        return [each for value in values for each in arrays(value)]
    return []


def run(model, given):
    """Outputs, gradients and state of a step in training and in use."""
    nn.manual_seed(3)
    arguments = given
    if given and not isinstance(given[0], nn.Tensor):
        arguments = (nn.Tensor(np.random.default_rng(1).normal(size=given).astype(np.float32)),)
    found = []
    for training in (True, False):
        model.train(training)
        outputs = arrays(model(*arguments))
        found += outputs
    model.train()
    output = model(*arguments)
    while isinstance(output, tuple | list):
        output = output[0]
    if output.requires_grad:
        (output * output).sum().backward()
    found += [p.grad.data for p in model.parameters() if p.grad is not None]
    return found + [value.data for value in model.state_dict().values()]


def test_every_public_module_is_here():
    public = {
        name
        for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }
    assert public - {"Module", "ModuleList"} == set(MODULES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_a_module_comes_back_and_does_the_same(name, way):
    make, given = MODELS[name]
    nn.manual_seed(0)
    model = make()
    model.eval()
    twin = WAYS[way](model)
    assert repr(twin) == repr(model) and type(twin).__name__ == type(model).__name__
    assert all(a is not b for a, b in zip(twin.parameters(), model.parameters(), strict=True))
    assert list(twin.state_dict()) == list(model.state_dict())
    assert [m.training for m in twin.modules()] == [m.training for m in model.modules()]
    again = WAYS[way](twin)
    expected = run(model, given)
    assert_same_bits(run(twin, given), expected)
    assert_same_bits(run(again, given), expected)


def test_what_is_shared_comes_back_shared():
    twin = pickle.loads(pickle.dumps(shared()))
    assert twin[0] is twin[2] and len(list(twin.parameters())) == 2
    tied = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    tied[1].weight = tied[0].weight
    twin = pickle.loads(pickle.dumps(tied))
    assert twin[1].weight is twin[0].weight


def test_a_normalization_is_taken_back_after_the_journey():
    for way in WAYS.values():
        layer = way(nn.weight_norm(nn.Linear(4, 3)))
        x = floats(*ROW)
        expected = layer(x).data
        assert type(nn.remove_weight_norm(layer)) is nn.Linear
        assert_same_bits(layer(x).data, expected)
        layer = way(nn.spectral_norm(nn.Linear(4, 3)).eval())
        expected = layer(x).data
        assert type(nn.remove_spectral_norm(layer)) is nn.Linear
        assert_same_bits(layer(x).data, expected)


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "plain SGD": lambda p: optim.SGD(p, lr=0.1),
    "Adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1),
    "AdamW, groups": lambda p: optim.AdamW([{"params": [next(p)], "lr": 0.2}, {"params": list(p)}]),
}
SCHEDULES = {
    "step": lambda o: lr_scheduler.StepLR(o, 2, 0.5),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
    "cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.3, 30, cycle_momentum=False),
}


def steps(model, optimizer, schedule, count):
    x = nn.Tensor(np.random.default_rng(2).normal(size=ROW).astype(np.float32))
    for step in range(count):
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        if step == 1:
            model[2].weight.grad = None
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_training_comes_back_and_goes_on(name, schedule, after, way):
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = OPTIMIZERS[name](iter(list(model.parameters())))
    training = model, optimizer, SCHEDULES[schedule](optimizer)
    steps(*training, after)
    twin = WAYS[way](training)
    assert twin[2].optimizer is twin[1]
    assert twin[1].param_groups[0]["params"][0] is twin[0][0].weight
    steps(*training, 4)
    steps(*twin, 4)
    assert_same_bits([p.data for p in twin[0].parameters()], [p.data for p in model.parameters()])
    assert twin[2].get_last_lr() == training[2].get_last_lr()
    home = twin[0][0].weight._home
    assert home is not None and twin[0][0].weight.data is home.data, "one kernel call a step again"


PIXELS = rng.integers(0, 255, (9, 1, 3, 3), np.uint8)
IMAGE_SET = data.ImageDataset(PIXELS, np.arange(9) % 2, ("a", "b"))
SERIES_SET = data.SeriesDataset(
    rng.normal(size=(5, 4, 2)), np.array([4, 2, 3, 1, 4]), np.array([0, 1, 0, 1, 1]), ("a", "b")
)
PAIR_SET = data.PairDataset([np.arange(1, 3 + i) for i in range(5)], [np.arange(2)] * 5, 0)
LOADERS = {
    "images": data.DataLoader(IMAGE_SET, 4, shuffle=True, mean=(0.5,), std=(0.2,)),
    "series": data.BucketLoader(SERIES_SET, 2, shuffle=True, batch_first=True),
    "pairs": data.BucketLoader(PAIR_SET, 2, seed=4, shuffle=True),
    "streams": data.TextStreams(np.arange(20), 2, 3),
    "windows": data.TextWindows(np.arange(60), 2, 3),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LOADERS)
def test_data_comes_back_the_same(name, way):
    loader = LOADERS[name]
    twin = WAYS[way](loader)
    assert twin.epoch == loader.epoch
    for _ in range(2):
        for one, other in zip(loader, twin, strict=True):
            assert_same_bits(arrays(other), arrays(one))


@pytest.mark.parametrize("way", WAYS)
def test_symbols_statistics_and_random_states_come_back(way):
    letters = data.Vocabulary.from_text("banana", specials=["<pad>"])
    assert WAYS[way](letters) == letters
    numbers = data.channel_statistics(IMAGE_SET)
    assert WAYS[way](numbers) == numbers
    state = WAYS[way](nn.random.get_state())
    first = nn.rand(3).tolist()
    nn.random.set_state(state)
    assert nn.rand(3).tolist() == first
    limit = optim.MaxNorm([nn.Parameter(np.full((2, 2), 9.0))], c=1.0)
    WAYS[way](limit)()


def in_another_process(model, x):
    return model(x).data


def test_a_model_is_sent_to_a_spawned_process():
    model = nn.Sequential(nn.weight_norm(nn.Linear(4, 4)), nn.spectral_norm(nn.Linear(4, 3))).eval()
    x = floats(*ROW)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(in_another_process, (model, x))
    assert_same_bits(found, model(x).data)
