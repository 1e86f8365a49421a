"""Initial values: their variances, bounds and errors."""

import math

import numpy as np
import pytest

import nnet as nn
from nnet import init

WEIGHT = (300, 20, 3, 3)
FAN_IN, FAN_OUT = 180, 2700

STANDARD_DEVIATIONS = {
    "uniform": (lambda w: init.uniform_(w, -1, 2), 3 / math.sqrt(12)),
    "normal": (lambda w: init.normal_(w, 0, 0.5), 0.5),
    "xavier uniform": (init.xavier_uniform_, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "xavier normal": (
        lambda w: init.xavier_normal_(w, gain=2.0),
        2 * math.sqrt(2 / (FAN_IN + FAN_OUT)),
    ),
    "kaiming uniform": (
        lambda w: init.kaiming_uniform_(w, nonlinearity="relu"),
        math.sqrt(2 / FAN_IN),
    ),
    "kaiming normal": (
        lambda w: init.kaiming_normal_(w, a=0.5, mode="fan_out"),
        math.sqrt(2 / 1.25 / FAN_OUT),
    ),
    "kaiming sqrt 5": (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)), 1 / math.sqrt(540)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", STANDARD_DEVIATIONS)
def test_e_standard_deviations_of_initial_values(name, dtype):
    nn.manual_seed(1)
    fill, expected = STANDARD_DEVIATIONS[name]
    weight = nn.zeros(*WEIGHT, dtype=dtype)
    array = weight.data
    assert fill(weight) is weight and weight.data is array and array.dtype == dtype
    assert array.std() == pytest.approx(expected, rel=0.01)


def test_e_tanh_signal_through_ten_layers_with_small_and_xavier_weights():
    nn.manual_seed(0)
    start = nn.randn(1000, 500, dtype=np.float64)
    for scale, first, last, tolerance in ((0.01, 0.214, 3e-7, 0.5), (None, 0.628, 0.228, 0.05)):
        x = start
        deviations = []
        for _ in range(10):
            weight = nn.zeros(500, 500, dtype=np.float64)
            init.normal_(weight, 0, scale or 1 / math.sqrt(500))
            x = (x @ weight).tanh()
            deviations.append(x.data.std())
        assert deviations[0] == pytest.approx(first, rel=0.02)
        assert deviations[-1] == pytest.approx(last, rel=tolerance)


def test_constants():
    weight = nn.zeros(3)
    assert init.constant_(weight, 2.5).tolist() == [2.5] * 3
    assert init.ones_(weight).tolist() == [1] * 3 and init.zeros_(weight).tolist() == [0] * 3


def test_the_same_seed_gives_the_same_layers():
    nn.manual_seed(3)
    first, second = nn.Linear(5, 4), nn.Linear(5, 4)
    nn.manual_seed(3)
    again = nn.Linear(5, 4)
    assert (again.weight == first.weight).all() and (again.bias == first.bias).all()
    assert not (first.weight == second.weight).any()
    nn.manual_seed(4)
    assert not (nn.Linear(5, 4).weight == first.weight).any()


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2) and init.calculate_gain("linear") == 1
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 1.0) == 1


def test_errors():
    with pytest.raises(ValueError, match=r"expected a weight of at least 2 axes, got shape \(3,\)"):
        init.xavier_uniform_(nn.zeros(3))
    with pytest.raises(ValueError, match="expected mode 'fan_in' or 'fan_out', got 'both'"):
        init.kaiming_normal_(nn.zeros(3, 3), mode="both")
    with pytest.raises(ValueError, match="expected one of linear, .*, got 'rule'"):
        init.kaiming_normal_(nn.zeros(3, 3), nonlinearity="rule")
