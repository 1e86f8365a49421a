"""The last task of a parallel loop left out: what is large enough for several is tested too."""

from .mutation import Mutation

_TASK = "\n            task = np.int64(index)\n            "


def _left_out(name: str, file: str, tasks: str, test: str, then: str = "") -> Mutation:
    """then  what follows the loop's head, where there are several alike"""
    old, new = f"prange({tasks}):{then}", f"prange({tasks} - 1):{then}"
    return Mutation(f"task-of-{name}", f"kernels/{file}.py", old, new, f"tests/kernels/{test}")


def _fewer(name: str, file: str, call: str, test: str) -> Mutation:
    """call  of the kernel, up to its count of tasks"""
    return Mutation(
        f"task-of-{name}", f"kernels/{file}.py", f"{call},", f"{call} - 1,", f"tests/kernels/{test}"
    )


_ACTIVATION = "test_activation.py::test_c1_c2_c3_c4_c6_activation_writes_the_reference"
_SCORES = "test_additive_score.py::test_i8_additive_score_writes_the_reference"
_CROSS_ENTROPY = "test_softmax_cross_entropy.py::test_implementation_writes_the_reference"
_DROPOUT = "test_bernoulli_mask.py::test_b1_dropout_equals_reference_to_the_bit"
_PLANES_DROPPED = (
    "test_bernoulli_mask.py::test_b8_planes_of_several_tasks_have_the_coins_of_as_many_elements"
)
_EMBEDDING = "test_embedding.py::test_implementation_writes_the_reference"
_NOISE = "test_gaussian_mask.py::test_b5_noise_equals_reference"
_GROUP = "test_group_norm.py::test_j_group_norm_writes_the_reference"
_LINES = "test_group_norm.py::test_j_plane_lines_write_the_reference"
_RESPONSE = "test_local_response_norm.py::test_c10_response_norm_writes_the_reference"
_STEPS = "test_optimizer_step.py::test_f_steps_of_several_tasks_equal_reference"
_LOSS = "test_pointwise_loss.py::test_implementation_writes_the_reference"
_PULL = "test_pointwise_loss.py::test_backward_of_several_tasks_scales_each_element"

TASKS = [
    _fewer(
        "activation",
        "activation/cpu",
        "_forward(tasks",
        _ACTIVATION + "[ReLU-cpu-float32-1e-06-150001]",
    ),
    _fewer(
        "activation-gradient",
        "activation/cpu",
        "_backward(tasks",
        _ACTIVATION + "[ReLU-cpu-float32-1e-06-150001]",
    ),
    _fewer(
        "sum",
        "add/cpu",
        "_add(-(-a.size // CHUNK)",
        "test_add.py::test_implementations_write_the_reference",
    ),
    _fewer(
        "additive-scores",
        "additive_score/cpu",
        "_scores(tasks",
        _SCORES + "[cpu-float32-1e-06-(3, 70, 67, 33)]",
    ),
    _fewer(
        "additive-score-gradients",
        "additive_score/cpu",
        "_gradients(tasks",
        _SCORES + "[cpu-float32-1e-06-(3, 70, 67, 33)]",
    ),
    _fewer(
        "dropout-forward",
        "bernoulli_mask/cpu",
        "_draw_and_apply(-(-blocks // _SPAN)",
        _DROPOUT + "[20557-float32]",
    ),
    _fewer("dropout-backward", "bernoulli_mask/cpu", "_apply(tasks", _DROPOUT),
    _fewer("dropout-planes", "bernoulli_mask/cpu", "_apply_planes(tasks", _PLANES_DROPPED),
    _fewer("dropout-coins", "bernoulli_mask/cpu", "_draw(tasks", _PLANES_DROPPED),
    _fewer(
        "gaussian-draw",
        "gaussian_mask/cpu",
        "_draw(-(-blocks // _SPAN)",
        _NOISE + "[16461-float32]",
    ),
    _fewer(
        "gaussian-apply",
        "gaussian_mask/cpu",
        "_apply(tasks",
        "test_gaussian_mask.py::test_noise_of_several_tasks_is_applied_to_each_element",
    ),
    _fewer(
        "clip-length",
        "clip_norm/cpu",
        "_sum_chunks(work_partials.size",
        "test_clip_norm.py::test_equals_reference[100003-float32]",
    ),
    _fewer(
        "clip-scale",
        "clip_norm/cpu",
        "_scale(-(-inout_x.size // _CHUNK)",
        "test_clip_norm.py::test_equals_reference[100003-float32]",
    ),
    Mutation(
        "task-of-transposed-bias",
        "kernels/conv_transpose2d/cpu.py",
        "_add_bias(-(-planes // group),",
        "_add_bias(-(-planes // group) - 1,",
        "tests/kernels/test_conv_transpose2d.py::test_h_transposed_is_the_definition",
    ),
    _fewer(
        "drop-connect-forward",
        "drop_connect/cpu",
        "_forward(chunks * slices",
        "test_drop_connect.py::test_b9_drop_connect_equals_reference[6-45-131-4-float32]",
    ),
    _fewer(
        "embedding-rows",
        "embedding/cpu",
        "_copy_rows(tasks",
        _EMBEDDING + "[cpu-float32-1e-06-(8209, 128, 2203)]",
    ),
    _fewer(
        "embedding-zeros",
        "embedding/cpu",
        "_zero_rows(tasks",
        _EMBEDDING + "[cpu-float32-1e-06-(70001, 17, 300)]",
    ),
    _fewer(
        "embedding-sums",
        "embedding/cpu",
        "_sum_runs(tasks",
        _EMBEDDING + "[cpu-float32-1e-06-(257, 67, 1009)]",
    ),
    _fewer(
        "embedding-norms",
        "embedding/cpu",
        "_shrink_rows(tasks",
        "test_embedding.py::test_rows_of_several_tasks_are_shrunk",
    ),
    _fewer(
        "images",
        "gather_normalize/cpu",
        "_gather_normalize(tasks",
        "test_gather_normalize.py::test_same_bits_on_any_path_and_number_of_threads",
    ),
    _fewer(
        "group-norm-forward",
        "group_norm/cpu_forward",
        "_normalize(tasks",
        _GROUP + "[shape10-True-float32-2e-06-cpu]",
    ),
    _fewer(
        "group-norm-backward",
        "group_norm/cpu_backward",
        "_planes(tasks",
        _GROUP + "[shape10-True-float32-2e-06-cpu]",
    ),
    _fewer(
        "group-norm-backward-of-rows",
        "group_norm/cpu_backward",
        "rows_of_part(len(work_sums)",
        _GROUP + "[shape5-True-float32-2e-06-cpu]",
    ),
    _fewer(
        "group-norm-sums-of-parts",
        "group_norm/cpu_backward",
        "_add_up(tasks",
        _GROUP + "[shape5-True-float32-2e-06-cpu]",
    ),
    _fewer(
        "plane-moments",
        "group_norm/cpu_lines",
        "_moments(tasks",
        _LINES + "[shape3-float32-2e-06-cpu]",
    ),
    _fewer(
        "plane-lines",
        "group_norm/cpu_lines",
        " _lines(tasks",
        _LINES + "[shape3-float32-2e-06-cpu]",
    ),
    _fewer(
        "plane-sums", "group_norm/cpu_lines", "_sums(tasks", _LINES + "[shape3-float32-2e-06-cpu]"
    ),
    _fewer(
        "plane-gradients",
        "group_norm/cpu_lines",
        "_gradient_lines(tasks",
        _LINES + "[shape3-float32-2e-06-cpu]",
    ),
    Mutation(
        "task-of-response-norm",
        "kernels/local_response_norm/cpu.py",
        "_forward(tasks,",
        "_forward(tasks - 1,",
        "tests/kernels/" + _RESPONSE,
    ),
    Mutation(
        "task-of-response-norm-gradient",
        "kernels/local_response_norm/cpu.py",
        "_backward(tasks,",
        "_backward(tasks - 1,",
        "tests/kernels/" + _RESPONSE,
    ),
    _fewer(
        "max-norm",
        "max_norm/cpu",
        "_project_rows(tasks",
        "test_max_norm.py::test_b7_max_norm_equals_reference",
    ),
    _fewer("sgd", "optimizer_step/cpu", "_sgd_run(-(-grad.size // _TASK)", _STEPS),
    _fewer(
        "sgd-with-momentum",
        "optimizer_step/cpu",
        "_momentum_run(\n        -(-grad.size // _TASK)",
        _STEPS,
    ),
    _fewer("adam", "optimizer_step/cpu", "_adam_run(\n        -(-grad.size // _TASK)", _STEPS),
    _fewer("loss", "pointwise_loss/cpu", "_forward(tasks", _LOSS),
    _fewer("loss-gradient", "_scaling", "_scale_elements(tasks", _PULL),
    _fewer("loss-gradient-of-samples", "_scaling", "_scale_samples(tasks", _CROSS_ENTROPY),
    _fewer("cross-entropy-side-by-side", "softmax_cross_entropy/cpu", "run(tasks", _CROSS_ENTROPY),
    _fewer(
        "cross-entropy-of-long-rows",
        "softmax_cross_entropy/cpu",
        "soft_rows(tasks",
        "test_softmax_cross_entropy.py::test_probabilities_write_the_reference",
    ),
    Mutation(
        "task-of-adaptive-pool",
        "kernels/pool2d/cpu_adaptive.py",
        "_window_sums(tasks,",
        "_window_sums(tasks - 1,",
        "tests/kernels/test_pool2d.py::test_adaptive_average_of_several_tasks_means_each_plane",
    ),
]
