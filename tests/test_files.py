"""Atomic writing: the new content as a whole, or the old."""

import errno
import json
import math
import os
import re
import threading
from pathlib import Path

import pytest

from grapheme_torch._check import InputError
from grapheme_torch._files import replacing, write_json, write_text


def _stop_half_way(path: Path, error: Exception) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"ne")
        assert temporary.parent == path.parent
        raise error


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    write_text(path, "a\r\né\n")
    write_text(str(path), "a\r\né🙂\n")
    assert path.read_bytes() == "a\r\né🙂\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_written_readable(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    write_json(path, {"é": [1, None]})
    assert path.read_text("utf-8") == '{\n  "é": [\n    1,\n    null\n  ]\n}\n'
    assert json.loads(path.read_text("utf-8")) == {"é": [1, None]}


@pytest.mark.parametrize(
    ("document", "error"),
    [({"a": object()}, TypeError), ({"a": math.nan}, ValueError), ("\ud800", UnicodeEncodeError)],
    ids=["object", "nan", "surrogate"],
)
def test_the_old_file_stays_when_a_document_has_no_json(
    tmp_path: Path, document: object, error: type[Exception]
) -> None:
    path = tmp_path / "f.json"
    write_json(path, "old")
    with pytest.raises(error, match=r"serializable|JSON compliant|surrogates"):
        write_json(path, document)
    assert path.read_text("utf-8") == '"old"\n'
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_when_writing_stops_half_way(tmp_path: Path) -> None:
    path = tmp_path / "f.bin"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="half way"):
        _stop_half_way(path, RuntimeError("half way"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_when_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "f.bin"
    path.write_bytes(b"old")
    message = f"{path}: the file must be writable, got No space left on device. Name a file in"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        _stop_half_way(path, OSError(errno.ENOSPC, "No space left on device"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "f.txt", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text(link, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_a_new_file_has_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain.txt"
    plain.touch()
    write_text(tmp_path / "f.txt", "new")
    assert (tmp_path / "f.txt").stat().st_mode == plain.stat().st_mode


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(path.read_bytes()))
    reader.start()
    write_text(path, "new")
    reader.join()
    assert heard == [b"new"]
    assert path.is_fifo()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in (
        (tmp_path / "gone" / "f.txt", "No such file or directory"),
        (tmp_path / "file" / "f.txt", "Not a directory"),
        (tmp_path, "Is a directory"),
    ):
        message = f"{path}: the file must be writable, got {reason}. Name a file in a folder that"
        with pytest.raises(InputError, match="^" + re.escape(message)):
            write_text(path, "new")
