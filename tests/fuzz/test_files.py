"""Thousands of damaged files: each is read, or refused in a line that names it, and soon.

A finding tells its seed: `SEED=... make fuzz FUZZ=1 ARGS="-k idx"` repeats it. FUZZ is the number
of changes a target, in place of a few hundred.
"""

import gzip
import io
import json
import os
import resource
import signal
import traceback
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import nnet as nn
from nnet import cli, data
from nnet.data.json_file import read_json
from nnet.data.numpy_file import read_arrays
from nnet.jobs.char_lm import job as char_lm
from nnet.jobs.images import job as images
from nnet.jobs.seq2seq import job as seq2seq
from nnet.jobs.series import job as job_of_series
from nnet.jobs.series.measurements import read_series
from nnet.training import History, load_model, load_run, load_weights, save_run, save_weights
from nnet.training.history import Epoch
from tests.nnet.data.test_data import idx_bytes
from tests.nnet.runs.test_descriptions import ALL

from .mutations import (
    changed,
    header_of_safetensors,
    inside_gzip,
    inside_json,
    inside_png,
    inside_safetensors,
    inside_zip,
)

COUNT = int(os.environ.get("FUZZ", 0))
SEED = int(os.environ.get("SEED", 0))

# More than any of these small files may take.
MEMORY, SECONDS = 1 << 30, 10


class Hang(BaseException):
    """It took too long."""


@contextmanager
def bounded():
    """Without so much memory and time."""

    def stop(*_):
        raise Hang

    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


def written(save):
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def weights_of(kind, folder):
    nn.manual_seed(0)
    save_weights(folder / "seed", ALL[kind].build(), ALL[kind])
    return (folder / "seed").read_bytes()


def png(mode):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).convert(mode)
    return written(lambda file: image.save(file, "PNG"))


def series():
    rng = np.random.default_rng(0)
    arrays = {}
    for part in ("train", "test"):
        arrays |= {
            f"x_{part}": rng.standard_normal((4, 5, 2)), f"len_{part}": np.array([5, 2, 1, 3]),
            f"y_{part}": np.array([0, 1, 1, 0]),
        }  # fmt: skip
    return written(lambda file: np.savez(file, **arrays))


PIXELS = np.arange(16, dtype=np.uint8).reshape(4, 4)
HISTORY = History(2, [Epoch(0.5, 0.5, None, None, 1e-3, 1.0)], [0.5, 0.4])
IDX = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
VOCABULARY = json.dumps(data.Vocabulary("abc", specials=["<pad>"]).to_dict()).encode()
HISTORY_JSON = json.dumps(HISTORY.to_json()).encode()
PAIRS = "ab\tba\nöä\tüß\naab\tbaa\n".encode()


def read_image(path):
    data.read_image(path, (1, 4, 4))


def read_history(path):
    try:
        History.from_json(read_json(path))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from error


TARGETS = {
    "idx": (data.read_idx, lambda _: IDX, [changed]),
    "packed idx": (data.read_idx, lambda _: gzip.compress(IDX), [changed, inside_gzip]),
    "text": (data.read_text, lambda _: PAIRS, [changed]),
    "packed text": (data.read_text, lambda _: gzip.compress(PAIRS), [changed, inside_gzip]),
    "pairs": (data.read_pairs, lambda _: PAIRS, [changed]),
    "words": (lambda path: data.read_pairs(path, "words"), lambda _: PAIRS, [changed]),
    "vocabulary": (data.Vocabulary.load, lambda _: VOCABULARY, [changed, inside_json]),
    "history": (read_history, lambda _: HISTORY_JSON, [changed, inside_json]),
    "npy": (read_image, lambda _: written(lambda file: np.save(file, PIXELS)), [changed]),
    "npz": (read_arrays, lambda _: series(), [changed, inside_zip]),
    "series": (data.series_npz, lambda _: series(), [changed, inside_zip]),
    "unlabelled": (lambda path: read_series(path, ("a", "b")), lambda _: series(), [inside_zip]),
    "png": (read_image, lambda _: png("L"), [changed, inside_png]),
    "png of a palette": (read_image, lambda _: png("P"), [changed, inside_png]),
    "weights": (load_weights, lambda folder: weights_of("series", folder),
                [changed, header_of_safetensors]),
    **{f"model of {kind}": (load_model, lambda folder, kind=kind: weights_of(kind, folder),
                            [changed, inside_safetensors, header_of_safetensors])
       for kind in ALL},
}  # fmt: skip


DATA = {
    "images": ("train-labels-idx1-ubyte", images, [changed]),
    "pictures": ("train-images-idx3-ubyte", images, [changed]),
    "char-lm": ("text.txt", char_lm, [changed]),
    "series": ("waves.npz", job_of_series, [inside_zip]),
    "seq2seq": ("pairs.tsv", seq2seq, [changed]),
}


def seeds(usual):
    return range(SEED, SEED + (COUNT or usual))


def finding(name, seed, error):
    lines = "".join(traceback.format_exception(error))
    pytest.fail(f"{name}, SEED={seed}: {type(error).__name__}: {str(error)[:300]}\n{lines[-3000:]}")


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused(name, tmp_path):
    read, make, changes = TARGETS[name]
    whole = make(tmp_path)
    path = tmp_path / ("file.npy" if name == "npy" else "file.png")
    path.write_bytes(whole)
    read(path)
    for seed in seeds(150):
        rng = np.random.default_rng(seed)
        path.write_bytes(changes[seed % len(changes)](rng, whole))
        try:
            with bounded():
                read(path)
        except (ValueError, TypeError, OSError) as error:
            if path.name not in str(error) or "\n" in str(error):
                finding(name, seed, error)
        except BaseException as error:
            finding(name, seed, error)


@pytest.mark.parametrize("name", DATA)
def test_a_training_on_damaged_data_begins_or_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data_of_all_kinds(tmp_path)
    file, job, changes = DATA[name]
    whole = (tmp_path / file).read_bytes()
    settings = replace(job.Settings("." if job is images else file), validation=0.25)
    job.prepare(settings, tmp_path / "run", overwrite=True)
    for seed in seeds(100):
        rng = np.random.default_rng(seed)
        (tmp_path / file).write_bytes(changes[seed % len(changes)](rng, whole))
        try:
            with bounded():
                job.prepare(settings, tmp_path / "run", overwrite=True)
        except (ValueError, TypeError, OSError) as error:
            if "\n" in str(error):
                finding(name, seed, error)
        except BaseException as error:
            finding(name, seed, error)


COMMANDS = {
    "images": [
        ["predict", "RUN", "a.npy"],
        ["evaluate", "RUN", "--data", "."],
        ["evaluate", "RUN"],
    ],
    "char-lm": [["generate", "RUN", "--prompt", "a", "--length", "2"], ["evaluate", "RUN"]],
    "series": [["predict", "RUN", "waves.npz"], ["evaluate", "RUN"]],
    "seq2seq": [["predict", "RUN", "ab", "--picture", "a.png"], ["evaluate", "RUN"]],
}


READ_BY = {
    ("images", "predict"): "a.npy", ("images", "evaluate"): "t10k-labels-idx1-ubyte",
    ("char-lm", "generate"): "run.json", ("char-lm", "evaluate"): "text.txt",
    ("series", "predict"): "waves.npz", ("series", "evaluate"): "waves.npz",
    ("seq2seq", "predict"): "run.json", ("seq2seq", "evaluate"): "pairs.tsv",
}  # fmt: skip


def data_of_all_kinds(folder):
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        pixels = rng.integers(0, 256, (4, 16, 16), np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        labels = np.array([0, 1, 1, 0], np.int32)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    np.save(folder / "a.npy", pixels[0])
    (folder / "text.txt").write_text("abcabcaabbcc" * 5)
    (folder / "pairs.tsv").write_text("ab\tba\nb\tb\naab\tbaa\nbb\tbb\n")
    (folder / "waves.npz").write_bytes(series())


@pytest.fixture
def run(tmp_path, monkeypatch, request):
    """A run of a kind with the data that its commands read."""
    kind = request.param
    monkeypatch.chdir(tmp_path)
    data_of_all_kinds(tmp_path)
    names = {"images": ".", "char-lm": "text.txt", "series": "waves.npz", "seq2seq": "pairs.tsv"}
    settings = {"data": names[kind], "text": names[kind], "validation": 0.5, "seed": 0}
    nn.manual_seed(0)
    folder = tmp_path / "run"
    folder.mkdir()
    record = {"settings": settings | {"batch_size": 2, "steps": 4}}
    save_run(folder, ALL[kind].build(), ALL[kind], HISTORY, record)
    return kind, folder


@pytest.mark.parametrize("run", COMMANDS, indirect=True)
def test_commands_on_a_damaged_run(run, capsys):
    kind, folder = run
    parts = {
        "weights.safetensors": [inside_safetensors, inside_safetensors, changed,
                                header_of_safetensors],
        "run.json": [inside_json, changed],
        "history.json": [inside_json],
        "a.npy": [changed], "waves.npz": [inside_zip], "pairs.tsv": [changed],
        "text.txt": [changed], "t10k-labels-idx1-ubyte": [changed],
    }  # fmt: skip
    files = {name: folder / name for name in list(parts)[:3]}
    files |= {name: folder.parent / name for name in parts if name not in files}
    whole = {name: path.read_bytes() for name, path in files.items()}
    for command in COMMANDS[kind]:
        words = [str(folder) if word == "RUN" else word for word in command]
        assert cli.main(words) == 0, command
    for seed in seeds(60):
        rng = np.random.default_rng(seed)
        command = COMMANDS[kind][seed % len(COMMANDS[kind])]
        name = list(parts)[rng.choice(3, p=[0.6, 0.3, 0.1])]
        if rng.random() < 0.3:
            name = READ_BY[kind, command[0]]
        change = parts[name][rng.integers(len(parts[name]))]
        files[name].write_bytes(change(rng, whole[name]))
        capsys.readouterr()
        try:
            with bounded():
                code = cli.main([str(folder) if word == "RUN" else word for word in command])
        except BaseException as error:
            finding(f"{kind}: {' '.join(command)}", seed, error)
        shown = capsys.readouterr().err
        if code not in (0, 1, 2) or shown.count("\n") != (code != 0):
            finding(f"{kind}: {' '.join(command)}", seed, ValueError(f"{code}: {shown}"))
        files[name].write_bytes(whole[name])
    load_run(folder)
