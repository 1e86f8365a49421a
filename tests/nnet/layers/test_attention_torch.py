"""Attention, its layers and the transformer's encoder against PyTorch's: values and gradients."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings(
    "ignore:Support for mismatched", "ignore:enable_nested_tensor", "ignore:The PyTorch API of nes"
)


def normal(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).normal(size=shape).astype(np.float32)


def compare(ours, theirs, tensors, references):
    """Outputs, and gradients of all tensors, of one weighted sum of the outputs."""
    assert_close(ours, theirs.detach().numpy(), 1e-5)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, tuple(ours.shape)).astype(np.float32)
    (ours * nn.Tensor(weights)).sum().backward()
    (theirs * torch.tensor(weights)).sum().backward()
    for tensor, reference in zip(tensors, references, strict=True):
        assert_close(tensor.grad, reference.grad.numpy(), 1e-5)


def leaves(*arrays):
    return (
        [nn.Tensor(array.copy(), requires_grad=True) for array in arrays],
        [torch.tensor(array, requires_grad=True) for array in arrays],
    )


def shown(*shape):
    mask = np.random.default_rng(2).random(shape) < 0.6
    mask[..., 0] = True
    return mask


FUNCTION = {
    "plain": ((2, 3), {}),
    "one head": ((), {}),
    "one axis": ((4,), {}),
    "causal": ((2, 3), {"is_causal": True}),
    "scale": ((2, 3), {"scale": 0.7}),
    "bool": ((2, 3), {"attn_mask": shown(7, 9)}),
    "bool of samples": ((2, 3), {"attn_mask": shown(2, 1, 1, 9)}),
    "numbers": ((2, 3), {"attn_mask": normal(3, 7, 9)}),
}


@pytest.mark.parametrize("name", FUNCTION)
def test_i9_the_function_is_pytorchs(name):
    leading, options = FUNCTION[name]
    ours, theirs = leaves(*(normal(*leading, *s, seed=i) for i, s in enumerate(SHAPES)))
    mine, other = dict(options), dict(options)
    if "attn_mask" in options:
        mine["attn_mask"] = nn.Tensor(options["attn_mask"])
        other["attn_mask"] = torch.tensor(options["attn_mask"])
    y = F.scaled_dot_product_attention(*ours, **mine)
    compare(y, torch.nn.functional.scaled_dot_product_attention(*theirs, **other), ours, theirs)


SHAPES = (7, 6), (9, 6), (9, 5)


def test_i9_a_mask_that_learns_and_shared_heads_are_pytorchs():
    arrays = [normal(2, 3, *s, seed=i) for i, s in enumerate(SHAPES)]
    ours, theirs = leaves(*arrays, normal(3, 7, 9))
    y = F.scaled_dot_product_attention(*ours)
    compare(y, torch.nn.functional.scaled_dot_product_attention(*theirs), ours, theirs)
    ours, theirs = leaves(normal(2, 6, 7, 6), *arrays[1:])
    y = F.scaled_dot_product_attention(*ours, enable_gqa=True)
    wanted = torch.nn.functional.scaled_dot_product_attention(*theirs, enable_gqa=True)
    compare(y, wanted, ours, theirs)


LAYERS = {
    "self": {},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "widths": {"kdim": 5, "vdim": 7},
    "widths, batch first": {"kdim": 5, "batch_first": True, "bias": False},
}
MASKS = {
    "nothing": {},
    "padding": {"key_padding_mask": np.arange(6) >= np.array([[6], [2], [4]])},
    "holes": {"key_padding_mask": ~shown(3, 6)},
    "mask": {"attn_mask": ~shown(6, 6)},
    "numbers": {"attn_mask": normal(12, 6, 6), "key_padding_mask": normal(3, 6)},
    "causal": {"attn_mask": ~np.tri(6, dtype=bool), "is_causal": True},
    "both": {
        "attn_mask": ~np.tri(6, dtype=bool),
        "key_padding_mask": np.arange(6)[None] >= [[6], [2], [4]],
    },
}


def run(library, layer, inputs, options, **more):
    given = {
        key: library.tensor(value) if isinstance(value, np.ndarray) else value
        for key, value in options.items()
    }
    return layer(*inputs, **given, **more)


SOURCES = [
    (kind, number) for kind in LAYERS for number in ((3,) if "kdim" in LAYERS[kind] else (1, 2, 3))
]


@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize(("kind", "sources"), SOURCES)
def test_i9_multi_head_attention_is_pytorchs(kind, sources, masks):
    torch.manual_seed(0)
    options = LAYERS[kind]
    theirs = torch.nn.MultiheadAttention(8, 4, **options)
    ours = nn.MultiheadAttention(8, 4, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    widths = 8, options.get("kdim", 8), options.get("vdim", 8)
    shape = (3, 6) if "batch_first" in options else (6, 3)
    own, others = leaves(*(normal(*shape, w, seed=i) for i, w in enumerate(widths[-sources:])))
    picked = {1: (0, 0, 0), 2: (0, 1, 1), 3: (0, 1, 2)}[sources]
    for need_weights in (False, True):
        for average in (True, False):
            for layer, tensors in ((ours, own), (theirs, others)):
                layer.zero_grad()
                for tensor in tensors:
                    tensor.grad = None
            more = {"need_weights": need_weights, "average_attn_weights": average}
            y, weights = run(nn, ours, [own[i] for i in picked], MASKS[masks], **more)
            z, wanted = run(torch, theirs, [others[i] for i in picked], MASKS[masks], **more)
            parameters = list(ours.parameters()), list(theirs.parameters())
            compare(y, z, [*own, *parameters[0]], [*others, *parameters[1]])
            assert (weights is None) == (wanted is None) == (not need_weights)
            if need_weights:
                assert_close(weights, wanted.detach().numpy(), 1e-5)


@pytest.mark.parametrize("batch_first", [False, True])
def test_i9_one_sequence_without_a_batch_is_pytorchs(batch_first):
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=batch_first)
    ours = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    ours.load_state_dict(theirs.state_dict())
    own, others = leaves(normal(5, 8), normal(7, 8))
    padding = np.arange(7) >= 4
    for average in (True, False):
        options = {"key_padding_mask": padding, "average_attn_weights": average}
        y, weights = run(nn, ours, (own[0], own[1], own[1]), options)
        z, wanted = run(torch, theirs, (others[0], others[1], others[1]), options)
        assert y.shape == z.shape and weights.shape == tuple(wanted.shape)
        assert_close(weights, wanted.detach().numpy(), 1e-5)
    compare(y, z, own, others)


ENCODERS = {
    "plain": {},
    "norm first": {"norm_first": True, "batch_first": True},
    "gelu": {"activation": "gelu", "bias": False, "layer_norm_eps": 1e-3},
}


@pytest.mark.parametrize("masks", ["nothing", "padding", "causal"])
@pytest.mark.parametrize("kind", ENCODERS)
def test_the_encoder_is_pytorchs(kind, masks):
    torch.manual_seed(0)
    options = {"dim_feedforward": 12, "dropout": 0.0, **ENCODERS[kind]}
    stacks = []
    for library in (torch.nn, nn):
        layer = library.TransformerEncoderLayer(8, 2, **options)
        stacks.append(library.TransformerEncoder(layer, 2, norm=library.LayerNorm(8)))
    theirs, ours = stacks
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    shape = (3, 6, 8) if "batch_first" in options else (6, 3, 8)
    own, others = leaves(normal(*shape))
    given = {"causal": {"mask": ~np.tri(6, dtype=bool)}, "nothing": {}}
    padding = MASKS["padding"]["key_padding_mask"]
    masks = given.get(masks, {"src_key_padding_mask": padding})
    y, z = run(nn, ours, own, masks), run(torch, theirs, others, masks)
    parameters = list(ours.parameters()), list(theirs.parameters())
    compare(y, z, [*own, *parameters[0]], [*others, *parameters[1]])


def test_initial_values_are_distributed_as_pytorchs():
    torch.manual_seed(0)
    nn.manual_seed(0)
    for options in ({}, {"kdim": 30}):
        theirs = torch.nn.MultiheadAttention(120, 4, **options)
        ours = nn.MultiheadAttention(120, 4, **options)
        for name, reference in theirs.named_parameters():
            mine = dict(ours.named_parameters())[name]
            assert tuple(mine.shape) == tuple(reference.shape)
            assert abs(mine.data.std() - float(reference.detach().std(correction=0))) < 0.005
