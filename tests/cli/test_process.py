"""The command `grapheme` among other programs: its bytes, its streams, and its end."""

import errno
import io
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch.cli._main import main

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


@pytest.mark.repeats
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


@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGTERM, "stopped by SIGTERM."), (signal.SIGHUP, "stopped by SIGHUP.")],
)
def test_other_commands_are_stopped_with_a_word(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, word: str
) -> None:
    monkeypatch.setattr("grapheme_torch.train.compare", lambda *_: os.kill(os.getpid(), number))
    assert main(["compare", "a", "b"]) == 128 + number
    assert capsys.readouterr() == ("", f"grapheme: {word}\n")


def _with_imports(what: str) -> subprocess.CompletedProcess[str]:
    """The command, with something else in place of its imports."""
    code = (
        "import os; from grapheme_torch.cli import _main; "
        f"_main._parser = lambda _: {what}; _main.run()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "compare"], capture_output=True, text=True, check=False
    )


def test_a_command_is_stopped_while_it_imports() -> None:
    run = _with_imports("os.kill(os.getpid(), 2)")
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "grapheme: interrupted.\n")
    run = _with_imports("os.kill(os.getpid(), 15)")
    assert (run.returncode, run.stdout, run.stderr) == (143, "", "grapheme: stopped by SIGTERM.\n")


def test_a_fault_of_ours_is_no_check_that_did_not_hold() -> None:
    run = _with_imports("1 / 0")
    assert (run.returncode, run.stdout) == (70, "")
    assert run.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_without_an_output_nothing_is_said() -> None:
    command = f"{sys.executable} -m grapheme_torch --version >&-"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_command_answers_before_pytorch_is_imported() -> None:
    code = (
        "import sys; from grapheme_torch.cli import main; main(['--version']); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in run.stdout.split()
    assert "grapheme_torch.cli" in run.stdout.split()


def test_a_warning_is_a_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def warned(*_: Any) -> Any:
        warnings.warn("something\nis odd", UserWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr("grapheme_torch.train.compare", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["compare", "a", "b"]) == 130
    assert capsys.readouterr().err == "grapheme: something is odd\ngrapheme: interrupted.\n"
