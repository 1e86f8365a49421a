"""The command line: `nnet train`, `evaluate`, `predict`, `info`, `warmup`."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, NoReturn

import numpy as np

from kernels import _jit

from . import data, environment, functional, warmup
from .tape import no_grad
from .training import Evaluation, NonFiniteLoss, evaluate, load_run, recipe
from .training.evaluation import evaluating
from .training.run_folder import WEIGHTS, Run

OK, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 done, 1 the training failed, 2 the command cannot be carried out as given, 130 Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser().parse_args(argv, argparse.Namespace(argv=argv))
    try:
        return arguments.run(arguments)
    except _Refused as error:
        print(f"nnet {arguments.command}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print(f"nnet {arguments.command}: interrupted", file=sys.stderr)
        return INTERRUPTED


class _Refused(Exception):
    """What the user asked for cannot be done; the message says why."""


@contextmanager
def _refusing() -> Iterator[None]:
    """What goes wrong while input is read and checked is the input's fault: no traceback."""
    try:
        yield
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise _Refused(str(error)) from error


def _train(arguments: argparse.Namespace) -> int:
    names = [field.name for field in fields(recipe.Settings)]
    settings = recipe.Settings(**{name: getattr(arguments, name) for name in names})
    with _refusing():
        prepared = recipe.prepare(settings, arguments.out, arguments.overwrite)
    command = ["nnet", *arguments.argv]
    try:
        history = recipe.train(prepared, arguments.progress)
    except NonFiniteLoss as error:
        recipe.save(prepared, error.history, command, str(error))
        print(f"nnet train: {error}; saved in {prepared.folder}", file=sys.stderr)
        return FAILED
    if history.interrupted:
        recipe.save(prepared, history, command, "interrupted")
        steps = len(history.step_loss)
        print(f"nnet train: interrupted after {steps} steps; saved in {prepared.folder}")
        return INTERRUPTED
    _say(recipe.test(prepared, recipe.save(prepared, history, command)))
    print(f"training {history.seconds:.1f} s, threads {_jit.get_num_threads()}")
    print(f"run {prepared.folder}")
    return OK


def _evaluate(arguments: argparse.Namespace) -> int:
    with _refusing():
        run = _load(arguments)
        name = arguments.data or run.record["settings"]["data"]
        _, test = recipe.load_data(name)
        shape, classes = run.description.shape, run.description.classes
        if test.images.shape[1:] != shape or len(test.classes) > len(classes):
            raise ValueError(
                f"{name}: expected images of shape {shape} in {len(classes)} classes, as the run "
                f"was trained on, got {test.images.shape[1:]} in {len(test.classes)}"
            )
    _say(evaluate(run.model, recipe.loader(test, run.description)))
    return OK


def _predict(arguments: argparse.Namespace) -> int:
    with _refusing():
        run = _load(arguments)
        images = [data.read_image(path, run.description.shape) for path in arguments.images]
    classes = run.description.classes
    dataset = data.ImageDataset(np.stack(images), np.zeros(len(images), np.int64), classes)
    names = iter(arguments.images)
    with evaluating(run.model), no_grad():
        for batch, _ in recipe.loader(dataset, run.description):
            for probabilities in functional.softmax(run.model(batch), 1).numpy():
                best = int(probabilities.argmax())
                print(f"{next(names)}  {classes[best]}  {probabilities[best]:.4f}")
    return OK


def _info(arguments: argparse.Namespace) -> int:
    processor = environment.processor()
    lines: dict[str, object] = {
        **environment.versions(),
        "processor": f"{processor.name} ({processor.architecture})",
        "vector features": " ".join(processor.features),
        "threads": processor.threads,
        "threading layer": _jit.threading_layer(),
        "compiled kernels": _jit.cache_folder() or "not kept, the folder cannot be written to",
        "CUDA": environment.cuda(),
    }
    for name, value in lines.items():
        print(f"{name:18}{value}")
    return OK


def _warm_up(arguments: argparse.Namespace) -> int:
    if _jit.cache_folder() is None:
        raise _Refused("compiled kernels cannot be kept, the folder cannot be written to")
    try:
        warmup.warm_up(
            arguments.models or tuple(warmup.SHAPES), lambda text: print(text, flush=True)
        )
    except RuntimeError as error:
        print(f"nnet warmup: {error}", file=sys.stderr)
        return FAILED
    return OK


def _load(arguments: argparse.Namespace) -> Run:
    if arguments.threads is not None:
        _jit.set_num_threads(arguments.threads)
    return load_run(arguments.folder)


def _say(found: Evaluation) -> None:
    assert found.accuracy is not None
    print(f"test accuracy {100 * found.accuracy:.2f} %, loss {found.loss:.4f}")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def _number(kind: Callable[[str], Any], good: Callable[[Any], bool], expected: str) -> Callable:
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not good(value):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return value

    return parse


def _model(name: str) -> str:
    if name not in warmup.SHAPES:
        known = ", ".join(warmup.SHAPES)
        raise argparse.ArgumentTypeError(f"expected a model out of {known}, got {name!r}")
    return name


_count = _number(int, lambda value: value >= 1, "an integer of at least 1")
_seed = _number(int, lambda value: 0 <= value < 1 << 63, "an integer from 0 to 2**63 - 1")
_rate = _number(float, lambda value: 0 < value < float("inf"), "a number above 0")
_share = _number(float, lambda value: 0 <= value < 1, "a number from 0 to below 1")
_decay = _number(float, lambda value: 0 <= value < float("inf"), "a number of at least 0")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="nnet", description="Train neural networks on the CPU, and use them.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train an image classifier")
    usual = recipe.Settings()
    for name, kind, text in (
        ("data", str, "mnist, or a folder of IDX files"),
        ("epochs", _count, "passes over the training set"),
        ("batch-size", _count, "samples a step"),
        ("lr", _rate, "largest learning rate of the one-cycle schedule"),
        ("weight-decay", _decay, "of Adam"),
        ("seed", _seed, "of weights, dropout and order; one seed, one result"),
        ("threads", _count, "all cores if not given; the result is the same"),
        ("validation", _share, "share of the training set held back to be watched"),
        ("limit", _count, "train on that many samples only"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        shown = "" if default is None else f"; {default}"
        train.add_argument(f"--{name}", type=kind, default=default, help=text + shown)
    train.add_argument("--out", metavar="FOLDER", help="of the run; runs/DATA-TIME if not given")
    train.add_argument("--overwrite", action="store_true", help="replace a run in that folder")
    train.add_argument("--no-progress", dest="progress", action="store_false", help="say less")
    train.set_defaults(run=_train)

    test = commands.add_parser("evaluate", help="test a trained model")
    test.add_argument("--data", help="mnist, or a folder of IDX files; the run's if not given")
    test.set_defaults(run=_evaluate)

    predict = commands.add_parser("predict", help="classify images")
    predict.set_defaults(run=_predict)

    for command in (test, predict):
        command.add_argument("folder", metavar="RUN", help=f"a run folder, with {WEIGHTS}")
        command.add_argument("--threads", type=_count, help="all cores if not given")
    predict.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, or .npy of bytes")

    info = commands.add_parser("info", help="versions, processor, threads, kernel cache, CUDA")
    info.set_defaults(run=_info)

    warm = commands.add_parser("warmup", help="compile beforehand what the networks need")
    warm.add_argument(
        "models", nargs="*", metavar="MODEL", type=_model, help=f"{', '.join(warmup.SHAPES)}; all"
    )
    warm.set_defaults(run=_warm_up)
    return parser
