"""What may stand in the place of a file: devices, pipes, holes, links, rubbish."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

Spoil = Callable[[Path], None]
"""Spoils the file at a path."""


def _made(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def _linked(path: Path, to: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def _fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _to_fifo(path: Path) -> None:
    _fifo(path.with_name(f"{path.name}.pipe"))
    _linked(path, f"{path.name}.pipe")


def _socket(path: Path) -> None:
    path.unlink(missing_ok=True)
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has a hundred characters at most
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _hole(path: Path, size: int, *, keep: bool) -> None:
    if not keep:
        _made(path, b"")
    os.truncate(path, size)


def _outside(path: Path) -> None:
    other = path.parent.with_name(f"{path.parent.name}-elsewhere")
    other.mkdir(exist_ok=True)
    (other / path.name).write_bytes(path.read_bytes() if path.exists() else b"")
    _linked(path, str(other / path.name))


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes() if path.exists() else b"x" * 64
    _made(path, content[: int(share * len(content))])


def _flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes() if path.exists() else b"x" * 64)
    content[at % len(content)] ^= 0x55
    _made(path, bytes(content))


def spoils() -> dict[str, Spoil]:
    """Ways to spoil a file of any format, by name."""
    found: dict[str, Spoil] = {
        "fifo": _fifo, "a link to a fifo": _to_fifo, "socket": _socket, "folder": _folder,
        "a link out of the folder": _outside,
        "a link to itself": lambda path: _linked(path, path.name),
        "a link to nothing": lambda path: _linked(path, "nothing"),
        "empty": lambda path: _made(path, b""),
        "nulls": lambda path: _made(path, b"\0" * 4096),
        "no text": lambda path: _made(path, bytes(range(256)) * 16),
        "utf-16": lambda path: _made(path, "{}".encode("utf-16")),
    }  # fmt: skip
    for device in ("zero", "null", "random", "full"):
        found[f"a link to /dev/{device}"] = lambda path, to=device: _linked(path, f"/dev/{to}")  # type: ignore[misc]
    for power in (36, 40):
        found[f"a hole of 2^{power}"] = lambda path, n=power: _hole(path, 2**n, keep=False)  # type: ignore[misc]
        found[f"a hole of 2^{power} at its end"] = lambda path, n=power: _hole(  # type: ignore[misc]
            path, 2**n, keep=path.exists()
        )
    for share in (0.1, 0.5, 0.9, 0.999):
        found[f"cut to {share}"] = lambda path, s=share: _cut(path, s)  # type: ignore[misc]
    for at in (0, 1, 5, 9, 40, 100, -1):
        found[f"byte {at} changed"] = lambda path, k=at: _flipped(path, k)  # type: ignore[misc]
    return found
