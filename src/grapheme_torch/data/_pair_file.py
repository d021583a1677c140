"""The pairs of a file of any size: found in one pass, read from disk when they are asked for."""

from array import array
from collections.abc import Callable, Iterator, Sequence
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

    A pair is read from the file, and parsed, whenever it is asked for; its line is known by a
    checksum, and refused if it is another by then.

    Args:
        name_or_path: "kindergarten", or the path of a file, as of `load_pairs`.
        keep: Called with every pair of the file, in order: whether it belongs to the sequence. It
            may refuse one, by raising `InputError`.

    Raises:
        InputError: "FILE:LINE: ..." at the first line that is not as required or refused by
            `keep`; "FILE: ..." if the file cannot be read or holds no pair.
    """

    def __init__(self, name_or_path: str, keep: Callable[[Pair], bool] = lambda _: True) -> None:
        if name_or_path == "kindergarten":
            with kindergarten_path() as (path, name):
                self._lines = LineFile(path, name)
        else:
            self._lines = LineFile(name_or_path)
        self.source = self._lines.name
        self._offset, self._place = array("q"), array("I")
        self._length, self._check = array("I"), array("I")
        self._sizes = array("I")
        self._read: Callable[[Pair], Pair] | None = None
        empty = True
        for line in self._lines.lines():
            empty = False
            pair = self._parsed(line.content, line.number)
            if not keep(pair):
                continue
            self._offset.append(line.offset)
            self._place.append(line.number)
            self._length.append(line.length)
            self._check.append(line.check)
            self._sizes.extend((pair.input.num_nodes or 0, pair.target.num_nodes or 0))
        remedy = 'Write one {"input": "...", "target": "..."} per line.'
        name, got = f"{self.source}: the data set", Received("none")
        require(not empty, name, "hold at least one pair", got, remedy)

    @property
    def digest(self) -> str:
        """SHA-256 of the content of the file, unpacked: whether it is the same data set."""
        return self._lines.digest

    @property
    def sizes(self) -> Sizes:
        """Nodes of the input and of the target of each pair, as the file has them, `[n, 2]`."""
        return np.frombuffer(self._sizes, dtype=np.uint32).reshape(-1, 2)

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
        number = self._place[index]
        where = self._offset[index], self._length[index], self._check[index]
        pair = self._parsed(self._lines.read(number, *where), number)
        return pair if self._read is None else self._read(pair)

    def __iter__(self) -> Iterator[Pair]:
        """Each pair in the order of the file."""
        return (self[k] for k in range(len(self)))

    def _parsed(self, content: bytes, number: int) -> Pair:
        record = parse_line(content, f"{self.source}:{number}")
        return make_pair(record, self.source, number)
