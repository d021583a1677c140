"""Pairs that stay in their file: the same as those read at once, and nothing slips in later."""

import bz2
import gzip
import hashlib
import lzma
import os
import pickle
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.data import Alphabet, Pair, PairDataset, PairFile, kindergarten, read_pairs
from grapheme_torch.data import _dataset as dataset_module
from grapheme_torch.data import _line_file as line_module
from grapheme_torch.graphs import edge_triples, node_labels

from ..unchecked import unchecked

CONTENT = (
    b'\xef\xbb\xbf{"input": "ab", "target": "b"}\n\n  \r\n'
    b'{"input": "x\xe2\x80\xa8y", "target": "", "id": 7}\r\n{"input": "cde", "target": "ed"}'
)
"""A mark, blank lines, two kinds of line end, none at the end."""


def _form(pair: Pair) -> object:
    sides = [(node_labels(g), edge_triples(g)) for g in (pair.input, pair.target)]
    return sides, pair.extra, pair.place, pair.has_target


def _file(path: Path, content: bytes = CONTENT) -> str:
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_pairs_are_those_read_at_once_in_any_order(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = _file(tmp_path / "f.jsonl", pack(CONTENT))
    wanted, pairs = [_form(pair) for pair in read_pairs(path)], PairFile(path)
    assert len(pairs) == 3
    assert [_form(pairs[k]) for k in (2, 0, 1)] == [wanted[k] for k in (2, 0, 1)]
    assert [_form(pair) for pair in pairs] == wanted
    assert [_form(pair) for pair in pairs[1:]] == wanted[1:]
    assert _form(pairs[-1]) == wanted[-1]
    assert pairs.sizes.tolist() == [[2, 1], [3, 0], [3, 2]]
    assert pairs.digest == hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(IndexError):
        pairs[3]


@given(st.lists(st.sampled_from([b"", b" ", b'{"input":"a","target":"b"}', b"\r"]), max_size=9))
def test_each_pair_keeps_its_line(lines: list[bytes]) -> None:
    content = b"\n".join([b'{"input":"a","target":"b"}', *lines])
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        assert [p.line for p in PairFile(file.name)] == [p.line for p in read_pairs(file.name)]


def test_the_built_in_pairs() -> None:
    pairs = PairFile("kindergarten")
    assert [_form(pair) for pair in pairs] == [_form(pair) for pair in kindergarten()]


def test_pairs_can_be_left_out_or_refused(tmp_path: Path) -> None:
    path = _file(tmp_path / "f.jsonl")
    assert [pair.line for pair in PairFile(path, lambda pair: pair.line != 4)] == [1, 5]
    seen: list[int] = []

    def keep(pair: Pair) -> bool:
        seen.append(pair.line)
        raise InputError(f"{pair.place}: not this one")

    with pytest.raises(InputError, match=":1: not this one"):
        PairFile(path, keep)
    assert seen == [1]  # nothing is read after it


def test_a_pipe_of_the_shell_is_copied() -> None:
    out, into = os.pipe()
    with open(into, "wb") as writer:
        writer.write(CONTENT)
    pairs = PairFile(f"/dev/fd/{out}")
    os.close(out)
    assert [pair.line for pair in pairs] == [1, 4, 5]
    with pytest.raises(InputError, match="be a plain file for several processes, got a packed"):
        pickle.dumps(pairs)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda path: path.write_bytes(CONTENT.replace(b"cde", b"cdf")), "other bytes"),
        (lambda path: os.truncate(path, len(CONTENT) - 3), "the end of the file"),
    ],
)
def test_a_line_that_changes_is_refused(
    tmp_path: Path, change: Callable[[Path], object], found: str
) -> None:
    path = tmp_path / "f.jsonl"
    pairs = PairFile(_file(path))
    change(path)
    assert pairs[0].line == 1  # it is as it was
    message = f"{path}:5: the line must stay as it was when the data set was checked, got {found}."
    with pytest.raises(InputError, match="^" + re.escape(message)):
        pairs[2]


def test_a_file_that_is_replaced_stays_the_one_that_was_checked(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    pairs = PairFile(_file(path))
    os.replace(_file(tmp_path / "new", b'{"input": "other", "target": ""}'), path)
    assert [pair.line for pair in pairs] == [1, 4, 5]
    elsewhere = pickle.loads(pickle.dumps(pairs))  # another process opens what is there now
    with pytest.raises(InputError, match=":1: the line must stay as it was"):
        elsewhere[0]


def test_another_process_can_read_them(tmp_path: Path) -> None:
    pairs = PairFile(_file(tmp_path / "f.jsonl"))
    again = pickle.loads(pickle.dumps(pairs))
    assert [_form(pair) for pair in again] == [_form(pair) for pair in pairs]


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_a_file_without_pairs_is_refused(tmp_path: Path, content: bytes) -> None:
    path = _file(tmp_path / "f.jsonl", content)
    message = f"{path}: the data set must hold at least one pair, got none. Write one"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        PairFile(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.jsonl", "the data set must be a readable file, got no such file. Check the path"),
        (".", "the data set must be a readable file, got a folder. Name one JSON Lines file"),
        ("a\0b", "the data set must be a readable file, got embedded null byte. Check its path"),
        ("/dev/zero", "the data set must be a readable file, got a device, which is no regular f"),
        ("pipe", "the data set must be a readable file, got a FIFO, which is no regular file."),
    ],
)
def test_what_is_no_file_is_refused(
    path: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")  # nobody writes: who opens it waits for ever
    with pytest.raises(InputError, match="^" + re.escape(f"{path}: {message}")):
        PairFile(path)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "LONGEST_LINE", 40)
    path = _file(tmp_path / "f.jsonl", b'{"input": "a", "target": "b"}\n' + b"x" * 1000)
    message = f"{path}:2: the line must have at most 40 bytes, got more. Write one JSON object"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        PairFile(path)


def test_a_damaged_packed_file_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path / "f.jsonl.gz", gzip.compress(CONTENT)[:-12])
    with pytest.raises(InputError, match="must be a whole packed file"):
        PairFile(path)


def test_no_room_for_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    path = _file(tmp_path / "f.jsonl.gz", gzip.compress(CONTENT))
    with pytest.raises(InputError, match=r"have room for the unpacked data, got No space.*TMPDIR"):
        PairFile(path)


def test_only_so_many_encoded_pairs_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_module, "KEPT", 80)
    pairs = PairFile(_file(tmp_path / "f.jsonl"))
    read: list[Any] = []
    pairs.read_by(lambda pair: read.append(pair.place) or pair)  # type: ignore[func-returns-value]
    dataset = PairDataset(pairs, Alphabet.of(pair.target for pair in pairs))
    first, places = [dataset[k] for k in range(3)], read[-3:]
    again = [dataset[k] for k in range(3)]
    assert read[-4:] == [*places, places[2]]
    assert torch.equal(first[2][1].y, again[2][1].y)


def test_a_pair_without_target_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path / "f.jsonl", b'{"input": "a"}')
    with pytest.raises(InputError, match=re.escape(f'{path}:1: the line must have the key "tar')):
        unchecked(PairFile)(path)


def test_added_pairs_follow_those_of_the_file(tmp_path: Path) -> None:
    pairs = PairFile(_file(tmp_path / "f.jsonl"))
    given, digest = [_form(pair) for pair in pairs], pairs.digest
    records = [{"input": "new", "target": "n", "id": k} for k in range(3)]
    pairs.add(records, "the new ones", lambda pair: pair.extra["id"] != 1)
    assert len(pairs) == 5
    assert [_form(pair) for pair in pairs[:3]] == given
    assert [pair.place for pair in pairs[3:]] == ["the new ones:1", "the new ones:3"]
    assert pairs[-1].extra == {"id": 2}
    assert pairs.sizes.tolist()[3:] == [[3, 1], [3, 1]]
    assert pairs.digest == digest
    with pytest.raises(InputError, match="the new ones: the data set must be a plain file"):
        pickle.dumps(pairs)
