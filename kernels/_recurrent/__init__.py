"""What recurrent kernels share: packed weights, products of a step, gradients of weights.

A layer has some gates, each of `hidden` numbers. Inside, a gate is padded with zeros to `padded`,
a multiple of a value's lanes, so that vectors need no masks; padded units stay 0, as do their
gradients. States lie in (T + 1, N, padded): the additional slot holds the state before the first
step, so that every step finds what it starts from N padded elements away.
"""

from kernels._recurrent.arguments import (
    check_gradient,
    check_inputs,
    check_lengths,
    check_shapes,
    plain_arrays,
)
from kernels._recurrent.blocks import (
    GROUP,
    NOTHING,
    OTHERS,
    STATES,
)
from kernels._recurrent.launches import (
    close_block,
    pack_for_gradients,
    pack_for_states,
    sum_inputs_ahead,
)
from kernels._recurrent.panels import pack_columns, pack_rows, panels_of
from kernels._recurrent.sequence import (
    close_groups,
    lanes_of,
    narrowed,
    narrowed_gates,
    padded_size,
    products_scratch,
    slices_of,
    steps_of,
    sum_of_biases,
    walk_blocks,
    wide_scratch,
    widened,
    widened_gates,
    without_padding,
)
from kernels._recurrent.squashing import gate, squash
from kernels._recurrent.steps import (
    GRADIENT_ROWS,
    active_rows,
    copy_row,
    share_of,
    write_output,
)
from kernels._recurrent.weights import DEPTH

__all__ = [
    "DEPTH",
    "GRADIENT_ROWS",
    "GROUP",
    "NOTHING",
    "OTHERS",
    "STATES",
    "active_rows",
    "check_gradient",
    "check_inputs",
    "check_lengths",
    "check_shapes",
    "close_block",
    "close_groups",
    "copy_row",
    "gate",
    "lanes_of",
    "narrowed",
    "narrowed_gates",
    "pack_columns",
    "pack_for_gradients",
    "pack_for_states",
    "pack_rows",
    "padded_size",
    "panels_of",
    "plain_arrays",
    "products_scratch",
    "share_of",
    "slices_of",
    "squash",
    "steps_of",
    "sum_inputs_ahead",
    "sum_of_biases",
    "walk_blocks",
    "wide_scratch",
    "widened",
    "widened_gates",
    "without_padding",
    "write_output",
]
