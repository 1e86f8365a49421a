"""Work on all threads that looks the same for every cell, so it is compiled once for all."""

from kernels._jit import parallel
from kernels._recurrent.blocks import add_part
from kernels._recurrent.panels import pack_columns, pack_rows, panels_of
from kernels._recurrent.sequence import lanes_of
from kernels._recurrent.steps import input_gradients, inputs_ahead, share_of
from kernels._recurrent.weights import add_column_sums
from kernels._simd import lanes


@parallel
def _pack_for_states(panel, panels, weight_ih, weight_hh, gates, out_ih, out_hh):
    if panel < panels:
        pack_columns(weight_ih, gates, panel, out_ih)
    else:
        pack_columns(weight_hh, gates, panel - panels, out_hh)


def pack_for_states(weight_ih, weight_hh, gates, out_ih, out_hh):
    """Both weights by `pack_columns`; one may be empty."""
    lanes = lanes_of(out_ih.dtype)
    panels = gates * -(-(len(weight_ih) // gates) // lanes)
    more = gates * -(-(len(weight_hh) // gates) // lanes)
    _pack_for_states(panels + more, panels, weight_ih, weight_hh, gates, out_ih, out_hh)


@parallel
def _pack_for_gradients(panel, panels, weight_ih, weight_hh, gates, out_ih, out_hh):
    if panel < panels:
        pack_rows(weight_ih, gates, panel, out_ih)
    else:
        pack_rows(weight_hh, gates, panel - panels, out_hh)


def pack_for_gradients(weight_ih, weight_hh, gates, out_ih, out_hh):
    """Both weights by `pack_rows`; one may have no columns."""
    lanes = lanes_of(out_ih.dtype)
    panels = -(-weight_ih.shape[1] // lanes)
    more = -(-weight_hh.shape[1] // lanes)
    _pack_for_gradients(panels + more, panels, weight_ih, weight_hh, gates, out_ih, out_hh)


@parallel
def _sum_inputs_ahead(share, shares, x, packed, gates, padded, width, start, out_sums):
    low, high = share_of(x.shape[0] * x.shape[1], share, shares)
    inputs_ahead(
        x.reshape(-1), low, high, packed, gates, out_sums.reshape(-1), start, width, padded
    )


def sum_inputs_ahead(x, packed, gates, shares, padded, width, start, out_sums):
    """What the inputs add to the gates, for all steps at once; as `inputs_ahead`."""
    _sum_inputs_ahead(shares, shares, x, packed, gates, padded, width, start, out_sums)


@parallel
def _close_block(
    share, first_row, rows, dgates, of_inputs, of_bias, parts, x, states, states_start, others,
    place, work_ih, work_a, work_b, work_spare, work_dih, work_dhh, out_dx, out_dweight_ih,
    out_dweight_hh, out_dbias,
):  # fmt: skip
    width, inputs, shares = dgates.shape[1], x.shape[2], len(work_a)
    flat = dgates.reshape(-1)
    if out_dx.size:
        low, high = share_of(rows, share, shares)
        input_gradients(
            low, high, flat, 0, width, of_inputs, work_ih, inputs, work_spare[share],
            out_dx.reshape(-1), first_row * inputs,
        )  # fmt: skip
    for part in range(len(parts)):
        add_part(
            share, shares, first_row, rows, flat, width, parts[part], x, states, states_start,
            others, place, work_a[share], work_b[share], work_spare[share], work_dih, work_dhh,
            out_dweight_ih, out_dweight_hh,
        )  # fmt: skip
    low, high = share_of(panels_of(of_bias, dgates), share, shares)
    low, high = low * lanes(dgates), high * lanes(dgates)
    add_column_sums(rows, flat, 0, width, low, high, work_spare[share], out_dbias)


def close_block(
    first_row, rows, dgates, of_inputs, of_bias, parts, x, states, states_start, others, place,
    work_ih, work_a, work_b, work_spare, work_dih, work_dhh, out_dx, out_dweight_ih,
    out_dweight_hh, out_dbias,
):  # fmt: skip
    """The gradients of inputs, weights and biases from `rows` rows, from `first_row` on.

    dgates        (.., width), the first `rows` of which count
    of_inputs     columns of dgates that inputs go into, from the first on
    of_bias       columns of dgates that are summed
    parts         (.., 5) int64, see `add_part`
    x             (T, N, I)
    states        (.., padded), from flat position `states_start` on what T N rows of gates saw
    others        (.., padded): `rows` rows that a part takes instead of states
    place         of `walk_blocks`
    work_ih       weight_ih by `pack_rows`
    work_a, work_b, work_spare  of `products_scratch`, a share to a thread
    work_dih, work_dhh          of `wide_scratch`
    out_dx, out_dweight_ih, out_dweight_hh  left out where empty
    out_dbias     (of_bias,) float64, added to
    """
    _close_block(
        len(work_a), first_row, rows, dgates, of_inputs, of_bias, parts, x, states, states_start,
        others, place, work_ih, work_a, work_b, work_spare, work_dih, work_dhh, out_dx,
        out_dweight_ih, out_dweight_hh, out_dbias,
    )  # fmt: skip
