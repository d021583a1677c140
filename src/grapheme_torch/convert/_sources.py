"""What is read: the lines of a file, the files of a folder, pairs of files; and how far it is."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .._check import InputError, Received, refusal, require
from .._reading import bare_name, unpacked, unpacking
from .._safe_files import bounded_lines, open_regular
from ._pieces import RESERVED, Piece, line_pieces, parsed

Progress = Callable[[int, int], None]
"""Called with what has been read and what there is to read (0: unknown): bytes, or files."""

STDIN = "-"


def lines_of(path: str, progress: Progress | None) -> Iterator[bytes]:
    """The lines of a file, or of the standard input for "-"; of gzip, bzip2 or xz: unpacked.

    Raises:
        InputError: If it cannot be read, or is no UTF-8 text.
    """
    if path == STDIN:
        with unpacking(name_of(path)):
            lines = bounded_lines(unpacked(sys.stdin.buffer, name_of(path)), name_of(path))
            yield from _told(lines, 0, progress)
        return
    try:
        with open_regular(path, pipes=True) as file, unpacking(path):
            content = unpacked(file, path)
            size = os.fstat(file.fileno()).st_size if content is file else 0
            yield from _told(bounded_lines(content, path), size, progress)
    except IsADirectoryError:
        raise _unreadable(path, "a folder") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from None


def name_of(path: str) -> str:
    """How messages call the file."""
    return "<stdin>" if path == STDIN else path


def sources_of(path: str, suffix: str, key: str, progress: Progress | None) -> Iterator[Piece]:
    """Sources: a file, the files of a folder and those below it, or the texts of JSON Lines.

    Args:
        path: File or folder, or "-" for the standard input. A file that ends in .jsonl (packed:
            .jsonl.gz) holds a source per line.
        suffix: The ending of the files of a folder that count.
        key: The key of a line of JSON that is the source; the others are kept.
        progress: Told of files, or of bytes of a file of JSON Lines.

    Raises:
        InputError: If it cannot be read.
    """
    if bare_name(path).endswith(".jsonl"):
        for piece in line_pieces(lines_of(path, progress), path):
            yield _source(piece, key)
        return
    if not Path(path).is_dir():
        content = b"".join(lines_of(path, progress))
        yield Piece(content, name_of(path), whole=True)
        return
    files = sorted(file for file in Path(path).rglob(f"*{suffix}") if file.is_file())
    require(bool(files), path, f"hold files ending in {suffix}", Received("none"), "Check it.")
    for done, file in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        name = file.relative_to(path).as_posix()
        yield _whole(file, {"path": name})


def pairs_of(
    inputs: str, targets: str, suffix: str, progress: Progress | None
) -> Iterator[tuple[str, str]]:
    """Two files, or the files of two folders that have the same name but for .txt or `suffix`.

    Raises:
        InputError: If a file has no counterpart, or one path is a folder and the other is not.
    """
    folders = [Path(inputs).is_dir(), Path(targets).is_dir()]
    found = Received("one of each")
    remedy = "Name two files, or two folders whose files have the same names."
    require(folders[0] == folders[1], "inputs and targets", "be alike", found, remedy)
    if not folders[0]:
        yield inputs, targets
        return
    left, right = _by_name(inputs, suffix), _by_name(targets, suffix)
    require(bool(left), inputs, f"hold files ending in {suffix} or .txt", Received("none"), remedy)
    lonely = sorted(left.keys() ^ right.keys())
    message = Received(f"{lonely[0]!r} in one of them" if lonely else "")
    require(not lonely, "inputs and targets", "have files of the same names", message, remedy)
    for done, name in enumerate(sorted(left)):
        if progress is not None:
            progress(done, len(left))
        yield left[name], right[name]


def _by_name(folder: str, suffix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(Path(folder).iterdir()):
        name = Path(bare_name(file.name))
        if name.suffix in (suffix, ".txt"):
            remedy = "Keep one of the two."
            require(name.stem not in found, folder, "hold one file of a name", file.name, remedy)
            found[name.stem] = str(file)
    return found


def _whole(file: Path, extra: dict[str, Any]) -> Piece:
    """A file of a folder; one that cannot be read is passed on to be refused."""
    try:
        content = b"".join(lines_of(str(file), None))
    except InputError as error:
        return Piece(b"", str(file), extra=extra, whole=True, problem=str(error))
    return Piece(content, str(file), extra=extra, whole=True)


def _told(file: Iterable[bytes], size: int, progress: Progress | None) -> Iterator[bytes]:
    done = 0
    for count, line in enumerate(file):
        done += len(line)
        if progress is not None and count % 64 == 0:
            progress(done, size)
        yield line
    if progress is not None:
        progress(done, size)


def _source(piece: Piece, key: str) -> Piece:
    """The source in a line of JSON; a line that holds none is passed on to be refused."""
    try:
        document = _object(piece.text, key)
    except InputError as error:
        return Piece(piece.as_it_stands, piece.source, piece.line, problem=str(error))
    extra = {name: value for name, value in document.items() if name != key}
    return Piece(document[key], piece.source, piece.line, extra)


def _object(text: str, key: str) -> dict[str, Any]:
    remedy = f'Write {{"{key}": "..."}} on one line, or name another key.'
    document = parsed(text, remedy)
    ok = isinstance(document, dict) and isinstance(document.get(key), str)
    require(ok, "the line", f'be an object with a text as "{key}"', document, remedy)
    assert isinstance(document, dict)
    taken = sorted(RESERVED & document.keys() - {key})
    found = Received(", ".join(taken))
    require(not taken, "the further keys of a line", "be free", found, "Give them other names.")
    return document


def _unreadable(path: str, why: str) -> InputError:
    return refusal(f"{path}: the input", "be a readable file", Received(why), "Check its path.")
