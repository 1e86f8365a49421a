"""Faults in embeddings, recurrent kernels and attention."""

from .mutation import Mutation

_EMBEDDING = "tests/kernels/test_embedding.py::test_implementation_writes_the_reference"
_RNN = "tests/kernels/test_rnn.py::test_i1_rnn_op_against_reference"
_GRU = "tests/kernels/test_gru.py::test_i5_gru_op_computes_the_reference"
_LSTM = "tests/kernels/test_lstm.py::test_i3_i4_lstm_op_against_reference"
_ATTENTION = "tests/kernels/test_attention.py::test_i9_attention_writes_the_reference"
_SCORES = "tests/kernels/test_additive_score.py::test_i8_additive_score_writes_the_reference"

SEQUENCES = [
    Mutation(
        "embedding-frequency-off-by-one",
        "kernels/embedding/cpu.py",
        "scale = 1.0 / (end - begin) if by_frequency",
        "scale = 1.0 / (end - begin + 1) if by_frequency",
        _EMBEDDING + "[cpu-float32-1e-06-(257, 67, 1009)]",
    ),
    Mutation(
        "embedding-padding-gets-a-gradient",
        "kernels/embedding/cpu.py",
        "if row == padding_idx:",
        "if row < padding_idx:",
        _EMBEDDING + "[cpu-float32-1e-06-(257, 67, 1009)]",
    ),
    Mutation(
        "embedding-streams-no-zeros",
        "kernels/embedding/cpu.py",
        "stream(out, start, zeros)",
        "stream(out, start, zeros + 1.0)",
        _EMBEDDING + "[cpu-float32-1e-06-(70001, 17, 300)]",
    ),
    Mutation(
        "embedding-streams-another-row",
        "kernels/embedding/cpu.py",
        "stream(out, to + i, value)",
        "stream(out, to + i, load_some(source, i, size, 0.0))",
        _EMBEDDING + "[cpu-float32-1e-06-(8209, 128, 2203)]",
    ),
    Mutation(
        "embedding-sum-without-the-first",
        "kernels/embedding/cpu.py",
        "total = full(_LIKE_DOUBLE, 0.0)\n        for place in range(begin, end):",
        "total = full(_LIKE_DOUBLE, 0.0)\n        for place in range(begin + 1, end):",
        "tests/kernels/test_embedding.py::test_ids_of_any_shape",
    ),
    Mutation(
        "rnn-slope-of-tanh",
        "kernels/rnn/cell.py",
        "return d * (1.0 - h * h)",
        "return d * (1.0 - h)",
        _RNN + "[tanh-float32-1e-05-False-False-False-shape3]",
    ),
    Mutation(
        "rnn-bias-twice",
        "kernels/rnn/walk.py",
        "+ load_some(bias, unit, rest, 0.0)",
        "+ 2.0 * load_some(bias, unit, rest, 0.0)",
        _RNN + "[tanh-float32-1e-05-True-False-False-shape3]",
    ),
    Mutation(
        "gru-update-gate-sign",
        "kernels/gru/cell.py",
        "dz = d * (load_some(before, own + unit, rest, 0.0) - n) * (z * closed)",
        "dz = d * (n - load_some(before, own + unit, rest, 0.0)) * (z * closed)",
        _GRU + "[float32-2e-06-after-whole-forward-(3, 2, 5, 17)]",
    ),
    Mutation(
        "gru-gates-swapped",
        "kernels/gru/cell.py",
        "fma(r, u, n))\n        z = gate(load(sums, here + wide)",
        "fma(r, u, n))\n        z = gate(load(sums, here)",
        _GRU + "[float32-2e-06-after-whole-forward-(3, 2, 5, 17)]",
    ),
    Mutation(
        "gru-reset-before-keeps-the-gradient-of-h",
        "kernels/gru/cell.py",
        "store(dh, of_dh + unit, fma(d, r, load(dh, of_dh + unit)))",
        "store(dh, of_dh + unit, load(dh, of_dh + unit))",
        _GRU + "[float32-2e-06-before-whole-forward-(3, 2, 5, 17)]",
    ),
    Mutation(
        "lstm-forget-gate-of-the-input-gate",
        "kernels/lstm/cell.py",
        "df = dc * c * (f * (1.0 - f))",
        "df = dc * c * (i * (1.0 - i))",
        _LSTM + "[plain-float32-1e-05-False-False-3-3-19-33]",
    ),
    Mutation(
        "lstm-output-peephole-sees-the-old-cell",
        "kernels/lstm/cell.py",
        "o = fma(load_masked(peephole, 2 * hidden + unit, rest, 0.0), cell, o)",
        "o = fma(load_masked(peephole, 2 * hidden + unit, rest, 0.0), c, o)",
        _LSTM + "[peephole-float32-1e-05-False-False-3-3-19-33]",
    ),
    Mutation(
        "lstm-cell-gradient-without-the-forget-gate",
        "kernels/lstm/cell.py",
        "dc = dc * f\n",
        "dc = dc * 1.0\n",
        _LSTM + "[plain-float32-1e-05-False-False-3-3-19-33]",
    ),
    Mutation(
        "recurrent-output-one-step-too-long",
        "kernels/_recurrent/walking.py",
        "if t < lengths[row]:",
        "if t <= lengths[row]:",
        _RNN,
    ),
    Mutation(
        "recurrent-padding-reaches-the-weights",
        "kernels/_recurrent/sequence.py",
        "cleared[lengths[n] :, n] = 0",
        "cleared[lengths[n] + 1 :, n] = 0",
        "tests/kernels/test_rnn.py::test_what_is_past_the_end_is_ignored",
    ),
    Mutation(
        "recurrent-weight-gradients-of-the-last-group",
        "kernels/_recurrent/block_gradients.py",
        "inout_wide[i] = value if fresh else inout_wide[i] + value",
        "inout_wide[i] = value",
        "tests/kernels/test_rnn.py::test_i1_ten_thousand_steps",
    ),
    Mutation(
        "attention-hides-the-query-itself",
        "kernels/attention/cpu_forward.py",
        "seen = max(0, min(visible, row + 1 - start)) if causal else visible",
        "seen = max(0, min(visible, row - start)) if causal else visible",
        _ATTENTION + "[cpu-float32-2e-06-(2, 3, 7, 11, 5, 3)-causal]",
    ),
    Mutation(
        "attention-total-not-brought-to-the-new-maximum",
        "kernels/attention/cpu_forward.py",
        "work[total_at] = work[total_at] * shrink + sum_lanes(total)",
        "work[total_at] = work[total_at] + sum_lanes(total)",
        _ATTENTION + "[cpu-float32-2e-06-(3, 5, 67, 300, 17, 40)-plain]",
    ),
    Mutation(
        "attention-query-gradient-unscaled",
        "kernels/attention/cpu_backward.py",
        "_put_rows(work, places.dq, deep, rows, depth, scale, start > 0, dq, first)",
        "_put_rows(work, places.dq, deep, rows, depth, 1.0, start > 0, dq, first)",
        _ATTENTION + "[cpu-float32-2e-06-(2, 3, 7, 11, 5, 3)-plain]",
    ),
    Mutation(
        "attention-query-gradient-of-the-last-keys",
        "kernels/attention/cpu_backward.py",
        "depth, scale, start > 0, dq, first)",
        "depth, scale, False, dq, first)",
        _ATTENTION + "[cpu-float32-2e-06-(3, 5, 67, 300, 17, 40)-plain]",
    ),
    Mutation(
        "attention-softmax-gradient-without-its-mean",
        "kernels/attention/cpu_backward.py",
        "weight * (load(work, ds + j) - delta)",
        "weight * load(work, ds + j)",
        _ATTENTION + "[cpu-float32-2e-06-(2, 3, 7, 11, 5, 3)-plain]",
    ),
    Mutation(
        "additive-score-missing-factor-2",
        "kernels/additive_score/cpu.py",
        "scale = load_some(weight, column, count, 0.0) * 4.0",
        "scale = load_some(weight, column, count, 0.0) * 2.0",
        _SCORES + "[cpu-float32-1e-06-(2, 3, 5, 7)]",
    ),
    Mutation(
        "additive-score-key-gradient-of-the-last-queries",
        "kernels/additive_score/cpu.py",
        "if first_q:\n                dkey +=",
        "if False:\n                dkey +=",
        _SCORES + "[cpu-float32-1e-06-(3, 70, 67, 33)]",
    ),
]
