"""Jobs that are run from Python: what comes back, what is left behind, and what is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnet as nn
from nnet import cli
from nnet.jobs.char_lm import job as char_lm
from nnet.training import Callback, load_run

PAGE = Path(__file__).parents[3] / "docs" / "running.md"
SMALL = {"epochs": 1, "batch_size": 2, "steps": 4, "embedding": 4, "hidden": 8, "validation": 0.2}


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "text.txt").write_text("abcabcaabbcc" * 20)
    return nn.jobs.char_lm.Settings(tmp_path / "text.txt", **SMALL)


def run(settings, folder, **options):
    return nn.jobs.run("char-lm", settings, folder, progress=False, **options)


def after_three_steps(monkeypatch, then):
    """Something happens while the model is trained."""

    class Then(Callback):
        def after_step(self, training):
            if len(training.history.step_loss) == 3:
                then()

    fit = char_lm.fit
    monkeypatch.setattr(char_lm, "fit", lambda *a, **k: fit(*a, **k, callbacks=[Then()]))


def same_weights(one, other):
    one, other = one.state_dict(), other.state_dict()
    return all(np.array_equal(one[name].data, other[name].data) for name in one)


def test_the_example_of_the_documentation(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("```python\n")
    exec(compile(rest.partition("```")[0], PAGE, "exec"), names := {})
    result, again = names["result"], names["again"]
    assert result.folder == Path("runs/first") and result.found.accuracy > 0.5
    assert again == result.found
    assert capsys.readouterr().out.splitlines()[-1] == result.line
    assert result.line.startswith("test accuracy ")


def test_a_run_is_what_the_command_leaves(tmp_path, settings, capsys):
    result = run(settings, tmp_path / "python")
    assert capsys.readouterr().out == ""
    words = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
    words = [word.replace("_", "-") for word in words]
    words += ["--no-progress", "--text", str(tmp_path / "text.txt"), "--out"]
    assert cli.main(["train", "char-lm", *words, str(tmp_path / "command")]) == 0
    assert capsys.readouterr().out.startswith(result.line)
    one, other = (load_run(tmp_path / name) for name in ("python", "command"))
    assert same_weights(one.model, other.model) and same_weights(one.model, result.model)
    assert one.history.step_loss == other.history.step_loss == result.history.step_loss
    assert one.record.pop("command") is None and other.record.pop("command")[:2] == [
        "nnet",
        "train",
    ]
    assert one.record == other.record
    assert one.record["result"] == result.found._asdict()
    assert (result.folder, result.failures, result.error) == (tmp_path / "python", (), None)
    assert not result.interrupted


def test_ctrl_c_is_told(tmp_path, settings, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    after_three_steps(monkeypatch, interrupt)
    result = run(settings, tmp_path / "run")
    assert result.interrupted and result.found is None and result.line == ""
    assert len(result.history.step_loss) == 3 and not result.failures
    saved = load_run(result.folder)
    assert saved.record["stopped"] == "interrupted" and "result" not in saved.record
    assert same_weights(saved.model, result.model)


def test_a_loss_that_is_not_finite_is_told(tmp_path):
    settings = nn.jobs.images.Settings(epochs=1, limit=640, lr=1e38)
    result = nn.jobs.run("images", settings, tmp_path / "run", progress=False)
    assert isinstance(result.error, nn.training.NonFiniteLoss) and result.found is None
    saved = load_run(result.folder)
    assert saved.record["stopped"] == str(result.error)
    assert all(np.isfinite(value.data).all() for value in saved.model.state_dict().values())


def test_a_model_without_numbers_is_saved_and_told(tmp_path, settings, monkeypatch):
    nothing = nn.training.Evaluation(float("nan"), 0.5)
    monkeypatch.setattr(char_lm, "test", lambda _: nothing)
    with pytest.raises(nn.jobs.NotFinite, match="expected the loss to be finite"):
        run(settings, tmp_path / "run")
    assert "result" not in load_run(tmp_path / "run").record


def test_a_run_whose_folder_is_gone_is_saved_elsewhere(tmp_path, settings, monkeypatch):
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    after_three_steps(monkeypatch, lambda: shutil.rmtree(tmp_path / "run"))
    result = run(settings, tmp_path / "run")
    assert result.folder.parent == elsewhere and result.found is None and result.line == ""
    (failure,) = result.failures
    assert isinstance(failure, FileNotFoundError) and str(tmp_path / "run") in str(failure)
    assert same_weights(load_run(result.folder).model, result.model)


def test_what_is_saved_nowhere_comes_back(tmp_path, settings, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nnet.jobs.saving.save_run", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    result = run(settings, tmp_path / "run")
    assert result.folder is None and len(result.failures) == 2
    assert len(result.history.epochs) == 1 and result.model is not None
    assert {path.name for path in tmp_path.iterdir()} == {"run", "text.txt"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "settings, epochs: expected an integer of at least 1, got '0'"),
        ({"epochs": 1.5}, "settings, epochs: expected an integer of at least 1, got '1.5'"),
        ({"epochs": None}, "settings, epochs: expected a number or a text, got None"),
        ({"epochs": "3"}, "settings, epochs: expected another type, got '3'"),
        ({"clip": float("nan")}, "settings, clip: expected a number above 0, got 'nan'"),
        ({"cell": "dream"}, "settings, cell: expected one of lstm, gru, got 'dream'"),
        ({"text": "nowhere"}, "nowhere"),
    ],
)
def test_settings_are_refused_before_training(tmp_path, monkeypatch, changes, message):
    monkeypatch.setattr(char_lm, "fit", lambda *_: pytest.fail("it began to train"))
    monkeypatch.chdir(tmp_path)
    given = {"text": "text.txt", **SMALL, **changes}
    with pytest.raises((ValueError, OSError), match=message):
        run(nn.jobs.char_lm.Settings(**given), tmp_path / "run")
    assert (tmp_path / "run").exists() == ("text" in changes)


def test_jobs_and_settings_that_do_not_fit_are_refused(tmp_path, settings):
    with pytest.raises(ValueError, match="expected a job out of images, char-lm, series, seq2seq"):
        nn.jobs.run("brain", settings, tmp_path / "run")
    with pytest.raises(TypeError, match=r"expected nnet.jobs.images.job.Settings, got Settings"):
        nn.jobs.run("images", settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_replaced_where_that_is_wanted(tmp_path, settings):
    run(settings, tmp_path / "run")
    with pytest.raises(FileExistsError, match="holds a run already"):
        run(settings, tmp_path / "run")
    assert run(settings, tmp_path / "run", overwrite=True).found is not None


def test_a_run_is_read_where_nothing_else_was_imported(tmp_path, settings):
    run(settings, tmp_path)
    code = """
import nnet as nn
run = nn.training.load_run(".")
assert isinstance(run.description, nn.training.TextDescription)
assert nn.training.load_model("weights.safetensors")[1] == run.description
"""
    command = [sys.executable, "-W", "error", "-c", code]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=300)
