"""Answers that give the text of their target when they are written back in its format."""

from collections.abc import Callable, Iterable, Sequence

from torch_geometric.data import Data

from .._check import InputError, relocate
from ..convert import text_of_answer, text_of_target, written_by
from ..data import Pair


class ExactForms:
    """The share of answers whose text is that of the target, to the letter.

    An answer that cannot be written back counts as wrong.

    Args:
        format: A format with a way back.
        pairs: The pairs that will be answered: their targets are written first.

    Raises:
        InputError: If the format has no way back; "FILE:LINE: ..." if a target cannot be written.
    """

    def __init__(self, format: str, pairs: Iterable[Pair]) -> None:
        self._write = written_by(format)
        self._wanted = {pair: _wanted(self._write, pair) for pair in pairs}
        self._right = self._seen = 0

    def update(self, pairs: Sequence[Pair], answers: Sequence[Data]) -> None:
        """Counts the answers to some pairs."""
        for pair, answer in zip(pairs, answers, strict=True):
            self._seen += 1
            self._right += self._given(pair, answer) == self._wanted[pair]

    def compute(self) -> float:
        """The share of those counted."""
        return self._right / self._seen

    def _given(self, pair: Pair, answer: Data) -> str | None:
        try:
            return text_of_answer(self._write, pair.input, answer)
        except InputError:
            return None


def _wanted(write: Callable[..., str], pair: Pair) -> str:
    try:
        return text_of_target(write, pair.input, pair.target, pair.extra.get("alignment"))
    except InputError as error:
        relocate(error, pair.place)
