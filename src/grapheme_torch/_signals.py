"""The signals that ask a process to end: Ctrl-C, `kill`, a terminal that closes."""

import os
import signal
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

Handler = Callable[[int, FrameType | None], None]

ENDING = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")]
"""Those of them that the system has: Windows has no SIGHUP."""


class Stopped(KeyboardInterrupt):
    """The process was asked to end; as after Ctrl-C, what is open is closed on the way out.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop(number: int, frame: FrameType | None) -> None:
    """The handler that ends what is being done.

    Raises:
        Stopped: Always.
    """
    del frame
    leave_terminal()
    raise Stopped(number)


def leave_terminal() -> None:
    """Lets what is still to be said go nowhere, where the terminal that would show it has closed.

    A write to it would fail, and end what is being saved.
    """
    for stream in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


@contextmanager
def handled(handler: Handler, further: Sequence[int] = ()) -> Iterator[None]:
    """Hands the signals, and `further` ones, to `handler`, and back to whom they went to before.

    One that the process was started to ignore stays ignored, as SIGHUP by `nohup`. Ctrl-C does not:
    a shell lets every process in the background ignore it. Outside the main thread no signal
    arrives: then nothing is done.
    """
    before = {}
    try:
        for number in (*ENDING, *further):
            former = signal.getsignal(number)
            if former is not signal.SIG_IGN or number == signal.SIGINT:
                before[number] = former
                signal.signal(number, handler)
    except ValueError:  # not the main thread
        before.clear()
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, signal.SIG_DFL if former is None else former)
