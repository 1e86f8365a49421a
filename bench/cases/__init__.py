"""The cases of every op: shapes, inputs, and what the work amounts to.

Shapes are those of a network on MNIST, and larger ones where the machine's limits show.
"""

from bench.case import Case
from bench.cases.activations import ACTIVATION, PRELU, SOFTMAX
from bench.cases.masks import BERNOULLI_MASK, DROP_CONNECT
from bench.cases.normalization import BATCH_NORM, GROUP_NORM, LOCAL_RESPONSE_NORM
from bench.cases.products import CONV2D, MATMUL, MAXOUT, POOL2D
from bench.cases.sequences import ADDITIVE_SCORE, ATTENTION, EMBEDDING, GRU, LSTM, RNN
from bench.cases.training import (
    GATHER_NORMALIZE,
    OPTIMIZER_STEP,
    POINTWISE_LOSS,
    SOFTMAX_CROSS_ENTROPY,
)

CASES: dict[str, tuple[Case, ...]] = {
    "matmul": MATMUL,
    "conv2d": CONV2D,
    "pointwise_loss": POINTWISE_LOSS,
    "pool2d": POOL2D,
    "batch_norm": BATCH_NORM,
    "group_norm": GROUP_NORM,
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "attention": ATTENTION,
    "local_response_norm": LOCAL_RESPONSE_NORM,
    "bernoulli_mask": BERNOULLI_MASK,
    "drop_connect": DROP_CONNECT,
    "activation": ACTIVATION,
    "softmax": SOFTMAX,
    "prelu": PRELU,
    "additive_score": ADDITIVE_SCORE,
    "maxout": MAXOUT,
    "softmax_cross_entropy": SOFTMAX_CROSS_ENTROPY,
    "optimizer_step": OPTIMIZER_STEP,
    "gather_normalize": GATHER_NORMALIZE,
    "embedding": EMBEDDING,
}
