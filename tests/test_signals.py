"""Signals that ask to end: what is open is closed, and handlers come back."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import pytest

from grapheme_torch._files import replacing
from grapheme_torch._signals import ENDING, Handler, Stopped, handled, leave_terminal, stop


def _write_until_stopped(path: Path, number: int) -> None:
    with handled(stop), replacing(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", ENDING)
def test_a_file_half_written_is_removed(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "out"
    path.write_text("old", encoding="utf-8")
    before = [signal.getsignal(one) for one in ENDING]
    with pytest.raises(Stopped) as stopped:
        _write_until_stopped(path, number)
    assert stopped.value.number == number
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert [signal.getsignal(one) for one in ENDING] == before
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert path.read_text("utf-8") == "old"


def test_what_the_process_was_started_to_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with handled(stop):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_done() -> None:
    before, found = [signal.getsignal(one) for one in ENDING], []

    def look() -> None:
        with handled(stop):
            found.extend(signal.getsignal(one) for one in ENDING)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == before


def test_handlers_are_nested() -> None:
    heard: list[str] = []

    def says(word: str) -> Handler:
        def hear(number: int, frame: FrameType | None) -> None:
            del number, frame
            heard.append(word)

        return hear

    with handled(says("outer")):
        with handled(says("inner")):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert heard == ["inner", "outer"]


def test_a_terminal_that_has_closed_is_left() -> None:
    master, slave = os.openpty()
    kept = os.dup(2)
    try:
        os.dup2(slave, 2)
        leave_terminal()
        assert os.isatty(2)  # it is still there
        os.close(master)
        leave_terminal()
        os.write(2, b"nobody reads this")
        assert not os.isatty(2)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(slave)
