"""Readers, data sets, splits and statistics (inventory D1, D2, D4, G11)."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnet import data

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def idx_bytes(array: np.ndarray) -> bytes:
    code = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}[array.dtype.str[1:]]
    header = struct.pack(f">2xBB{array.ndim}I", code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_folder(folder, train=20, test=10, *, mark="-", prefix="", packed=False, classes=3):
    """A folder of IDX files with random pixels, and what should be read from it."""
    rng = np.random.default_rng(1)
    written = []
    for part, count in (("train", train), ("t10k", test)):
        images = rng.integers(0, 256, (count, 6, 5), np.uint8)
        labels = (np.arange(count) % classes).astype(np.uint8)
        for kind, array in (("images", images), ("labels", labels)):
            name = f"{prefix}{part}-{kind}{mark}idx{array.ndim}-ubyte"
            content = idx_bytes(array)
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
        written.append((images, labels))
    return written


def test_bundled_mnist_is_the_published_database():
    for name, md5 in MD5.items():
        content = gzip.decompress((data.MNIST_FOLDER / f"{name}.gz").read_bytes())
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == md5
    assert "CC BY-SA 3.0" in (data.MNIST_FOLDER / "ATTRIBUTION").read_text()


def test_mnist():
    train, test = data.mnist()
    assert train.images.shape == (60000, 1, 28, 28) and test.images.shape == (10000, 1, 28, 28)
    assert train.images.dtype == np.uint8 and train.labels.dtype == np.int64
    assert train.classes == tuple("0123456789")
    assert np.bincount(test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    image, label = train[0]
    assert image.shape == (1, 28, 28) and label == 5


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 2), (1, 1, 1, 1)])
def test_read_idx_every_type(tmp_path, dtype, shape):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    (tmp_path / "plain").write_bytes(idx_bytes(array))
    (tmp_path / "packed").write_bytes(gzip.compress(idx_bytes(array)))
    for name in ("plain", "packed"):
        found = data.read_idx(tmp_path / name)
        assert found.dtype == array.dtype and found.dtype.isnative
        np.testing.assert_array_equal(found, array)


GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
# A header without the time: names of tests show it, and two processes must collect the same.
PACKED = gzip.compress(GOOD, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "truncated, expected a magic number, got 0 bytes"),
        (GOOD[:3], "truncated, expected a magic number, got 3 bytes"),
        (b"\1" + GOOD[1:], "not an IDX file, expected a magic number like 00000803, got 01000803"),
        (GOOD[:2] + b"\x07" + GOOD[3:], "not an IDX file, .* got 00000703"),
        (b"\0\0\x08\0", "not an IDX file, .* got 00000800"),
        (b"P5 28 28 255 ...", "not an IDX file"),
        (GOOD[:10], "truncated, expected a header of 16 bytes, got 10"),
        (GOOD[:-1], r"truncated, expected 40 bytes for shape \(2, 3, 4\), got 39"),
        (GOOD + b"\0", "trailing bytes, expected 40 bytes .* got 41"),
        (PACKED[:-9], "truncated or damaged gzip file"),
        (PACKED[:5], "truncated or damaged gzip file"),
        (PACKED[:20] + bytes(4) + PACKED[24:], "truncated or damaged gzip file"),
        (gzip.compress(GOOD[:-1], mtime=0), "truncated, expected 40 bytes"),
    ],
)
def test_read_idx_bad_file(tmp_path, content, message):
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        data.read_idx(path)
    assert str(path) in str(caught.value)


def test_read_idx_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        data.read_idx(tmp_path / "nowhere")


@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("prefix", ["", "emnist-letters-"])
def test_idx_folder_names(tmp_path, mark, packed, prefix):
    written = write_folder(tmp_path, mark=mark, packed=packed, prefix=prefix)
    for found, (images, labels) in zip(data.idx_folder(tmp_path), written, strict=True):
        np.testing.assert_array_equal(found.images[:, 0], images)
        np.testing.assert_array_equal(found.labels, labels)
        assert found.classes == ("0", "1", "2")


def test_idx_folder_plain_beside_packed(tmp_path):
    write_folder(tmp_path)
    write_folder(tmp_path, packed=True)
    assert len(data.idx_folder(tmp_path)[0]) == 20


def test_idx_folder_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of IDX files"):
        data.idx_folder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="expected a file train-images-idx3-ubyte"):
        data.idx_folder(tmp_path)
    write_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="expected a file t10k-labels-idx1-ubyte"):
        data.idx_folder(tmp_path)


def test_idx_folder_ambiguous(tmp_path):
    for prefix in ("emnist-letters-", "emnist-digits-"):
        write_folder(tmp_path, prefix=prefix)
    with pytest.raises(ValueError, match="expected one file of images for train, got emnist-dig"):
        data.idx_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-labels-idx1-ubyte", np.zeros(19, np.uint8), "expected 20 labels, .* got 19"),
        ("train-labels-idx1-ubyte", np.zeros(20, np.float32), "expected integers of shape"),
        ("train-labels-idx1-ubyte", np.zeros((20, 1), np.uint8), r"got uint8 of shape \(20, 1\)"),
        ("train-images-idx3-ubyte", np.zeros((20, 6), np.uint8), r"expected bytes of shape \(N, "),
        ("train-images-idx3-ubyte", np.zeros((20, 6, 5), np.int16), "got int16"),
        (
            "t10k-labels-idx1-ubyte",
            np.full(10, 3, np.uint8),
            "labels from 0 to 2, got 3 at image 0",
        ),
        ("train-labels-idx1-ubyte", np.full(20, -1, np.int8), "expected labels from 0 to"),
    ],
)
def test_idx_folder_files_that_do_not_fit(tmp_path, name, array, message):
    write_folder(tmp_path)
    (tmp_path / name).write_bytes(idx_bytes(array))
    with pytest.raises(ValueError, match=message):
        data.idx_folder(tmp_path)


def test_idx_folder_named_classes(tmp_path):
    write_folder(tmp_path)
    assert data.idx_folder(tmp_path, ("a", "b", "c", "d"))[1].classes == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match=f"{tmp_path}: .* labels from 0 to 1, got 2 at image 2"):
        data.idx_folder(tmp_path, ("a", "b"))


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (np.zeros((2, 1, 3, 3)), np.zeros(2, int), TypeError, "uint8 images, got float64"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros(2, int), ValueError, r"\(N, C, H, W\)"),
        (np.zeros((2, 1, 3, 3), np.uint8), np.zeros(2), TypeError, "integer labels, got float64"),
        (np.zeros((2, 1, 3, 3), np.uint8), np.zeros(3, int), ValueError, "expected 2 labels"),
        (np.zeros((2, 1, 3, 3), np.uint8), np.array([0, 5]), ValueError, "got 5 at image 1"),
    ],
)
def test_image_dataset_bad_input(images, labels, error, message):
    with pytest.raises(error, match=message):
        data.ImageDataset(images, labels, ("a", "b"))


def counting(count):
    """A data set whose samples can be told apart."""
    images = np.arange(count, dtype=np.uint16).view(np.uint8).reshape(count, 1, 1, 2)
    return data.ImageDataset(images, np.arange(count) % 7, tuple("abcdefg"))


def identities(dataset):
    return dataset.images.reshape(-1).view(np.uint16)


@given(st.integers(2, 500), st.integers(0, 1 << 40), st.data())
def test_g11_split_is_disjoint_and_covers(count, seed, draw):
    first = draw.draw(st.integers(0, count))
    second = draw.draw(st.integers(0, count - first))
    sizes = [first, second, count - first - second]
    parts = data.split(counting(count), sizes, seed)
    assert [len(part) for part in parts] == sizes
    found = np.concatenate([identities(part) for part in parts])
    assert sorted(found.tolist()) == list(range(count))
    for part in parts:
        np.testing.assert_array_equal(part.labels, identities(part) % 7)


def test_g11_split_by_fraction_and_seed():
    train, held_back = data.split(counting(1000), 0.15)
    assert (len(train), len(held_back)) == (850, 150)
    again = data.split(counting(1000), 0.15)[1]
    other = data.split(counting(1000), 0.15, seed=1)[1]
    assert identities(again).tolist() == identities(held_back).tolist()
    assert identities(other).tolist() != identities(held_back).tolist()


@pytest.mark.parametrize("parts", [0.0, 1.0, 0.001, -0.5, [5, 4], [-1, 11], []])
def test_g11_split_bad_input(parts):
    with pytest.raises(ValueError, match="split: expected"):
        data.split(counting(10), parts)


def test_g11_split_one_size():
    with pytest.raises(TypeError, match="a fraction or the size of every part, got 3"):
        data.split(counting(10), 3)


def test_d4_channel_statistics_are_those_of_the_given_set_alone():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (230, 3, 9, 7), np.uint8)
    images[:, 2] = 51
    train = data.ImageDataset(images, np.zeros(230, int), ("a",))
    mean, std = data.channel_statistics(train)
    scaled = images / 255
    np.testing.assert_allclose(mean, scaled.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std[:2], scaled[:, :2].std((0, 2, 3)), rtol=1e-12)
    assert std[2] == 1.0
    fitted, held_back = data.split(train, 0.5)
    before = data.channel_statistics(fitted)
    held_back.images[...] = 255
    assert data.channel_statistics(fitted) == before


def test_d4_channel_statistics_of_nothing():
    empty = data.ImageDataset(np.zeros((0, 1, 2, 2), np.uint8), np.zeros(0, int), ())
    with pytest.raises(ValueError, match="at least one image"):
        data.channel_statistics(empty)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [".png", ".npy"])
def test_read_image(tmp_path, channels, suffix):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (channels, 4, 6), np.uint8)
    path = tmp_path / f"image{suffix}"
    if suffix == ".npy":
        np.save(path, pixels)
    else:
        Image.fromarray(pixels[0] if channels == 1 else pixels.transpose(1, 2, 0)).save(path)
    np.testing.assert_array_equal(data.read_image(path, pixels.shape), pixels)


def test_read_image_png_for_many_channels(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match=r"expected a \.npy file for a model of 5 channels"):
        data.read_image(tmp_path / "a.png", (5, 4, 4))
