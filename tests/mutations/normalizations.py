"""Faults in normalizations and poolings."""

from .mutation import Mutation

_BATCH = "tests/kernels/test_batch_norm.py::test_a1_a2_batch_norm_writes_the_reference"
_BATCH_PAST = "tests/kernels/test_batch_norm.py::test_past_the_caches_the_bits_are_the_same"
_BATCH_FAR = "tests/kernels/test_batch_norm.py::test_a2_gradients_far_from_zero_in_float32"
_GROUP = "tests/kernels/test_group_norm.py::test_j_group_norm_writes_the_reference"

NORMALIZATIONS = [
    Mutation(
        "batch-norm-sums-without-the-tail",
        "kernels/_moments.py",
        "for i in range(pairs, end, width):",
        "for i in range(pairs, end - width + 1, width):",
        _BATCH + "[shape8-False-False-float32-2e-06-cpu]",
    ),
    Mutation(
        "batch-norm-unbiased-variance",
        "kernels/batch_norm/cpu_planes.py",
        "var = spread / count",
        "var = spread / (count - 1)",
        _BATCH + "[shape8-False-False-float32-2e-06-cpu]",
    ),
    Mutation(
        "batch-norm-without-eps",
        "kernels/batch_norm/cpu_planes.py",
        "np.sqrt(var + eps), gamma, beta)",
        "np.sqrt(var), gamma, beta)",
        _BATCH + "[shape8-False-False-float64-1e-12-cpu]",
    ),
    Mutation(
        "batch-norm-columns-unbiased-variance",
        "kernels/batch_norm/cpu_columns.py",
        "var[c] /= samples",
        "var[c] /= samples - 1",
        _BATCH + "[shape1-False-False-float32-2e-06-cpu]",
    ),
    Mutation(
        "batch-norm-columns-gradient-of-the-first-part",
        "kernels/batch_norm/strip_lines.py",
        "total += load(of_parts[p, 0], c)",
        "total += 0.0",
        _BATCH + "[shape5-False-False-float32-2e-06-cpu]",
    ),
    Mutation(
        "batch-norm-merges-means-without-weights",
        "kernels/_moments.py",
        "return mean + apart * share, spread",
        "return mean + apart * 0.5, spread",
        _BATCH + "[shape9-False-False-float32-2e-06-cpu]",
    ),
    Mutation(
        "batch-norm-gradient-forgets-the-rounded-mean",
        "kernels/batch_norm/lines.py",
        "dgamma = (product - tail * total) / root",
        "dgamma = product / root",
        _BATCH_FAR + "[shape1-True]",
    ),
    Mutation(
        "batch-norm-gradient-shifted-the-other-way",
        "kernels/batch_norm/lines.py",
        "-(per_element * total) - x_scale * tail",
        "-(per_element * total) + x_scale * tail",
        _BATCH_FAR + "[shape1-True]",
    ),
    Mutation(
        "batch-norm-streams-without-relu",
        "kernels/batch_norm/channel_rows.py",
        "put(out_y, i, select(y < floor, floor, y), past)",
        "put(out_y, i, select(y < floor, floor - past * 1.0, y), past)",
        _BATCH_PAST + "[True-False-True]",
    ),
    Mutation(
        "batch-norm-streams-the-slope",
        "kernels/batch_norm/channel_rows.py",
        "stream(out_dx, i, dx)",
        "stream(out_dx, i, slope)",
        _BATCH_PAST + "[False-False-True]",
    ),
    Mutation(
        "batch-norm-streams-one-residual-twice",
        "kernels/batch_norm/channel_rows.py",
        "put(out_dresidual, i + width, more_slope, past)",
        "put(out_dresidual, i + width, slope if past else more_slope, past)",
        _BATCH_PAST + "[True-True-True]",
    ),
    Mutation(
        "batch-norm-streams-the-other-residual",
        "kernels/batch_norm/channel_rows.py",
        "put(out_dresidual, i, slope, past)",
        "put(out_dresidual, i, more_slope if past else slope, past)",
        _BATCH_PAST + "[True-True-True]",
    ),
    Mutation(
        "batch-norm-moves-averages-by-the-rest",
        "kernels/batch_norm/averages.py",
        "kept = inout_average.dtype.type(1 - momentum)",
        "kept = inout_average.dtype.type(momentum)",
        "tests/kernels/test_batch_norm.py::test_a3_averages_move_in_place_and_round_as_numpy_does"
        "[1.0-0.1-float32]",
    ),
    Mutation(
        "group-norm-streams-nonsense",
        "kernels/_streaming.py",
        "stream(out, start, value)",
        "stream(out, start, value + value)",
        "tests/kernels/test_group_norm.py::test_past_the_caches_the_bits_are_the_same",
    ),
    Mutation(
        "group-norm-lines-stream-nonsense",
        "kernels/_streaming.py",
        "        stream(out, start, value)",
        "        stream(out, start, value * 0.0)",
        "tests/kernels/test_group_norm.py::test_lines_past_the_caches_have_the_same_bits",
    ),
    Mutation(
        "group-norm-moments-without-the-last-block",
        "kernels/group_norm/element_runs.py",
        "for begin in range(BLOCK, size, BLOCK):",
        "for begin in range(BLOCK, size - BLOCK + 1, BLOCK):",
        _GROUP + "[shape3-True-float32-2e-06-cpu]",
    ),
    Mutation(
        "group-norm-centres-what-it-should-not",
        "kernels/group_norm/element_runs.py",
        "if not centred:",
        "if centred:",
        _GROUP + "[shape2-False-float32-2e-06-cpu]",
    ),
    Mutation(
        "group-norm-gradient-of-the-last-part",
        "kernels/group_norm/cpu_backward.py",
        "dgamma += work_sums[part, 0, channel]",
        "dgamma = work_sums[part, 0, channel]",
        _GROUP + "[shape5-True-float32-2e-06-cpu]",
    ),
    Mutation(
        "group-norm-gamma-of-the-first-group",
        "kernels/group_norm/cpu_forward.py",
        "channel, start = row % groups * channels + c,",
        "channel, start = c,",
        _GROUP + "[shape7-True-float32-2e-06-cpu]",
    ),
    Mutation(
        "response-norm-window-the-other-way-round",
        "kernels/local_response_norm/cpu.py",
        "first, last = max(0, c - (size - 1) // 2), min(channels, c + size // 2 + 1)",
        "first, last = max(0, c - size // 2), min(channels, c + (size - 1) // 2 + 1)",
        "tests/kernels/test_local_response_norm.py::test_c10_response_norm_writes_the_reference",
    ),
    Mutation(
        "response-norm-half-the-gradient",
        "kernels/local_response_norm/cpu.py",
        "factor = -2.0 * alpha * beta",
        "factor = -alpha * beta",
        "tests/kernels/test_local_response_norm.py::test_c10_response_norm_writes_the_reference",
    ),
    Mutation(
        "max-pool-takes-the-last-of-equals",
        "kernels/pool2d/cpu_max.py",
        "better = (value > best) | (value != value)",
        "better = (value >= best) | (value != value)",
        "tests/kernels/test_pool2d.py::test_h_of_equal_maxima_the_first[kernel_size0]",
    ),
    Mutation(
        "max-pool-loses-nan",
        "kernels/pool2d/cpu_max.py",
        "better = (value > best) | (value != value)",
        "better = value > best",
        "tests/kernels/test_pool2d.py::test_h_pool2d_nan_propagates[kernel_size0-stride0-padding0]",
    ),
    Mutation(
        "max-pool-overlapping-windows-overwrite",
        "kernels/pool2d/cpu_max.py",
        "out_dx[start + j * window.stride_w + plan_offsets[position]] += dy[dy_row + j]",
        "out_dx[start + j * window.stride_w + plan_offsets[position]] = dy[dy_row + j]",
        "tests/kernels/test_pool2d.py::test_h_max_equals_reference[case4-float32]",
    ),
    Mutation(
        "average-pool-tail-without-the-rows-share",
        "kernels/pool2d/cpu_average.py",
        "total_one * plan_columns[rest] * plan_rows[i]",
        "total_one * plan_columns[rest]",
        "tests/kernels/test_pool2d.py::test_h_average_equals_reference[case8-float32]",
    ),
    Mutation(
        "average-pool-counts-padding-always",
        "kernels/pool2d/windows.py",
        "if not count_include_pad:",
        "if False:",
        "tests/kernels/test_pool2d.py::test_h_average_equals_reference[case9-float32]",
    ),
    Mutation(
        "adaptive-pool-windows-end-early",
        "kernels/pool2d/windows.py",
        "first, stop = window * size // count, -(-(window + 1) * size // count)",
        "first, stop = window * size // count, (window + 1) * size // count",
        "tests/kernels/test_pool2d.py::test_h_adaptive_average_equals_reference"
        "[shape3-size3-float32]",
    ),
]
