"""Sequences as data: vocabulary, text, pairs, series, padding, batches of about one length."""

import gzip
import json

import numpy as np
import pytest

import nnet as nn
from nnet import data
from tests.helpers import assert_close, assert_same_bits

SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")


def numbers(batches):
    """The arrays of each batch."""
    return [tuple(tensor.numpy() for tensor in batch) for batch in batches]


class TestVocabulary:
    def test_characters_there_and_back(self):
        text = "Grüße, 世界!\n"
        letters = data.Vocabulary.from_text(text)
        ids = letters.encode(text)
        assert ids.dtype == np.int64 and sorted(set(ids)) == list(range(len(letters)))
        assert letters.decode(ids) == text
        assert letters.symbols == tuple(sorted(set(text)))

    def test_words_there_and_back(self):
        words = data.Vocabulary.from_text("to be or\nnot to  be", "words", SPECIALS)
        assert words.symbols == (*SPECIALS, "be", "not", "or", "to")
        assert (words.pad, words.bos, words.eos, words.unk) == (0, 1, 2, 3)
        assert words.encode("to see or not").tolist() == [7, 3, 6, 5]
        assert words.encode(["to", "be"]).tolist() == [7, 4]
        assert words.decode([1, 7, 3, 4, 2, 0, 0]) == "to <unk> be"
        assert words.tokens([1, 7]) == ["<bos>", "to"]
        assert "be" in words and words["be"] == 4 and "see" not in words

    def test_unseen_characters_are_named(self):
        letters = data.Vocabulary.from_text("abc", specials=["<pad>"])
        assert letters.unk is None
        with pytest.raises(ValueError, match="characters among the 4 known, got 'é' at position 2"):
            letters.encode("abéc")
        with pytest.raises(ValueError, match="from 0 to 3, got 4 at position 1"):
            letters.decode([0, 4])
        with pytest.raises(ValueError, match="from 0 to 3, got -1 at position 0"):
            letters.tokens(np.array([-1]))

    def test_rare_symbols_are_left_out(self):
        text = "a a a b b c d d"
        frequent = data.Vocabulary.from_text(text, "words", ["<unk>"], min_count=2)
        assert frequent.symbols == ("<unk>", "a", "b", "d")
        largest = data.Vocabulary.from_text(text, "words", ["<unk>"], max_size=3)
        assert largest.symbols == ("<unk>", "a", "b")

    @pytest.mark.parametrize("unit", ["characters", "words"])
    def test_through_json(self, unit, tmp_path):
        before = data.Vocabulary.from_text('he said "no" ü', unit, SPECIALS[:2])
        assert data.Vocabulary.from_dict(json.loads(json.dumps(before.to_dict()))) == before
        before.save(tmp_path / "vocabulary.json")
        after = data.Vocabulary.load(tmp_path / "vocabulary.json")
        assert after == before and hash(after) == hash(before)
        assert after.symbols == before.symbols and after.bos == 1 and after.eos is None
        assert after != data.Vocabulary.from_text("ab")

    @pytest.mark.parametrize("content", ['{"unit": "words"}', "[]", "no json", '{"a": 1', "\xff"])
    def test_another_file_is_refused(self, content, tmp_path):
        path = tmp_path / "v.json"
        path.write_text(content, encoding="latin-1")
        with pytest.raises(ValueError, match=r"v\.json: expected a vocabulary"):
            data.Vocabulary.load(path)

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: data.Vocabulary.from_text(""), ValueError, "at least one symbol, got none"),
            (lambda: data.Vocabulary.from_text("  ", "words"), ValueError, "at least one symbol"),
            (lambda: data.Vocabulary.from_text(b"ab"), TypeError, "a text, got bytes"),
            (lambda: data.Vocabulary("ab", "lines"), ValueError, "characters or words, got 'li"),
            (lambda: data.Vocabulary(["a", "bc"]), ValueError, "characters for symbols, got 'bc'"),
            (lambda: data.Vocabulary(["a", ""], "words"), ValueError, "words for symbols, got ''"),
            (lambda: data.Vocabulary("aba"), ValueError, "every symbol once, got 'a' again"),
            (lambda: data.Vocabulary(["a", 3]), TypeError, "symbols to be strings, got 3"),
        ],
    )
    def test_bad_input(self, make, error, message):
        with pytest.raises(error, match=f"Vocabulary: expected.*{message}"):
            make()


class TestText:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_read_plain_and_packed(self, pack, tmp_path):
        path = tmp_path / "text"
        path.write_bytes(pack("\ufeffZwölf\r\nBoxkämpfer\r".encode()))
        assert data.read_text(path) == "Zwölf\nBoxkämpfer\n"

    def test_files_that_are_no_text(self, tmp_path):
        path = tmp_path / "text"
        with pytest.raises(FileNotFoundError):
            data.read_text(path)
        path.write_bytes(b"")
        with pytest.raises(ValueError, match="text: expected a text, got an empty file"):
            data.read_text(path)
        path.write_bytes(b"abc\xff")
        with pytest.raises(ValueError, match="text of UTF-8, got byte 0xff at position 3"):
            data.read_text(path)
        path.write_bytes(gzip.compress(b"abc" * 100)[:-9])
        with pytest.raises(ValueError, match="truncated or damaged gzip file"):
            data.read_text(path)

    def test_split_by_position(self):
        train, held_back = data.split_text(np.arange(50), 0.1)
        assert train.tolist() == list(range(45)) and held_back.tolist() == list(range(45, 50))
        for fraction in (0, 1, 0.001):
            with pytest.raises(ValueError, match="fraction of 50 symbols"):
                data.split_text(np.arange(50), fraction)
        with pytest.raises(ValueError, match="fraction of 0 symbols"):
            data.split_text("")

    @pytest.mark.parametrize(("size", "batch", "steps"), [(9, 2, 3), (101, 4, 7), (2, 1, 5)])
    def test_streams_go_on_where_they_ended(self, size, batch, steps):
        streams = data.TextStreams(np.arange(size, dtype=np.int32), batch, steps)
        found = numbers(streams)
        assert len(found) == len(streams)
        inputs, targets = (np.concatenate(side) for side in zip(*found, strict=True))
        assert inputs.dtype == np.int64
        length = (size - 1) // batch
        assert_same_bits(inputs.T, np.arange(length * batch).reshape(batch, length))
        assert_same_bits(targets, inputs + 1)
        assert {len(step) for step, _ in found[:-1]} <= {steps}
        assert streams.epoch == 1
        assert_same_bits(numbers(streams), found)

    @pytest.mark.parametrize(("size", "batch", "steps"), [(1000, 4, 16), (17, 3, 16), (100, 2, 33)])
    def test_windows_cover_the_text_anew_each_epoch(self, size, batch, steps):
        windows = data.TextWindows(np.arange(size), batch, steps, seed=3)
        firsts = set()
        for epoch in range(40):
            found = numbers(windows)
            assert len(found) == len(windows)
            inputs, targets = (np.concatenate(side, axis=1) for side in zip(*found, strict=True))
            assert_same_bits(targets, inputs + 1)
            assert targets.max() < size
            shown = inputs.T.reshape(-1)
            assert len(set(shown)) == len(shown) and len(shown) > size - 2 * steps
            firsts.add(int(shown.min()))
            assert_same_bits(inputs[0], windows.starts(epoch))
        offsets = min(steps, size - max(1, (size - steps) // steps) * steps)
        assert len(firsts) > offsets / 2 and max(firsts) < offsets

    def test_windows_are_a_function_of_seed_and_epoch(self):
        one, other = (data.TextWindows(np.arange(500), 8, 10, seed=5) for _ in range(2))
        next(iter(one))
        assert_same_bits(numbers(one), [numbers(other), numbers(other)][1])
        one.epoch = 0
        assert_same_bits(one.starts(0), other.starts(0))
        assert (one.starts(0) != one.starts(1)).any()
        nn.manual_seed(1)
        first = data.TextWindows(np.arange(500), 8, 10).seed
        nn.manual_seed(1)
        assert data.TextWindows(np.arange(500), 8, 10).seed == first

    @pytest.mark.parametrize("kind", [data.TextStreams, data.TextWindows])
    def test_bad_input(self, kind):
        name = kind.__name__
        with pytest.raises(ValueError, match=f"{name}: expected batch_size of at least 1, got 0"):
            kind(np.arange(9), 0, 3)
        with pytest.raises(ValueError, match=f"{name}: expected steps of at least 1, got 2.5"):
            kind(np.arange(9), 2, 2.5)
        with pytest.raises(TypeError, match="ids to be integers, got float64"):
            kind(np.ones(9), 2, 3)
        for short in (np.zeros(0), np.arange(3), np.zeros((9, 9), int)):
            with pytest.raises(ValueError, match=f"{name}: expected a text of at least 4 symbols"):
                kind(short, 3, 3)


class TestPadding:
    def test_both_layouts_and_sides(self):
        sequences = [np.ones((length, 2)) * length for length in (2, 4, 0)]
        for side, steps in (("right", slice(0, 2)), ("left", slice(2, 4))):
            padded = nn.pad_sequence(sequences, True, -1.0, side).numpy()
            assert padded.shape == (3, 4, 2)
            assert (padded[0, steps] == 2).all() and (padded[0] == -1).sum() == 4
            assert (padded[1] == 4).all() and (padded[2] == -1).all()
            assert_same_bits(
                nn.pad_sequence(sequences, False, -1.0, side).numpy(), padded.swapaxes(0, 1)
            )
        assert nn.pad_sequence([nn.tensor([1]), nn.tensor([2, 3])]).dtype == np.int64

    def test_gradients_go_to_their_parts(self):
        one, two = nn.randn(2, 3), nn.randn(4, 3)
        one.requires_grad_()
        two.requires_grad_()
        dy = np.arange(24.0, dtype=np.float32).reshape(4, 2, 3)
        nn.pad_sequence([one, two]).backward(nn.tensor(dy))
        assert_same_bits([one.grad.data, two.grad.data], [dy[:2, 0], dy[:, 1]])

    @pytest.mark.parametrize("side", ["right", "left"])
    @pytest.mark.parametrize("batch_first", [False, True])
    def test_as_in_pytorch(self, batch_first, side):
        torch = pytest.importorskip("torch")
        rng = np.random.default_rng(0)
        arrays = [rng.standard_normal((length, 3)).astype(np.float32) for length in (3, 1, 5)]
        theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
        ours = [nn.tensor(array, requires_grad=True) for array in arrays]
        wanted = torch.nn.utils.rnn.pad_sequence(theirs, batch_first, 0.5, side)
        found = nn.pad_sequence(ours, batch_first, 0.5, side)
        assert_same_bits(found.numpy(), wanted.detach().numpy())
        wanted.square().sum().backward()
        (found * found).sum().backward()
        for one, other in zip(ours, theirs, strict=True):
            assert_close(one.grad.numpy(), other.grad.numpy(), 1e-6)

    @pytest.mark.parametrize(
        ("sequences", "error", "message"),
        [
            ([], ValueError, "at least one sequence, got none"),
            (nn.zeros(2, 3), TypeError, "list of tensors, got Tensor"),
            ([[1, 2]], TypeError, "tensors, got list"),
            ([np.ones(2), np.ones(2, int)], TypeError, "float64 like the first, got int64 at 1"),
            ([np.ones((2, 3)), np.ones((2, 4))], ValueError, r"\(length, 3\), got \(2, 4\) at 1"),
            ([np.ones(())], ValueError, r"shape \(length\), got \(\) at 0"),
        ],
    )
    def test_bad_input(self, sequences, error, message):
        with pytest.raises(error, match=f"pad_sequence: expected.*{message}"):
            nn.pad_sequence(sequences)
        with pytest.raises(ValueError, match="padding_side 'right' or 'left', got 'top'"):
            nn.pad_sequence([np.ones(2)], padding_side="top")


def ramps(lengths):
    """Pairs whose source says where it is from."""
    sources = [np.full(length, index) for index, length in enumerate(lengths)]
    return data.PairDataset(sources, sources, padding=-1)


class TestBuckets:
    LENGTHS = np.random.default_rng(0).integers(1, 60, 403)

    def test_similar_lengths_and_every_sample_once(self):
        dataset = ramps(self.LENGTHS)
        loader = data.BucketLoader(dataset, 16, shuffle=True, seed=1)
        found = numbers(loader)
        assert len(found) == len(loader) == 26
        samples = np.concatenate([source[0] for source, *_ in found])
        assert sorted(samples) == list(range(403))
        for source, lengths, target, _ in found:
            assert_same_bits(source, target)
            assert len(source) == lengths.max()
            assert_same_bits((source >= 0).sum(axis=0), lengths)
            assert_same_bits(lengths, self.LENGTHS[source[0]])
        padded = sum(source.size for source, *_ in found)
        assert padded < 1.05 * self.LENGTHS.sum()
        firsts = [len(source) for source, *_ in found]
        assert firsts != sorted(firsts)

    def test_pool_of_one_batch_is_random(self):
        mixed = data.BucketLoader(ramps(self.LENGTHS), 16, shuffle=True, seed=1, pool=1)
        padded = sum(source.size for source, *_ in numbers(mixed))
        assert padded > 1.5 * self.LENGTHS.sum()

    def test_order_is_a_function_of_seed_and_epoch(self):
        def loader(seed):
            return data.BucketLoader(ramps(self.LENGTHS), 16, shuffle=True, seed=seed, pool=5)

        one = loader(1)
        first, second = numbers(one), numbers(one)
        again = loader(1)
        again.epoch = 1
        assert_same_bits(numbers(again), second)
        assert_same_bits([s[0] for s, *_ in first], one.batches(0))
        assert one.batches(0)[0].tolist() != one.batches(1)[0].tolist()
        assert one.batches(0)[0].tolist() != loader(2).batches(0)[0].tolist()

    def test_sorted_without_shuffle_and_batch_first(self):
        loader = data.BucketLoader(ramps([3, 1, 2]), 2, batch_first=True)
        (short, lengths, *_), (long, *_) = numbers(loader)
        assert short.tolist() == [[1, -1], [2, 2]] and lengths.tolist() == [1, 2]
        assert long.tolist() == [[0, 0, 0]]

    def test_drop_last_drops_the_smaller_batch(self):
        loader = data.BucketLoader(ramps(self.LENGTHS), 16, True, 0, drop_last=True, pool=3)
        assert len(loader) == 25
        for _ in range(3):
            assert [len(lengths) for _, lengths, *_ in numbers(loader)] == [16] * 25

    def test_bad_input(self):
        with pytest.raises(ValueError, match="batch_size of at least 1, got 0"):
            data.BucketLoader(ramps([1]), 0)
        with pytest.raises(ValueError, match="pool of at least 1, got 0"):
            data.BucketLoader(ramps([1]), 1, pool=0)


class TestPairs:
    def write(self, path, text):
        path.write_text(text, encoding="utf-8")
        return path

    def test_read_characters_and_words(self, tmp_path):
        path = self.write(tmp_path / "p.tsv", " to be \tsein\n\n   \nfür\t世界\n")
        assert data.read_pairs(path, "words") == [(["to", "be"], ["sein"]), (["für"], ["世界"])]
        assert data.read_pairs(path)[0] == (list("to be"), list("sein"))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a\tb\nc d\n", "source, tab, target at line 2, got 0 tabs in 'c d'"),
            ("a\tb\n\nc\td\te\n", r"target at line 3, got 2 tabs in 'c\\td\\te'"),
            ("a\tb\n\t c\n", r"a source and a target at line 2, got '\\t c'"),
            ("\n \n", "at least one pair, got blank lines"),
            ("x" * 99, "at line 1, got 0 tabs in 'x{57}...'"),
        ],
    )
    def test_errors_name_the_line(self, text, message, tmp_path):
        with pytest.raises(ValueError, match=f"p.tsv: expected.*{message}"):
            data.read_pairs(self.write(tmp_path / "p.tsv", text), "words")
        with pytest.raises(ValueError, match="characters or words, got 'lines'"):
            data.read_pairs(tmp_path / "p.tsv", "lines")

    def test_batches_between_begin_and_end(self):
        pairs = [(list("ab"), list("xyz")), (list("b"), list("y"))]
        source = data.Vocabulary.from_tokens((s for s, _ in pairs), specials=["<pad>", "<eos>"])
        target = data.Vocabulary.from_tokens((t for _, t in pairs), specials=SPECIALS)
        dataset = data.PairDataset.from_tokens(pairs, source, target)
        assert len(dataset) == 2 and dataset.lengths.tolist() == [5, 3]
        found = [tensor.numpy().tolist() for tensor in dataset.batch([1, 0], batch_first=True)]
        assert found[0] == [[3, 1, 0], [2, 3, 1]] and found[1] == [2, 3]
        assert found[2] == [[1, 5, 2, 0, 0], [1, 4, 5, 6, 2]] and found[3] == [3, 5]
        assert_same_bits(dataset.subset([1])[0], dataset[1])
        bare = data.Vocabulary.from_text("ab", specials=["<pad>"])
        assert data.with_ends(bare, "ba").tolist() == [2, 1]

    def test_bad_input(self):
        letters = data.Vocabulary("ab", specials=["<pad>"])
        with pytest.raises(ValueError, match=r"target of pair 1: .*got 'c' at position 1"):
            data.PairDataset.from_tokens([("a", "b"), ("a", "bc")], letters, letters)
        with pytest.raises(ValueError, match="a target vocabulary with '<pad>'"):
            data.PairDataset.from_tokens([("a", "b")], letters, data.Vocabulary("ab"))
        with pytest.raises(ValueError, match="as many sources as targets.* got 1 and 0"):
            data.PairDataset([np.ones(1, int)], [], 0)
        with pytest.raises(ValueError, match=r"got shape \(0,\) at source 0"):
            data.PairDataset([np.ones(0, int)], [np.ones(1, int)], 0)
        with pytest.raises(TypeError, match="integers, got float64 at target 0"):
            data.PairDataset([np.ones(1, int)], [np.ones(1)], 0)


def walks(count=6, steps=7, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    series = rng.normal(5, 3, (count, steps, channels)).astype(np.float32)
    return series, rng.integers(1, steps + 1, count), rng.integers(0, 2, count)


class TestSeries:
    def test_batches_are_zero_behind_the_end(self):
        series, lengths, labels = walks()
        dataset = data.SeriesDataset(series, lengths, labels, ("a", "b"))
        for batch_first in (False, True):
            x, n, y = (tensor.numpy() for tensor in dataset.batch([4, 0], batch_first))
            x = x if batch_first else x.swapaxes(0, 1)
            assert_same_bits([n, y], [lengths[[4, 0]], labels[[4, 0]]])
            assert x.shape == (2, n.max(), 3)
            for row, index in enumerate((4, 0)):
                assert_same_bits(x[row, : n[row]], series[index, : n[row]])
                assert_same_bits(x[row, : n[row]], dataset[index][0])
                assert (x[row, n[row] :] == 0).all()
        loader = data.BucketLoader(dataset, 4, shuffle=True, seed=0)
        assert sum(len(labels.numpy()) for *_, labels in loader) == 6

    def test_standardized_by_the_steps_that_are_there(self):
        series, lengths, labels = walks()
        series[..., 2] = 4
        series[np.arange(7) >= lengths[:, None]] = np.nan
        dataset = data.SeriesDataset(series, lengths, labels, ("a", "b"))
        statistics = data.series_statistics(dataset)
        real = np.concatenate([dataset[index][0] for index in range(6)]).astype(np.float64)
        assert_close(statistics.mean, real.mean(axis=0), 1e-12)
        assert_close(statistics.std, [*real.std(axis=0)[:2], 1], 1e-12)
        found = dataset.standardized(statistics)
        steps = np.concatenate([found[index][0] for index in range(6)])
        assert_close(steps.mean(axis=0), np.zeros(3), 1e-6)
        assert_close(steps.std(axis=0), [1, 1, 0], 1e-6)
        assert (found.series[np.arange(7) >= lengths[:, None]] == 0).all()
        with pytest.raises(ValueError, match="for each of 3 channels"):
            dataset.standardized(data.ChannelStatistics((0.0,), (1.0,)))

    def test_padding_is_no_part_of_the_fingerprint(self):
        series, lengths, labels = walks()
        one = data.SeriesDataset(series, lengths, labels, ("a", "b"))
        changed = np.where((np.arange(7) < lengths[:, None])[..., None], series, 9)
        same = data.SeriesDataset(changed, lengths, labels, ("a", "b"))
        assert one.fingerprint() == same.fingerprint()
        other = data.SeriesDataset(series, lengths, 1 - labels, ("a", "b"))
        assert one.fingerprint() != other.fingerprint()

    def test_from_a_file(self, tmp_path):
        series, lengths, labels = walks()
        arrays = {"x": series.astype(np.float64), "len": lengths, "y": labels.astype(np.uint8)}
        parts = {f"{name}_{part}": a for part in ("train", "test") for name, a in arrays.items()}
        np.savez(tmp_path / "walks.npz", **parts)
        train, test = data.series_npz(tmp_path / "walks.npz", ("cat", "dog"))
        assert train.classes == ("cat", "dog") and len(test) == 6
        assert train.series.dtype == np.float32 and train.labels.dtype == np.int64
        assert train.fingerprint() == test.fingerprint()
        assert data.series_npz(tmp_path / "walks.npz")[0].classes == ("0", "1")
        for change, message in (
            ({"y_test": labels + 2}, "walks.npz, test: .*labels from 0 to 1, got"),
            ({"len_train": lengths * 0}, "walks.npz, train: .*lengths from 1 to 7, got 0 at ser"),
            ({"x_test": series[..., :2]}, "as many channels to test on .* got 2 and 3"),
        ):
            np.savez(tmp_path / "walks.npz", **{**parts, **change})
            with pytest.raises(ValueError, match=message):
                data.series_npz(tmp_path / "walks.npz")
        del parts["len_test"]
        np.savez(tmp_path / "walks.npz", **parts)
        with pytest.raises(ValueError, match="expected the arrays x_train.*, found no len_test"):
            data.series_npz(tmp_path / "walks.npz")

    @pytest.mark.parametrize("content", [b"", b"no npz", b"PK\x03\x04 broken"])
    def test_files_that_are_no_series(self, content, tmp_path):
        path = tmp_path / "walks.npz"
        with pytest.raises(FileNotFoundError, match=r"walks\.npz"):
            data.series_npz(path)
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"walks\.npz: expected a file of NumPy's npz format"):
            data.series_npz(path)
        np.save(tmp_path / "walks.npy", np.ones(3))
        with pytest.raises(ValueError, match="NumPy's npz format"):
            data.series_npz(tmp_path / "walks.npy")

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"series": np.ones((6, 7, 3), int)}, TypeError, "series of floats, got int64"),
            ({"series": np.ones((6, 7))}, ValueError, r"\(N, T, C\), got \(6, 7\)"),
            ({"lengths": np.full(6, 8)}, ValueError, "lengths from 1 to 7, got 8 at series 0"),
            ({"lengths": np.ones(6)}, TypeError, "integer lengths, got float64"),
            ({"labels": np.zeros(5, int)}, ValueError, r"6 labels, .* got shape \(5,\)"),
            ({"labels": np.full(6, -1)}, ValueError, "labels from 0 to 1, got -1 at series 0"),
        ],
    )
    def test_bad_input(self, change, error, message):
        series, lengths, labels = walks()
        arguments = {"series": series, "lengths": lengths, "labels": labels, **change}
        with pytest.raises(error, match=f"SeriesDataset: expected.*{message}"):
            data.SeriesDataset(**arguments, classes=("a", "b"))
        series[2, 0, 1] = np.inf
        with pytest.raises(ValueError, match="got inf at series 2, step 0, channel 1"):
            data.SeriesDataset(series, lengths, labels, ("a", "b"))
        with pytest.raises(ValueError, match="at least one series, got none"):
            empty = data.SeriesDataset(series[:0], lengths[:0], labels[:0], ("a", "b"))
            data.series_statistics(empty)
