"""Files that are replaced as a whole: a reader sees the old content or the new, never a part."""

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._check import Received, refusal, require


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the folder of `path`; what is written there replaces `path` at the end.

    If the body raises, the file that was at `path` stays as it was and nothing is left beside
    it. A link is followed. A device or pipe, which cannot be replaced, is written directly.

    Raises:
        InputError: If the folder is missing or cannot be written to, or the disk is full.
    """
    final = Path(path).resolve()
    in_place = final.exists() and not final.is_file()
    temporary = final if in_place else final.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        if not in_place:
            _settle(temporary, final)
    except BrokenPipeError:  # the reader of another output has left
        raise
    except OSError as error:
        remedy = "Name a file in a folder that exists and that you may write to."
        reason = Received(error.strerror or str(error))
        raise refusal(f"{path}: the file", "be writable", reason, remedy) from error
    finally:
        if not in_place:
            with suppress(OSError):
                temporary.unlink()


def check_free(path: str, *, overwrite: bool, inputs: Iterable[str | None] = ()) -> None:
    """Refuses an output that exists, unless it is a file that may be replaced, or a device.

    Args:
        path: The output.
        overwrite: Whether a file may be replaced.
        inputs: Paths that are read meanwhile, which the output may not be in any case.

    Raises:
        InputError: If it is in the way.
    """
    file = Path(path)
    for read in inputs:
        same = read is not None and file.is_file() and os.path.exists(read) and file.samefile(read)
        remedy = "Name another file; the input would be lost."
        require(not same, f"{path}: the output", "not be the input", Received("the same"), remedy)
    free = not file.exists() or (file.is_file() and overwrite) or file.is_char_device()
    remedy = "Choose another name, or say `--overwrite`."
    require(free, f"{path}: the output", "not exist", Received("an existing one"), remedy)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes `content`, replacing the file as a whole.

    Raises:
        InputError: If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` in UTF-8, newlines as they are, replacing the file as a whole.

    Raises:
        InputError: If the file cannot be written.
        UnicodeEncodeError: If `text` holds a lone surrogate; the old file stays.
    """
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], document: object) -> None:
    """Writes `document` as indented JSON with a newline at the end, replacing the file as a whole.

    Raises:
        InputError: If the file cannot be written.
        ValueError: If a number is NaN or infinite, which JSON cannot say; the old file stays.
        TypeError: If a part of `document` has no JSON form; the old file stays.
    """
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _settle(temporary: Path, final: Path) -> None:
    if final.exists():
        temporary.chmod(final.stat().st_mode)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())  # or a power cut could leave the new name with no content
    os.replace(temporary, final)
