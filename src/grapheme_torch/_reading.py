"""Text files as they are read: packed or not, in UTF-8."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ._check import Received, refusal, require
from ._safe_files import open_regular

_UNPACKED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh[1-9]1AY&SY": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""What opens a packed file, by how its first bytes match: its name may say nothing."""

_OTHER = {
    b"PK\x03\x04": ("a ZIP archive", "unzip -p {} > FILE"),
    b"\x28\xb5\x2f\xfd": ("a Zstandard file", "zstd -d {}"),
    b"\x1f\x9d": ("a file of `compress`", "uncompress {}"),
    codecs.BOM_UTF32_LE: ("UTF-32", "iconv -f UTF-32 -t UTF-8 {} > FILE"),
    codecs.BOM_UTF32_BE: ("UTF-32", "iconv -f UTF-32 -t UTF-8 {} > FILE"),
    codecs.BOM_UTF16_LE: ("UTF-16", "iconv -f UTF-16 -t UTF-8 {} > FILE"),
    codecs.BOM_UTF16_BE: ("UTF-16", "iconv -f UTF-16 -t UTF-8 {} > FILE"),
}
"""What else a file may begin with, and what makes a text file of it. UTF-32 begins as UTF-16."""

_LONGEST = 10

LARGEST_UNBOUNDED = 2**31
"""Bytes read into memory at once from what does not tell its size: a pipe, a packed file."""


def unpacked(file: Any, name: str) -> Any:
    """The content of a file: unpacked if it is of gzip, bzip2 or xz, else the file itself.

    Args:
        file: What is read, of bytes: a file, the standard input.
        name: What messages call it.

    Raises:
        InputError: If it begins as a file that is no UTF-8 text.
    """
    ahead = file if hasattr(file, "peek") else io.BufferedReader(file)
    head = ahead.peek(_LONGEST)[:_LONGEST]
    for magic, open_ in _UNPACKED.items():
        if re.match(magic, head):
            return unpacked(open_(ahead), name)
    for magic, (found, command) in _OTHER.items():
        remedy = f"Type `{command.format(name)}` first."
        require(not head.startswith(magic), name, "be UTF-8 text", Received(found), remedy)
    return ahead


def bare_name(path: str) -> str:
    """The name of a file without the ending that says it is packed."""
    stem, dot, ending = path.rpartition(".")
    return stem if dot and ending in ("gz", "bz2", "xz") else path


@contextmanager
def unpacking(name: str) -> Iterator[None]:
    """Refuses a packed file that is damaged, while it is read within the body."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        found, remedy = Received(f"{error}".rstrip(".")), "Download or pack it again."
        raise refusal(name, "be a whole packed file", found, remedy) from None


def read_bytes(path: str) -> bytes:
    """The content of a regular file of any size, or of a pipe of the shell; unpacked.

    Raises:
        InputError: If it is damaged, is no text file, or holds more than `LARGEST_UNBOUNDED` that
            its size did not tell.
        OSError: If it cannot be read.
    """
    with open_regular(path, pipes=True) as file, unpacking(path):
        content = unpacked(file, path)
        if content is file and file.seekable():
            return file.read()
        found: bytes = content.read(LARGEST_UNBOUNDED + 1)
    remedy = "Unpack it into a file: it would fill the memory unseen."
    got, wanted = Received("more"), f"hold at most {LARGEST_UNBOUNDED} bytes, unpacked"
    require(len(found) <= LARGEST_UNBOUNDED, path, wanted, got, remedy)
    return found


def decoded(raw: bytes, name: str) -> str:
    """A line of a text file.

    Raises:
        InputError: If it is not valid UTF-8, or holds a null character, as UTF-16 does.
    """
    remedy = "Save the file as UTF-8."
    if b"\0" in raw:
        place = Received(f"a null character at byte {raw.index(0) + 1} of the line, as in UTF-16")
        raise refusal(name, "be UTF-8 text", place, remedy)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        place = Received(f"byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the line")
        raise refusal(name, "be valid UTF-8", place, remedy) from None
