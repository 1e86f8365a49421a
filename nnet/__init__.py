"""Neural networks on the CPU, in PyTorch's names, with kernels that are readable Python.

>>> import nnet as nn
>>> model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
>>> nn.CrossEntropyLoss()(model(nn.rand(5, 784)), nn.tensor([0, 1, 2, 3, 4])).backward()
>>> model[0].weight.grad.shape
(100, 784)
"""

import importlib
from typing import TYPE_CHECKING, Any

from numpy import float32, float64, int32, int64, uint8

from kernels.runtime import get_num_threads, set_num_threads

from . import functional, init, optim, random
from .autograd.casting import device
from .autograd.creation import (
    arange,
    empty,
    from_numpy,
    full,
    ones,
    ones_like,
    rand,
    randn,
    tensor,
    zeros,
    zeros_like,
)
from .autograd.joining import cat, stack, where
from .autograd.parameter import Parameter
from .autograd.recording import enable_grad, is_grad_enabled, no_grad
from .autograd.tensor import Tensor, record, record_outputs
from .inspection.monte_carlo import monte_carlo
from .inspection.summary import summary
from .layers.activation import (
    CELU,
    ELU,
    GELU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Tanh,
)
from .layers.attention.bahdanau import BahdanauAttention
from .layers.attention.luong import LuongAttention
from .layers.attention.multi_head import MultiheadAttention
from .layers.attention.transformer import TransformerEncoder, TransformerEncoderLayer
from .layers.convolution.conv import Conv1d, Conv2d
from .layers.convolution.conv_transpose import ConvTranspose1d, ConvTranspose2d
from .layers.dropout.drop_connect import DropConnect
from .layers.dropout.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    FeatureAlphaDropout,
    GaussianDropout,
)
from .layers.embedding import Embedding
from .layers.linear import Linear
from .layers.loss.classes import CrossEntropyLoss, MultiMarginLoss, NLLLoss
from .layers.loss.values import (
    BCELoss,
    BCEWithLogitsLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    SmoothL1Loss,
)
from .layers.maxout import Maxout, MaxoutConv2d
from .layers.normalization.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .layers.normalization.batch_renorm import BatchRenorm1d, BatchRenorm2d
from .layers.normalization.group_norm import GroupNorm, LayerNorm, RMSNorm
from .layers.normalization.instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .layers.normalization.local_response_norm import LocalResponseNorm
from .layers.normalization.mean_only import MeanOnlyBatchNorm
from .layers.normalization.switchable_norm import (
    BatchInstanceNorm1d,
    BatchInstanceNorm2d,
    SwitchableNorm1d,
    SwitchableNorm2d,
)
from .layers.normalization.whitening import Whitening
from .layers.pooling.adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
)
from .layers.pooling.pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, PeepholeLSTM, RNNCell
from .layers.shape import Flatten, Identity, Unflatten
from .module.container import ModuleList, Sequential
from .module.module import Module
from .optim.clip_gradients import clip_grad_norm_
from .optim.max_norm import max_norm_
from .random import manual_seed
from .surgery.dead_biases import dead_biases, remove_dead_biases
from .surgery.fold import fold_batch_norm, fold_into
from .surgery.population import population_statistics
from .surgery.spectral_norm import remove_spectral_norm, spectral_norm
from .surgery.weight_norm import remove_weight_norm, weight_norm

if TYPE_CHECKING:
    from . import data, models, training
    from .data import pad_sequence
    from .inspection.dead_units import dead_units
    from .models.seq2seq import Seq2Seq
    from .training import evaluate, fit

exp, log, sqrt, clamp = Tensor.exp, Tensor.log, Tensor.sqrt, Tensor.clamp
sum, mean, max, min, argmax = Tensor.sum, Tensor.mean, Tensor.max, Tensor.min, Tensor.argmax
maximum, minimum = Tensor.maximum, Tensor.minimum
abs, matmul = Tensor.abs, Tensor.matmul  # type: ignore[misc]
relu, sigmoid, tanh = functional.relu, functional.sigmoid, functional.tanh
softmax, log_softmax, flatten = functional.softmax, functional.log_softmax, functional.flatten

__all__ = [
    "data",
    "functional",
    "init",
    "models",
    "optim",
    "random",
    "training",
    "fit",
    "evaluate",
    "dead_units",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BahdanauAttention",
    "BatchInstanceNorm1d",
    "BatchInstanceNorm2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchRenorm1d",
    "BatchRenorm2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "AlphaDropout",
    "DropConnect",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "GaussianDropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "KLDivLoss",
    "L1Loss",
    "Linear",
    "LocalResponseNorm",
    "LuongAttention",
    "CELU",
    "ELU",
    "GELU",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Maxout",
    "MaxoutConv2d",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "MeanOnlyBatchNorm",
    "Module",
    "ModuleList",
    "MultiheadAttention",
    "MultiMarginLoss",
    "NLLLoss",
    "Parameter",
    "RMSNorm",
    "PReLU",
    "PeepholeLSTM",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "SELU",
    "Seq2Seq",
    "SiLU",
    "Softmin",
    "Softplus",
    "Sequential",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "SwitchableNorm1d",
    "SwitchableNorm2d",
    "Tanh",
    "Tensor",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Unflatten",
    "Whitening",
    "arange",
    "cat",
    "clip_grad_norm_",
    "dead_biases",
    "device",
    "empty",
    "enable_grad",
    "float32",
    "float64",
    "fold_batch_norm",
    "fold_into",
    "from_numpy",
    "full",
    "get_num_threads",
    "int32",
    "int64",
    "is_grad_enabled",
    "manual_seed",
    "max_norm_",
    "monte_carlo",
    "no_grad",
    "ones",
    "ones_like",
    "pad_sequence",
    "population_statistics",
    "rand",
    "randn",
    "record",
    "record_outputs",
    "remove_spectral_norm",
    "remove_weight_norm",
    "remove_dead_biases",
    "set_num_threads",
    "spectral_norm",
    "stack",
    "summary",
    "tensor",
    "uint8",
    "weight_norm",
    "where",
    "zeros",
    "zeros_like",
    "exp",
    "log",
    "sqrt",
    "abs",
    "clamp",
    "sum",
    "mean",
    "max",
    "min",
    "argmax",
    "matmul",
    "maximum",
    "minimum",
    "relu",
    "sigmoid",
    "tanh",
    "softmax",
    "log_softmax",
    "flatten",
]

_LAZY = {
    "fit": "training",
    "evaluate": "training",
    "dead_units": "inspection.dead_units",
    "pad_sequence": "data",
    "Seq2Seq": "models.seq2seq",
}
_LAZY_MODULES = {"data", "models", "training"}


def __getattr__(name: str) -> Any:
    """Data, models and training are imported when first used."""
    if name in _LAZY_MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
