"""The pairs of a file of any size: found in one pass, read from disk when they are asked for."""

import json
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from .._check import Received, require
from ._jsonl import parse_line
from ._kindergarten import kindergarten_path
from ._line_file import LineFile
from ._records import Pair, make_pair

Sizes = npt.NDArray[np.integer[Any]]
"""Nodes of the input and of the target of each pair, `[n, 2]`."""


class PairFile(Sequence[Pair]):
    """The pairs of a JSON Lines file as a sequence that keeps 28 bytes of each in memory.

    A pair is read from the file, and parsed, whenever it is asked for. Its line is known by a
    checksum, and refused if it is another by then.

    Args:
        name_or_path: "kindergarten", or the path of a file, as of `load_pairs`.
        keep: Called with every pair of the file, in order: whether it belongs to the sequence. It
            may refuse one, by raising `InputError`.

    Raises:
        InputError: "FILE:LINE: ..." at the first line that is not as required, or is refused by
            `keep`. "FILE: ..." if the file cannot be read or holds no pair.
    """

    def __init__(self, name_or_path: str, keep: Callable[[Pair], bool] = lambda _: True) -> None:
        if name_or_path == "kindergarten":
            with kindergarten_path() as (path, name):
                self._lines = LineFile(path, name)
        else:
            self._lines = LineFile(name_or_path)
        self.source = self._lines.name
        self._added: LineFile | None = None
        self._first_added = 0
        self._offset, self._place = array("q"), array("I")
        self._length, self._check = array("I"), array("I")
        self._sizes = array("I")
        self._read: Callable[[Pair], Pair] | None = None
        empty = not self._take(self._lines, keep)
        self._first_added = len(self)
        remedy = 'Write one {"input": "...", "target": "..."} per line.'
        name, got = f"{self.source}: the data set", Received("none")
        require(not empty, name, "hold at least one pair", got, remedy)

    def _take(self, lines: LineFile, keep: Callable[[Pair], bool]) -> bool:
        """Notes where the pairs of a file stand; whether it has any."""
        found = False
        for line in lines.lines():
            found = True
            pair = self._parsed(line.content, lines.name, line.number)
            if not keep(pair):
                continue
            self._offset.append(line.offset)
            self._place.append(line.number)
            self._length.append(line.length)
            self._check.append(line.check)
            self._sizes.extend((pair.input.num_nodes or 0, pair.target.num_nodes or 0))
        return found

    def add(
        self, records: Iterable[Mapping[str, Any]], name: str, keep: Callable[[Pair], bool]
    ) -> None:
        """Adds pairs that stand in no file yet: they go to a temporary one without a name.

        Args:
            records: Those of the pairs. May be added once.
            name: What messages call them in place of a file.
            keep: As of `PairFile`.
        """
        assert self._added is None
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".jsonl") as file:
            for record in records:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
            self._added = LineFile(file.name, name, passing=True)
        self._take(self._added, keep)

    @property
    def digest(self) -> str:
        """SHA-256 of the content of the file, unpacked: whether it is the same data set.

        What was added to it does not count.
        """
        return self._lines.digest

    @property
    def sizes(self) -> Sizes:
        """Nodes of the input and of the target of each pair, as the file has them, `[n, 2]`."""
        return np.frombuffer(self._sizes, dtype=np.uint32).reshape(-1, 2)

    def leave_out(self, kept: npt.NDArray[np.bool_]) -> list[str]:
        """Keeps some of the pairs only; the places of the others, in their order."""
        left = np.flatnonzero(~kept).tolist()
        places = [f"{self._file_of(k).name}:{self._place[k]}" for k in left]
        columns = self._offset, self._place, self._length, self._check
        chosen = [array(one.typecode, np.asarray(one)[kept].tobytes()) for one in columns]
        self._offset, self._place, self._length, self._check = chosen
        self._sizes = array("I", self.sizes[kept].tobytes())
        self._first_added = int(kept[: self._first_added].sum())
        return places

    def _file_of(self, index: int) -> LineFile:
        """The file in which a pair stands."""
        return self._lines if self._added is None or index < self._first_added else self._added

    def read_by(self, read: Callable[[Pair], Pair]) -> None:
        """From now on each pair is what `read` makes of it."""
        self._read = read

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._offset)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        """A pair, or several as a list, read from the file.

        Raises:
            InputError: "FILE:LINE: ..." if the line is not what it was.
        """
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        number = self._place[index]
        where = self._offset[index], self._length[index], self._check[index]
        lines = self._file_of(index)
        pair = self._parsed(lines.read(number, *where), lines.name, number)
        return pair if self._read is None else self._read(pair)

    def __iter__(self) -> Iterator[Pair]:
        """Each pair in the order of the file."""
        return (self[k] for k in range(len(self)))

    @staticmethod
    def _parsed(content: bytes, source: str, number: int) -> Pair:
        return make_pair(parse_line(content, f"{source}:{number}"), source, number)
