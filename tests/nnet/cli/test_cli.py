"""The command line, end to end on MNIST: what it prints, leaves behind and refuses."""

import hashlib
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import nnet as nn
from kernels import runtime
from nnet import cli, warmup
from nnet.jobs.images import job as images
from nnet.training import Callback
from tests.nnet.data.test_data import write_folder

SHORT = ["--epochs", "1", "--limit", "640", "--no-progress"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run over 3,000 digits, shared by the tests that only read it."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    arguments = ["train", "--epochs", "2", "--limit", "3000", "--seed", "1", "--out", str(folder)]
    assert cli.main(arguments) == 0
    return folder


@pytest.fixture(scope="module")
def digits():
    return nn.data.mnist()[1]


def refused(capsys, *arguments):
    """Run a command that must be refused; return its message."""
    capsys.readouterr()
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    output = capsys.readouterr()
    assert code == 2
    assert output.out == "" and output.err.count("\n") == 1 and "Traceback" not in output.err
    return output.err


def test_train_reaches_a_real_accuracy(run_folder):
    record = json.loads((run_folder / "run.json").read_text())
    assert record["result"]["accuracy"] > 0.95
    assert record["settings"]["seed"] == 1 and record["settings"]["limit"] == 3000
    assert record["data"]["train"]["samples"] + record["data"]["validation"]["samples"] == 3000
    assert record["data"]["test"]["samples"] == 10000
    assert record["command"][:2] == ["nnet", "train"]
    assert {"nnet", "numba", "numpy", "python"} <= record["versions"].keys()
    assert record["processor"]["threads"] >= 1
    history = json.loads((run_folder / "history.json").read_text())
    assert len(history["epochs"]) == 2
    assert sorted(os.listdir(run_folder)) == [
        "curves.png", "history.json", "run.json", "weights.safetensors",
    ]  # fmt: skip


def test_train_says_what_it_did(tmp_path, capsys):
    folder = tmp_path / "run"
    assert cli.main(["train", *SHORT, "--out", str(folder)]) == 0
    accuracy, seconds, where = capsys.readouterr().out.splitlines()[-3:]
    assert accuracy.startswith("test accuracy ") and " %, loss " in accuracy
    assert seconds.startswith("training ") and "threads" in seconds
    assert where == f"run {folder}"


def test_evaluate_finds_the_same_accuracy(run_folder, capsys):
    assert cli.main(["evaluate", str(run_folder)]) == 0
    result = json.loads((run_folder / "run.json").read_text())["result"]
    expected = f"test accuracy {100 * result['accuracy']:.2f} %"
    assert capsys.readouterr().out.startswith(expected)


def test_predict(run_folder, digits, tmp_path, capsys):
    from PIL import Image

    paths = []
    for index, suffix in enumerate([".png", ".npy", ".png", ".npy"]):
        image = digits.images[index, 0]
        paths.append(tmp_path / f"{index}{suffix}")
        if suffix == ".npy":
            np.save(paths[-1], image)
        else:
            Image.fromarray(image).convert("RGB" if index else "L").save(paths[-1])
    assert cli.main(["predict", str(run_folder), *map(str, paths)]) == 0
    lines = [line.rsplit("  ", 2) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _, _ in lines] == [str(path) for path in paths]
    assert [label for _, label, _ in lines] == [str(label) for label in digits.labels[:4]]
    assert all(0.3 < float(probability) <= 1 for _, _, probability in lines)


def test_predict_refuses_bad_images(run_folder, tmp_path, capsys):
    from PIL import Image

    np.save(tmp_path / "wide.npy", np.zeros((28, 30), np.uint8))
    assert "expected 1 channel of 28x28 pixels, got shape (28, 30)" in refused(
        capsys, "predict", run_folder, tmp_path / "wide.npy"
    )
    np.save(tmp_path / "float.npy", np.zeros((28, 28)))
    assert "expected pixels of uint8, got float64" in refused(
        capsys, "predict", run_folder, tmp_path / "float.npy"
    )
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    assert "expected an array in NumPy's format" in refused(
        capsys, "predict", run_folder, tmp_path / "object.npy"
    )
    (tmp_path / "empty.npy").touch()
    assert "expected an array in NumPy's format" in refused(
        capsys, "predict", run_folder, tmp_path / "empty.npy"
    )
    Image.new("L", (27, 28)).save(tmp_path / "narrow.png")
    assert "expected 1 channel of 28x28 pixels, got shape (28, 27)" in refused(
        capsys, "predict", run_folder, tmp_path / "narrow.png"
    )
    Image.new("I;16", (28, 28)).save(tmp_path / "deep.png")
    assert "expected 8 bits a channel" in refused(
        capsys, "predict", run_folder, tmp_path / "deep.png"
    )
    (tmp_path / "text.png").write_text("not a picture")
    assert "expected a PNG image" in refused(capsys, "predict", run_folder, tmp_path / "text.png")
    whole = (tmp_path / "narrow.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:50])
    assert "expected a PNG image" in refused(capsys, "predict", run_folder, tmp_path / "cut.png")
    assert "found no file" in refused(capsys, "predict", run_folder, tmp_path / "none.png")


def test_predict_without_pillow_names_the_extra(run_folder, tmp_path, capsys, monkeypatch):
    (tmp_path / "a.png").touch()
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "nnet[plots]" in refused(capsys, "predict", run_folder, tmp_path / "a.png")


def test_train_without_matplotlib_still_saves(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.main(["train", *SHORT, "--out", str(tmp_path / "run")]) == 0
    assert "no curves.png: curves: matplotlib is missing" in capsys.readouterr().out
    assert (tmp_path / "run" / "weights.safetensors").exists()


def test_info(capsys):
    assert cli.main(["info"]) == 0
    output = capsys.readouterr().out
    for name in ("nnet", "python", "numba", "vector features", "threads", "threading layer"):
        assert f"\n{name}" in f"\n{output}"
    assert "compiled kernels" in output and "CUDA" in output


def test_warmup_leaves_nothing_to_compile_for_the_next(capfd):
    """All networks are known to it; two of them here, in two processes."""
    assert set(warmup.SHAPES) == set(nn.models.MODELS)
    folder = runtime.cache_folder()
    found = []
    for _ in range(2):
        assert cli.main(["warmup", "mlp", "mnist_cnn"]) == 0
        shown = capfd.readouterr()
        *ready, where = shown.out.splitlines()
        assert sorted(line.split()[0] for line in ready) == ["mlp", "mnist_cnn"]
        assert all(line.endswith(" s") and " ready after " in line for line in ready)
        assert str(folder) in where
        found.append({path for path in folder.rglob("*.nbc") if path.is_file()})
    assert "compiling" not in shown.err
    assert found[0] and found[1] >= found[0]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_warmup_shows_a_bar_on_a_terminal_alone(capsys, monkeypatch):
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        assert cli.main(["warmup", "mlp"]) == 0
        shown = stream.getvalue()
        assert ("0/1 [" in shown and "1/1 [" in shown) == stream.isatty()
        assert stream.isatty() or shown == ""
        first, last = capsys.readouterr().out.splitlines()
        assert first.startswith("mlp ready after ") and last.startswith("kernels are kept in ")


def test_warmup_hands_on_what_its_processes_complain_of(tmp_path, capsys, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho nnet: compiling nothing >&2; exit 3\n")
    python.chmod(0o700)
    monkeypatch.setattr(warmup.sys, "executable", str(python))
    assert cli.main(["warmup", "mlp"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("nnet: compiling nothing\nnnet warmup: ")


def test_warmup_says_when_it_failed(capsys, monkeypatch):
    monkeypatch.setattr(warmup.sys, "executable", "false")
    assert cli.main(["warmup", "mlp"]) == 1
    assert "compiling for mlp failed" in capsys.readouterr().err
    monkeypatch.setattr(runtime, "cache_folder", lambda: None)
    assert "cannot be kept" in refused(capsys, "warmup")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["warmup", "brain"], "expected a model out of mnist_cnn, mlp, resnet20, vgg_small"),
        (["train", "--speed", "9"], "unrecognized arguments: --speed 9"),
        (["train", "--epochs", "0"], "expected an integer of at least 1, got '0'"),
        (["train", "--epochs", "many"], "expected an integer of at least 1, got 'many'"),
        (["train", "--batch-size", "-3"], "expected an integer of at least 1, got '-3'"),
        (["train", "--lr", "nan"], "expected a number above 0, got 'nan'"),
        (["train", "--seed", "-1"], "expected an integer from 0"),
        (["train", "--validation", "1"], "expected a number from 0 to below 1, got '1'"),
        (["train", "brain"], "expected a job out of images, "),
        (["fly"], "invalid choice: 'fly'"),
        ([], "required: COMMAND"),
        (["predict", "somewhere"], "required: INPUT"),
        (["evaluate", "nowhere"], "nowhere: expected the folder of a run, found none"),
        (["predict", "nowhere", "a.png"], "nowhere: expected the folder of a run, found none"),
    ],
)
def test_refuses(capsys, arguments, message):
    assert message in refused(capsys, *arguments)


def test_refuses_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(images, "train", lambda *_: pytest.fail("it began to train"))
    out = tmp_path / "run"
    assert "expected an integer from 1 to" in refused(
        capsys, "train", "--threads", "999", "--out", out
    )
    assert "at least 2 samples" in refused(capsys, "train", "--limit", "1", "--validation", "0",
                                           "--out", out)  # fmt: skip
    assert "expected a folder of IDX files" in refused(
        capsys, "train", "--data", tmp_path / "none", "--out", out
    )
    (tmp_path / "data").mkdir()
    write_folder(tmp_path / "data")
    assert "at least 16x16, got 6x5" in refused(
        capsys, "train", "--data", tmp_path / "data", "--out", out
    )
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert str(folder) in refused(capsys, "train", "--out", folder)
    (out / "weights.safetensors").touch()
    assert "holds a run already" in refused(capsys, "train", "--out", out)


def test_refuses_a_damaged_run(run_folder, tmp_path, capsys):
    whole = (run_folder / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(whole[: len(whole) // 2])
    assert "expected a safetensors file" in refused(capsys, "evaluate", tmp_path)
    (tmp_path / "data").mkdir()
    write_folder(tmp_path / "data")
    assert "expected images of shape (1, 28, 28) in 10 classes" in refused(
        capsys, "evaluate", run_folder, "--data", tmp_path / "data"
    )


def test_ctrl_c_saves_what_was_trained(tmp_path, capsys, monkeypatch):
    class Interrupt(Callback):
        def after_step(self, training):
            if len(training.history.step_loss) == 3:
                raise KeyboardInterrupt

    fit = images.fit
    monkeypatch.setattr(images, "fit", lambda *a, **k: fit(*a, **k, callbacks=[Interrupt()]))
    folder = tmp_path / "run"
    assert cli.main(["train", *SHORT, "--out", str(folder)]) == 130
    assert "interrupted after 3 steps" in capsys.readouterr().out
    run = nn.training.load_run(folder)
    assert run.history.interrupted and len(run.history.step_loss) == 3
    assert run.record["stopped"] == "interrupted"
    nn.manual_seed(0)
    fresh = run.description.build().state_dict()
    assert not np.array_equal(np.array(fresh["0.weight"]),
                              np.array(run.model.state_dict()["0.weight"]))  # fmt: skip


def test_loss_that_is_not_finite_saves_the_last_good_weights(tmp_path, capsys):
    folder = tmp_path / "run"
    assert cli.main(["train", *SHORT, "--lr", "1e38", "--out", str(folder)]) == 1
    message = capsys.readouterr().err
    assert "the loss is" in message and "epoch 1, step" in message and "Traceback" not in message
    run = nn.training.load_run(folder)
    assert "the loss is" in run.record["stopped"]
    assert all(np.isfinite(np.array(value)).all() for value in run.model.state_dict().values())


def train_apart(folder, *arguments):
    command = [sys.executable, "-W", "error", "-m", "nnet", "train", *SHORT]
    subprocess.run([*command, "--out", str(folder), *arguments], check=True, timeout=300)
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


def test_one_seed_gives_the_same_file_on_one_and_two_threads(tmp_path):
    first = train_apart(tmp_path / "1", "--threads", "1")
    assert train_apart(tmp_path / "2", "--threads", "2") == first
    assert train_apart(tmp_path / "3", "--threads", "2", "--seed", "1") != first


def test_starting_imports_no_optional_library():
    code = (
        "import sys, nnet, nnet.cli;"
        "print(*sorted({'matplotlib', 'PIL', 'torch', 'sklearn', 'jax'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
