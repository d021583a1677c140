"""A command and what it says: its output, or its refusal."""

import pytest

from grapheme_torch.cli._main import main

FLAGS = [
    "--network.dim=16", "--network.num-layers=1", "--network.num-heads=2",
    "--network.num-buckets=64", "--network.copy=false", "--network.candidates.pairs=forward",
    "--network.slots.per-node=1",
]  # fmt: skip

Capture = pytest.CaptureFixture[str]


def output(capsys: Capture, *words: str, status: int = 0) -> str:
    """What a command prints; it says nothing else."""
    assert main(words) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: Capture, *words: str) -> str:
    """The refusal: one line on the standard error, status 2."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("grapheme: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("grapheme: ").removesuffix("\n")
