"""Folders of a run, spoilt in some hundred ways; each attack takes a good folder and spoils it."""

import json
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .documents import BOMBS, DEEP_JSON, LONG_JSON, LOSS, VALUES
from .files import spoils

Attack = Callable[[Path], None]

FILES = ("config.json", "model.safetensors", "train.yaml", "loss.safetensors")
_FIELDS = (
    ("labels",), ("relations",), ("dim",), ("num_layers",), ("num_heads",), ("num_buckets",),
    ("ngrams",), ("candidates",), ("candidates", "pairs"), ("candidates", "window"),
    ("candidates", "locality"), ("candidates", "copy"), ("candidates", "loops"), ("slots",),
    ("slots", "per_node"), ("slots", "num_layers"), ("dropout", "layers"), ("copy",), ("places",),
    ("directed",),
)  # fmt: skip
_KINDS = ("float8_e4m3fn", "float8_e5m2", "complex64", "int8", "int64", "bool", "bfloat16")


def attacks() -> dict[str, Attack]:
    """The attacks by name, such as "config.json: fifo"."""
    return dict(_all())


def _all() -> Iterator[tuple[str, Attack]]:
    for file in FILES:
        for name, spoil in spoils().items():
            yield f"{file}: {name}", partial(_on, file, spoil)
    for path in _FIELDS:
        for value in VALUES:
            words = f"config.json: {'.'.join(path)} = {value!r}"
            yield words, partial(_set, path, value)
    yield "config.json: deep", partial(_write, "config.json", DEEP_JSON)
    yield "config.json: long number", partial(_write, "config.json", LONG_JSON)
    yield "config.json: a million labels", partial(_set, ("labels",), list(map(str, range(10**6))))
    yield "config.json: unknown field", partial(_set, ("nope",), 1)
    for name, text in (BOMBS | LOSS).items():
        yield f"train.yaml: {name}", partial(_write, "train.yaml", text)
    for kind in _KINDS:
        yield f"weights: all {kind}", partial(_weights, partial(_kind, kind, every=True))
        yield f"weights: one {kind}", partial(_weights, partial(_kind, kind, every=False))
    for name, change in _CHANGES.items():
        yield f"weights: {name}", partial(_weights, change)
    for name, header in _headers().items():
        yield f"header: {name}", partial(_on, "model.safetensors", partial(_bytes, header))


def _on(file: str, spoil: Attack, folder: Path) -> None:
    spoil(folder / file)


def _write(file: str, text: str, folder: Path) -> None:
    (folder / file).write_text(text, encoding="utf-8")


def _bytes(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _set(path: tuple[str, ...], value: Any, folder: Path) -> None:
    document = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    inner = document["network"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")


def _weights(change: Callable[[dict[str, Tensor]], None], folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = {name: tensor.clone() for name, tensor in load_file(path).items()}
    change(weights)
    save_file(weights, path)


def _kind(kind: str, weights: dict[str, Tensor], *, every: bool) -> None:
    for name in list(weights)[: None if every else 1]:
        weights[name] = weights[name].to(getattr(torch, kind))


def _first(change: Callable[[Tensor], Tensor]) -> Callable[[dict[str, Tensor]], None]:
    def changed(weights: dict[str, Tensor]) -> None:
        name = next(iter(weights))
        weights[name] = change(weights[name]).contiguous()

    return changed


def _many(weights: dict[str, Tensor]) -> None:
    weights.update({f"x{k}": torch.zeros(1) for k in range(10**6)})


_CHANGES: dict[str, Callable[[dict[str, Tensor]], None]] = {
    "a million tensors": _many,
    "none": lambda weights: weights.clear(),
    "one more": lambda weights: weights.update(more=torch.zeros(3)),
    "a long name": lambda weights: weights.update({"x" * 10**6: torch.zeros(3)}),
    "one less": lambda weights: weights.__delitem__(next(iter(weights))),
    "turned": _first(lambda tensor: tensor.T),
    "flat": _first(lambda tensor: tensor.flatten()),
    "empty": _first(lambda tensor: tensor[:0]),
    "NaN": _first(lambda tensor: tensor * torch.nan),
    "infinite": _first(lambda tensor: tensor / 0),
    "doubled": _first(lambda tensor: tensor.double()),
}


def _headers() -> dict[str, bytes]:
    def file(header: str, length: int | None = None, data: bytes = b"") -> bytes:
        content = header.encode()
        return struct.pack("<Q", len(content) if length is None else length) + content + data

    entry = '{{"x": {{"dtype": "{}", "shape": {}, "data_offsets": {}}}}}'
    return {
        "2^63 bytes": file("{}", 2**63),
        "2^64 - 1 bytes": file("{}", 2**64 - 1),
        "100 MB": file("{}", 10**8),
        "no JSON": file("x" * 64),
        "deep": file("[" * 10**5),
        "deep in metadata": file('{"__metadata__": ' + "[" * 10**5),
        "negative shape": file(entry.format("F32", "[-1]", "[0, 4]"), data=b"\0" * 4),
        "huge shape": file(entry.format("F32", f"[{2**62}, 4]", "[0, 4]"), data=b"\0" * 4),
        "beyond the end": file(entry.format("F32", "[1000]", "[0, 4000]"), data=b"\0" * 4),
        "backwards": file(entry.format("F32", "[1]", "[4, 0]"), data=b"\0" * 4),
        "unknown kind": file(entry.format("F7", "[1]", "[0, 4]"), data=b"\0" * 4),
        "not covered": file(entry.format("F32", "[1]", "[0, 4]"), data=b"\0" * 4000),
        "2^20 dimensions": file(
            entry.format("F32", str([1] * 2**16), "[0, 4]"), data=b"\0" * 4
        ),
        "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    }  # fmt: skip
