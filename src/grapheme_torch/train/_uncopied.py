"""Which labels of inputs are never copied, as the training pairs show."""

from collections import Counter
from collections.abc import Iterable

from torch_geometric.data import Data

from ..graphs import node_labels

_SHOWN = 5
"""Inputs with a label, from which it tells something that no target has it."""

_MOST = 100_000
"""Labels that are counted; those met later are taken for rare ones."""


class InputLabels:
    """Counts the inputs that have each label; what it keeps is bounded."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def add(self, graph: Data) -> None:
        """Takes in an input."""
        names = set(node_labels(graph))
        if len(self._seen) >= _MOST:
            names &= self._seen.keys()
        self._seen.update(names)

    def uncopied(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels that several inputs have and that are none of these, in code point order."""
        often = {name for name, times in self._seen.items() if times >= _SHOWN}
        return tuple(sorted(often - set(labels)))
