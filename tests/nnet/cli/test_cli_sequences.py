"""The jobs of sequences on the command line: what they learn, leave behind and refuse."""

import hashlib
import json
import math
import os
import sys

import numpy as np
import pytest

import nnet as nn
from nnet import cli
from nnet.jobs.char_lm import job as char_lm
from nnet.training import Callback, load_run
from tests.nnet.cli.test_cli import refused

# Small, and all of one cell, since the time of these tests is that of compiling.
TEXT = ["--cell", "gru", "--hidden", "16", "--embedding", "8", "--batch-size", "4",
        "--steps", "16", "--lr", "0.02", "--dropout", "0", "--no-progress"]  # fmt: skip
SERIES = ["--hidden", "8", "--epochs", "20", "--lr", "0.03",
          "--validation", "0.1", "--no-progress"]  # fmt: skip
PAIRS = ["--hidden", "16", "--embedding", "8", "--batch-size", "16", "--epochs", "2",
         "--no-progress"]  # fmt: skip


def weights_of(folder):
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


def record_of(folder):
    return json.loads((folder / "run.json").read_text())


def done(*arguments):
    assert cli.main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "text.txt"
    path.write_text("to be or not to be, that is the question. " * 40, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def text_run(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "text"
    done("train", "char-lm", "--text", text, *TEXT, "--epochs", 6, "--out", folder)
    return folder


def waves(path, channels=3, seed=0):
    """Slow and fast waves of lengths 5 to 14, in noise."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for part, count in (("train", 60), ("test", 30)):
        labels, lengths = rng.integers(0, 2, count), rng.integers(5, 15, count)
        steps = np.arange(14)[:, None] * (0.3 + 0.9 * labels[:, None, None])
        x = np.sin(steps + rng.uniform(0, 6, (count, 1, channels)))
        x += rng.normal(0, 0.1, x.shape)
        x[np.arange(14) >= lengths[:, None]] = 0
        arrays |= {f"x_{part}": x.astype(np.float32), f"len_{part}": lengths, f"y_{part}": labels}
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return waves(tmp_path_factory.mktemp("data") / "waves.npz")


@pytest.fixture(scope="module")
def series_run(series, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "series"
    done("train", "series", series, *SERIES, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "pairs.tsv"
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcde"), rng.integers(1, 5))) for _ in range(80)]
    path.write_text("".join(f"{word}\t{word[::-1]}\n" for word in words), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pairs_run(pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "pairs"
    done("train", "seq2seq", pairs, *PAIRS, "--out", folder)
    return folder


def test_text_is_learned(text_run):
    run = load_run(text_run)
    losses = [epoch.validation_loss for epoch in run.history.epochs]
    assert len(losses) == 6 and losses[-1] < 1.0 < losses[0] < 3.5
    record = record_of(text_run)
    assert record["result"]["loss"] == pytest.approx(losses[-1], rel=1e-6)
    assert record["result"]["accuracy"] > 0.6
    parts = record["data"]
    assert parts["train"]["samples"] + parts["validation"]["samples"] == 40 * 42
    assert len(parts["train"]["sha256"]) == 64
    assert record["settings"]["cell"] == "gru" and record["settings"]["seed"] == 0
    assert {"nnet", "numba", "numpy", "python"} <= record["versions"].keys()
    assert sorted(os.listdir(text_run)) == [
        "curves.png", "history.json", "run.json", "weights.safetensors",
    ]  # fmt: skip


def test_text_is_generated(text_run, capsys):
    done("generate", text_run, "--prompt", "to be", "--length", 60, "--temperature", 0)
    likeliest = capsys.readouterr().out
    assert likeliest.startswith("to be") and len(likeliest) == 5 + 60 + 1
    assert "to be or" in likeliest
    found = []
    for seed in (1, 1, 2):
        done("generate", text_run, "--prompt", "t", "--length", 60, "--seed", seed)
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] != found[2]


def test_text_is_evaluated_again(text_run, text, tmp_path, capsys):
    result = record_of(text_run)["result"]
    done("evaluate", text_run)
    line = capsys.readouterr().out
    assert line.startswith(f"validation loss {result['loss']:.4f} per character")
    assert f"({result['loss'] / math.log(2):.3f} bits)" in line
    done("evaluate", text_run, "--data", text)
    assert "per character" in capsys.readouterr().out
    (tmp_path / "other.txt").write_text("to bö")
    assert "other.txt: expected characters of the text that the model was trained on, got 'ö'" in (
        refused(capsys, "evaluate", text_run, "--data", tmp_path / "other.txt")
    )


def test_characters_that_the_model_has_not_seen_are_named(text_run, capsys):
    message = refused(capsys, "generate", text_run, "--prompt", "To be Ω, be!")
    assert message.endswith("that the model was trained on, got '!', 'T', 'Ω'\n")
    assert "expected at least one character, got an empty text" in refused(
        capsys, "generate", text_run, "--prompt", ""
    )
    assert "required: --prompt" in refused(capsys, "generate", text_run)


def test_a_kind_of_run_says_what_it_is_for(text_run, series_run, capsys):
    assert "nnet generate RUN --prompt" in refused(capsys, "predict", text_run, "to be")
    assert "expected the run of a language model" in refused(
        capsys, "generate", series_run, "--prompt", "a"
    )


def test_texts_that_cannot_be_learned(tmp_path, text, capsys):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "short.txt").write_text("abc")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfa")
    out = ["--out", tmp_path / "run"]
    for name, message in (
        ("empty.txt", "expected a text, got an empty file"),
        ("short.txt", "expected a fraction of 3 symbols"),
        ("bytes.txt", "expected a text of UTF-8"),
        ("none.txt", "No such file"),
    ):
        assert message in refused(capsys, "train", "char-lm", "--text", tmp_path / name, *out)
    assert "required: --text" in refused(capsys, "train", "char-lm")
    assert "expected one of lstm, gru, got 'rnn'" in refused(
        capsys, "train", "char-lm", "--text", text, "--cell", "rnn"
    )
    assert "expected a job out of images, char-lm, series, seq2seq, got 'dream'" in refused(
        capsys, "train", "dream"
    )


def test_minutes_end_the_training_in_the_midst_of_an_epoch(text, tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ["--minutes", "1e-9", "--epochs", "7", "--out", folder]
    done("train", "char-lm", "--text", text, *TEXT, *arguments)
    run = load_run(folder)
    assert len(run.history.step_loss) == 1 < run.history.steps_an_epoch
    assert len(run.history.epochs) == 1 and not run.history.interrupted
    assert run.history.epochs[0].validation_loss is not None
    assert "validation loss" in capsys.readouterr().out


def test_one_seed_gives_the_same_text_model_on_any_number_of_threads(text, tmp_path):
    found = []
    for threads, seed in ((1, 0), (2, 0), (2, 1)):
        folder = tmp_path / f"{threads}-{seed}"
        more = ["--dropout", "0.2", "--threads", threads, "--seed", seed, "--out", folder]
        done("train", "char-lm", "--text", text, *TEXT, "--epochs", 1, *more)
        found.append(weights_of(folder))
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(("job", "options"), [("series", SERIES), ("seq2seq", PAIRS)])
def test_one_seed_gives_the_same_model_on_any_number_of_threads(job, options, request, tmp_path):
    file = request.getfixturevalue("series" if job == "series" else "pairs")
    found = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        done("train", job, file, *options, "--epochs", 2, "--threads", threads, "--out", folder)
        found.append(weights_of(folder))
    assert found[0] == found[1]


def test_ctrl_c_keeps_what_the_text_model_has_learnt(text, tmp_path, capsys, monkeypatch):
    class Interrupt(Callback):
        def after_step(self, training):
            if len(training.history.step_loss) == 3:
                raise KeyboardInterrupt

    fit = char_lm.fit
    monkeypatch.setattr(char_lm, "fit", lambda *a, **k: fit(*a, **k, callbacks=[Interrupt()]))
    folder = tmp_path / "run"
    arguments = ["train", "char-lm", "--text", str(text), *TEXT, "--out", str(folder)]
    assert cli.main(arguments) == 130
    assert "nnet train char-lm: interrupted after 3 steps" in capsys.readouterr().out
    assert load_run(folder).history.interrupted
    done("generate", folder, "--prompt", "t", "--length", 5)


def test_series_are_learned(series_run, series, capsys):
    record = record_of(series_run)
    assert record["result"]["accuracy"] > 0.8
    assert {name: part["samples"] for name, part in record["data"].items()} == {
        "train": 54, "validation": 6, "test": 30,
    }  # fmt: skip
    done("evaluate", series_run)
    expected = f"test accuracy {100 * record['result']['accuracy']:.2f} %"
    assert capsys.readouterr().out.startswith(expected)


def test_series_are_predicted(series_run, series, tmp_path, capsys):
    done("predict", series_run, series)
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _, _ in lines] == [f"{series} {index}" for index in range(30)]
    with np.load(series) as file:
        x, lengths, labels = file["x_test"], file["len_test"], file["y_test"]
    right = np.mean([int(label) for _, label, _ in lines] == labels)
    assert right == pytest.approx(record_of(series_run)["result"]["accuracy"])
    # One series, cut at its end.
    np.savez(tmp_path / "one.npz", x=x[:1, : lengths[0]])
    done("predict", series_run, tmp_path / "one.npz")
    assert capsys.readouterr().out.split("  ")[1:] == [*lines[0][1:-1], lines[0][-1] + "\n"]


def test_series_that_do_not_fit(series_run, series, tmp_path, capsys):
    (tmp_path / "text.npz").write_text("no series")
    np.savez(tmp_path / "nothing.npz", y=np.zeros(3))
    np.savez(tmp_path / "flat.npz", x=np.zeros((3, 4), np.float32))
    np.savez(tmp_path / "long.npz", x=np.zeros((1, 4, 3), np.float32), len=np.array([5]))
    waves(tmp_path / "wide.npz", channels=4)
    for name, message in (
        ("text.npz", "expected a file of NumPy's npz format"),
        ("nothing.npz", "expected an array x or x_test, found neither"),
        ("flat.npz", "flat.npz: SeriesDataset: expected series of shape (N, T, C), got (3, 4)"),
        ("long.npz", "expected lengths from 1 to 4, got 5 at series 0"),
        ("wide.npz", "wide.npz: expected series of 3 channels, as the run was trained on, got 4"),
        ("none.npz", "expected a file of series, found none"),
    ):
        assert message in refused(capsys, "predict", series_run, tmp_path / name)
    assert "expected series of 3 channels" in refused(
        capsys, "evaluate", series_run, "--data", tmp_path / "wide.npz"
    )
    assert "no attention to be drawn" in refused(
        capsys, "predict", series_run, series, "--picture", "a.png"
    )
    assert "found no x_train" in refused(capsys, "train", "series", tmp_path / "nothing.npz")
    assert "required: FILE" in refused(capsys, "train", "series")
    assert "a fraction of 60 samples" in refused(
        capsys, "train", "series", series, "--validation", "0.001"
    )


def test_pairs_are_learned(pairs_run, capsys):
    record = record_of(pairs_run)
    assert set(record["result"]) == {"loss", "accuracy", "whole"}
    losses = [epoch.train_loss for epoch in load_run(pairs_run).history.epochs]
    assert losses[1] < losses[0]
    done("evaluate", pairs_run)
    assert capsys.readouterr().out.startswith(
        f"validation loss {record['result']['loss']:.4f} per symbol"
    )


def test_pairs_are_predicted_with_a_picture(pairs_run, tmp_path, capsys):
    from PIL import Image

    done("predict", pairs_run, "abc", "ed")
    outputs = capsys.readouterr().out.splitlines()
    assert len(outputs) == 2 and set("".join(outputs)) <= set("abcde")
    with Image.open(pairs_run / "attention.png") as picture:
        assert picture.format == "PNG"
    (tmp_path / "inputs.txt").write_text("abc\tcba\n\ned\n")
    done("predict", pairs_run, tmp_path / "inputs.txt", "--picture", tmp_path / "p.png")
    assert capsys.readouterr().out.splitlines() == outputs
    assert (tmp_path / "p.png").exists()


def test_pictures_need_matplotlib(pairs_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done("predict", pairs_run, "abc")
    assert "no attention.png: attention: matplotlib is missing, pip install 'nnet[plots]'" in (
        capsys.readouterr().err
    )
    assert "matplotlib is missing" in refused(
        capsys, "predict", pairs_run, "abc", "--picture", tmp_path / "p.png"
    )


def test_pairs_without_attention(pairs, tmp_path, capsys):
    folder = tmp_path / "run"
    done("train", "seq2seq", pairs, *PAIRS, "--attention", "none", "--out", folder)
    done("predict", folder, "abc")
    assert not (folder / "attention.png").exists()
    assert "no attention to be drawn" in refused(
        capsys, "predict", folder, "abc", "--picture", tmp_path / "p.png"
    )


def test_pairs_that_do_not_fit(pairs_run, tmp_path, capsys):
    (tmp_path / "one.tsv").write_text("a\tb\n")
    (tmp_path / "tab.tsv").write_text("a\tb\nab\n")
    (tmp_path / "other.tsv").write_text("axyz\tb\n")
    assert "a fraction of 1 samples" in refused(capsys, "train", "seq2seq", tmp_path / "one.tsv")
    assert "source, tab, target at line 2" in refused(
        capsys, "train", "seq2seq", tmp_path / "tab.tsv"
    )
    assert "got 'x' at position 1" in refused(
        capsys, "evaluate", pairs_run, "--data", tmp_path / "other.tsv"
    )
    assert "expected characters that the model was trained on, got 'x', 'z'" in refused(
        capsys, "predict", pairs_run, "azx"
    )
    assert "expected a text, got an empty one" in refused(capsys, "predict", pairs_run, " ")


def test_words_that_are_rare_are_unknown(tmp_path, capsys):
    path = tmp_path / "words.tsv"
    path.write_text("to be\tsein\nto see\tsehen\nto be\tsein\n" * 4 + "to err\tirren\n")
    folder = tmp_path / "run"
    arguments = ["--unit", "words", "--min-count", "2", "--out", folder]
    done("train", "seq2seq", path, *PAIRS, *arguments)
    description = load_run(folder).description
    assert "err" not in description.source["symbols"] and "be" in description.source["symbols"]
    done("predict", folder, "to wonder")
    assert nn.data.Vocabulary.from_dict(description.source).unk is not None
