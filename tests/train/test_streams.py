"""A data set that stays on disk: shared by processes and workers without loss, and checked."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from grapheme_torch import InputError
from grapheme_torch.data import Alphabet, Division
from grapheme_torch.train import PairsDataModule, _first_pass
from grapheme_torch.train._data import batches, load_split

from .runs import PAIRS, contents, quick, write_pairs

MANY: list[dict[str, Any]] = [
    {"input": "ab" * (k % 7 + 1) + "c" * 50, "target": "a" * (k + 1)} for k in range(37)
]
"""Each target has a length of its own, to be told by."""


def _seen(loader: Any) -> Counter[int]:
    real = (targets for _, targets in loader if targets.share)  # the others fill up a step
    return Counter(int(n) for targets in real for n in targets.ptr.diff())


def test_processes_and_workers_share_a_pass_without_loss_or_double(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", MANY)
    split = load_split(data, None, acyclic=True)
    loaders = [
        batches(
            split.train, split.alphabet, 6, seed=1, bucket=2, workers=2, division=Division(rank, 3)
        )
        for rank in range(3)
    ]
    passes = [[_seen(loader) for loader in loaders] for _ in range(2)]
    for shares in passes:
        assert sum(shares, Counter()) == Counter(range(1, len(MANY) + 1))
    assert passes[0] != passes[1]  # drawn anew


@pytest.mark.repeats
def test_workers_change_nothing_that_is_saved(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS * 3)
    options = {"data": data, "val": data, "batch_size": 4, "bucket": 2}
    for workers in (0, 2):
        quick(tmp_path / f"{workers}", workers=workers, **options)
    alone, ahead = (contents(tmp_path / name) for name in ("0", "2"))
    for name in ("model.safetensors", "metrics.csv"):
        assert alone[name] == ahead[name]


@pytest.mark.untyped  # which looks into the sequence, and so reads the line
@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_changes_while_it_is_trained_on_is_refused(
    tmp_path: Path, workers: int
) -> None:
    data = tmp_path / "data.jsonl"
    split = load_split(write_pairs(data, MANY), None, acyclic=True)
    content = data.read_bytes()
    data.write_bytes(content.replace(b"ab", b"ba"))
    loader = batches(split.train, split.alphabet, 6, seed=1, workers=workers)
    message = r"data\.jsonl:\d+: the line must stay as it was when the data set was checked, got ot"
    with pytest.raises(InputError, match="^" + re.escape(str(tmp_path)) + "/" + message) as raised:
        list(loader)
    assert "\n" not in str(raised.value)


def test_a_folder_that_is_read_only_will_do(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    tmp_path.chmod(0o500)
    try:
        assert len(load_split(data, data, acyclic=True).train) == len(PAIRS)
        assert os.listdir(tmp_path) == ["data.jsonl"]
    finally:
        tmp_path.chmod(0o700)


def test_digests_tell_data_sets_apart(tmp_path: Path) -> None:
    one = write_pairs(tmp_path / "one.jsonl", PAIRS)
    other = write_pairs(tmp_path / "other.jsonl", PAIRS[1:])
    first, second = PairsDataModule(one, other).digests, PairsDataModule(other, one).digests
    assert (first["data"], first["val"]) == (second["val"], second["data"])
    assert first["data"] != first["val"]
    assert PairsDataModule(one).digests == {"data": first["data"], "val": None}


def test_the_first_bad_line_is_told_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    good, long = {"input": "ab", "target": "b"}, {"input": "a", "target": "ab"}
    data = tmp_path / "data.jsonl"
    write_pairs(data, [good, long])
    with data.open("a") as file:
        file.write("{broken\n")
    with pytest.raises(InputError, match=re.escape(f'{data}:2: the "target" must have at most')):
        load_split(str(data), None, acyclic=True)
    split = None
    with pytest.raises(InputError, match=re.escape(f"{data}:3: the line must be valid JSON")):
        split = load_split(str(data), None, acyclic=True, skip_larger=True)
    assert split is None


def test_what_is_left_out_is_counted_and_its_first_places_kept(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "d.jsonl", [*PAIRS, *[{"input": "a", "target": "ab"}] * 8])
    split = load_split(data, None, acyclic=True, skip_larger=True)
    assert (len(split.train), split.left_out) == (len(PAIRS), 8)
    assert split.first_left_out == [f"{data}:{line}" for line in range(6, 11)]


def test_a_graph_beyond_the_bound_is_refused_or_left_out(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "d.jsonl", [*PAIRS, {"input": "abcdef", "target": "a"}])
    message = f'{data}:6: the "input" must have at most 5 nodes, got 6. Split it, or raise'
    with pytest.raises(InputError, match="^" + re.escape(message)):
        load_split(data, None, acyclic=True, max_nodes=5)
    with pytest.raises(InputError, match="^" + re.escape(message)):
        load_split(write_pairs(tmp_path / "small.jsonl", PAIRS), data, acyclic=True, max_nodes=5)
    split = load_split(data, None, acyclic=True, max_nodes=5, skip_larger=True)
    assert (len(split.train), split.left_out) == (len(PAIRS), 1)


def test_classes_without_bound_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_first_pass, "MOST_CLASSES", 3)
    data = write_pairs(
        tmp_path / "d.jsonl", [{"input": "abcde", "target": t} for t in ("ab", "bcd")]
    )
    message = f"{data}:2: the node labels of all targets must be at most 3, got one more. Split"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        load_split(data, None, acyclic=True)
    known = Alphabet(("a", "b", "c", "d"), ("next",))
    assert load_split(data, None, acyclic=True, alphabet=known).alphabet is known


@pytest.mark.parametrize("workers", [-1, 257])
def test_refused_workers(tmp_path: Path, workers: int) -> None:
    with pytest.raises(InputError, match=f"^`workers` must be from 0 to 256, got {workers}. 0 rea"):
        quick(tmp_path, workers=workers)


def test_a_share_of_one_batch() -> None:
    split = load_split("kindergarten", None, acyclic=True)
    loaders = [batches(split.train, split.alphabet, 32, division=Division(k, 3)) for k in range(3)]
    assert all(isinstance(loader, DataLoader) for loader in loaders)
    counts = [[targets.num_graphs for _, targets in loader] for loader in loaders]
    assert counts == [[4], [3], [3]]
