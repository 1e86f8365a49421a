"""Full whitening."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import linalg

import nnet as nn
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(0)


def correlated(samples, features, dtype=np.float64):
    mixing = rng.normal(size=(features, features)) + 2 * np.eye(features)
    return (rng.normal(size=(samples, features)) @ mixing + 5).astype(dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
def test_a11_whitened_data_have_unit_covariance(dtype, tolerance):
    x = correlated(200, 6, dtype)
    y = nn.Whitening(6, dtype=dtype)(nn.Tensor(x)).data
    assert y.dtype == dtype
    assert_close(y.mean(0), np.zeros(6), tolerance)
    assert_close(y.T @ y / 200, np.eye(6), tolerance)


def test_a11_the_root_is_the_symmetric_one():
    x = correlated(50, 4)
    centred = x - x.mean(0)
    root = linalg.inv(linalg.sqrtm(centred.T @ centred / 50))
    assert_close(nn.Whitening(4, dtype=np.float64)(nn.Tensor(x)), centred @ root, 1e-9)


@pytest.mark.parametrize("eps", [0.0, 0.1])
@pytest.mark.parametrize("training", [True, False])
def test_a11_gradient_through_the_covariance(eps, training):
    layer = nn.Whitening(3, eps, dtype=np.float64).train(training)
    layer.running_cov.data[...] = [[2, 0.5, 0], [0.5, 3, 1], [0, 1, 2]]
    check_gradients(layer, correlated(7, 3), tolerance=1e-6)


def test_a11_equal_eigenvalues_do_no_harm():
    x = np.concatenate([np.eye(3), -np.eye(3)])
    check_gradients(nn.Whitening(3, dtype=np.float64), x, tolerance=1e-6)


@pytest.mark.parametrize("samples", [2, 3, 4])
def test_a11_too_few_samples_are_a_singular_covariance(samples):
    layer = nn.Whitening(4)
    with pytest.raises(ValueError, match=f"singular one of {samples} samples in 4 dimensions"):
        layer(nn.Tensor(correlated(samples, 4, np.float32)))
    assert layer.running_mean.tolist() == [0, 0, 0, 0]
    y = nn.Whitening(4, eps=1e-2)(nn.Tensor(correlated(samples, 4, np.float32)))
    assert np.isfinite(y.data).all()


def test_a11_one_feature_is_batch_normalization():
    x = correlated(20, 1)
    y = nn.BatchNorm1d(1, eps=1e-12, dtype=np.float64)(nn.Tensor(x))
    assert_close(nn.Whitening(1, dtype=np.float64)(nn.Tensor(x)), y.data, 1e-9)


def test_a11_in_use_the_running_averages_count():
    layer = nn.Whitening(3, momentum=1.0, dtype=np.float64)
    x = correlated(30, 3)
    layer(nn.Tensor(x))
    assert_close(layer.running_cov, np.cov(x.T), 1e-12)
    layer.eval()
    y = layer(nn.Tensor(x)).data
    assert_close(np.cov(y.T), np.eye(3), 1e-9)
    assert_close(layer(nn.Tensor(x[:1])), y[:1], 1e-12)
    assert set(layer.state_dict()) == {"running_mean", "running_cov"}


def test_bad_input_is_named_and_nan_comes_out():
    layer = nn.Whitening(3)
    with pytest.raises(
        ValueError, match=r"Whitening: expected input of shape \(N, 3\), got \(3,\)"
    ):
        layer(nn.ones(3))
    with pytest.raises(ValueError, match="at least 2 samples, got 1"):
        layer(nn.ones(1, 3))
    with pytest.raises(TypeError, match="input of float32 or float64, got int64"):
        layer(nn.ones(4, 3).long())
    with pytest.raises(ValueError, match="expected eps >= 0, got -1"):
        nn.Whitening(3, eps=-1)
    x = correlated(9, 3, np.float32)
    x[0, 0] = np.nan
    assert np.isnan(layer(nn.Tensor(x)).data).all()


def test_a11_the_cost_beside_batch_normalization_is_shown_by_a_command():
    root = Path(__file__).parents[3]
    script = root / "examples" / "batch_norm_whitening_cost.py"
    options = ["--features", "4", "--samples", "16", "--rounds", "2"]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), *options],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[0] == "4"
