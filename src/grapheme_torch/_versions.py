"""A folder whose files change together: whole versions in it, and one pointer to that which counts.

`OUT/current` is a link to `OUT/checkpoints/<step>-<random>`, replaced in one step. Names such as
`OUT/config.json` are links through it. A folder without a pointer is its own only version.
"""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ._check import InputError, Received, refusal

T = TypeVar("T")

CURRENT, VERSIONS = "current", "checkpoints"
_NAME = re.compile(r"[0-9]{1,19}-[0-9a-f]{8}")
_TRIES = 20
"""Versions that may be replaced while they are read, one after the other."""
_MOST = 200
"""Bytes of a pointer, more than enough."""


def current(folder: str | os.PathLike[str]) -> Path:
    """The folder in which the files of the version that counts lie.

    Args:
        folder: What `grapheme train` or `save_pretrained` wrote.

    Raises:
        InputError: If its pointer names nothing within the folder.
    """
    folder = Path(folder)
    pointer = folder / CURRENT
    try:
        said = _read(pointer)
    except (OSError, ValueError):  # none is there; ValueError: a null character in the path
        return folder
    if said is None:
        return folder
    above, _, name = said.replace(os.sep, "/").rpartition("/")
    fits = above == VERSIONS and _NAME.fullmatch(name) is not None
    found = folder / VERSIONS / name
    if not fits or (folder / VERSIONS).is_symlink() or found.is_symlink():
        remedy = "Restore it, or remove it and use a folder in it."
        got = Received(repr(said[:60]))
        raise refusal(str(pointer), f"name a folder in {VERSIONS}", got, remedy)
    return found


def _read(pointer: Path) -> str | None:
    """What a pointer says: a link, or a short file where there are no links; None if neither."""
    status = os.lstat(pointer)
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(pointer)
    if not stat.S_ISREG(status.st_mode):
        return None
    with pointer.open("rb") as file:
        return file.read(_MOST).decode(errors="replace").strip()


def reading(folder: str | os.PathLike[str], read: Callable[[Path], T]) -> T:
    """What is read of the version that counts; read again where another has taken its place.

    Raises:
        InputError: If the folder has no version, or `read` refuses it; files are named as they are
            found in the folder itself.
    """
    for left in reversed(range(_TRIES)):
        found = current(folder)
        try:
            return read(found)
        except InputError as error:
            if not left or current(folder) == found:
                raise _told_of(found, folder, error) from None
    raise AssertionError("one of the tries returns or raises")


def _told_of(version: Path, folder: str | os.PathLike[str], error: InputError) -> InputError:
    """A refusal that names the folder, not a version in it that is there for a while."""
    return InputError(str(error).replace(str(version), os.fspath(folder)))


@contextmanager
def publishing(out: Path, step: int, names: Iterable[str]) -> Iterator[Path]:
    """A new folder; when the body ends, it becomes the version of `out` that counts, in one step.

    If the body raises, or the process is killed, the version before stays, whole. Links in `out`
    are replaced and never followed.

    Args:
        out: The folder of the versions.
        step: Of the run; part of the name.
        names: Files that are to be found in `out` as well, as far as the version has them.

    Raises:
        InputError: If `out` cannot be written to, or the disk is full.
    """
    versions = out / VERSIONS
    name = f"{step}-{secrets.token_hex(4)}"
    unfinished = versions / f".{name}.tmp"
    try:
        check_versions(out)
        unfinished.mkdir(parents=True)
        yield unfinished
        for file in unfinished.iterdir():
            _settle(file)
        _settle(unfinished)
        os.rename(unfinished, versions / name)
        _settle(versions)
        _point(out / CURRENT, f"{VERSIONS}/{name}")
        _settle(out)
    except InputError as error:
        raise _told_of(unfinished, out, error) from None
    except OSError as error:
        cause = Received(error.strerror or str(error))
        remedy = "Make room or choose another --out; what was saved before is whole."
        raise refusal(f"--out {out}", "be writable", cause, remedy) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        _clear(out)
    for view in names:
        _show(out, versions / name, view)


def _clear(out: Path) -> None:
    """Removes all versions but the one that counts; whatever is not ours stays."""
    with suppress(OSError, InputError):
        kept = current(out)
        for old in (out / VERSIONS).iterdir():
            ours = _NAME.fullmatch(old.name) or (old.name[:1] == "." and old.name[-4:] == ".tmp")
            if old != kept and kept != out and ours and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)


def check_versions(out: Path) -> None:
    """Refuses a folder whose versions would lie elsewhere.

    Raises:
        InputError: If the place of the versions is a link.
    """
    if (out / VERSIONS).is_symlink():
        remedy = "Remove the link, or choose another --out."
        raise refusal(str(out / VERSIONS), "be a folder", Received("a link"), remedy)


def _settle(path: Path) -> None:
    """Waits until a file, or what a folder lists, is on the disk."""
    if os.name == "nt" and path.is_dir():
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _point(path: Path, target: str) -> None:
    """Makes `path` lead to `target` in one step; a short file where links cannot be made."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        try:
            os.symlink(target, temporary)
        except (OSError, NotImplementedError):
            temporary.write_text(target + "\n", encoding="utf-8")
            _settle(temporary)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _show(out: Path, version: Path, name: str) -> None:
    """Makes a file of the version found in `out` too: by a link, or else as a copy.

    Whoever reads through `current` never sees it, so that it may fail where something is in the
    way.
    """
    view, target = out / name, f"{CURRENT}/{name}"
    with suppress(OSError):
        if not (version / name).exists():
            view.unlink(missing_ok=True)
        elif (out / CURRENT).is_symlink():
            if not (view.is_symlink() and os.readlink(view) == target):
                _point(view, target)
        else:
            temporary = view.with_name(f".{secrets.token_hex(8)}.tmp")
            shutil.copyfile(version / name, temporary)
            os.replace(temporary, view)
