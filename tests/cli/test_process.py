"""The command `grapheme` among other programs: its bytes, its streams, and its end."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch.cli import main

from .commands import Capture, refused


def _process(*words: str, stdout: Any = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grapheme_torch.cli", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip


def test_a_process_refuses_bytes_that_are_no_text() -> None:
    run = _process("compare", os.fsdecode(b"\xff"), "a")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("grapheme: argument 2 must be valid text, got '\\udcff'. ")


def test_a_reader_that_leaves_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        run = _process("compare", "kitten", "sitting", stdout=pipe)
    assert (run.returncode, run.stderr) == (0, "")


def test_an_output_that_cannot_hold_the_text_is_refused(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    message = "the output (ascii) must be able to hold every character, got 'é'. Set PYTHONUTF8=1."
    assert refused(capsys, "compare", "é", "a") == message


def test_a_full_disk_is_refused(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def fileno(self) -> int:
            return disk.fileno()

    with (tmp_path / "disk").open("w", encoding="utf-8") as disk:
        monkeypatch.setattr(sys, "stdout", Full())
        message = "the output must be writable, got [Errno 28] No space left on device."
        assert refused(capsys, "compare", "a", "b") == message


def test_an_interruption_has_status_130(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("grapheme_torch.train.compare", interrupted)
    assert main(["compare", "a", "b"]) == 130
    assert capsys.readouterr() == ("", "grapheme: interrupted.\n")
