"""Operations on tensors, in PyTorch's names: check, call the kernel, record its backward."""

from .activation import (
    celu,
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    maxout,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    tanh,
)
from .attention.scaled import scaled_dot_product_attention
from .attention.score import additive_score, dot_score, masked_softmax
from .convolution.conv import conv1d, conv2d
from .convolution.conv_transpose import conv_transpose1d, conv_transpose2d
from .convolution.padding import pad
from .dropout.drop_connect import drop_connect, drop_connect_gaussian
from .dropout.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
    gaussian_dropout,
)
from .embedding import embedding
from .linear import linear
from .loss.classes import cross_entropy, multi_margin_loss, nll_loss
from .loss.values import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from .normalization.batch_norm import batch_norm
from .normalization.batch_renorm import batch_renorm, mean_only_batch_norm
from .normalization.group_norm import group_norm, instance_norm, layer_norm, rms_norm
from .normalization.local_response_norm import local_response_norm
from .normalization.switchable_norm import batch_instance_norm, switchable_norm
from .pooling.images import adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, max_pool2d
from .pooling.series import adaptive_avg_pool1d, adaptive_max_pool1d, avg_pool1d, max_pool1d
from .recurrent import gru, lstm, rnn
from .shape import flatten, one_hot

__all__ = [
    "linear",
    "scaled_dot_product_attention",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "pad",
    "rnn",
    "lstm",
    "gru",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "instance_norm",
    "rms_norm",
    "local_response_norm",
    "batch_renorm",
    "mean_only_batch_norm",
    "batch_instance_norm",
    "switchable_norm",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_alpha_dropout",
    "gaussian_dropout",
    "drop_connect",
    "drop_connect_gaussian",
    "relu",
    "relu6",
    "leaky_relu",
    "prelu",
    "elu",
    "selu",
    "celu",
    "hardtanh",
    "sigmoid",
    "tanh",
    "gelu",
    "silu",
    "softplus",
    "logsigmoid",
    "softmax",
    "log_softmax",
    "softmin",
    "maxout",
    "max_pool1d",
    "max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "cross_entropy",
    "nll_loss",
    "multi_margin_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
    "hinge_embedding_loss",
    "flatten",
    "one_hot",
    "additive_score",
    "dot_score",
    "masked_softmax",
    "embedding",
]
