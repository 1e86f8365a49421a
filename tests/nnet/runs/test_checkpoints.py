"""Weights and runs on disk."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import save_file

import nnet as nn
from nnet.runs.files import written_beside
from nnet.runs.run_folder import prepare_run
from nnet.training import Epoch, History, ImageDescription, load_run, save_run
from tests.helpers import assert_same_bits

TINY = ImageDescription(
    "mnist_cnn",
    {"height": 16, "width": 16, "filters": 2, "hidden": 3, "classes": 2},
    (1, 16, 16),
    (0.1,),
    (0.3,),
    ("no", "yes"),
)


@pytest.fixture
def tiny():
    nn.manual_seed(4)
    return TINY.build()


def state(model):
    return {name: np.array(value) for name, value in model.state_dict().items()}


def test_round_trip(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    nn.training.save_weights(path, tiny, TINY)
    found, description = nn.training.load_model(path)
    assert description == TINY
    assert state(found).keys() == state(tiny).keys()
    assert_same_bits(list(state(found).values()), list(state(tiny).values()))
    assert os.listdir(tmp_path) == ["weights.safetensors"]


def written(path, **tensors):
    """A safetensors file of (dtype, shape, bytes)."""
    header, body = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def test_bfloat16_is_read_as_float32(tmp_path):
    bits = np.array([0x3FC0, 0xC000, 0x7F80, 0x0001, 0x7FC0, 0x8000], "<u2")
    path = written(
        tmp_path / "half",
        weight=("BF16", [2, 3], bits.tobytes()),
        bias=("F32", [1], np.float32(7).tobytes()),
        scale=("BF16", [], bits[:1].tobytes()),
        nothing=("BF16", [0, 2], b""),
    )
    found, description = nn.training.load_weights(path)
    assert description is None and set(found) == {"weight", "bias", "scale", "nothing"}
    weight = found["weight"]
    assert weight.dtype == np.float32 and weight.shape == (2, 3)
    np.testing.assert_array_equal(weight, [[1.5, -2, np.inf], [2.0**-133, np.nan, 0]])
    assert np.signbit(weight[1, 2])
    assert found["bias"].tolist() == [7] and found["scale"].tolist() == 1.5
    assert found["nothing"].shape == (0, 2) and found["scale"].dtype == np.float32
    layer = nn.Linear(3, 2, bias=False)
    layer.load_state_dict({"weight": weight})
    assert layer.weight[0, 0].item() == 1.5


def test_float16_is_read_as_it_is(tmp_path):
    values = np.array([1.5, -2.0], np.float16)
    found, _ = nn.training.load_weights(
        written(tmp_path / "half", weight=("F16", [2], values.tobytes()))
    )
    assert found["weight"].dtype == np.float16 and found["weight"].tolist() == [1.5, -2]


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2", "F8_E8M0", "C64"])
def test_numbers_that_are_not_read_are_named(tmp_path, dtype):
    data = bytes(8) if dtype == "C64" else bytes(1)
    path = written(tmp_path / "weights", weight=(dtype, [1], data))
    with pytest.raises(ValueError, match=f"weights: expected weight of .*BF16, got {dtype}"):
        nn.training.load_weights(path)


def test_same_weights_same_bytes(tmp_path, tiny):
    for name in ("a", "b"):
        nn.training.save_weights(tmp_path / name, tiny, TINY)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_of_another_library_load_by_name(tmp_path):
    weight = np.arange(6, dtype=np.float32).reshape(3, 2)
    save_file({"weight": weight, "bias": weight[:, 0].copy()}, tmp_path / "w")
    found, description = nn.training.load_weights(tmp_path / "w")
    assert description is None
    model = nn.Linear(2, 3)
    model.load_state_dict(found)
    assert_same_bits(state(model)["weight"], weight)


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a file of weights"):
        nn.training.load_weights(tmp_path / "w")


@pytest.mark.parametrize("keep", [0, 3, 8, 100, -1])
def test_truncated(tmp_path, tiny, keep):
    path = tmp_path / "w"
    nn.training.save_weights(path, tiny, TINY)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="w: expected a safetensors file"):
        nn.training.load_weights(path)


@pytest.mark.parametrize("content", [b"\x80\x04 pickled " * 10, b"\xff" * 64, b"{}" * 40])
def test_garbage(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ValueError, match="expected a safetensors file"):
        nn.training.load_weights(tmp_path / "w")


def save_with(path, model, about):
    save_file(state(model), path, {"nnet": about})


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("{", "its description of the model is damaged"),
        ("[]", "its description of the model is damaged"),
        ('{"description": {"model": "mnist_cnn"}}', "its description of the model is damaged"),
        ('{"description": null}', "expected weights with a description"),
    ],
)
def test_damaged_description(tmp_path, tiny, about, message):
    save_with(tmp_path / "w", tiny, about)
    with pytest.raises(ValueError, match=message):
        nn.training.load_model(tmp_path / "w")


def described(**changes):
    return json.dumps({"description": vars(TINY) | changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "resnet"}, "expected a model out of mnist_cnn, .*, got 'resnet'"),
        ({"arguments": {"depth": 3}}, "depth"),
        ({"arguments": {**TINY.arguments, "hidden": 5}}, "w: .*"),
        ({"arguments": {**TINY.arguments, "height": 4}}, "at least 16x16, got 4x16"),
    ],
)
def test_foreign_description(tmp_path, tiny, changes, message):
    save_with(tmp_path / "w", tiny, described(**changes))
    with pytest.raises(ValueError, match=message):
        nn.training.load_model(tmp_path / "w")


def test_foreign_weights(tmp_path):
    save_file({"conv1.weight": np.zeros(3)}, tmp_path / "w")
    with pytest.raises(ValueError, match="expected weights with a description of their model"):
        nn.training.load_model(tmp_path / "w")
    save_file({"conv1.weight": np.zeros(3)}, tmp_path / "w", {"nnet": described()})
    with pytest.raises(ValueError, match=r"w: .*conv1\.weight"):
        nn.training.load_model(tmp_path / "w")


HISTORY = History(
    2, [Epoch(0.6, 0.7, 0.5, 0.8, 1e-3, 1.5), Epoch(0.4, 0.8, 0.45, 0.9, 1e-4, 1.4)],
    [0.7, 0.6, 0.5, 0.4],
)  # fmt: skip


def test_run_round_trip(tmp_path, tiny):
    save_run(tmp_path, tiny, TINY, HISTORY, {"seed": 3})
    run = load_run(tmp_path)
    assert run.history == HISTORY and run.record == {"seed": 3} and run.description == TINY
    assert_same_bits(list(state(run.model).values()), list(state(tiny).values()))
    assert sorted(os.listdir(tmp_path)) == [
        "curves.png", "history.json", "run.json", "weights.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "history", [HISTORY, History(3), History(3, [], [2.0, 0.0]), History(1, [HISTORY.epochs[0]])]
)
def test_g13_curves_are_a_picture(tmp_path, history):
    from PIL import Image

    nn.training.draw_curves(history, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG" and picture.size == (1200, 480)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("history.json", "{", "history.json: expected JSON"),
        ("history.json", "[1]", "expected a JSON object, got list"),
        ("history.json", "{}", "expected a history"),
        ("history.json", '{"epochs": [{"loss": 1}]}', "expected a history"),
        ("run.json", "", "run.json: expected JSON"),
    ],
)
def test_damaged_run(tmp_path, tiny, name, content, message):
    save_run(tmp_path, tiny, TINY, HISTORY, {})
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        load_run(tmp_path)


def test_missing_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the folder of a run"):
        load_run(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="expected a file of weights"):
        load_run(tmp_path)


def test_prepare_run(tmp_path):
    folder = prepare_run(tmp_path / "a" / "b")
    assert os.listdir(folder) == []
    (folder / "weights.safetensors").touch()
    with pytest.raises(FileExistsError, match="holds a run already"):
        prepare_run(folder)
    assert prepare_run(folder, overwrite=True) == folder


def test_prepare_run_unwritable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        prepare_run(tmp_path / "file")
    with pytest.raises(OSError):
        prepare_run(tmp_path / "file" / "below")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_beside(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a"]
    with written_beside(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a"]


def test_a_file_from_before_there_were_kinds_describes_images(tmp_path, tiny):
    save_with(tmp_path / "w", tiny, described())
    assert nn.training.load_model(tmp_path / "w")[1] == TINY
    save_with(tmp_path / "w", tiny, described(kind="dream"))
    with pytest.raises(ValueError, match="damaged, expected a kind out of images.*, got 'dream'"):
        nn.training.load_model(tmp_path / "w")
