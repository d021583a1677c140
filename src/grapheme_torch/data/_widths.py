"""What the numbers on the nodes of a data set have to be: as many on each node of all inputs."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..graphs import feature_width
from ._records import Pair

_REMEDY = 'Give each node of every input as many numbers "x", or none.'


class Widths:
    """How many numbers the nodes of the inputs have; pairs are seen one at a time, by `add`.

    Then `unified` gives each pair as it batches with the others.
    """

    def __init__(self) -> None:
        self._first: tuple[str, int] | None = None

    @property
    def width(self) -> int:
        """Numbers of each input node."""
        return 0 if self._first is None else self._first[1]

    def add(self, pair: Pair) -> None:
        """Takes a pair in; an input without nodes fits any others.

        Raises:
            InputError: "FILE:LINE: ..." if its input has more numbers a node than one before, or
                fewer.
        """
        if not pair.input.num_nodes:
            return
        width = feature_width(pair.input)
        if self._first is None:
            self._first = pair.place, width
        place, wanted = self._first
        name, got = f'{pair.place}: the nodes of the "input"', Received(_counted(width))
        require(width == wanted, name, f"have {_counted(wanted)} as those of {place}", got, _REMEDY)

    def unified(self, pair: Pair) -> Pair:
        """A pair that was added; an input without nodes has the numbers of all its nodes."""
        return replace(pair, input=widened(pair.input, self.width))


def unify_features(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs, once it is known that all inputs have as many numbers a node.

    Raises:
        InputError: "FILE:LINE: ..." at the first pair that differs.
    """
    widths = Widths()
    for pair in pairs:
        widths.add(pair)
    return [widths.unified(pair) for pair in pairs]


def check_no_numbers(pair: Pair) -> None:
    """Refuses numbers on target nodes: a network with classes would leave them out unheard.

    Raises:
        InputError: "FILE:LINE: ..." with how many there are.
    """
    width = feature_width(pair.target)
    if width:
        name, got = f'{pair.place}: the nodes of the "target"', Received(_counted(width))
        remedy = 'Remove "x" from the target, or write what it says into labels.'
        raise refusal(name, "have no numbers, as the network answers in labels", got, remedy)


def widened(graph: Data, width: int) -> Data:
    """The graph; one without nodes has so many numbers of all its nodes, so that it batches."""
    if graph.num_nodes or "features" in graph or not width:
        return graph
    empty = copy.copy(graph)
    empty.features = torch.zeros(0, width)
    return empty


def _counted(width: int) -> str:
    return f"{width or 'no'} number{'' if width == 1 else 's'} each"
