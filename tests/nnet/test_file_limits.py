"""Files that declare more than they hold, or are no files: refused at once and in little memory."""

import gzip
import os
import socket
import stat
import struct
import time
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

import nnet as nn
from nnet import data
from nnet.data.json_file import read_json
from nnet.data.numpy_file import read_arrays
from nnet.jobs.series.measurements import read_series
from tests.nnet.data.test_data import idx_bytes, write_folder

MEGA = 1 << 20


@contextmanager
def refused_in_little(path, message, bound=100 * MEGA, seconds=10, error=ValueError):
    """It is refused in one line with the file's name, without so much memory and time."""
    tracemalloc.start()
    start = time.monotonic()
    try:
        with pytest.raises(error, match=message) as caught:
            yield
        assert tracemalloc.get_traced_memory()[1] < bound
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < seconds
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def zeros_packed(path, size):
    """A gzip file that unpacks to so many zeros."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(size // MEGA):
            file.write(bytes(MEGA))
    return path


def npz(path, packing=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def npy(shape, dtype="<f8", content=b"", version=b"\1\0", header=None):
    """An npy file that says so, whatever it holds."""
    if header is None:
        header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}"
    header = header.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + content


def png(width, height, *chunks):
    def chunk(name, content):
        whole = name + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body + chunk(b"IEND", b"")


READERS = {
    "idx": data.read_idx,
    "text": data.read_text,
    "pairs": data.read_pairs,
    "arrays": read_arrays,
    "series": lambda path: read_series(path, ("a",)),
    "series to train on": data.series_npz,
    "png": lambda path: data.read_image(path, (1, 4, 4)),
    "npy": lambda path: data.read_image(path, (1, 4, 4)),
    "vocabulary": data.Vocabulary.load,
    "weights": nn.training.load_weights,
    "model": nn.training.load_model,
    "json": read_json,
}


@pytest.mark.parametrize("name", READERS)
class TestOnlyFilesAreRead:
    def path(self, folder, name):
        return folder / ("a.npy" if name == "npy" else "a.png")

    def test_pipe(self, tmp_path, name):
        path = self.path(tmp_path, name)
        os.mkfifo(path)
        with refused_in_little(path, "expected .*file"):
            READERS[name](path)

    def test_device(self, tmp_path, name):
        path = self.path(tmp_path, name)
        path.symlink_to("/dev/zero")
        with refused_in_little(path, "expected .*file, got a device"):
            READERS[name](path)

    def test_socket_and_folder(self, tmp_path, name):
        path = self.path(tmp_path, name)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        with refused_in_little(path, ".", error=OSError):
            READERS[name](path)
        listener.close()
        path.unlink()
        path.mkdir()
        with refused_in_little(path, ".", error=OSError):
            READERS[name](path)

    def test_a_name_that_none_can_have(self, tmp_path, name):
        with pytest.raises(ValueError, match="expected the name of a file"):
            READERS[name]("a\0b.npy" if name == "npy" else "a\0b")

    def test_descriptors_are_given_back(self, tmp_path, name):
        path = self.path(tmp_path, name)
        path.symlink_to("/dev/null")
        before = os.listdir("/proc/self/fd")
        for _ in range(5):
            with pytest.raises(ValueError, match="got a device"):
                READERS[name](path)
        assert len(os.listdir("/proc/self/fd")) == len(before)


class TestIdx:
    def test_no_more_is_unpacked_than_the_header_promises(self, tmp_path):
        path = tmp_path / "a"
        content = gzip.compress(idx_bytes(np.zeros((2, 3), np.uint8)) + bytes(100 * MEGA), 1)
        path.write_bytes(content)
        with refused_in_little(path, "trailing bytes, expected 18 bytes", 10 * MEGA):
            data.read_idx(path)

    def test_a_header_that_promises_more_than_the_file_can_hold(self, tmp_path):
        path = tmp_path / "a"
        header = struct.pack(">2xBB3I", 8, 3, 1000, 1000, 1000)
        path.write_bytes(header)
        with refused_in_little(path, "truncated, expected 1000000016 bytes .* got 16", MEGA):
            data.read_idx(path)
        path.write_bytes(gzip.compress(header))
        with refused_in_little(path, "expected 1000000016 bytes .* more than the", MEGA):
            data.read_idx(path)
        # What it may unpack to is not taken before it is there.
        path.write_bytes(gzip.compress(header.replace(b"\3\xe8", b"\0\x60")))
        with refused_in_little(path, "truncated, expected 884752 bytes", 3 * MEGA):
            data.read_idx(path)

    def test_a_bomb_that_keeps_its_promise(self, tmp_path):
        path = tmp_path / "a"
        header = struct.pack(">2xBB2I", 8, 2, 100, MEGA)
        path.write_bytes(gzip.compress(header + bytes(100 * MEGA), 1))
        with refused_in_little(path, "more than the", 10 * MEGA):
            data.read_idx(path)

    def test_shapes_that_no_array_has(self, tmp_path):
        path = tmp_path / "a"
        path.write_bytes(struct.pack(">2xBB100I", 8, 100, *[1] * 100) + b"\0")
        with refused_in_little(path, "expected a shape that an array has", MEGA):
            data.read_idx(path)
        path.write_bytes(struct.pack(">2xBB4I", 8, 4, 0, *[2**32 - 1] * 3))
        with refused_in_little(path, "expected a shape that an array has", MEGA):
            data.read_idx(path)

    @pytest.mark.parametrize("part", ["train", "t10k"])
    def test_a_label_of_two_thousand_million_classes(self, tmp_path, part):
        write_folder(tmp_path)
        path = tmp_path / f"{part}-labels-idx1-ubyte"
        labels = np.zeros(20 if part == "train" else 10, np.int32)
        labels[5] = 2**31 - 1
        path.write_bytes(idx_bytes(labels))
        with refused_in_little(tmp_path, "expected labels .* got 2147483647 at", MEGA):
            data.idx_folder(tmp_path)

    def test_as_many_classes_as_labels_show(self, tmp_path):
        write_folder(tmp_path)
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(
            idx_bytes(np.full(20, 2**16 - 1, np.int32))
        )
        assert len(data.idx_folder(tmp_path)[0].classes) == 2**16
        assert data.classes.names_of(np.arange(70_000))[-1] == "69999"
        with pytest.raises(ValueError, match="got 65536 at 1"):
            data.classes.names_of(np.array([0, 2**16]))

    def test_images_without_pixels(self):
        empty = data.ImageDataset(np.zeros((2, 1, 0, 4), np.uint8), np.zeros(2, int), ("a",))
        with pytest.raises(ValueError, match="expected at least one pixel"):
            data.channel_statistics(empty)


class TestText:
    @pytest.mark.parametrize("read", [data.read_text, data.read_pairs, read_json])
    def test_a_bomb(self, tmp_path, read):
        path = zeros_packed(tmp_path / "a", 100 * MEGA)
        with refused_in_little(path, r"expected no more than \d+ bytes unpacked", 100 * MEGA):
            read(path)

    @pytest.mark.parametrize("read", [data.read_text, data.read_pairs, data.Vocabulary.load])
    def test_a_hole_of_a_terabyte(self, tmp_path, read):
        path = tmp_path / "a"
        path.touch()
        os.truncate(path, 1 << 40)
        with refused_in_little(path, "expected .*no more than 1073741824 bytes", MEGA):
            read(path)

    def test_a_text_that_packs_well_is_read(self, tmp_path):
        path = zeros_packed(tmp_path / "a", 60 * MEGA)
        assert len(data.read_text(path)) == 60 * MEGA

    @pytest.mark.parametrize("read", [read_json, data.Vocabulary.load])
    @pytest.mark.parametrize("beginning", ["[", '{"a":'])
    def test_json_nested_without_end(self, tmp_path, read, beginning):
        path = tmp_path / "a"
        path.write_text(beginning * 100_000)
        with refused_in_little(path, "nested too deeply"):
            read(path)

    @pytest.mark.parametrize(
        "change",
        [{"symbols": "abc"}, {"symbols": None}, {"symbols": 3}, {"specials": "ab"},
         {"specials": None}, {"unit": []}, {"symbols": [[]]}, {"symbols": ["\ud800"]}],
    )  # fmt: skip
    def test_a_vocabulary_of_other_things(self, change):
        content = data.Vocabulary("ab").to_dict() | change
        with pytest.raises((TypeError, ValueError), match="Vocabulary: expected"):
            data.Vocabulary.from_dict(content)


ARRAYS = {
    "object": (npy((1,), "|O", bytes(8)), "expected numbers, got object"),
    "text": (npy((1,), "<U2", bytes(8)), "expected numbers, got <U2"),
    "record": (npy((1,), [("a", "<f8")], bytes(8)), "expected numbers, got"),
    "a terabyte": (npy((1 << 37,)), "expected 1099511627776 bytes .* got 0"),
    "too short": (npy((2, 3), "<f8", bytes(40)), "expected 48 bytes .* got 40"),
    "too long": (npy((2, 3), "<f8", bytes(50)), "expected 48 bytes .* got 50"),
    "negative": (npy((-1, -1), "<f8", bytes(8)), "expected a shape, got"),
    "no shape": (npy((0, 1 << 62, 1 << 62)), "expected a shape that an array has"),
    "version": (npy((1,), version=b"\7\7"), r"NumPy's format 1.0 or 2.0, got \(7, 7\)"),
    "no literal": (npy((), header="{(" * 4000), "expected a header of NumPy's format"),
    "no text": (npy((), header="'''"), "expected a header of NumPy's format"),
    "no dict": (npy((), header="3"), "expected a header of NumPy's format"),
    "long": (npy((), header="{}" + " " * 60_000), "expected a header of NumPy's format"),
    "nothing": (b"", "expected an array in NumPy's format"),
    "no array": (b"text" * 100, "expected an array in NumPy's format"),
}


@pytest.mark.parametrize("name", ARRAYS)
class TestArrays:
    def test_npy(self, tmp_path, name):
        content, message = ARRAYS[name]
        path = tmp_path / "a.npy"
        path.write_bytes(content)
        if name == "no shape":
            content, message = "", "pixels of uint8"
        with refused_in_little(path, message, 10 * MEGA, error=(ValueError, TypeError)):
            data.read_image(path, (1, 4, 4))

    @pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_npz(self, tmp_path, name, packing):
        content, message = ARRAYS[name]
        path = npz(tmp_path / "a.npz", packing, x=content)
        for read in (read_arrays, READERS["series"]):
            with refused_in_little(path, rf"NumPy's npz format, x: .*{message}", 10 * MEGA):
                read(path)


class TestNpz:
    def test_what_numpy_writes_is_read(self, tmp_path):
        for save in (np.savez, np.savez_compressed):
            arrays = {
                "c": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.eye(3)),
                "big": np.arange(3, dtype=">i4"), "none": np.zeros((0, 3)), "one": np.float32(2),
            }  # fmt: skip
            save(tmp_path / "a.npz", **arrays)
            found = read_arrays(tmp_path / "a.npz")
            assert found.keys() == arrays.keys()
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array)
                assert found[name].dtype == array.dtype

    def test_a_bomb(self, tmp_path):
        content = npy((100 * MEGA,), "|u1", bytes(100 * MEGA))
        path = npz(tmp_path / "a.npz", zipfile.ZIP_DEFLATED, x=content)
        del content
        for read in (read_arrays, READERS["series"]):
            with refused_in_little(path, "x: expected no more than 67108864 bytes", MEGA):
                read(path)

    def test_only_what_is_wanted_is_unpacked(self, tmp_path):
        x = np.ones((2, 3, 1), np.float32)
        path = tmp_path / "a.npz"
        np.savez(path, x=x, other=np.array([{}], object))
        assert len(read_series(path, ("a",))) == 2

    @pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_packings(self, tmp_path, packing):
        path = npz(tmp_path / "a.npz", packing, x=npy((1,), "<f8", bytes(8)))
        with refused_in_little(path, "x: expected it plain or deflated"):
            read_arrays(path)

    def test_a_wrong_checksum_and_a_lock(self, tmp_path):
        path = npz(tmp_path / "a.npz", x=npy((1,), "<f8", b"numbers!"))
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"numbers!", b"Numbers!"))
        with refused_in_little(path, "npz format, x: .*CRC"):
            read_arrays(path)
        locked = bytearray(whole)
        for place in (whole.index(b"PK\3\4") + 6, whole.index(b"PK\1\2") + 8):
            locked[place] |= 1
        path.write_bytes(locked)
        with refused_in_little(path, "npz format, x: "):
            read_arrays(path)

    @pytest.mark.parametrize("shape", [(1 << 40, 0, 3), (2, 1 << 40, 0), (0, 1 << 40, 3)])
    def test_large_series_of_nothing(self, tmp_path, shape):
        nothing, labels = (
            npy(shape, "<f4"),
            npy((min(shape[0], 2),), "<i8", bytes(8 * min(shape[0], 2))),
        )
        path = npz(tmp_path / "a.npz", x=nothing)
        with refused_in_little(path, r"expected series of shape \(N, T, C\)", MEGA):
            read_series(path, ("a",))
        arrays = {f"{what}_{part}": nothing if what == "x" else labels
                  for part in ("train", "test") for what in ("x", "len", "y")}  # fmt: skip
        path = npz(tmp_path / "b.npz", **arrays)
        if shape[0]:
            with refused_in_little(path, "expected", MEGA):
                data.series_npz(path)
        else:
            assert len(data.series_npz(path)[0]) == 0

    @pytest.mark.parametrize("part", ["train", "test"])
    def test_a_label_of_two_thousand_million_classes(self, tmp_path, part):
        x, lengths, labels = np.ones((4, 9, 2)), np.full(4, 9), np.array([0, 1, 2, 0])
        arrays = {}
        for each in ("train", "test"):
            arrays |= {f"x_{each}": x, f"len_{each}": lengths, f"y_{each}": labels.copy()}
        arrays[f"y_{part}"][1] = 2**31 - 1
        np.savez(tmp_path / "a.npz", **arrays)
        with refused_in_little(tmp_path / "a.npz", f"{part}: .* got 2147483647 at", MEGA):
            data.series_npz(tmp_path / "a.npz")

    def test_values_that_float32_lacks(self, tmp_path):
        x = np.ones((1, 2, 1))
        x[0, 1, 0] = 1e300
        np.savez(tmp_path / "a.npz", x=x)
        with refused_in_little(tmp_path / "a.npz", "finite values, got 1e.300 at series 0, step 1"):
            read_series(tmp_path / "a.npz", ("a",))


class TestImages:
    @pytest.mark.parametrize("side", [29, 13_000, 30_000, 2**31 - 1])
    def test_of_another_size_nothing_is_decoded(self, tmp_path, side, monkeypatch):
        path = tmp_path / "a.png"
        path.write_bytes(png(side, side))
        monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("it was decoded"))
        with refused_in_little(path, "expected .*28x28 pixels", 3 * MEGA):
            data.read_image(path, (1, 28, 28))

    def test_a_large_array_is_not_read(self, tmp_path):
        path = tmp_path / "a.npy"
        np.save(path, np.zeros((4000, 4000), np.uint8))
        with refused_in_little(path, "expected 1 channel of 28x28 pixels", MEGA):
            data.read_image(path, (1, 28, 28))

    def test_an_image_whose_promise_fits_but_whose_file_does_not(self, tmp_path):
        path = tmp_path / "a.png"
        pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
        Image.fromarray(pixels).save(path)
        whole = path.read_bytes()
        for broken in (whole[:45], whole[:-100], whole.replace(b"IDAT", b"IDOT")):
            path.write_bytes(broken)
            with refused_in_little(path, "expected a .*PNG image"):
                data.read_image(path, (1, 28, 28))

    def test_a_text_in_an_image_that_unpacks_to_much(self, tmp_path):
        text = b"zTXt" + b"a\0\0" + zlib.compress(bytes(100 * MEGA))
        chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
        path = tmp_path / "a.png"
        path.write_bytes(png(28, 28, chunk))
        del text
        with refused_in_little(path, "expected a PNG image", 10 * MEGA):
            data.read_image(path, (1, 28, 28))

    @pytest.mark.parametrize(
        "content",
        [
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n%%EOF\n",
            b"\xc5\xd0\xd3\xc6" + struct.pack("<IIIIIIH", 30, 200, 0, 0, 0, 0, 0xFFFF)
            + b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("name", ["digit.png", "digit.eps"])
    def test_no_program_is_started(self, tmp_path, content, name, monkeypatch):
        from PIL import EpsImagePlugin

        for program in ("gs", "gswin32c", "gswin64c"):
            path = tmp_path / "bin" / program
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
        (tmp_path / name).write_bytes(content)
        with refused_in_little(tmp_path / name, "expected a PNG image"):
            data.read_image(tmp_path / name, (1, 28, 28))
        assert not (tmp_path / "started").exists()

    @pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "TIFF", "PPM", "WEBP", "ICO"])
    def test_other_formats_are_not_opened(self, tmp_path, kind):
        path = tmp_path / "a.png"
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(path, kind)
        with refused_in_little(path, "expected a PNG image"):
            data.read_image(path, (1, 32, 32))
