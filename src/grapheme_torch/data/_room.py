"""How many output nodes there are for an input."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .._check import Received, require
from ._records import Pair

Count = TypeVar("Count", int, npt.NDArray[np.int64])
"""A number, or an array of them."""


@dataclass(frozen=True)
class OutputRoom:
    """How many output nodes a network has for an input: so many for each of its nodes, or fixed.

    Args:
        per_node: Output nodes per input node.
        queries: Output nodes of every input, whatever its size. 0: those of its nodes.
    """

    per_node: int = 1
    queries: int = 0

    def of(self, nodes: Count) -> Count:
        """The output nodes of an input of so many nodes."""
        per_node, fixed = (0, self.queries) if self.queries else (self.per_node, 0)
        return per_node * nodes + fixed

    def fits(self, pair: Pair) -> bool:
        """Whether the target has at most as many nodes as there are output nodes."""
        return (pair.target.num_nodes or 0) <= self.of(pair.input.num_nodes or 0)

    def check(self, pair: Pair) -> None:
        """Refuses a pair whose target does not fit.

        Raises:
            InputError: "FILE:LINE: ..." with both counts.
        """
        given, wanted = pair.input.num_nodes or 0, pair.target.num_nodes or 0
        name, got = f'{pair.place}: the "target"', Received(f"{wanted} nodes for {given}")
        times = f"{self.per_node} times as many" if self.per_node > 1 else "as many"
        bound = f'have at most {times} nodes as the "input"'
        if self.queries:
            bound = f"have at most {self.queries} nodes, the output nodes of every input"
            got = Received(f"{wanted}")
        more, each = self.option(given, wanted), "" if self.queries else " per input node"
        remedy = f"Give more output nodes{each} ({more})" if more else "Lengthen the input"
        remedy += ", or leave such pairs out (--skip-larger true)."
        require(self.fits(pair), name, bound, got, remedy)

    def option(self, given: int, wanted: int) -> str:
        """The option that gives an input of some nodes enough output nodes; "" if none does."""
        if self.queries:
            return f"--network.queries.number {wanted}"
        return f"--network.slots.per-node {self.slots_for(given, wanted)}" if given else ""

    @staticmethod
    def slots_for(given: int, wanted: int) -> float:
        """Output nodes per input node that a target needs; infinite without an input node."""
        return -(-wanted // given) if given else math.inf
