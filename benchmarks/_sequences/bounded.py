"""Runs a program on one thread for so many seconds of the processor."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long a network is trained, and where it starts.

    Args:
        minutes: Minutes of the processor.
        clock: Minutes of the clock, at most.
        seed: Of the run.
    """

    minutes: float
    clock: float
    seed: int = 0


@dataclass(frozen=True)
class Spent:
    """What a program took.

    Args:
        processor: Seconds of the processor, of all its processes.
        clock: Seconds of the clock.
        ended: Whether it was interrupted because its seconds were spent.
    """

    processor: float
    clock: float
    ended: bool


def bounded(
    command: Sequence[str], log: Path, seconds: float | None = None, poll: float = 0.5
) -> Spent:
    """Runs `command`; what it says goes to `log`.

    Args:
        command: The program and its arguments.
        log: File for its output.
        seconds: Seconds of the processor after which it is interrupted, as by Ctrl-C, once.
            None: no bound.
        poll: Seconds between two looks at what it has spent.
    """
    began = time.perf_counter()
    ended = False
    with log.open("w", encoding="utf-8") as sink:
        # A session of its own tells its processes, data loaders among them, from all others.
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, env=os.environ | ONE_THREAD, start_new_session=True,
            preexec_fn=_heed_interrupts,
        )  # fmt: skip
        while (found := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            time.sleep(poll)
            if seconds is not None and not ended and spent(process.pid) >= seconds:
                process.send_signal(signal.SIGINT)
                ended = True
    process.returncode = os.waitstatus_to_exitcode(found[1])
    usage = found[2]
    if process.returncode and not ended:
        raise SystemExit(f"{command[0]} ended with status {process.returncode}; see {log}.")
    return Spent(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, ended)


def _heed_interrupts() -> None:
    """In the program to be: what a shell runs in the background would ignore them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def spent(session: int) -> float:
    """Seconds of the processor that the processes of a session have taken up to now."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of the program, in brackets, may hold anything.
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except (OSError, UnicodeDecodeError):
            continue  # it has ended meanwhile
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))  # its own, and of children that ended
    return ticks / os.sysconf("SC_CLK_TCK")
