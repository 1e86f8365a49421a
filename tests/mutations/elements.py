"""Faults in what works element by element: activations, losses, masks, optimizers."""

from .mutation import Mutation

_ACTIVATION = (
    "tests/kernels/test_activation.py::test_c1_c2_c3_c4_c6_activation_writes_the_reference"
)
_CROSS_ENTROPY = (
    "tests/kernels/test_softmax_cross_entropy.py::test_implementation_writes_the_reference"
)
_LOSS = "tests/kernels/test_pointwise_loss.py::test_implementation_writes_the_reference"
_DROPOUT = "tests/kernels/test_bernoulli_mask.py::test_b1_dropout_equals_reference_to_the_bit"
_ADAM = "tests/kernels/test_optimizer_step.py::test_f_adam_equals_reference"
_SGD = "tests/kernels/test_optimizer_step.py::test_f_sgd_equals_reference"

ELEMENTS = [
    Mutation(
        "silu-slope-of-the-wrong-side",
        "kernels/activation/vectors.py",
        "return dy * (s * fma(x, 1.0 - s, 1.0))",
        "return dy * (s * fma(x, s, 1.0))",
        _ACTIVATION + "[SiLU-cpu-float32-1e-06-31]",
    ),
    Mutation(
        "hardtanh-never-flat",
        "kernels/activation/vectors.py",
        "(kept <= formula.min_val) | (kept >= formula.max_val)",
        "(kept <= formula.min_val) & (kept >= formula.max_val)",
        _ACTIVATION + "[Hardtanh-cpu-float32-1e-06-31]",
    ),
    Mutation(
        "softplus-threshold-ignored",
        "kernels/activation/vectors.py",
        "return select(z > formula.threshold, x, y)",
        "return y",
        "tests/kernels/test_activation.py"
        "::test_softplus_is_x_above_its_threshold_to_the_last_bit[float32]",
    ),
    Mutation(
        "leaky-relu-slope-1-at-zero",
        "kernels/activation/vectors.py",
        "return select(kept > 0.0, dy, dy * formula.negative_slope)",
        "return select(kept >= 0.0, dy, dy * formula.negative_slope)",
        "tests/kernels/test_activation.py::test_c4_leaky_slopes_of_any_sign[0.3-float32]",
    ),
    Mutation(
        "tanh-gelu-slope-factor-2-for-3",
        "kernels/activation/vectors.py",
        "rise = x * fma(square, 3.0 * _B, _A) * lesser",
        "rise = x * fma(square, 2.0 * _B, _A) * lesser",
        _ACTIVATION + "[TanhGELU-cpu-float32-1e-06-31]",
    ),
    Mutation(
        "gelu-slope-without-the-density",
        "kernels/activation/vectors.py",
        "return dy * fma(x * bell, _DENSITY_AT_0, below)",
        "return dy * below",
        _ACTIVATION + "[GELU-cpu-float64-1e-14-31]",
    ),
    Mutation(
        "sigmoid-slope-of-tanh",
        "kernels/activation/vectors.py",
        "return dy * (kept * (1.0 - kept))",
        "return dy * (1.0 - kept * kept)",
        _ACTIVATION + "[Sigmoid-cpu-float32-1e-06-31]",
    ),
    Mutation(
        "activation-without-the-last-element",
        "kernels/activation/cpu.py",
        "store_some(out_y, i, stop - i, value(",
        "store_some(out_y, i, stop - i - 1, value(",
        _ACTIVATION + "[ReLU-cpu-float32-1e-06-31]",
    ),
    Mutation(
        "softmax-gradient-sign",
        "kernels/softmax/contiguous_lines.py",
        "return y * (dy - total)",
        "return y * (dy + total)",
        "tests/kernels/test_softmax.py::test_implementation_writes_the_reference"
        "[cpu-float32-2e-06-(5, 7, 1)-softmax]",
    ),
    Mutation(
        "log-softmax-gradient-without-exp",
        "kernels/softmax/contiguous_lines.py",
        "return dy - decay(y) * total",
        "return dy - y * total",
        "tests/kernels/test_softmax.py::test_implementation_writes_the_reference"
        "[cpu-float32-2e-06-(5, 7, 1)-log]",
    ),
    Mutation(
        "cross-entropy-smoothing-sign",
        "kernels/softmax_cross_entropy/losses.py",
        "loss -= distance * target.class_share",
        "loss += distance * target.class_share",
        _CROSS_ENTROPY + "[(7, 3, 1)-0.1-float32-1e-06-cpu]",
    ),
    Mutation(
        "cross-entropy-gradient-without-weight",
        "kernels/softmax_cross_entropy/losses.py",
        "label_target = target.label_share * weight[label]\n            gradient",
        "label_target = target.label_share\n            gradient",
        _CROSS_ENTROPY + "[(2, 128, 1)-0.1-float32-1e-06-cpu]",
    ),
    Mutation(
        "cross-entropy-gradient-of-ignored-labels",
        "kernels/softmax_cross_entropy/side_by_side.py",
        "store(out_gradient, start + c * pitch, select(counted, value, 0.0))",
        "store(out_gradient, start + c * pitch, value)",
        _CROSS_ENTROPY + "[(131, 10, 1)-0.1-float32-1e-06-cpu]",
    ),
    Mutation(
        "cross-entropy-loss-of-ignored-labels",
        "kernels/softmax_cross_entropy/side_by_side.py",
        "return select(counted, loss, 0.0)",
        "return loss",
        _CROSS_ENTROPY + "[(131, 10, 1)-0.1-float32-1e-06-cpu]",
    ),
    Mutation(
        "cross-entropy-of-probabilities-unscaled",
        "kernels/softmax_cross_entropy/soft_rows.py",
        "e * factor - t * scale)",
        "e * factor - t)",
        "tests/kernels/test_softmax_cross_entropy.py::test_probabilities_write_the_reference"
        "[(7, 3, 1)-0.1-float32-1e-06-cpu]",
    ),
    Mutation(
        "huber-far-part-without-delta",
        "kernels/pointwise_loss/formulas.py",
        "(size - 0.5 * parameter) * parameter), slope",
        "size - 0.5 * parameter), slope",
        _LOSS + "[31-float32-1e-06-huber-cpu]",
    ),
    Mutation(
        "smooth-l1-without-the-half",
        "kernels/pointwise_loss/formulas.py",
        "return select(near, 0.5 * d * slope, size - 0.5 * parameter), slope",
        "return select(near, d * slope, size - 0.5 * parameter), slope",
        _LOSS + "[31-float32-1e-06-smooth-cpu]",
    ),
    Mutation(
        "logistic-gradient-without-pos-weight",
        "kernels/pointwise_loss/formulas.py",
        "both * softplus, both * p - ones",
        "both * softplus, p - ones",
        _LOSS + "[31-float32-1e-06-logistic-cpu]",
    ),
    Mutation(
        "kl-divergence-sign",
        "kernels/pointwise_loss/formulas.py",
        "t * log(t)) - t * x, -t",
        "t * log(t)) + t * x, -t",
        _LOSS + "[31-float32-1e-06-divergence-cpu]",
    ),
    Mutation(
        "pointwise-loss-sums-what-lies-behind",
        "kernels/pointwise_loss/cpu.py",
        "sums += select(first(x, count), value, 0.0)",
        "sums += value",
        _LOSS + "[7-float32-1e-06-logistic-cpu]",
    ),
    Mutation(
        "hinge-weight-not-over-classes",
        "kernels/hinge/cpu.py",
        "factor = weight[label] / classes",
        "factor = weight[label]",
        "tests/kernels/test_hinge.py::test_any_shape",
    ),
    Mutation(
        "prelu-slope-of-the-first-channel",
        "kernels/prelu/cpu.py",
        "_forward_stretch(x, weight[plane % channels], out_y, start, stop)",
        "_forward_stretch(x, weight[0], out_y, start, stop)",
        "tests/kernels/test_prelu.py::test_c5_prelu_any_shape",
    ),
    Mutation(
        "maxout-gradient-to-later-pieces-too",
        "kernels/maxout/cpu.py",
        "select(number == j, gradient, 0.0)",
        "select(number <= j, gradient, 0.0)",
        "tests/kernels/test_maxout.py::test_c7_maxout_writes_the_reference"
        "[cpu-float32-(4, 5, 100)]",
    ),
    Mutation(
        "dropout-keeps-what-it-should-drop",
        "kernels/bernoulli_mask/cpu.py",
        "select(load_bits(bits, i, x), kept, fills)",
        "select(load_bits(bits, i, x), fills, kept)",
        _DROPOUT + "[1009-float32]",
    ),
    Mutation(
        "dropout-scale-of-the-dropped-share",
        "kernels/bernoulli_mask/__init__.py",
        "scale = 1 / (1 - p_drop) if p_drop < 1 else 1.0",
        "scale = 1 / p_drop if p_drop > 0 else 1.0",
        "tests/kernels/test_bernoulli_mask.py::test_b2_scale_keeps_the_expectation",
    ),
    Mutation(
        "dropout-keeps-with-the-dropped-share",
        "kernels/_philox.py",
        "min(round(p_drop * 2**32), 2**32 - 1)",
        "min(round((1 - p_drop) * 2**32), 2**32 - 1)",
        "tests/kernels/test_bernoulli_mask.py::test_b1_statistics_of_1e5_masks",
    ),
    Mutation(
        "dropout-planes-share-bits",
        "kernels/bernoulli_mask/cpu.py",
        "kept = bits[p >> 3] >> (p & 7) & 1",
        "kept = bits[p >> 3] >> (p & 6) & 1",
        "tests/kernels/test_bernoulli_mask.py::test_b8_planes_are_kept_or_dropped_whole[16]",
    ),
    Mutation(
        "philox-of-9-rounds",
        "kernels/_philox.py",
        "_ROUNDS = 10",
        "_ROUNDS = 9",
        "tests/kernels/test_philox.py::test_b1_lanes_give_the_known_answers"
        "[counter0-key0-expected0]",
    ),
    Mutation(
        "coins-of-equal-digits-are-dropped",
        "kernels/_philox.py",
        "_as_bytes(kept0 | open0)",
        "_as_bytes(kept0)",
        "tests/kernels/test_philox.py::test_b1_philox_bits_equal_reference[0-0]",
    ),
    Mutation(
        "gaussian-noise-repeats",
        "kernels/gaussian_mask/cpu.py",
        "z1 * std + mean",
        "z0 * std + mean",
        "tests/kernels/test_gaussian_mask.py::test_b5_noise_equals_reference[1009-float32]",
    ),
    Mutation(
        "drop-connect-weight-gradient-unmasked",
        "kernels/drop_connect/cpu.py",
        "values = select(kept, load_some(x, from_x + i, count, 0.0), 0.0)",
        "values = load_some(x, from_x + i, count, 0.0)",
        "tests/kernels/test_drop_connect.py::test_b9_drop_connect_equals_reference[6-45-131-4-float32]",
    ),
    Mutation(
        "drop-connect-input-gradient-of-the-first-part",
        "kernels/drop_connect/cpu.py",
        "for part in range(work_dx.shape[0]):",
        "for part in range(1):",
        "tests/kernels/test_drop_connect.py::test_b9_drop_connect_equals_reference[6-45-131-4-float32]",
    ),
    Mutation(
        "max-norm-scales-short-rows-too",
        "kernels/max_norm/cpu.py",
        "if norm > c:",
        "if norm > 0.5 * c:",
        "tests/kernels/test_max_norm.py::test_b7_norms_are_bounded_and_the_inside_keeps_every_bit",
    ),
    Mutation(
        "clip-norm-of-the-first-chunk",
        "kernels/clip_norm/cpu.py",
        "out_sum[0] = work_partials[-1]",
        "out_sum[0] = work_partials[0]",
        "tests/kernels/test_clip_norm.py::test_equals_reference[100003-float32]",
    ),
    Mutation(
        "images-over-the-first-channels-deviation",
        "kernels/gather_normalize/cpu.py",
        "scale = np.float32(1.0 / (255.0 * std[channel]))",
        "scale = np.float32(1.0 / (255.0 * std[0]))",
        "tests/kernels/test_gather_normalize.py::test_d1_gather_equals_reference[shape2]",
    ),
    Mutation(
        "sum-of-two-arrays-without-the-tail",
        "kernels/add/cpu.py",
        "if i < stop:",
        "if i < stop - 1:",
        "tests/kernels/test_add.py::test_implementations_write_the_reference",
    ),
    Mutation(
        "adam-without-the-bias-of-squares",
        "kernels/optimizer_step/cpu.py",
        "unbias_root = 1 / math.sqrt(1 - beta2 ** float(step))",
        "unbias_root = 1.0",
        _ADAM + "[rule0-2-float32]",
    ),
    Mutation(
        "adamw-decays-the-gradient-too",
        "kernels/optimizer_step/cpu.py",
        "coupled = 0.0 if decoupled else weight_decay",
        "coupled = weight_decay",
        _ADAM,
    ),
    Mutation(
        "adam-decay-of-the-other-beta",
        "kernels/optimizer_step/cpu.py",
        "square = fma(g * (1 - beta2), g, square * beta2)",
        "square = fma(g * (1 - beta2), g, square * beta1)",
        _ADAM,
    ),
    Mutation(
        "nesterov-looks-ahead-twice",
        "kernels/optimizer_step/cpu.py",
        "(fma(buffer, momentum, g) if nesterov else buffer)",
        "(fma(buffer, momentum, buffer) if nesterov else buffer)",
        _SGD,
    ),
    Mutation(
        "sgd-dampening-ignored",
        "kernels/optimizer_step/cpu.py",
        "fma(buffer, momentum, g * fresh)",
        "fma(buffer, momentum, g)",
        _SGD,
    ),
    Mutation(
        "maximizing-turns-the-decay-round",
        "kernels/optimizer_step/cpu.py",
        "grad = -grad",
        "grad, weight_decay = -grad, -weight_decay",
        _SGD,
    ),
]
