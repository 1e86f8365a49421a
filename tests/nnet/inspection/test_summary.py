"""Parameters and multiply-accumulates of models."""

import pytest

import nnet as nn


def test_rows_totals_and_the_model_as_it_was():
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, groups=2, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Sequential(nn.Linear(4 * 36, 5), nn.Dropout()),
    )
    model[4].eval()
    model[1].requires_grad_(False)
    before = model[1].running_mean.tolist(), nn.random.get_state()
    result = nn.summary(model, (2, 2, 8, 8))
    assert [(row.name, row.kind, row.output_shape) for row in result.rows] == [
        ("0", "Conv2d", (2, 4, 6, 6)),
        ("1", "BatchNorm2d", (2, 4, 6, 6)),
        ("2", "ReLU", (2, 4, 6, 6)),
        ("3", "Flatten", (2, 144)),
        ("4.0", "Linear", (2, 5)),
        ("4.1", "Dropout", (2, 5)),
    ]
    assert [row.parameters for row in result.rows] == [36, 8, 0, 0, 725, 0]
    assert [row.macs for row in result.rows] == [2 * 144 * 9, 0, 0, 0, 2 * 5 * 144, 0]
    assert (result.parameters, result.trainable, result.macs) == (769, 761, 2592 + 1440)
    assert model.training and not model[4].training and model[2].training
    assert not any(module._forward_hooks for module in model.modules())
    assert (model[1].running_mean.tolist(), nn.random.get_state()) == before


def test_what_is_used_twice_counts_once_as_parameters_and_twice_as_work():
    layer = nn.Linear(3, 3)
    result = nn.summary(nn.Sequential(layer, nn.ReLU(), layer), (1, 3))
    assert [row.parameters for row in result.rows] == [12, 0, 0]
    assert result.parameters == 12 and result.macs == 18


def test_h_series_cost_a_kernel_for_each_output():
    result = nn.summary(nn.Conv1d(4, 6, 3, groups=2), (5, 4, 10))
    assert result.macs == 5 * 6 * 8 * (2 * 3)


def test_i1_recurrent_layers_cost_their_weights_at_every_step():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)
            self.cell = nn.GRUCell(4, 5)
            self.pair = nn.LSTMCell(5, 6)

        def forward(self, x):
            output, _ = self.lstm(x)
            return self.pair(self.cell(output[-1]))

    result = nn.summary(Model(), (7, 2, 3))
    lower, upper = (2 * (16 * (inputs + 2) + 8) for inputs in (3, 4))
    assert [(row.name, row.output_shape, row.macs) for row in result.rows] == [
        ("lstm", (7, 2, 4), 14 * (lower + upper)),
        ("cell", (2, 5), 2 * 15 * (4 + 5)),
        ("pair", (2, 6), 2 * 24 * (5 + 6)),
    ]


def test_hooks_go_and_modes_return_when_the_model_fails():
    model = nn.Sequential(nn.Linear(3, 3))
    with pytest.raises(ValueError, match="linear: expected input"):
        nn.summary(model, (1, 4))
    assert model.training and not model[0]._forward_hooks


def vgg16():
    layers, channels = [], 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(512 * 7 * 7, 4096),
        nn.ReLU(),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Linear(4096, 1000),
    )


def test_h_vgg16_parameters_and_multiply_accumulates():
    result = nn.summary(vgg16(), (1, 3, 224, 224))
    connected = [row for row in result.rows if row.kind == "Linear"]
    convolutions = sum(row.macs for row in result.rows if row.kind == "Conv2d")
    assert result.parameters == 138_357_544
    assert sum(row.parameters for row in connected) == 123_642_856
    assert round(convolutions / 1e9, 2) == 15.35
    assert round(sum(row.macs for row in connected) / 1e9, 3) == 0.124


def macs_of(model, *shape):
    return nn.summary(model, shape).macs


def test_transposed_convolutions_cost_a_kernel_for_each_input():
    assert macs_of(nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), 5, 4, 7, 6) == 5 * 4 * 42 * 27
    assert macs_of(nn.ConvTranspose1d(4, 6, 3, padding=1), 5, 4, 10) == 5 * 4 * 10 * 18


def test_maxout_costs_all_its_pieces():
    assert macs_of(nn.Maxout(3, 2, pieces=4), 5, 3) == 5 * 3 * 2 * 4
    layer = nn.MaxoutConv2d(2, 3, 3, pieces=4, padding=1)
    assert macs_of(layer, 1, 2, 5, 5) == 25 * 3 * 4 * 2 * 9


def test_attention_costs_its_projections():
    class Attends(nn.Module):
        def __init__(self, by_name, **options):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, **options)
            self.by_name = by_name

        def forward(self, x):
            key, value = nn.ones(4, 3, self.attention.kdim), nn.ones(4, 3, self.attention.vdim)
            if self.by_name:
                return self.attention(query=x, key=x, value=x)
            return self.attention(x, key, value)

    assert macs_of(Attends(True), 5, 3, 8) == 15 * 8 * 8 * 4
    assert macs_of(Attends(False), 5, 3, 8) == 15 * 8 * 8 * 2 + 2 * 12 * 8 * 8
    assert macs_of(Attends(False, kdim=6, vdim=7), 5, 3, 8) == 15 * 8 * 8 * 2 + 12 * 8 * (6 + 7)


@pytest.mark.parametrize("score", ["dot", "general", "concat"])
def test_luongs_attention_costs_its_projections(score):
    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.LuongAttention(4, 4, score, hidden_size=6)

        def forward(self, x):
            return self.attention(x, nn.ones(2, 7, 4))

    expected = {"dot": 0, "general": 2 * 3 * 16, "concat": 6 * 4 * (2 * 3 + 2 * 7)}
    assert macs_of(Attends(), 2, 3, 4) == expected[score]


def test_a_subclass_and_a_computed_weight_cost_what_their_layer_does():
    class Named(nn.Linear):
        pass

    assert macs_of(Named(3, 2), 5, 3) == 30
    assert macs_of(nn.weight_norm(nn.Conv1d(2, 3, 3)), 1, 2, 7) == 5 * 3 * 6
    plain = nn.LSTM(3, 4)
    cost = macs_of(plain, 7, 2, 3)
    assert macs_of(nn.weight_norm(plain, "weight_hh_l0"), 7, 2, 3) == cost == 14 * 16 * 7
    dropped = nn.DropConnect(nn.Linear(3, 2), 0.5)
    assert macs_of(dropped, 5, 3) == 30 == macs_of(nn.DropConnect(nn.Linear(3, 2), 0.0), 5, 3)
