"""Faults in optimizers, schedules, data and training."""

from .mutation import Mutation

TRAINING = [
    Mutation(
        "adam-default-of-the-second-beta",
        "nnet/optim/adam.py",
        "        betas: tuple[float, float] = (0.9, 0.999),\n"
        "        eps: float = 1e-8,\n        weight_decay: float = 0,",
        "        betas: tuple[float, float] = (0.9, 0.99),\n"
        "        eps: float = 1e-8,\n        weight_decay: float = 0,",
        "tests/nnet/optim/test_optim_torch.py::test_f_trajectories_are_pytorchs",
    ),
    Mutation(
        "adamw-default-decay",
        "nnet/optim/adam.py",
        "weight_decay: float = 1e-2,",
        "weight_decay: float = 1e-4,",
        "tests/nnet/optim/test_optim_torch.py::test_f_trajectories_are_pytorchs",
    ),
    Mutation(
        "adamw-is-adam",
        "nnet/optim/adam.py",
        "DECOUPLED = True",
        "DECOUPLED = False",
        "tests/nnet/optim/test_optim_torch.py::test_f_trajectories_are_pytorchs",
    ),
    Mutation(
        "sgd-momentum-starts-with-zeros",
        "nnet/optim/sgd.py",
        "first_step=momentum != 0 and run.advance() == 1,",
        "first_step=momentum != 0 and run.advance() == 0,",
        "tests/nnet/optim/test_optim_torch.py::test_f_trajectories_are_pytorchs",
    ),
    Mutation(
        "optimizer-counts-the-step-of-one-parameter",
        "nnet/optim/buckets.py",
        "steps[self._first : self._stop] = [step] * (self._stop - self._first)",
        "steps[self._first] = step",
        "tests/nnet/optim/test_optim.py::test_parameters_without_gradient_are_skipped",
    ),
    Mutation(
        "optimizer-state-without-steps",
        "nnet/optim/optimizer.py",
        '"step": bucket.steps[i],',
        '"step": 1,',
        "tests/nnet/optim/test_optim.py::test_state_goes_on_where_it_was",
    ),
    Mutation(
        "cosine-schedule-without-its-minimum",
        "nnet/optim/lr_scheduler/cosine.py",
        "return [low + (lr - low) * factor for lr in self._rates()]",
        "return [lr * factor for lr in self._rates()]",
        "tests/nnet/optim/test_lr_scheduler.py::test_f_cosine_falls_to_its_minimum",
    ),
    Mutation(
        "loader-drops-the-last-batch",
        "nnet/data/batches.py",
        "return full + (rest > 0 and not self.drop_last)",
        "return full",
        "tests/nnet/data/test_loader.py::test_in_order_without_shuffle",
    ),
    Mutation(
        "loader-shuffles-alike-every-epoch",
        "nnet/data/order.py",
        'key = seed_of("shuffled", "seed", seed), seed_of("shuffled", "epoch", epoch)',
        'key = seed_of("shuffled", "seed", seed), 0',
        "tests/nnet/data/test_loader.py::test_shuffle_is_a_function_of_seed_and_epoch",
    ),
    Mutation(
        "statistics-give-the-variance",
        "nnet/data/images/statistics.py",
        "std = float(np.sqrt(share @ (levels - mean) ** 2))",
        "std = float(share @ (levels - mean) ** 2)",
        "tests/nnet/data/test_data.py::test_d4_channel_statistics_are_those_of_the_given_set_alone",
    ),
    Mutation(
        "split-parts-overlap",
        "nnet/data/split.py",
        "dataset.subset(np.sort(order[a:b]))",
        "dataset.subset(np.sort(order[: b - a]))",
        "tests/nnet/data/test_data.py::test_g11_split_is_disjoint_and_covers",
    ),
    Mutation(
        "evaluation-leaves-the-model-in-use",
        "nnet/module/modes.py",
        "module.training = training",
        "module.training = False",
        "tests/nnet/training/test_training.py::test_evaluate_is_exact_and_changes_nothing",
    ),
    Mutation(
        "training-goes-on-in-use",
        "nnet/training/loop.py",
        "            model.train()\n",
        "            model.training = True\n",
        "tests/nnet/training/test_training.py::test_continues_the_model_in_training_mode",
    ),
    Mutation(
        "clipping-comes-too-late",
        "nnet/training/defaults.py",
        "def after_backward(self",
        "def after_step(self",
        "tests/nnet/training/test_training.py::test_gradients_are_clipped",
    ),
    Mutation(
        "a-stop-keeps-others-from-being-called",
        "nnet/training/callback.py",
        "stop = stop or raised",
        "raise",
        "tests/nnet/training/test_callbacks.py::test_others_are_called_though_one_stops",
    ),
    Mutation(
        "a-stop-in-an-epoch-loses-it",
        "nnet/training/loop.py",
        "if training.average.count:",
        "if training.average.count and history.stopped is None:",
        "tests/nnet/training/test_callbacks.py::test_a_training_stops_at_each_hook",
    ),
    Mutation(
        "after-fit-of-good-ends-alone",
        "nnet/training/loop.py",
        "    finally:\n        with suppress(StopTraining):",
        "    else:\n        with suppress(StopTraining):",
        "tests/nnet/training/test_callbacks.py::test_after_fit_is_called_after_ctrl_c",
    ),
    Mutation(
        "guard-asks-of-all-that-the-model-is-given",
        "nnet/training/diagnostics/guard.py",
        "_finite([*given, *named.values()][:1])",
        "_finite([*given, *named.values()])",
        "tests/nnet/training/test_callbacks.py::test_a_state_that_is_carried_is_no_input",
    ),
    Mutation(
        "shares-of-one-more-batch",
        "nnet/data/batches.py",
        "return np.minimum(numbers * batch_size, count - numbers[::-1])",
        "return np.minimum(numbers * batch_size, count)",
        "tests/nnet/data/test_shares.py"
        "::test_each_sample_is_in_one_share_and_shares_have_as_many_batches",
    ),
    Mutation(
        "shares-of-neighbours",
        "nnet/data/batches.py",
        "[rank::size][: self._most]",
        "[rank * self._most :][: self._most]",
        "tests/nnet/data/test_shares.py::test_shares_are_of_the_order_that_one_worker_has",
    ),
    Mutation(
        "monte-carlo-population-deviation",
        "nnet/inspection/monte_carlo.py",
        "std = np.sqrt(squares / max(k - 1, 1))",
        "std = np.sqrt(squares / k)",
        "tests/nnet/layers/test_dropout.py"
        "::test_b4_monte_carlo_is_the_mean_and_the_sample_deviation_of_its_passes",
    ),
    Mutation(
        "max-norm-of-rows-whatever-the-axis",
        "nnet/optim/max_norm.py",
        "if dim % weight.ndim == 0 and weight.flags.c_contiguous:",
        "if weight.flags.c_contiguous:",
        "tests/kernels/test_max_norm.py::test_b7_units_along_another_axis",
    ),
]
