"""What becomes of a process under attack: it ends by itself, in our words, in bounded resources."""

import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress

OURS = ("done", "refused")
"""Outcomes that count as survived."""


def outcome(action: Callable[[], object], *, seconds: float = 20.0, room: int = 3 * 2**30) -> str:
    """How an action ends in a child process of its own.

    Args:
        action: What is done; a whole number it returns is the exit status of a command.
        seconds: After so long it is killed.
        room: Bytes it may take beyond those of this process.

    Returns:
        "done", "refused", or else what went wrong: "slow", "memory", "signal N", an error's name.
    """
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ends[0])
        _run(action, room, ends[1])
    os.close(ends[1])
    until, status = time.monotonic() + seconds, None
    while status is None and time.monotonic() < until:
        done, code = os.waitpid(child, os.WNOHANG)
        status = code if done else None
        time.sleep(0.005)
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(ends[0], "rb") as file:
        said = file.read().decode()
    if status is None:
        return "slow"
    return said or f"signal {os.waitstatus_to_exitcode(status)}"


def _run(action: Callable[[], object], room: int, told: int) -> None:
    from grapheme_torch import InputError

    word = "done"
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + room,) * 2)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        result = action()
        if isinstance(result, int) and not isinstance(result, bool):
            word = {0: "done", 1: "done", 2: "refused"}.get(result, f"status {result}")
    except InputError:
        word = "refused"
    except MemoryError:
        word = "memory"
    except BaseException as error:  # noqa: BLE001 (every fault is an outcome)
        word = "memory" if "memory" in str(error) else type(error).__name__
    with suppress(BaseException):
        os.write(told, word.encode())
    os._exit(0)
