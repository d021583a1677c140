"""A file of lines of any length: one pass finds where each stands, then any can be read."""

import codecs
import errno
import hashlib
import io
import os
import shutil
import stat
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tqdm import tqdm

from .._check import InputError, Received, refusal, require
from .._reading import unpacked, unpacking
from .._safe_files import LONGEST_LINE, open_regular

_BLOCK = 2**20
_REPORT_EVERY = 1000
_SLOW = 2.0
"""Seconds before a bar is shown, on a terminal."""


class Line(NamedTuple):
    """A line that is not blank.

    Args:
        number: From 1, blank lines counted.
        offset, length: Where its bytes stand.
        check: A checksum of them.
        content: The bytes.
    """

    number: int
    offset: int
    length: int
    check: int
    content: bytes


class LineFile:
    """A file whose lines are read in order once, and then in any order.

    What cannot be read in any order (a packed file, a pipe) is copied, unpacked, into a temporary
    file without a name. That file is gone when the process ends, however it ends.

    Args:
        path: The file.
        name: What messages call it. Default: its path.
        passing: Whether the file is removed soon: another process cannot open it.

    Raises:
        InputError: "NAME: ..." if it cannot be read, is a damaged packed file or no text file.
    """

    def __init__(self, path: str, name: str | None = None, *, passing: bool = False) -> None:
        self.name, self._path = path if name is None else name, path
        self._descriptor: int | None = None
        self._copied = passing
        with reading(self.name), unpacking(self.name):
            self._open(_opened(path))
            self._unpack()
        self.digest = ""

    def _open(self, descriptor: int) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    def _unpack(self) -> None:
        """Copies what is packed, or no regular file."""
        assert self._descriptor is not None
        regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        with open(self._descriptor, "rb", closefd=False) as raw:
            content = unpacked(raw, self.name)
            if content is raw and regular:
                return
            with _copying(self.name), tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(content, copy, _BLOCK)
                copy.flush()
                self._open(os.dup(copy.fileno()))
        self._copied = True

    def lines(self) -> Iterator[Line]:
        """Every line that is not blank, a byte order mark at the start of the file left out.

        At the end `digest` is the SHA-256 of the content, unpacked. A terminal sees a bar.

        Raises:
            InputError: "NAME:LINE: ..." for a line of more than `LONGEST_LINE` bytes.
        """
        assert self._descriptor is not None
        total, digest, offset = os.fstat(self._descriptor).st_size, hashlib.sha256(), 0
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        file = io.BufferedReader(io.FileIO(self._descriptor, closefd=False), _BLOCK)
        bar: Any = tqdm(
            total=total, desc=f"reading {os.path.basename(self.name)}", unit="B", unit_scale=True,
            unit_divisor=1024, dynamic_ncols=True, delay=_SLOW, disable=None, leave=False,
        )  # fmt: skip
        with bar:
            for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), 1):
                _check_length(raw, f"{self.name}:{number}")
                digest.update(raw)
                start, offset = offset, offset + len(raw)
                content = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
                if content.strip():
                    content = content.removesuffix(b"\n")
                    start += len(raw.removesuffix(b"\n")) - len(content)
                    yield Line(number, start, len(content), zlib.crc32(content), content)
                if number % _REPORT_EVERY == 0:
                    bar.update(offset - bar.n)
        self.digest = digest.hexdigest()

    def read(self, number: int, offset: int, length: int, check: int) -> bytes:
        """The bytes of a line that `lines` gave.

        Raises:
            InputError: "NAME:NUMBER: ..." if they are others by now, or cannot be read.
        """
        if self._descriptor is None:
            with reading(self.name):
                self._open(_opened(self._path))
        assert self._descriptor is not None
        place = f"{self.name}:{number}"
        with reading(place):
            content = os.pread(self._descriptor, length, offset)
        require(
            zlib.crc32(content) == check,
            f"{place}: the line",
            "stay as it was when the data set was checked",
            Received("other bytes" if len(content) == length else "the end of the file"),
            "Do not write to a file that a run trains on; start again, or resume the run with the "
            "file it was started with.",
        )
        return content

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which opens the file again."""
        name = f"{self.name}: the data set"
        remedy = "Unpack it first, or write the pipe into a file."
        got = Received("a packed file, or a pipe")
        require(not self._copied, name, "be a plain file for several processes", got, remedy)
        return {**self.__dict__, "_descriptor": None}


def _opened(path: str) -> int:
    with open_regular(path, pipes=True) as file:
        return os.dup(file.fileno())


def _check_length(raw: bytes, place: str) -> None:
    remedy = "Write one JSON object per line, and split larger graphs."
    got, bound = Received("more"), f"have at most {LONGEST_LINE} bytes"
    require(len(raw) <= LONGEST_LINE, f"{place}: the line", bound, got, remedy)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Refuses, in words, a data set that cannot be read within the body."""
    try:
        yield
    except InputError:
        raise
    except IsADirectoryError:
        found, remedy = "a folder", "Name one JSON Lines file."
    except FileNotFoundError:
        found, remedy = "no such file", 'Check the path; "kindergarten" is the built-in data set.'
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        found, remedy = str(getattr(error, "strerror", error)), "Check its path and permissions."
    else:
        return
    raise refusal(f"{name}: the data set", "be a readable file", Received(found), remedy)


@contextmanager
def _copying(name: str) -> Iterator[None]:
    """Says what is to be done if there is no room for the copy."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        remedy = "Set TMPDIR to a folder with room, or unpack the file yourself and train on that."
        where = f"{name}: the folder for temporary files ({tempfile.gettempdir()})"
        got = Received(error.strerror or "none")
        raise refusal(where, "have room for the unpacked data", got, remedy) from None
