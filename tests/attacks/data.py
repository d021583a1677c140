"""Data sets that are devices, pipes, bombs, or far larger than a network can take."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from .files import spoils

PAIR = b'{"input": "abc", "target": "ab"}\n'

_LINES: dict[str, bytes] = {
    "deep": b'{"input": "a", "target": ' + b"[" * 10**5,
    "deep and whole": b'{"input": "a", "target": "a", "x": ' + b"[" * 10**5 + b"]" * 10**5 + b"}",
    "a long number": b'{"input": "a", "target": "a", "x": 1' + b"0" * 10**5 + b"}",
    "1e999": b'{"input": "a", "target": "a", "x": 1e999}',
    "NaN": b'{"input": "a", "target": "a", "x": NaN}',
    "a null": b'{"input": "a\0", "target": "a"}',
    "a lone surrogate": b'{"input": "\\ud800", "target": "a"}',
    "a key twice": b'{"input": "a", "input": "b", "target": "a"}',
    "a far position": b'{"input": "ab", "target": {"nodes": [{"id": 0, "label": "a", '
    b'"position": 1e308}], "edges": []}}',
    "a target too large": json.dumps({"input": "a", "target": "ab" * 500}).encode(),
    "100000 nodes": json.dumps({"input": "x" * 10**5, "target": "x" * 10**5}).encode(),
    "100000 nodes without edges": json.dumps({"input": "x", "target": {
        "nodes": [{"id": k, "label": "a"} for k in range(10**5)], "edges": []}}).encode(),
    "a million combining marks": ('{"input": "a' + "\u0301" * 10**6 + '", "target": "a"}').encode(),
}  # fmt: skip


def attacks(folder: Path, model: Path) -> Iterator[tuple[str, list[str]]]:
    """The attacks by name, each a command line; files for them are made in the folder."""
    files: list[tuple[str, Path]] = [("/dev/zero", Path("/dev/zero"))]
    (folder / "spoilt").mkdir(exist_ok=True)  # a spoilt file has things beside its folder
    for k, (name, spoil) in enumerate(spoils().items()):
        path = folder / "spoilt" / f"{k}.jsonl"
        path.write_bytes(PAIR * 3)
        spoil(path)
        files.append((name, path))
    for k, (name, line) in enumerate(_LINES.items()):
        path = folder / f"line{k}.jsonl"
        path.write_bytes(line + b"\n")
        files.append((name, path))
    bomb = folder / "bomb.jsonl.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as packed:
        for _ in range(64):
            packed.write(b" " * 2**24)
    files.append(("a gigabyte of spaces, packed", bomb))
    small = ["--epochs=0", "--network.dim=8", "--network.num-buckets=16", "--network.num-heads=2"]
    for name, path in files:
        yield f"train: {name}", ["train", f"--data={path}", f"--out={folder / 'out'}", *small]
        yield f"evaluate: {name}", ["evaluate", str(model), f"--data={path}"]
        yield f"predict: {name}", ["predict", str(model), f"--data={path}"]
        yield f"convert: {name}", ["convert", "smiles", str(path), str(folder / "o.jsonl")]
