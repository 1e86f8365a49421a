"""Descriptions of models in files: checked as a whole before anything is built."""

import json
import time
import tracemalloc
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import save_file

import nnet as nn
from nnet.data import Vocabulary
from nnet.training import (
    ImageDescription,
    PairDescription,
    SeriesDescription,
    TextDescription,
    load_model,
    load_run,
    save_run,
)
from nnet.training.history import Epoch, History

IMAGES = ImageDescription(
    "mnist_cnn",
    {"height": 16, "width": 16, "filters": 2, "hidden": 3, "classes": 2},
    (1, 16, 16), (0.1,), (0.3,), ("no", "yes"),
)  # fmt: skip
TEXT = TextDescription(
    {"symbols": 3, "embedding": 2, "hidden": 4, "layers": 2, "cell": "gru"},
    Vocabulary("abc").to_dict(),
)
SERIES = SeriesDescription(
    {"channels": 2, "classes": 2, "hidden": 3}, (0.0, 1.0), (1.0, 2.0), ("no", "yes")
)
PAIRS = PairDescription(
    {"source_size": 3, "target_size": 5, "embedding_size": 2, "hidden_size": 4},
    Vocabulary("ab", specials=["<pad>"]).to_dict(),
    Vocabulary("ab", specials=["<pad>", "<bos>", "<eos>"]).to_dict(),
    3,
)
ALL = {each.KIND: each for each in (IMAGES, TEXT, SERIES, PAIRS)}


def write(path, description, changes, text=None):
    """Weights of a kind whose description says something else."""
    nn.manual_seed(0)
    state = {name: np.array(value) for name, value in description.build().state_dict().items()}
    content = {"kind": description.KIND} | json.loads(json.dumps(asdict(description)))
    for place, value in changes.items():
        inner = content
        *outer, last = place.split(".")
        for name in outer:
            inner = inner[name]
        if value is REMOVED:
            del inner[last]
        else:
            inner[last] = value
    save_file(state, path, {"nnet": text or json.dumps({"description": content})})
    return path


REMOVED = object()


def refused(path, memory=10 << 20):
    """The message of a refusal, which came soon and took little memory, used or not."""
    tracemalloc.start()
    start = time.monotonic()
    try:
        with pytest.raises(ValueError) as caught:
            load_model(path)
        assert memory is None or tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and len(message) < 600
    return message


@pytest.mark.parametrize("kind", ALL)
def test_what_fits_is_loaded(tmp_path, kind):
    assert load_model(write(tmp_path / "w", ALL[kind], {}))[1] == ALL[kind]


def test_many_small_layers_are_loaded(tmp_path):
    narrow = {"symbols": 3, "embedding": 1, "hidden": 1, "layers": 20, "cell": "gru"}
    deep = TextDescription(narrow, TEXT.vocabulary)
    far = PairDescription(PAIRS.arguments | {"local": 1000}, PAIRS.source, PAIRS.target, 8192)
    for description in (deep, far):
        assert load_model(write(tmp_path / "w", description, {}))[1] == description


def test_a_model_of_ones_own_has_arguments_of_its_own(tmp_path, monkeypatch):
    def mine(units, seed, start: int, sides: tuple[int, int], about: dict | None = None):
        return nn.Sequential(nn.Flatten(), nn.Linear(256, units))

    monkeypatch.setitem(nn.models.MODELS, "mine", mine)
    arguments = {"units": 2, "seed": 123_456, "start": -7, "sides": [1, 2], "about": {"a": 1}}
    description = ImageDescription("mine", arguments, (1, 16, 16), (0.1,), (0.3,), ("no", "yes"))
    model, found = load_model(write(tmp_path / "w", description, {}))
    assert found == description and model[1].out_features == 2
    assert "tensors of shape (3, 256)" in refused(
        write(tmp_path / "w", description, {"arguments.units": 3})
    )


LARGE = [
    ("images", "arguments.hidden"), ("images", "arguments.filters"),
    ("char-lm", "arguments.hidden"), ("char-lm", "arguments.layers"),
    ("char-lm", "arguments.embedding"),
    ("series", "arguments.hidden"), ("series", "arguments.layers"),
    ("seq2seq", "arguments.embedding_size"), ("seq2seq", "arguments.hidden_size"),
    ("seq2seq", "arguments.num_layers"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "place"), LARGE)
@pytest.mark.parametrize("size", [1_000_000, 2**31 - 2])
def test_a_model_larger_than_its_weights_is_not_built(tmp_path, kind, place, size):
    message = refused(write(tmp_path / "w", ALL[kind], {place: size}))
    assert f"expected {place.split('.')[1]} of at most " in message


@pytest.mark.parametrize("changes", [
    {"model": "mlp", "arguments": {"inputs": 256, "hidden": [3] * 100_000, "classes": 2}},
    {"model": "resnet20", "arguments": {"channels": 1, "classes": 2, "width": 10_000_000}},
    {"model": "vgg_small", "arguments": {"channels": 1, "classes": 2, "filters": 10_000_000,
                                         "height": 16, "width": 16}},
])  # fmt: skip
def test_other_models_larger_than_the_weights(tmp_path, changes):
    assert "expected" in refused(write(tmp_path / "w", IMAGES, changes))


@pytest.mark.parametrize("side", [100_000, 2**31 - 1])
def test_images_larger_than_the_weights(tmp_path, side):
    changes = {"arguments.height": side, "arguments.width": side, "shape": [1, side, side]}
    message = refused(write(tmp_path / "w", IMAGES, changes), memory=None)
    small = "expected as many tensors of shape", "as large as its weights"
    assert any(each in message for each in (*small, "expected the product of shape"))


def test_a_large_tensor_in_the_file_allows_no_other(tmp_path):
    path = write(tmp_path / "w", TEXT, {"arguments.hidden": 100_000})
    state, _ = {**nn.training.load_weights(path)[0], "more": np.zeros((300_000, 1), "f4")}, None
    about = json.loads(json.dumps({"kind": "char-lm"} | asdict(TEXT)))
    about["arguments"]["hidden"] = 100_000
    save_file(state, path, {"nnet": json.dumps({"description": about})})
    assert "tensors of shape (300000, 2)" in refused(path)


@pytest.mark.parametrize("value", [10**400, -1, 1.5, "7", None, True])
@pytest.mark.parametrize(("kind", "place"), [
    *LARGE, ("images", "arguments.classes"), ("char-lm", "arguments.symbols"),
    ("series", "arguments.channels"), ("seq2seq", "longest"), ("seq2seq", "arguments.target_size"),
])  # fmt: skip
def test_sizes_that_are_none(tmp_path, kind, place, value):
    message = refused(write(tmp_path / "w", ALL[kind], {place: value}))
    assert f"expected {place.split('.')[-1]}" in message


@pytest.mark.parametrize(("kind", "changes", "message"), [
    ("images", {"classes": ["no"]}, "expected 2 classes, one for each output, got ('no',)"),
    ("images", {"classes": ["no", "yes", "oh"]}, "expected 2 classes"),
    ("images", {"classes": ["no", 3]}, "expected classes to be texts of UTF-8, got 3"),
    ("images", {"classes": ["no", "\ud800"]}, "expected classes to be texts of UTF-8"),
    ("images", {"classes": "ab"}, "expected 2 classes"),
    ("images", {"mean": [0.1, 0.2]}, "expected mean of 1 numbers, one a channel"),
    ("images", {"mean": 0.1}, "expected mean of 1 numbers"),
    ("images", {"mean": [float("nan")]}, "expected mean of finite numbers, got nan"),
    ("images", {"std": [0]}, "expected std of finite numbers above 0, got 0"),
    ("images", {"std": [-1.0]}, "expected std of finite numbers above 0"),
    ("images", {"std": [float("nan")]}, "expected std of finite numbers above 0, got nan"),
    ("images", {"std": ["x"]}, "expected std of finite numbers above 0, got 'x'"),
    ("images", {"std": [10**400]}, "expected std of finite numbers above 0"),
    ("images", {"shape": [1, 16]}, "expected a shape (C, H, W), got (1, 16)"),
    ("images", {"shape": [1, 16, "16"]}, "expected a size of shape"),
    ("images", {"shape": [3, 16, 16], "mean": [0.1] * 3, "std": [1.0] * 3},
     "expected channels 3, got 1"),
    ("images", {"shape": [1, 17, 16]}, "expected height and width (17, 16), got (16, 16)"),
    ("images", {"model": ["mnist_cnn"]}, "expected a model out of mnist_cnn"),
    ("images", {"kind": ["images"]}, "expected a kind out of images"),
    ("images", {"kind": "series"}, "expected a description of series out of arguments"),
    ("images", {"model": REMOVED}, "expected a description of images with model, found none"),
    ("images", {"arguments": []}, "expected arguments as an object, got ()"),
    ("images", {"arguments.depth": 3}, "got 'depth'"),
    ("images", {"arguments.dropout": "x"}, "expected dropout as a finite number, got 'x'"),
    ("images", {"arguments.dropout": 1.5}, "from 0 to 1, got 1.5"),
    ("char-lm", {"arguments.cell": "dream"}, "expected a cell out of lstm, gru, got 'dream'"),
    ("char-lm", {"arguments.cell": ["gru"]}, "expected cell as a text, got ['gru']"),
    ("char-lm", {"vocabulary.symbols": ["a", "b", "c", "d"]}, "expected symbols 4, got 3"),
    ("char-lm", {"vocabulary.symbols": ["a", "b"]}, "expected symbols 2, got 3"),
    ("char-lm", {"vocabulary.symbols": ["a", "b", 3]}, "expected symbols to be strings, got 3"),
    ("char-lm", {"vocabulary.symbols": "abc"}, "expected symbols as a list"),
    ("char-lm", {"vocabulary.unit": "words"}, "a vocabulary of 'characters', got 'words'"),
    ("char-lm", {"vocabulary": None}, "Vocabulary: expected a dict"),
    ("char-lm", {"arguments.symbols": REMOVED}, "expected arguments with symbols, found none"),
    ("series", {"mean": [0.0]}, "expected mean of 2 numbers"),
    ("series", {"std": [1.0, 0.0]}, "expected std of finite numbers above 0"),
    ("series", {"classes": ["no"]}, "expected 2 classes"),
    ("seq2seq", {"source.symbols": ["a"]}, "expected source_size 2, got 3"),
    ("seq2seq", {"source.specials": [], "source.symbols": ["a", "b", "c"]}, "<pad>"),
    ("seq2seq", {"target.specials": ["<pad>", "<eos>", "<bos>"]}, "expected bos of target 1"),
    ("seq2seq", {"target.specials": ["<pad>", "<bos>"], "target.symbols": ["a", "b", "c"]},
     "expected eos of target 2, got None"),
    ("seq2seq", {"longest": 10**6}, "expected longest as an integer from 1 to 8192"),
    ("seq2seq", {"longest": 6.0}, "expected longest as an integer"),
    ("seq2seq", {"arguments.attention": "dream"}, "expected attention None or one of"),
    ("seq2seq", {"arguments.attention": 3}, "expected attention as a text or null, got 3"),
    ("seq2seq", {"arguments.batch_first": True}, "got 'batch_first'"),
    ("seq2seq", {"arguments.bidirectional": 1}, "expected bidirectional as true or false, got 1"),
])  # fmt: skip
def test_what_does_not_agree(tmp_path, kind, changes, message):
    assert message in refused(write(tmp_path / "w", ALL[kind], changes))


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"description": ' * 100_000, '{"description": 3}', '{"description": []}',
     "{}", "3", "null", '{"description": {"a": 1' + "0" * 5000 + "}}", ""],
)  # fmt: skip
def test_what_is_no_description(tmp_path, text):
    path = write(tmp_path / "w", TEXT, {}, text or " ")
    assert "its description of the model is damaged, expected" in refused(path)


def test_an_attention_that_is_left_out_is_the_usual_one(tmp_path):
    model, description = load_model(write(tmp_path / "w", PAIRS, {}))
    assert "attention" not in description.arguments and model.align([[1]], [[1], [2]]).shape


def test_numbers_that_numpy_lacks(tmp_path):
    header = b'{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}'
    (tmp_path / "w").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ValueError, match="w: expected a of F64, .* or BF16, got F8_E4M3"):
        nn.training.load_weights(tmp_path / "w")


HISTORY = History(1, [Epoch(0.5, None, None, None, 1e-3, 1.0)], [0.5])


@pytest.mark.parametrize("changes", [
    {"epochs": 3}, {"epochs": [3]}, {"epochs": [{}]}, {"epochs": [{"loss": 1}]},
    {"epochs": [vars(HISTORY.epochs[0]) | {"train_loss": "x"}]},
    {"epochs": [vars(HISTORY.epochs[0]) | {"seconds": None}]},
    {"step_loss": None}, {"step_loss": ["x"]}, {"step_loss": {"a": 1}}, {"step_loss": [[]]},
    {"steps_an_epoch": None}, {"steps_an_epoch": "1"}, {"steps_an_epoch": 0},
    {"interrupted": 3}, {"stopped": 3}, {"more": 1},
    {"epochs": REMOVED}, {"steps_an_epoch": REMOVED},
])  # fmt: skip
def test_what_is_no_history(tmp_path, changes):
    save_run(tmp_path, IMAGES.build(), IMAGES, HISTORY, {})
    content = HISTORY.to_json() | changes
    content = {name: value for name, value in content.items() if value is not REMOVED}
    (tmp_path / "history.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"history\.json: expected a history, expected"):
        load_run(tmp_path)


def test_a_history_from_before_it_told_of_early_ends(tmp_path):
    save_run(tmp_path, IMAGES.build(), IMAGES, HISTORY, {})
    content = HISTORY.to_json()
    del content["interrupted"], content["stopped"]
    (tmp_path / "history.json").write_text(json.dumps(content))
    assert load_run(tmp_path).history == HISTORY
