"""A few hostile folders, options and data sets of each kind; all: `benchmarks/attacks.py`."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from grapheme_torch import InputError, StructuralLoss
from grapheme_torch._safe_files import bounded_lines, open_regular, read_regular
from grapheme_torch._yaml import load_yaml
from grapheme_torch.nn import GraphTransformNet
from grapheme_torch.train import saved_loss

from .documents import BOMBS, LOSS
from .files import spoils
from .folders import attacks
from .survey import survey

FOLDERS = (
    "config.json: a link to /dev/zero: load", "config.json: fifo: load",
    "config.json: num_layers = 10000: load", "config.json: candidates.window = 1.5: load",
    "config.json: relations = [None]: load", "weights: all float8_e4m3fn: load",
    "weights: one bfloat16: load", "weights: all complex64: load",
    "model.safetensors: a hole of 2^40: load", "model.safetensors: a link out of the folder: load",
    "header: huge shape: load", "train.yaml: laughing: saved", "train.yaml: deep brackets: saved",
    "max_iterations .inf: saved", "tolerance x: saved", "train.yaml: a link to a fifo: saved",
)  # fmt: skip
OPTIONS = (
    "--epochs: 10^4 brackets", "--network.dim: 10^30", "--val: a null", "--config: laughing",
    "--config: fifo", "--config: a link to /dev/zero",
)  # fmt: skip
DATA = (
    "train: /dev/zero", "evaluate: fifo", "predict: a link to /dev/zero", "convert: fifo",
    "predict: 100000 nodes",
)  # fmt: skip


def test_there_are_hundreds_of_attacks_on_a_folder() -> None:
    assert len(attacks()) >= 200


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("family", "words"), [("folders", FOLDERS), ("options", OPTIONS), ("data", DATA)]
)
def test_attacks_end_in_our_words_in_bounded_time_and_memory(
    family: str, words: tuple[str, ...]
) -> None:
    found = survey(family, lambda name: any(word in name for word in words), seconds=30)
    assert found["trials"] >= len(words)
    assert found["lost"] == {}


@pytest.mark.parametrize("name", sorted(spoils()))
def test_only_regular_files_are_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    path.write_bytes(b"content")
    spoils()[name](path)
    content = b""
    with suppress(OSError):
        content = read_regular(path, at_most=2**20, within=path.parent)
    assert len(content) <= 2**13
    assert path.is_file() or not content


def test_a_pipe_of_the_shell_is_read_and_a_named_one_is_not(tmp_path: Path) -> None:
    end, other = os.pipe()
    os.write(other, b"a line\n")
    os.close(other)
    with open_regular(f"/dev/fd/{end}", pipes=True) as file:
        assert list(bounded_lines(file, "pipe")) == [b"a line\n"]
    with pytest.raises(OSError, match="a FIFO"):
        open_regular(f"/dev/fd/{end}")
    os.close(end)
    os.mkfifo(tmp_path / "named")
    with pytest.raises(OSError, match="a FIFO"):
        open_regular(tmp_path / "named", pipes=True)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"ab\nabcdef\n")
    with open_regular(tmp_path / "file") as file:
        lines = bounded_lines(file, "file", 4)
        assert next(lines) == b"ab\n"
        with pytest.raises(InputError, match="file must have lines of at most 4 bytes"):
            next(lines)


@pytest.mark.untyped
@pytest.mark.parametrize("name", sorted(BOMBS | LOSS))
def test_options_of_a_run_load_or_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "train.yaml").write_text((BOMBS | LOSS)[name], encoding="utf-8")
    with suppress(InputError):
        assert isinstance(saved_loss(tmp_path), StructuralLoss)


def test_anchors_within_the_bound_are_read() -> None:
    assert load_yaml("a: &x {b: 1}\nc: *x\nd: *x") == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1}}


def test_a_folder_that_is_a_link_is_read(tmp_path: Path) -> None:
    GraphTransformNet(["a"], ["b"], dim=8, num_layers=0, num_heads=2).save_pretrained(
        tmp_path / "run"
    )
    (tmp_path / "link").symlink_to("run")
    (tmp_path / "run" / "config.json").rename(tmp_path / "run" / "first.json")
    (tmp_path / "run" / "config.json").symlink_to("first.json")
    assert GraphTransformNet.from_pretrained(tmp_path / "link").labels == ("a",)
