"""Files of strangers: only regular ones are opened, of a bounded size, and within their folder."""

import errno
import os
import stat
from collections.abc import Iterator
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from ._check import Received, refusal

_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_OWN = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Where a process finds what the shell has opened for it: `<(...)` is such a path."""

LONGEST_LINE = 2**28
"""Most bytes of a line: a file without line ends must not take all memory."""

_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def open_regular(
    path: str | os.PathLike[str],
    *,
    within: str | os.PathLike[str] | None = None,
    at_most: int | None = None,
    pipes: bool = False,
) -> BufferedReader:
    """Opens a regular file for reading; never waits, and reads nothing yet.

    Args:
        path: The file.
        within: Folder that the file has to lie in, links followed. Default: it may lie anywhere.
        at_most: Most bytes it may have; a hole in it counts. Default: any number.
        pipes: Whether a pipe that the shell opened for this process, such as `<(...)`, will do.

    Raises:
        OSError: If it is no such file, or cannot be opened; `strerror` says why.
        ValueError: If the path holds a null character.
    """
    name = os.fspath(path)
    if within is not None and not Path(os.path.realpath(name)).is_relative_to(
        os.path.realpath(within)
    ):
        raise _unfit("a link that leaves the folder")
    file = os.open(name, os.O_RDONLY | _NO_WAIT)
    try:
        _check(os.fstat(file), at_most, pipe=pipes and name.startswith(_OWN))
        os.set_blocking(file, True)
        return os.fdopen(file, "rb")
    except BaseException:
        os.close(file)
        raise


def read_regular(
    path: str | os.PathLike[str], *, at_most: int, within: str | os.PathLike[str] | None = None
) -> bytes:
    """The content of a regular file, see `open_regular`; one that grows meanwhile is refused.

    Raises:
        OSError: If it is no such file, or cannot be read; `strerror` says why.
        ValueError: If the path holds a null character.
    """
    with open_regular(path, within=within, at_most=at_most) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise _too_large(len(content), at_most)
    return content


def bounded_lines(file: BufferedIOBase, name: str, at_most: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a file, one of which may have so many bytes: /dev/zero has no line end.

    Raises:
        InputError: While they are read, if one is longer.
    """
    for line in iter(lambda: file.readline(at_most + 1), b""):
        if len(line) > at_most:
            remedy = "Check that it is a text file, and split what is larger."
            wanted = f"have lines of at most {at_most} bytes"
            raise refusal(name, wanted, Received("a longer one"), remedy)
        yield line


def _check(status: os.stat_result, at_most: int | None, *, pipe: bool) -> None:
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if pipe and stat.S_ISFIFO(mode):
        return
    for is_kind, words in _KINDS:
        if is_kind(mode):
            raise _unfit(f"{words}, which is no regular file")
    if at_most is not None and status.st_size > at_most:
        raise _too_large(status.st_size, at_most)


def _unfit(words: str) -> OSError:
    return OSError(errno.EINVAL, words)


def _too_large(size: int, at_most: int) -> OSError:
    return OSError(errno.EFBIG, f"one of {size} bytes, more than the {at_most} it may have")
