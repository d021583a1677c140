"""One training at a time in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .._check import Received, refusal

try:
    import fcntl
except ImportError:  # Windows has none: there, two trainings are not kept apart
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other trainings out of a folder, as long as the process lives and the body runs.

    The system lets go of the lock of a process that was killed: what is left of it, the file
    `.lock`, hinders nobody. On a file system without locks nothing is kept out.

    Raises:
        InputError: If another training holds it.
        OSError: If the file cannot be made.
    """
    file = _held(folder / LOCK) if fcntl is not None else None
    try:
        yield
    finally:
        if file is not None:
            with suppress(OSError):
                (folder / LOCK).unlink()
            os.close(file)


def check_unlocked(folder: Path) -> None:
    """Refuses a folder in which a training is at work; a lock that was left behind is removed."""
    with suppress(OSError):
        if (folder / LOCK).exists():
            with locked(folder):
                pass


def _held(path: Path) -> int | None:
    """The lock file, open and locked; None where there are no locks."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(file, 100, 0).decode(errors="replace").strip()
            os.close(file)
            remedy = "Wait for it or stop it, or choose another --out."
            got = Received(f"one in process {who}" if who else "one")
            raise refusal(
                f"--out {path.parent}", "have no training under way", got, remedy
            ) from None
        except OSError:
            return file
        if _is_there(file, path):
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
            return file
        os.close(file)  # whoever held it has removed it since it was opened


def _is_there(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
