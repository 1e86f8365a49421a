"""Attention as a function and as layers: gradients, masks, dropout, what is refused."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits
from tests.nnet.gradients import check_gradients


def normal(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def float64(layer):
    return layer.to(np.float64)


@pytest.mark.parametrize("causal", [False, True])
def test_i9_gradients_of_the_function(causal):
    points = normal(2, 3, 2), normal(2, 4, 2), normal(2, 4, 3)
    check_gradients(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal), *points
    )


def test_i9_gradients_of_the_weights_in_full():
    """A mask that learns takes them; so does dropout."""
    points = normal(2, 3, 2), normal(2, 4, 2), normal(2, 4, 3), normal(3, 4)
    check_gradients(lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m), *points)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
def test_i9_gradients_of_multi_head_attention(batch_first, need_weights):
    layer = float64(nn.MultiheadAttention(4, 2, batch_first=batch_first))
    padding = nn.tensor([[False, False, True], [False, False, False]])

    def of(query, source):
        if batch_first:
            query, source = query.transpose(0, 1), source.transpose(0, 1)
        y, weights = layer(
            query, source, source, key_padding_mask=padding, need_weights=need_weights
        )
        return y if weights is None else nn.cat([y.flatten(), (weights * weights).flatten()])

    check_gradients(of, normal(3, 2, 4), normal(3, 2, 4, seed=1))


def test_i9_rows_sum_to_one_and_padding_gets_none():
    layer = nn.MultiheadAttention(8, 2)
    x = nn.Tensor(normal(7, 3, 8).astype(np.float32))
    lengths = np.array([[7], [3], [1]])
    padding = nn.Tensor(np.arange(7) >= lengths)
    _, weights = layer(x, x, x, key_padding_mask=padding, average_attn_weights=False)
    assert weights.shape == (3, 2, 7, 7)
    np.testing.assert_allclose(weights.data.sum(-1), 1, rtol=1e-6)
    assert not weights.data[np.broadcast_to(padding.data[:, None, None], weights.shape)].any()


def test_i9_blocks_and_weights_in_full_agree():
    layer = nn.MultiheadAttention(12, 3, batch_first=True)
    x = nn.Tensor(normal(2, 9, 12).astype(np.float32))
    mask = nn.Tensor(np.random.default_rng(0).random((9, 9)) < 0.4)
    blocks, none = layer(x, x, x, attn_mask=mask, need_weights=False)
    y, weights = layer(x, x, x, attn_mask=mask, average_attn_weights=False)
    assert none is None
    assert_same_bits(y.data, blocks.data)
    value = F.linear(x, layer.in_proj_weight[24:], layer.in_proj_bias[24:])
    heads = value.reshape(2, 9, 3, 4).permute(0, 2, 1, 3)
    joined = (weights @ heads).permute(0, 2, 1, 3).reshape(2, 9, 12)
    assert_close(layer.out_proj(joined), blocks, 1e-6)


def test_i9_a_query_that_sees_nothing_gives_zeros_and_passes_nothing_on():
    layer = nn.MultiheadAttention(8, 2, bias=False)
    mask = np.zeros((5, 5), bool)
    mask[2] = True
    padding = np.array([[False] * 5, [True] * 5])
    for need_weights in (False, True):
        x = nn.Tensor(normal(5, 2, 8).astype(np.float32), requires_grad=True)
        y, weights = layer(
            x, x, x, nn.Tensor(padding), need_weights=need_weights, attn_mask=nn.Tensor(mask)
        )
        assert not y.data[2].any() and not y.data[:, 1].any()
        total = y.sum() if weights is None else y.sum() + weights.sum()
        total.backward()
        assert np.isfinite(x.grad.data).all() and not x.grad.data[:, 1].any()
        assert weights is None or not weights.data[0, 2].any()


def test_padding_changes_no_bit_of_a_sample():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    x = normal(3, 9, 8).astype(np.float32)
    padding = np.arange(9) >= np.array([[9], [5], [2]])
    y = layer(nn.Tensor(x), src_key_padding_mask=nn.Tensor(padding))
    x[padding] = 1000
    z = layer(nn.Tensor(x), src_key_padding_mask=nn.Tensor(padding))
    assert_same_bits(y.data[~padding], z.data[~padding])


def test_causal_with_and_without_the_mask():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0), 2)
    x = nn.Tensor(normal(6, 3, 8).astype(np.float32))
    later = nn.Tensor(~np.tri(6, dtype=bool))
    numbers = nn.Tensor(np.where(later.data, -np.inf, 0).astype(np.float32))
    y = encoder(x, is_causal=True)
    for mask in (later, numbers):
        assert_same_bits(encoder(x, mask).data, y.data)
        assert_same_bits(encoder(x, mask, is_causal=True).data, y.data)
        assert_close(encoder(x, mask, is_causal=False), y, 1e-6)
    shorter = encoder(x[:4], is_causal=True)
    assert_close(shorter, y[:4], 1e-6)


def test_dropout_drops_weights_in_training_alone():
    nn.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2, dropout=0.5)
    x = nn.Tensor(normal(20, 4, 8).astype(np.float32), requires_grad=True)
    y, weights = layer(x, x, x, average_attn_weights=False)
    assert 0.4 < np.mean(weights.data == 0) < 0.6
    y.sum().backward()
    assert np.isfinite(x.grad.data).all()
    other, _ = layer(x, x, x)
    assert (y.data != other.data).any()
    layer.eval()
    y, weights = layer(x, x, x)
    assert weights.data.all()
    assert_same_bits(layer(x, x, x)[0].data, y.data)
    with_dropout = F.scaled_dot_product_attention(x, x, x, dropout_p=1.0)
    assert not with_dropout.data.any()


def test_inputs_that_share_a_source_share_products():
    layer = nn.MultiheadAttention(8, 2)
    x, y = (nn.Tensor(normal(5, 3, 8, seed=i).astype(np.float32)) for i in range(2))
    copies = [nn.Tensor(each.data.copy()) for each in (x, x)]
    assert_close(layer(x, x, x)[0], layer(x, *copies)[0], 1e-6)
    assert_close(layer(x, y, y)[0], layer(x, y, nn.Tensor(y.data.copy()))[0], 1e-6)


def test_an_encoder_learns_to_copy_the_first_element():
    """What no map at each place by itself could do."""
    nn.manual_seed(3)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    readout = nn.Linear(8, 2)
    parameters = [*encoder.parameters(), *readout.parameters()]
    optimizer = nn.optim.Adam(parameters, lr=0.01)
    rng = np.random.default_rng(0)
    places = np.eye(6, 8, dtype=np.float32)
    for _ in range(150):
        bits = rng.integers(0, 2, (32, 6))
        x = np.repeat(places[None], 32, 0)
        x[:, :, 6] = bits
        optimizer.zero_grad()
        scores = readout(encoder(nn.Tensor(x)))[:, -1]
        loss = F.cross_entropy(scores, nn.Tensor(bits[:, 0]))
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


def test_empty_batches():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    x = nn.zeros(0, 5, 8).requires_grad_()
    y = layer(x)
    assert y.shape == (0, 5, 8)
    y.sum().backward()
    assert x.grad.shape == (0, 5, 8)


def test_what_is_refused():
    x = nn.zeros(5, 3, 8)
    layer = nn.MultiheadAttention(8, 2)
    with pytest.raises(ValueError, match=r"num_heads to divide embed_dim, got 3 and 8"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(ValueError, match=r"expected add_bias_kv=False, got True"):
        nn.MultiheadAttention(8, 2, add_bias_kv=True)
    with pytest.raises(ValueError, match=r"expected add_zero_attn=False, got True"):
        nn.MultiheadAttention(8, 2, add_zero_attn=True)
    with pytest.raises(ValueError, match=r"expected dropout from 0 to 1, got 2"):
        nn.MultiheadAttention(8, 2, dropout=2)
    with pytest.raises(ValueError, match=r"expected query \(L, N, 8\), .* got \(5, 3, 8\), \(5, 2"):
        layer(x, x[:, :2], x[:, :2])
    with pytest.raises(ValueError, match=r"key_padding_mask of shape \(3, 5\), got \(5, 3\)"):
        layer(x, x, x, nn.Tensor(np.zeros((5, 3), bool)))
    with pytest.raises(ValueError, match=r"attn_mask of shape \(5, 5\) or \(6, 5, 5\), got \(5, 4"):
        layer(x, x, x, attn_mask=nn.Tensor(np.zeros((5, 4), bool)))
    with pytest.raises(TypeError, match=r"expected attn_mask of bool or float32, got int64"):
        layer(x, x, x, attn_mask=nn.Tensor(np.zeros((5, 5), int)))
    with pytest.raises(TypeError, match=r"expected key of float32 like the rest, got float64"):
        layer(x, x.double(), x)
    with pytest.raises(ValueError, match=r"expected attn_mask or is_causal, got both"):
        F.scaled_dot_product_attention(x, x, x, x, is_causal=True)
    with pytest.raises(ValueError, match=r"expected dropout_p from 0 to 1, got -1"):
        F.scaled_dot_product_attention(x, x, x, dropout_p=-1)
    with pytest.raises(ValueError, match=r"to divide those of query, got \(4, 5, 8\) and \(3, 5"):
        y = nn.zeros(3, 5, 8)
        F.scaled_dot_product_attention(nn.zeros(4, 5, 8), y, y, enable_gqa=True)
    with pytest.raises(ValueError, match=r"activation 'relu', 'gelu' or a function, got 'elu'"):
        nn.TransformerEncoderLayer(8, 2, activation="elu")
    with pytest.raises(ValueError, match=r"expected num_layers >= 0, got -1"):
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), -1)


def test_an_encoder_layer_takes_another_first_map_than_linear():
    nn.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0).eval()
    x = nn.randn(5, 3, 8)
    expected = layer(x).data
    seen = []
    handle = layer.linear1.register_forward_hook(lambda m, a, y: seen.append(y.data.min()))
    assert_close(layer(x), expected, 1e-6)
    assert seen[0] < 0
    handle.remove()
    plain = layer.linear1.forward
    layer.linear1.forward = lambda t: plain(t)
    assert_close(layer(x), expected, 1e-6)
    del layer.linear1.forward
    layer.linear1 = nn.Sequential(layer.linear1)
    assert_close(layer(x), expected, 1e-6)
