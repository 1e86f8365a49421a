"""What recurrent ops share: a run over time, packed weights, gradients of weights. See README.md.

A layer has some gates, each of `hidden` numbers. What is saved or comes out lies as in NumPy; only
scratch is padded to whole values. Of states (T + 1, N, H) the additional one is that before the
first step: what the steps found and what they left are two views of it.
"""

from kernels._recurrent.arguments import check_shapes, plain_arrays
from kernels._recurrent.block_gradients import (
    NOTHING,
    OTHERS,
    STATES,
    Part,
    blocks_back,
    close_block,
)
from kernels._recurrent.panels import pack_for_gradients, pack_for_states
from kernels._recurrent.scratch import (
    GRADIENT_ROWS,
    GROUP,
    Walk,
    WalkBack,
    close_sums,
    padded_size,
    shares_of,
    steps_of,
    walk_back_in,
    walk_back_scratch,
    walk_in,
    walk_scratch,
    wide_sums,
)
from kernels._recurrent.sequence import (
    Sequence,
    Weights,
    asked_for,
    in_time,
    sequence_of,
    sum_of_biases,
)
from kernels._recurrent.squashing import gate, squash
from kernels._recurrent.walking import (
    active_rows,
    multiply_gates,
    share_of,
    sum_inputs_ahead,
    write_output,
)

__all__ = [
    "GRADIENT_ROWS",
    "GROUP",
    "NOTHING",
    "OTHERS",
    "Part",
    "STATES",
    "Sequence",
    "Walk",
    "WalkBack",
    "Weights",
    "active_rows",
    "asked_for",
    "blocks_back",
    "check_shapes",
    "close_block",
    "close_sums",
    "gate",
    "in_time",
    "multiply_gates",
    "pack_for_gradients",
    "pack_for_states",
    "padded_size",
    "plain_arrays",
    "sequence_of",
    "share_of",
    "shares_of",
    "squash",
    "steps_of",
    "sum_inputs_ahead",
    "sum_of_biases",
    "walk_back_in",
    "walk_back_scratch",
    "walk_in",
    "walk_scratch",
    "wide_sums",
    "write_output",
]
