import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import attention
from kernels.attention.checks import four_axes
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import scratch_of

DTYPES = [(np.float32, 2e-6), (np.float64, 1e-14)]

# (N, H, L, S, E, Ev): odd, prime, of size one; heads in parallel; a few heads, divided.
SHAPES = [
    (1, 1, 1, 1, 1, 1),
    (2, 3, 7, 11, 5, 3),
    (1, 2, 70, 13, 33, 16),
    (3, 5, 67, 300, 17, 40),
    (1, 1, 530, 270, 32, 9),
]
MASKS = {
    "plain": (),
    "causal": ("causal",),
    "lengths": ("lengths",),
    "mask": ("mask",),
    "all": ("causal", "lengths", "mask"),
}


def inputs(shape, dtype=np.float32, options=(), seed=0):
    """query, key, value, dy, and the options by name."""
    n, h, rows, keys, depth, width = shape
    rng = np.random.default_rng(seed)
    arrays = [
        rng.normal(size=(n, h, *each)).astype(dtype)
        for each in ((rows, depth), (keys, depth), (keys, width), (rows, width))
    ]
    named = {"causal": "causal" in options}
    if "lengths" in options:
        named["key_lengths"] = rng.integers(0, keys + 1, n)
    if "mask" in options:
        mask = rng.normal(size=(h, rows, keys)).astype(dtype)
        mask[rng.random(mask.shape) < 0.3] = -np.inf
        mask[:, rows // 2] = -np.inf
        named["mask"] = mask
    return arrays, named


def run(arrays, named):
    y, saved = attention.forward(*arrays[:3], **named)
    return y, *attention.backward(arrays[3], saved)


def expected(arrays, named):
    """The reference in float64: y, dq, dk, dv."""
    wide = [array.astype(np.float64) for array in arrays]
    if named.get("mask") is not None and named["mask"].dtype != bool:
        named = {**named, "mask": named["mask"].astype(np.float64)}
    _, saved = attention.forward(*wide[:3], **named)
    return through(attention.reference, four_axes(wide[3]), saved)


def through(module, dy, saved):
    """One implementation, into poisoned outputs."""
    query = saved.query
    named = saved._asdict()
    shared = {
        name: named[name]
        for name in ("query", "key", "value", "mask", "key_lengths", "causal", "scale")
    }
    work = {name: scratch_of(module, name, shared) for name in ("forward", "backward")}
    y, lse = nan_poisoned(saved.y.shape, query.dtype), nan_poisoned(saved.lse.shape, query.dtype)
    module.forward(**shared, **work["forward"], out_y=y, out_lse=lse)
    names = "query", "key", "value"
    gradients = [nan_poisoned(named[name].shape, query.dtype) for name in names]
    outputs = dict(zip(("out_dq", "out_dk", "out_dv"), gradients, strict=True))
    module.backward(dy=dy, **shared, y=y, lse=lse, **work["backward"], **outputs)
    return y, *gradients


@pytest.mark.parametrize("options", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("implementation", attention.IMPLEMENTATIONS)
def test_i9_attention_writes_the_reference(implementation, dtype, tolerance, shape, options):
    arrays, named = inputs(shape, dtype, options)
    before = [array.copy() for array in arrays]
    _, saved = attention.forward(*arrays[:3], **named)
    found = through(attention.IMPLEMENTATIONS[implementation], four_axes(arrays[3]), saved)
    for one, other in zip(found, expected(arrays, named), strict=True):
        assert_close(one, other, tolerance)
    assert_same_bits(arrays, before)


@pytest.mark.parametrize("options", MASKS.values(), ids=MASKS)
def test_i9_attention_reference_backward_against_central_differences(options):
    arrays, named = inputs((2, 2, 4, 5, 3, 2), np.float64, options)
    dy = arrays[3]
    gradients = expected(arrays, named)[1:]
    for i in range(3):

        def loss(point, i=i):
            moved = [point if j == i else arrays[j] for j in range(4)]
            return np.sum(expected(moved, named)[0] * dy)

        assert_close(gradients[i], central_differences(loss, arrays[i]), 1e-8)


@given(
    leading=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    rows=st.integers(0, 40),
    keys=st.integers(0, 40),
    depth=st.integers(1, 20),
    width=st.integers(0, 20),
    causal=st.booleans(),
)
def test_any_shape(leading, rows, keys, depth, width, causal):
    rng = np.random.default_rng(0)
    query, key, value, dy = (
        rng.normal(size=(*leading, *each)).astype(np.float32)
        for each in ((rows, depth), (keys, depth), (keys, width), (rows, width))
    )
    found = run((query, key, value, dy), {"causal": causal})
    for one, like in zip(found, (dy, query, key, value), strict=True):
        assert one.shape == like.shape
    if 0 not in leading:
        right = expected((query, key, value, dy), {"causal": causal})
        for one, other in zip(found, right, strict=True):
            assert_close(four_axes(one), other, 2e-6)


def test_i9_rows_of_weights_sum_to_one_and_padding_gets_none():
    """With values of 1, and 1000 where a key takes no part, y is the sum of the weights."""
    (query, key, _, _), _ = inputs((3, 2, 21, 40, 8, 1))
    lengths = np.array([40, 17, 1])
    value = np.ones((3, 2, 40, 4), np.float32)
    value[np.arange(40) >= lengths[:, None, None, None].repeat(2, 1)[..., 0]] = 1000
    y, _ = attention.forward(query, key, value, key_lengths=lengths)
    np.testing.assert_allclose(y, 1, rtol=1e-6)
    mask = (np.arange(40) < lengths[:, None])[:, None, None]
    y, _ = attention.forward(query, key, value, mask=mask)
    np.testing.assert_allclose(y, 1, rtol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_i9_a_sample_does_not_depend_on_its_padding(causal):
    """Neither on how long it is, nor on what stands in it: the same bits."""
    (query, key, value, dy), _ = inputs((9, 1, 70, 300, 16, 24))
    lengths = np.array([1, 37, 64, 65, 70, 128, 256, 257, 280])
    y, saved = attention.forward(query, key, value, key_lengths=lengths, causal=causal)
    dq, dk, dv = attention.backward(dy, saved)
    for n, length in enumerate(lengths):
        assert not dk[n, :, length:].any() and not dv[n, :, length:].any()
        for longer in (0, 20):
            one = slice(n, n + 1)
            own = query[one].repeat(8, 0), *(a[one, :, : length + longer] for a in (key, value))
            own = own[0], *(a.repeat(8, 0).copy() for a in own[1:])
            for padded in own[1:]:
                padded[:, :, length:] = np.nan
            alone = {"key_lengths": np.full(8, length), "causal": causal}
            found = run((*own, dy[one].repeat(8, 0)), alone)
            wanted = y[n], dq[n], dk[n, :, :length], dv[n, :, :length]
            for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
                assert_same_bits(a[3, :, :length] if i > 1 else a[3], b)


def test_i9_padded_queries_change_no_bit():
    (query, key, value, dy), _ = inputs((8, 1, 100, 50, 16, 8))
    dy[:, :, 61:] = 0
    short = query[:, :, :61], key, value, dy[:, :, :61]
    for one, other in zip(run((query, key, value, dy), {}), run(short, {}), strict=True):
        assert_same_bits(one[:, :, :61], other[:, :, :61])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_i9_a_row_that_sees_nothing_gives_zeros_and_no_gradient(dtype):
    arrays, _ = inputs((2, 1, 9, 6, 4, 3), dtype)
    mask = np.ones((9, 6), bool)
    mask[4] = False
    y, dq, dk, dv = run(arrays, {"mask": mask, "key_lengths": np.array([6, 0])})
    assert not y[:, :, 4].any() and not dq[:, :, 4].any() and not y[1].any() and not dk[1].any()
    arrays[3][:, :, 4] = 1e30
    others = run(arrays, {"mask": mask, "key_lengths": np.array([6, 0])})
    assert_same_bits((y, dq, dk, dv), others)


def test_boolean_and_additive_masks_agree_and_broadcast():
    arrays, _ = inputs((2, 3, 10, 12, 8, 8))
    rng = np.random.default_rng(5)
    for shape in ((10, 12), (2, 1, 1, 12), (3, 10, 12), (1, 3, 1, 12), (10, 1), (2, 3, 10, 12)):
        mask = rng.random(shape) < 0.7
        numbers = np.where(mask, np.float32(0), np.float32(-np.inf))
        whole = np.broadcast_to(mask, (2, 3, 10, 12))
        found = run(arrays, {"mask": mask})
        assert_same_bits(found, run(arrays, {"mask": numbers}))
        assert_same_bits(found, run(arrays, {"mask": whole}))


def test_scores_of_any_size_and_scale():
    (query, key, value, dy), _ = inputs((1, 8, 40, 600, 8, 8))
    query *= 300
    key[:, :, 300:] *= 3  # later blocks have the greater scores
    for scale in (None, 0.0, -0.5, 2.0):
        arrays, named = (query, key, value, dy), {"scale": scale}
        found, right = run(arrays, named), expected(arrays, named)
        assert_close(found[0], right[0], 2e-4)
        assert all(np.isfinite(each).all() for each in found)


def test_nan_comes_through():
    (query, key, value, dy), _ = inputs((1, 2, 5, 6, 4, 3))
    query[0, 0, 2, 1] = np.nan
    y, dq, dk, _ = run((query, key, value, dy), {})
    assert np.isnan(y[0, 0, 2]).all() and np.isnan(dq[0, 0, 2]).all() and np.isnan(dk[0, 0]).all()
    assert np.isfinite(y[0, 1]).all() and np.isfinite(y[0, 0, [0, 1, 3, 4]]).all()


@pytest.mark.parametrize("shape", [(4, 4, 70, 80, 16, 16), (1, 1, 600, 530, 16, 16)], ids=str)
def test_same_bits_on_1_2_and_3_threads(shape):
    arrays, named = inputs(shape, options=("causal", "lengths", "mask"))
    assert_same_bits_on_threads(lambda: run(arrays, named))


def test_heads_divided_or_whole_give_the_same_bits():
    """One head is shared out by blocks of queries and keys, eight heads are not."""
    arrays, _ = inputs((1, 1, 600, 530, 16, 16))
    alone = run(arrays, {"causal": True})
    together = run([np.repeat(array, 8, axis=1) for array in arrays], {"causal": True})
    for one, other in zip(alone, together, strict=True):
        assert_same_bits(one[0, 0], other[0, 5])


def test_views_are_read_and_written_in_place():
    """As the packed projections of multi-head attention lie: (L, N, 3, H, d)."""
    rng = np.random.default_rng(0)
    packed = rng.normal(size=(10, 2, 3, 4, 8)).astype(np.float32)
    query, key, value = (packed[:, :, i].transpose(1, 2, 0, 3) for i in range(3))
    plain = [np.ascontiguousarray(each) for each in (query, key, value)]
    y, saved = attention.forward(*plain)
    gradients = attention.backward(y, saved)
    into = nan_poisoned((10, 2, 4, 8), np.float32)
    view = into.transpose(1, 2, 0, 3)
    other, saved = attention.forward(query, key, value, out=view)
    assert np.shares_memory(saved.query, packed) and np.shares_memory(other, into)
    dpacked = nan_poisoned(packed.shape, np.float32)
    views = tuple(dpacked[:, :, i].transpose(1, 2, 0, 3) for i in range(3))
    attention.backward(view, saved, out=views)
    assert_same_bits([view.copy(), *(each.copy() for each in views)], [y, *gradients])


def test_non_contiguous_and_read_only_inputs():
    arrays, named = inputs((2, 2, 5, 6, 4, 3), options=("mask",))
    wanted = run(arrays, named)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        found = run([changed(each) for each in arrays], {"mask": changed(named["mask"])})
        assert_same_bits(found, wanted)


def test_long_sequences_take_linear_memory():
    """10,000 by 10,000 weights would take 400 MB; a block of queries sees them all."""
    import tracemalloc

    rng = np.random.default_rng(0)
    key, value = (rng.normal(size=(1, 10_000, 8)).astype(np.float32) for _ in range(2))
    tracemalloc.start()
    y, saved = attention.forward(key, key, value, causal=True)
    gradients = attention.backward(y, saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    assert np.isfinite(y).all() and all(np.isfinite(each).all() for each in gradients)
    rows = slice(9_000, 9_010)
    scores = key[0, rows].astype(np.float64) @ key[0].T.astype(np.float64) / np.sqrt(8)
    scores[np.arange(10_000) > np.arange(9_000, 9_010)[:, None]] = -np.inf
    weights = np.exp(scores - scores.max(1, keepdims=True))
    assert_close(y[0, rows], weights / weights.sum(1, keepdims=True) @ value[0], 2e-6)


def test_wrong_dtypes_and_shapes_are_named():
    x = np.zeros((2, 3, 4), np.float32)
    wide = x.astype(np.float64)
    with pytest.raises(TypeError, match=r"attention: expected query of float32 or float64, got in"):
        attention.forward(x.astype(int), x, x)
    with pytest.raises(TypeError, match=r"expected value of float32 like the rest, got float64"):
        attention.forward(x, x, wide)
    with pytest.raises(TypeError, match=r"expected key to be a NumPy array, got list"):
        attention.forward(x, [1.0], x)
    with pytest.raises(ValueError, match=r"expected query of at least 2 axes, got shape \(4,\)"):
        attention.forward(x[0, 0], x, x)
    with pytest.raises(ValueError, match=r"expected key of shape \(2, S, 4\), got \(2, 3, 3\)"):
        attention.forward(x, x[:, :, :3], x)
    with pytest.raises(ValueError, match=r"expected value of shape \(2, 3, Ev\), got \(2, 2, 4\)"):
        attention.forward(x, x, x[:, :2])
    with pytest.raises(ValueError, match=r"with E >= 1, got \(2, 3, 0\)"):
        attention.forward(x[:, :, :0], x[:, :, :0], x)
    with pytest.raises(TypeError, match=r"expected mask of bool or float32, got float64"):
        attention.forward(x, x, x, mask=np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"mask of a shape that broadcasts to \(2, 3, 3\), got"):
        attention.forward(x, x, x, mask=np.ones((3, 4), bool))
    with pytest.raises(TypeError, match=r"expected key_lengths of integers, got float64"):
        attention.forward(x, x, x, key_lengths=np.ones(2))
    with pytest.raises(ValueError, match=r"expected key_lengths of shape \(2,\), got \(3,\)"):
        attention.forward(x, x, x, key_lengths=np.ones(3, int))
    with pytest.raises(ValueError, match=r"expected key_lengths from 0 to 3, got -1 to 4"):
        attention.forward(x, x, x, key_lengths=np.array([-1, 4]))
    with pytest.raises(ValueError, match=r"expected out of shape \(2, 3, 4\) and float32"):
        attention.forward(x, x, x, out=wide)
    with pytest.raises(ValueError, match=r"expected rows of out to be contiguous"):
        attention.forward(x, x, x, out=non_contiguous(x))
    _, saved = attention.forward(x, x, x)
    with pytest.raises(TypeError, match=r"expected query of float64 like the rest, got float32"):
        attention.backward(wide, saved)
    with pytest.raises(ValueError, match=r"expected dy of shape \(2, 3, 4\), got \(2, 3, 3\)"):
        attention.backward(x[:, :, :3], saved)
    assert attention.forward(x, x, x, save=False)[1] is None


PROGRAM = """
import ctypes, mmap
import numpy as np
from kernels import attention

PAGE = mmap.PAGESIZE


def at_the_end(array):
    \"\"\"A copy behind which the next page must not be touched.\"\"\"
    pages = -(-array.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, pages + PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(address + pages), PAGE, 0) == 0
    start = pages - array.nbytes
    copy = np.frombuffer(memory, array.dtype, array.size, start).reshape(array.shape)
    copy[...] = array
    return copy


rng = np.random.default_rng(0)
for shape in ((1, 1, 3, 5), (2, 3, 17, 20), (1, 2, 70, 33)):
    query, key, value, dy = (
        at_the_end(rng.standard_normal(shape).astype(np.float32)) for _ in range(4)
    )
    y, saved = attention.forward(query, key, value)
    attention.backward(dy, saved)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows protects pages by other calls")
def test_nothing_is_read_behind_the_last_element():
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=Path(__file__).parents[2], check=True)
