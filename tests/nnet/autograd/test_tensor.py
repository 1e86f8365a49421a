"""Tensors: dtypes, conversions, indexing, writing in place, errors."""

import copy
import pickle

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close, read_only

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float32),
        ([1.0, 2], np.float32),
        (3, np.int64),
        ([[True], [False]], np.bool_),
        (np.float64(2), np.float64),
        (np.zeros(2, np.float64), np.float64),
        (np.zeros(2, np.uint8), np.uint8),
    ],
)
def test_dtype_of_what_is_given(data, dtype):
    assert nn.Tensor(data).dtype == dtype == nn.tensor(data).dtype


@pytest.mark.parametrize("data", [1j, np.zeros(2, np.float16), ["a"], [object()]])
def test_other_dtypes_are_refused(data):
    with pytest.raises(TypeError, match="expected float32, float64, an integer type or bool, got"):
        nn.Tensor(data)


def test_integers_take_no_gradient():
    with pytest.raises(TypeError, match="requires_grad: expected dtype float32 or float64"):
        nn.Tensor([1, 2], requires_grad=True)


def test_an_array_is_shared_by_tensor_and_copied_by_the_function():
    array = np.zeros(2, np.float32)
    assert nn.Tensor(array).data is array and nn.from_numpy(array).numpy() is array
    assert not np.shares_memory(nn.tensor(array).data, array)
    assert nn.tensor([1, 2], dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x + 1.5,
        lambda x: 1.5 - x,
        lambda x: x * np.float64(2),
        lambda x: x / np.float64(2),
        lambda x: 2 / x,
        lambda x: x**0.5,
        lambda x: x * nn.Tensor(np.float64(2)),
        lambda x: x + nn.tensor([1, 2]),
        lambda x: nn.tensor([1, 2]) * x,
        lambda x: x.mean(),
        lambda x: x.sum(0),
        lambda x: x.var(),
        lambda x: x.clamp(0.5, 1.5),
        lambda x: x.maximum(1.0),
        lambda x: x @ x,
        lambda x: nn.where(x > 1, x, x * 2),
        lambda x: x - np.float64(1),
        lambda x: np.float64(1) - x,
        lambda x: np.arange(2) + x,
    ],
)
def test_float32_stays_float32(operation):
    assert operation(nn.tensor([1.0, 2.0])).dtype == np.float32


def test_dtypes_meet_as_in_pytorch():
    whole, single = nn.tensor([1, 2]), nn.tensor([1.0, 2.0])
    double = nn.Tensor(np.array([1.0, 2.0]))
    assert (whole * 2.5).dtype == np.float32 and (whole * 2.5).tolist() == [2.5, 5.0]
    assert (5.5 - whole).tolist() == [4.5, 3.5]
    assert (whole / 2).dtype == np.float32 and (whole / whole).dtype == np.float32
    assert (whole + 1).dtype == np.int64
    assert (single + double).dtype == np.float64
    assert (whole + double).dtype == np.float64
    assert (whole == single).dtype == np.bool_
    assert whole.exp().dtype == np.float32
    assert (whole > 1).sum().dtype == np.int64


def test_comparisons_are_bool_and_none_is_not_equal():
    x = nn.tensor([1.0, 2.0, 3.0])
    assert (x > 1.5).tolist() == [False, True, True]
    assert (x <= nn.tensor([0.0, 2.0, 4.0])).tolist() == [False, True, True]
    assert (x.eq(2) | x.ne(2)).all()
    assert (~(x < 2) & (x >= 2)).tolist() == [False, True, True]
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    with pytest.raises(TypeError):
        _ = x < "a"


def test_membership_asks_the_elements():
    matrix = nn.tensor([[1, 2], [3, 4]])
    assert 2 in matrix and 9 not in matrix and 2.5 not in matrix and 2.0 in matrix
    assert nn.tensor(3) in matrix and nn.tensor([1, 7]) in matrix
    assert 2 in nn.tensor(2.0) and True in nn.tensor([False, True])
    assert float("nan") not in nn.tensor([float("nan")]) and 1 not in nn.zeros(0)
    with pytest.raises(TypeError, match="a number, got str"):
        assert "a" in matrix


def test_unknown_operands_are_named():
    x = nn.tensor([1.0])
    with pytest.raises(TypeError, match="a tensor, an array or a number, got str"):
        _ = x + "a"
    with pytest.raises(TypeError, match="got NoneType"):
        _ = None * x


def test_operands_that_do_not_fit():
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        _ = nn.zeros(2) + nn.zeros(3)
    with pytest.raises(ValueError, match=r"matmul: expected .* got shapes \(2, 3\) and \(2, 3\)"):
        _ = nn.zeros(2, 3) @ nn.zeros(2, 3)
    with pytest.raises(ValueError, match="matmul: expected"):
        _ = nn.zeros(2, 3) @ nn.tensor(2.0)


def test_a_numpy_function_does_not_lose_the_gradient_silently():
    x = nn.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError):
        np.exp(x)
    assert (np.ones(1, np.float32) + x).requires_grad
    assert np.asarray(x).tolist() == [1.0]


def test_shape_questions():
    x = nn.zeros(2, 3, 4)
    assert x.shape == x.size() == (2, 3, 4) and x.size(1) == 3
    assert x.ndim == x.dim() == 3 and x.numel() == 24 and len(x) == 2
    assert x.device == "cpu" and x.is_leaf and nn.zeros((2, 3)).shape == (2, 3)
    with pytest.raises(TypeError, match="len: expected at least one dimension"):
        len(nn.tensor(1.0))


def test_numbers_from_tensors_of_one_element():
    x = nn.tensor([[2.5]])
    assert x.item() == float(x) == 2.5 and int(x) == 2 and bool(x)
    assert f"{nn.tensor(2.5):.2f}" == "2.50"
    assert [10, 20, 30][nn.tensor(1)] == 20
    with pytest.raises(ValueError, match=r"item: expected a tensor of one element, got shape \(2,"):
        nn.zeros(2).item()
    with pytest.raises(ValueError, match="one element"):
        bool(nn.zeros(2))
    with pytest.raises(TypeError, match="index: expected an integer tensor, got float32"):
        _ = [10][nn.tensor(0.0)]


def test_repr_says_dtype_and_requires_grad():
    assert repr(nn.tensor([1.0])) == "tensor([1.])"
    assert repr(nn.Tensor(np.ones(1))) == "tensor([1.], dtype=float64)"
    assert repr(nn.tensor([1.0], requires_grad=True) * 2) == "tensor([2.], requires_grad=True)"
    assert repr(nn.tensor([[1, 2], [3, 4]])) == "tensor([[1, 2],\n        [3, 4]])"


def test_reductions_of_integers_and_bools():
    x = nn.Tensor(np.array([[200, 100], [3, 4]], np.uint8))
    assert x.sum().item() == 307 and x.max().item() == 200
    assert x.argmax(1).tolist() == [0, 1] and x.argmin().item() == 2
    assert x.argmax(1, keepdim=True).shape == (2, 1)
    values, indices = x.max(0)
    assert values.tolist() == [200, 100] and indices.tolist() == [0, 0]
    with pytest.raises(TypeError, match="mean: expected dtype float32 or float64, got uint8"):
        x.mean()


def test_long_sums_are_accurate():
    x = np.full((1 << 20, 2), 0.1, np.float32)
    assert_close(nn.Tensor(x).sum(0), x.astype(np.float64).sum(0), 1e-7)
    assert_close(nn.Tensor(x).mean(0), x.astype(np.float64).mean(0), 1e-7)


def test_axes_that_are_not_there():
    x = nn.zeros(2, 3)
    for operation in (
        lambda: x.sum(2),
        lambda: x.max(2),
        lambda: x.squeeze(2),
        lambda: x.unsqueeze(4),
        lambda: x.flatten(0, 5),
        lambda: x.transpose(0, 2),
        lambda: x.permute(0, 2),
        lambda: nn.cat([x, x], 2),
    ):
        with pytest.raises((IndexError, ValueError), match=r"expected|out of bounds"):
            operation()


def test_shaping_errors():
    x = nn.zeros(2, 3)
    with pytest.raises(ValueError, match="flatten: expected start_dim <= end_dim, got 1 and 0"):
        x.flatten(1, 0)
    with pytest.raises(ValueError, match="cannot reshape array of size 6"):
        x.reshape(4)
    with pytest.raises(ValueError, match=r"t: expected at most 2 axes, got shape \(1, 2, 3\)"):
        x.unsqueeze(0).t()
    with pytest.raises(TypeError, match="cat: expected one tensor or more in a sequence, got"):
        nn.cat([])
    with pytest.raises(TypeError, match=r"stack: expected one tensor or more .* got .*ndarray"):
        nn.stack([x, x.data])
    with pytest.raises(ValueError, match=r"split: expected sizes that add up to 3, got \[1, 1\]"):
        x.split([1, 1], dim=1)
    with pytest.raises(ValueError, match="clamp: expected min or max, got neither"):
        x.clamp()
    with pytest.raises(IndexError):
        x[5]


def test_squeeze_leaves_longer_axes():
    x = nn.zeros(1, 2, 1)
    assert x.squeeze().shape == (2,) and x.squeeze(1).shape == (1, 2, 1)
    assert x.squeeze(-1).shape == (1, 2) and nn.tensor(1.0).flatten().shape == (1,)


def test_to_takes_a_dtype_or_the_cpu():
    x = nn.tensor([1.7, -1.2], requires_grad=True)
    assert x.to("cpu") is x and x.cpu() is x and x.to(np.float32) is x
    assert x.to("cpu", nn.float64).dtype == np.float64
    assert x.to(device=nn.device("cpu"), dtype=nn.float64).dtype == np.float64
    assert x.long().tolist() == [1, -1] and not x.long().requires_grad
    assert x.bool().dtype == np.bool_ and nn.tensor([1]).float().dtype == np.float32
    with pytest.raises(ValueError, match="expected the device 'cpu', got 'cuda'"):
        x.to("cuda")
    with pytest.raises(ValueError, match="expected the device 'cpu', got 'mps'"):
        nn.device("mps")
    with pytest.raises(TypeError, match=r"expected float32, float64, .* got float16"):
        x.to(np.float16)


def test_in_place_without_recording():
    w = nn.tensor([1.0, 2.0], requires_grad=True)
    array = w.data
    with nn.no_grad():
        w -= 0.5 * nn.tensor([1.0, 1.0])
        w *= 2
        w.add_(nn.tensor([1.0, 1.0]), alpha=3)
        w.sub_(1).div_(2).mul_(4)
        w[0] = 7
    assert w.data is array and w.tolist() == [7, 10] and w.requires_grad
    x = nn.zeros(3)
    same = x
    x += 1
    x /= 2
    assert same is x and x.tolist() == [0.5] * 3
    assert x.fill_(3).zero_().copy_(nn.tensor([1.0, 5.0, 9.0])).clamp_(2, 6).tolist() == [2, 5, 6]


def test_in_place_on_the_tape_is_refused_or_recorded():
    w = nn.tensor([1.0], requires_grad=True)
    for operation in (
        lambda: w.__iadd__(1),
        lambda: w.add_(1),
        lambda: w.fill_(1),
        lambda: w.clamp_(0, 1),
        lambda: w.__setitem__(0, 1),
    ):
        with pytest.raises(RuntimeError, match="expected a computed tensor or no_grad"):
            operation()
    assert w.item() == 1
    for operation in (
        lambda x: x.add_(w),
        lambda x: x.copy_(w),
        lambda x: x.__setitem__(0, w),
    ):
        x, w.grad = nn.zeros(1), None
        operation(x)
        x.backward()
        assert x.item() == 1 and w.grad.item() == 1
    w.grad = None
    total = nn.zeros(1)
    total += w * 2
    total *= 3
    total.backward()
    assert w.grad.item() == 6


def test_indices_may_be_tensors_anywhere():
    x = nn.arange(12).reshape(3, 4)
    assert x[nn.tensor([2, 0]), 1:3].tolist() == [[9, 10], [1, 2]]
    assert x[x > 9].tolist() == [10, 11]
    y = nn.zeros(3)
    y[nn.tensor([0, 2])] = nn.tensor([5.0, 6.0])
    assert y.tolist() == [5, 0, 6]


def test_copies_share_nothing():
    w = nn.tensor([1.0], requires_grad=True)
    (w * 2).backward()
    for twin in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert twin.tolist() == [1] and twin.grad.tolist() == [2] and twin.requires_grad
        assert not np.shares_memory(twin.data, w.data)
    with pytest.raises(RuntimeError, match="copy: expected a leaf tensor"):
        copy.deepcopy(w * 2)
    assert not np.shares_memory(w.clone().data, w.data) and w.clone().requires_grad
    assert w.detach().data is w.data and not w.detach().requires_grad


def test_read_only_and_non_contiguous_arrays_are_fine():
    x = nn.Tensor(read_only(rng.normal(size=(4, 6))), requires_grad=True)
    (x.T[::2] @ x).relu().sum().backward()
    assert x.grad.shape == (4, 6)


def test_what_is_not_finite_raises_no_warning():
    x = nn.tensor([0.0, -1.0, 1e38])
    assert np.isnan((x / 0).tolist()[0]) and x.log().isnan().tolist() == [False, True, False]
    assert not (x * 1e38 * 10).isfinite().all() and not (x.exp() + 1).isfinite().all()
    assert (x - x / 0).isnan().tolist() == [True, False, False]


def test_creation():
    nn.manual_seed(0)
    assert nn.arange(3).dtype == np.int64 and nn.arange(0, 1, 0.5).tolist() == [0, 0.5]
    assert nn.full((2,), 7).tolist() == [7, 7] and nn.ones_like(nn.zeros(2, 1)).shape == (2, 1)
    assert nn.zeros_like(nn.tensor([1])).dtype == np.int64 and nn.empty(3).shape == (3,)
    uniform, normal = nn.rand(10_000), nn.randn(10_000, dtype=np.float64)
    assert uniform.dtype == np.float32 and 0 <= uniform.min() and uniform.max() < 1
    assert abs(uniform.mean().item() - 0.5) < 0.02 and abs(normal.std().item() - 1) < 0.04
    assert nn.rand(2, requires_grad=True).requires_grad


def test_functions_of_the_package_are_the_methods():
    x = nn.tensor([[1.0, 3.0], [2.0, 0.5]], requires_grad=True)
    values, indices = nn.max(x, 1)
    assert values.tolist() == [3, 2] and indices.tolist() == [1, 0]
    assert nn.flatten(x).shape == (4,) and nn.flatten(x, 1).shape == (2, 2)
    assert nn.sum(nn.exp(nn.log(x))).item() == pytest.approx(6.5)
    assert nn.matmul(x, x).requires_grad and nn.argmax(x).item() == 1
