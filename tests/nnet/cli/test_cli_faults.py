"""Commands on runs, disks, pipes and signals that are not as they should be."""

import errno
import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import nnet as nn
from nnet import cli
from nnet.jobs.char_lm import job as char_lm
from nnet.jobs.seq2seq.attention_picture import Panel, draw_attention
from nnet.runs import files, run_folder
from nnet.runs.files import written_beside
from nnet.training import Callback, History, load_run, save_run
from tests.nnet.cli.test_cli import refused
from tests.nnet.cli.test_cli_sequences import TEXT as OPTIONS
from tests.nnet.cli.test_cli_sequences import waves
from tests.nnet.data.test_data import idx_bytes
from tests.nnet.runs.test_descriptions import ALL


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Files that each kind of model takes."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (6, 16, 16), np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(6, dtype="u1") % 2))
    np.save(folder / "a.npy", images[0])
    (folder / "text.txt").write_text("abcabcaabbcc" * 20)
    (folder / "pairs.tsv").write_text("ab\tba\nb\tb\naab\tbaa\nbb\tbb\n" * 3)
    waves(folder / "waves.npz", channels=2)
    return folder


SETTINGS = {
    "images": {"data": "."},
    "char-lm": {"text": "text.txt", "validation": 0.2, "batch_size": 2, "steps": 4},
    "series": {"data": "waves.npz"},
    "seq2seq": {"data": "pairs.tsv", "validation": 0.25, "seed": 0},
}
INPUT = {"images": "a.npy", "series": "waves.npz", "seq2seq": "ab"}


@pytest.fixture
def in_data(data, monkeypatch):
    monkeypatch.chdir(data)


def run_of(folder, kind, settings=None, weights=None):
    """A run that was not trained; `weights` fills all parameters."""
    nn.manual_seed(1)
    model = ALL[kind].build()
    if weights is not None:
        for parameter in model.parameters():
            parameter.data[...] = weights
    record = {"settings": SETTINGS[kind] if settings is None else settings}
    save_run(folder, model, ALL[kind], History(1), record)
    return folder


@contextmanager
def limited(bytes_of_a_file):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_of_a_file, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("in_data")
@pytest.mark.parametrize("kind", SETTINGS)
class TestSettingsOfARun:
    def test_as_they_should_be(self, kind, tmp_path, capsys):
        assert cli.main(["evaluate", str(run_of(tmp_path, kind))]) == 0
        assert "loss" in capsys.readouterr().out

    @pytest.mark.parametrize("settings", [None, 3, [], "text", {}, {"speed": 1}])
    def test_other_things(self, kind, tmp_path, capsys, settings):
        run_of(tmp_path, kind)
        (tmp_path / "run.json").write_text(json.dumps({"settings": settings}))
        assert f"{tmp_path}/run.json: expected settings" in refused(capsys, "evaluate", tmp_path)
        (tmp_path / "run.json").write_text("{}")
        assert f"{tmp_path}/run.json: expected settings" in refused(capsys, "evaluate", tmp_path)

    def test_those_of_another_job(self, kind, tmp_path, capsys):
        for other in {"images": ["char-lm"], "char-lm": ["series"], "series": ["char-lm"],
                      "seq2seq": ["images", "series", "char-lm"]}[kind]:  # fmt: skip
            run_of(tmp_path, kind, SETTINGS[other])
            message = refused(capsys, "evaluate", tmp_path)
            assert f"{tmp_path}/run.json: expected settings with" in message

    @pytest.mark.parametrize("value", [None, [], {}, True, 0, -1, 1.5, float("nan"), ""])
    def test_a_value_that_cannot_have_been_given(self, kind, tmp_path, capsys, value):
        for name in SETTINGS[kind]:
            run_of(tmp_path, kind, SETTINGS[kind] | {name: value})
            # Zero is a seed, and no name is the current folder.
            if (name, value) in (("seed", 0), ("data", "")):
                continue
            message = refused(capsys, "evaluate", tmp_path)
            assert "run.json: settings, " in message or "expected a f" in message or value == ""

    @pytest.mark.parametrize("name", ["/dev/zero", "pipe", "a\0b", "/dev/stdin"])
    def test_data_that_is_no_file(self, kind, tmp_path, capsys, name):
        os.mkfifo(tmp_path / "pipe")
        name = str(tmp_path / "pipe") if name == "pipe" else name
        key = "text" if kind == "char-lm" else "data"
        run_of(tmp_path, kind, SETTINGS[kind] | {key: name})
        assert "expected" in refused(capsys, "evaluate", tmp_path)

    @pytest.mark.parametrize("name", ["run.json", "history.json"])
    @pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "[]", "\xff", "NaN", ""])
    def test_files_that_are_no_json(self, kind, tmp_path, capsys, name, content):
        run_of(tmp_path, kind)
        (tmp_path / name).write_text(content, encoding="latin-1")
        assert f"{tmp_path}/{name}: expected" in refused(capsys, "evaluate", tmp_path)


@pytest.mark.usefixtures("in_data")
class TestWhatIsNotFinite:
    @pytest.mark.parametrize("weights", [np.nan, np.inf, 3e38])
    @pytest.mark.parametrize("kind", SETTINGS)
    def test_is_no_answer(self, kind, weights, tmp_path, capsys):
        run = str(run_of(tmp_path, kind, weights=weights))
        commands = [["evaluate", run]]
        if kind == "char-lm":
            commands.append(["generate", run, "--prompt", "a", "--length", "3"])
            commands.append([*commands[-1], "--temperature", "0"])
        else:
            commands.append(["predict", run, INPUT[kind]])
        for command in commands:
            code = cli.main(command)
            shown = capsys.readouterr()
            if weights == 3e38 and code == 0:
                assert "nan" not in shown.out and "inf" not in shown.out
                continue
            assert code == 1
            assert shown.err.count("\n") == 1 and "to be finite, the model gives" in shown.err
            assert shown.out in ("", "a")

    def test_probabilities_are_left_as_they_were(self, tmp_path, capsys):
        run = str(run_of(tmp_path, "images"))
        assert cli.main(["predict", run, "a.npy"]) == 0
        assert re.fullmatch(r"a\.npy  (no|yes)  [01]\.\d{4}\n", capsys.readouterr().out)

    def test_a_temperature_near_zero(self, tmp_path, capsys):
        run = str(run_of(tmp_path, "char-lm"))
        command = ["generate", run, "--prompt", "a", "--length", "5"]
        found = []
        for temperature in ("0", "1e-300", "5e-324"):
            assert cli.main([*command, "--temperature", temperature]) == 0
            found.append(capsys.readouterr().out)
        assert found[0] == found[1] == found[2]


def test_a_picture_of_long_texts_is_no_larger_than_can_be_looked_at(tmp_path):
    from PIL import Image

    sides = ((200, 1000), (1000, 3))
    panels = [Panel(["a"] * n, ["b"] * m, np.zeros((m, n), np.float16)) for n, m in sides]
    draw_attention(panels, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (2400, 2400)


@pytest.mark.usefixtures("in_data")
class TestPictures:
    def test_that_were_not_asked_for_may_fail(self, tmp_path, capsys):
        run = run_of(tmp_path, "seq2seq")
        (tmp_path / "attention.png" / "inner").mkdir(parents=True)
        assert cli.main(["predict", str(run), "ab"]) == 0
        shown = capsys.readouterr()
        assert shown.out.count("\n") == 1 and shown.err.count("\n") == 1
        assert shown.err.startswith("no attention.png: [Errno 21] Is a directory")

    def test_that_were_asked_for_need_a_folder(self, tmp_path, capsys):
        run, path = run_of(tmp_path, "seq2seq"), tmp_path / "none" / "a.png"
        message = refused(capsys, "predict", run, "ab", "--picture", path)
        assert f"{path}: expected a folder for the picture, found none" in message


@pytest.mark.usefixtures("in_data")
def test_targets_longer_than_a_model_writes_are_refused(tmp_path, capsys):
    (tmp_path / "long.tsv").write_text("a\tb\n" * 20 + "a\t" + "b" * 8193 + "\n")
    message = refused(capsys, "train", "seq2seq", tmp_path / "long.tsv", "--out", tmp_path / "run")
    assert f"{tmp_path}/long.tsv: expected targets of at most 8192 symbols, got 8193" in message


def apart(command, stdout):
    """Run a shell's pipeline of `nnet ...`; the exit code of nnet and what it complained."""
    python = f"unset PYTHONUNBUFFERED; {sys.executable} -W error"
    script = f"{python} -m nnet {command} {stdout}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr


@pytest.mark.usefixtures("in_data")
class TestOutput:
    def test_that_nobody_reads(self, tmp_path):
        run = run_of(tmp_path, "char-lm")
        code, complaint = apart(f"generate {run} --prompt a --length 3000", "| head -c 5")
        assert (code, complaint) == (141, "")

    @pytest.mark.parametrize("command", ["info", "--help", "generate RUN --prompt a --length 3"])
    def test_to_a_device_that_is_full(self, tmp_path, command):
        run = run_of(tmp_path, "char-lm")
        code, complaint = apart(command.replace("RUN", str(run)), "> /dev/full")
        assert code == 1
        assert re.fullmatch(r"nnet.*: \[Errno 28\] No space left on device\n", complaint)

    def test_that_ends_does_not_end_a_training(self, tmp_path, data):
        out = tmp_path / "run"
        shown = " ".join(OPTIONS).replace("--no-progress", "")
        command = f"train char-lm --text {data}/text.txt {shown} --epochs 2 --out {out}"
        code, complaint = apart(command, "> /dev/full")
        assert code == 1 and complaint.endswith("No space left on device\n")
        assert complaint.count("\n") == 1
        assert len(load_run(out).history.epochs) == 2

    def test_that_the_terminal_cannot_show(self, tmp_path, data, monkeypatch):
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")
        shutil.copy(data / "a.npy", tmp_path / "ö.npy")
        (tmp_path / "run").mkdir()
        run = run_of(tmp_path / "run", "images")
        done = subprocess.run(
            [sys.executable, "-m", "nnet", "predict", run, tmp_path / "ö.npy"],
            capture_output=True, timeout=300, check=True,
        )  # fmt: skip
        assert b"\\xf6.npy  " in done.stdout and done.stderr == b""


def training(monkeypatch, data, out, then, step=3):
    """Train a character model, and do something after so many steps; return the exit code."""

    class Then(Callback):
        def after_step(self, training):
            if len(training.history.step_loss) == step:
                then()

    fit = char_lm.fit
    monkeypatch.setattr(char_lm, "fit", lambda *a, **k: fit(*a, **k, callbacks=[Then()]))
    text = data / "text.txt"
    options = [*OPTIONS, "--steps", "4", "--epochs", "1"]
    return cli.main(["train", "char-lm", "--text", str(text), *options, "--out", str(out)])


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Where the system keeps what is temporary."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


class TestATrainingIsNotLost:
    def rescued(self, capsys, elsewhere):
        """The run that the one line of complaint names."""
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1 and "Traceback" not in shown.err
        name = re.search(r"nnet train char-lm: \[Errno \d+\] .*; saved in (.*)\n", shown.err)[1]
        assert Path(name).parent == elsewhere
        assert stat.S_IMODE(os.stat(name).st_mode) == 0o700
        return load_run(name)

    def test_whose_folder_is_deleted(self, tmp_path, data, elsewhere, capsys, monkeypatch):
        out = tmp_path / "run"
        assert training(monkeypatch, data, out, lambda: shutil.rmtree(out)) == 1
        run = self.rescued(capsys, elsewhere)
        assert len(run.history.epochs) == 1 and run.record["settings"]["steps"] == 4
        assert not out.exists()

    def test_whose_folder_becomes_a_file(self, tmp_path, data, elsewhere, capsys, monkeypatch):
        out = tmp_path / "run"

        def replace():
            out.rmdir()
            out.write_text("mine")

        assert training(monkeypatch, data, out, replace) == 1
        assert len(self.rescued(capsys, elsewhere).history.epochs) == 1
        assert out.read_text() == "mine"

    @pytest.mark.parametrize("name", ["weights.safetensors", "history.json", "run.json"])
    def test_whose_files_become_folders(self, tmp_path, data, elsewhere, capsys, monkeypatch, name):
        out = tmp_path / "run"
        then = lambda: (out / name / "inner").mkdir(parents=True)  # noqa: E731
        assert training(monkeypatch, data, out, then) == 1
        assert len(self.rescued(capsys, elsewhere).history.epochs) == 1
        assert not list(out.glob(".*"))

    def test_on_a_disk_that_is_full(self, tmp_path, data, elsewhere, capsys, monkeypatch):
        out = tmp_path / "run"
        written = Path.write_bytes

        def full(path, content):
            if out in path.parents:
                written(path, content[:100])
                raise OSError(errno.ENOSPC, "No space left on device")
            return written(path, content)

        then = lambda: monkeypatch.setattr(Path, "write_bytes", full)  # noqa: E731
        assert training(monkeypatch, data, out, then) == 1
        self.rescued(capsys, elsewhere)
        assert os.listdir(out) == []

    def test_that_was_interrupted_as_well(self, tmp_path, data, elsewhere, capsys, monkeypatch):
        out = tmp_path / "run"

        def both():
            shutil.rmtree(out)
            raise KeyboardInterrupt

        assert training(monkeypatch, data, out, both) == 1
        run = self.rescued(capsys, elsewhere)
        assert len(run.history.step_loss) == 3 and run.record["stopped"] == "interrupted"

    def test_where_the_next_place_has_room(self, tmp_path, data, elsewhere, capsys, monkeypatch):
        out, here = tmp_path / "run", tmp_path / "here"
        here.mkdir()
        monkeypatch.chdir(here)

        def remove():
            shutil.rmtree(out)
            elsewhere.rmdir()

        assert training(monkeypatch, data, out, remove) == 1
        assert len(self.rescued(capsys, here).history.epochs) == 1

    def test_that_no_place_takes(self, tmp_path, data, elsewhere, capsys, monkeypatch):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # noqa: E731
        try:
            assert training(monkeypatch, data, tmp_path / "run", limit) == 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        shown = capsys.readouterr().err
        assert shown.count("\n") == 1 and "File too large" in shown and "saved nowhere" in shown
        assert sorted(os.listdir(tmp_path)) == ["run", "temporary"]
        assert os.listdir(elsewhere) == os.listdir(tmp_path / "run") == []

    def test_for_which_there_is_no_room_does_not_begin(self, tmp_path, data, capsys, monkeypatch):
        monkeypatch.setattr(char_lm, "fit", lambda *_: pytest.fail("it began to train"))
        with limited(1000):
            message = refused(
                capsys, "train", "char-lm", "--text", data / "text.txt", *OPTIONS,
                "--out", tmp_path / "run",
            )  # fmt: skip
        assert re.search(r"no room for \d+ bytes: '.*run'", message)
        assert os.listdir(tmp_path / "run") == []

    def test_without_room_for_the_picture(self, tmp_path, data, capsys, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(run_folder, "draw_curves", full)
        assert training(monkeypatch, data, tmp_path / "run", lambda: None) == 0
        assert "no curves.png: [Errno 28] No space left" in capsys.readouterr().out
        load_run(tmp_path / "run")

    def test_in_python_the_weights_can_be_saved_again(self, tmp_path):
        model = nn.Linear(100, 100)
        with limited(1000), pytest.raises(OSError, match=r"File too large: '.*/w'"):
            nn.training.save_weights(tmp_path / "w", model)
        assert os.listdir(tmp_path) == []
        nn.training.save_weights(tmp_path / "w", model)
        assert nn.training.load_weights(tmp_path / "w")[0].keys() == {"weight", "bias"}


class TestSignals:
    @pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
    def test_end_a_training_as_ctrl_c_does(self, tmp_path, data, capsys, monkeypatch, name, code):
        number = getattr(signal, name)
        before = signal.getsignal(number)
        send = lambda: signal.raise_signal(number)  # noqa: E731
        assert training(monkeypatch, data, tmp_path / "run", send) == code
        assert "interrupted after 3 steps; saved in" in capsys.readouterr().out
        run = load_run(tmp_path / "run")
        assert run.history.interrupted and len(run.history.step_loss) == 3
        assert run.record["stopped"] == "interrupted"
        assert signal.getsignal(number) is before

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_that_come_while_an_object_dies_are_not_lost(self, tmp_path, data, monkeypatch, number):
        class Dying:
            def __del__(self):
                signal.raise_signal(number)

        assert training(monkeypatch, data, tmp_path / "run", Dying) == 128 + number
        run = load_run(tmp_path / "run")
        assert 3 <= len(run.history.step_loss) < run.history.steps_an_epoch

    def test_that_are_ignored_stay_so(self, tmp_path, data, monkeypatch):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            send = lambda: signal.raise_signal(signal.SIGHUP)  # noqa: E731
            assert training(monkeypatch, data, tmp_path / "run", send) == 0
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_do_not_disturb_the_saving(self, tmp_path, data, monkeypatch):
        write = run_folder.save_weights

        def impatient(*arguments):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.raise_signal(number)
            write(*arguments)

        monkeypatch.setattr(run_folder, "save_weights", impatient)
        send = lambda: signal.raise_signal(signal.SIGTERM)  # noqa: E731
        assert training(monkeypatch, data, tmp_path / "run", send) == 143
        assert len(load_run(tmp_path / "run").history.step_loss) == 3

    def test_reach_a_process_of_its_own(self, tmp_path, data):
        out = tmp_path / "run"
        arguments = [*OPTIONS, "--epochs", "1000000", "--steps", "4", "--out", out]
        arguments.remove("--no-progress")
        command = [sys.executable, "-m", "nnet", "train", "char-lm", "--text", data / "text.txt"]
        with subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        ) as process:  # fmt: skip
            assert process.stdout.readline().startswith("epoch 1/")
            process.terminate()
            shown, complaint = process.communicate(timeout=120)
        assert process.returncode == 143 and complaint == ""
        assert shown.splitlines()[-1].endswith(f"steps; saved in {out}")
        assert load_run(out).history.interrupted


class TestLinks:
    def test_of_a_files_name_are_replaced_and_not_written_through(self, tmp_path):
        outside = tmp_path / "outside"
        outside.write_text("mine")
        folder = tmp_path / "run"
        folder.mkdir()
        for name in ("weights.safetensors", "history.json", "run.json", "curves.png"):
            (folder / name).symlink_to(outside)
        run_of(folder, "images")
        assert outside.read_text() == "mine"
        assert not any(path.is_symlink() for path in folder.iterdir())
        load_run(folder)

    def test_of_a_name_that_is_guessed_are_not_written_through(self, tmp_path, monkeypatch):
        outside = tmp_path / "outside"
        outside.write_text("mine")
        monkeypatch.setattr(files.secrets, "token_hex", lambda _: "guessed")
        (tmp_path / ".guessed.tmp").symlink_to(outside)
        (tmp_path / f".a.{os.getpid()}.tmp").symlink_to(outside)
        with pytest.raises(FileExistsError), written_beside(tmp_path / "a") as beside:
            beside.write_text("theirs")
        assert outside.read_text() == "mine"

    def test_what_is_written_can_be_read_by_whom_the_mask_allows(self, tmp_path):
        before = os.umask(0o027)
        try:
            with written_beside(tmp_path / "a") as beside:
                beside.write_text("whole")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
