"""What each edit of a graph costs."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from .._check import refusal, require

Substitution = Mapping[tuple[str, str], float] | Callable[[str, str], float]
"""Costs of changing one label into another: of pairs `(predicted, target)`, or a function.

A mapping need not name every pair: one that it does not name costs what it says of the same pair
in the other order, or else the price of an edit. A function is asked about every pair of unequal
labels. Equal labels cost nothing. An infinite cost forbids the change.
"""


@dataclass(frozen=True)
class EditCosts:
    """The cost of every edit.

    Args:
        node, edge: Price of inserting, deleting or relabelling a node, or an edge.
        node_substitution, edge_substitution: Costs of relabelling, where they differ from it.

    Raises:
        InputError: If a price is negative or not finite. If a substitution is no mapping and no
            function, or a cost that a mapping holds is none.
    """

    node: float = 1.0
    edge: float = 1.0
    # Of any type until they are checked below.
    node_substitution: Any = None
    edge_substitution: Any = None

    def __post_init__(self) -> None:
        _check_price("node_cost", self.node)
        _check_price("edge_cost", self.edge)
        # Costs are floating-point, whichever numbers the prices were.
        object.__setattr__(self, "node", float(self.node))
        object.__setattr__(self, "edge", float(self.edge))
        _check_substitution("node_substitution", self.node_substitution)
        _check_substitution("edge_substitution", self.edge_substitution)

    def relabel_node(self, predicted: str, target: str) -> float:
        """The cost of changing the label of a node."""
        name = "node_substitution"
        return _substituted(name, self.node_substitution, predicted, target, self.node)

    def relabel_edge(self, predicted: str, target: str) -> float:
        """The cost of changing the label of an edge; it may exceed that of two edits."""
        name = "edge_substitution"
        return _substituted(name, self.edge_substitution, predicted, target, self.edge)


def _substituted(
    name: str, costs: Substitution | None, predicted: str, target: str, price: float
) -> float:
    if predicted == target:
        return 0.0
    if costs is None:
        return price
    pair = (predicted, target)
    if isinstance(costs, Mapping):
        return float(costs.get(pair, costs.get(pair[::-1], price)))
    cost: Any = costs(*pair)
    _check_cost(f"`{name}{pair!r}`", cost)
    return float(cost)


def _check_price(name: str, price: Any) -> None:
    remedy = "An edit costs 1 unless you say otherwise."
    known = isinstance(price, Real) and not isinstance(price, bool)
    fits = known and 0 <= price <= sys.float_info.max
    require(fits, f"`{name}`", "be finite and not negative", price, remedy)


def _check_substitution(name: str, costs: Any) -> None:
    if costs is None or (callable(costs) and not isinstance(costs, Mapping)):
        return
    if not isinstance(costs, Mapping):
        wanted = "be a mapping of pairs of labels, or a function of two labels"
        raise refusal(f"`{name}`", wanted, costs, 'Write `{("a", "b"): 0.5}`.')
    for pair, cost in costs.items():
        two = isinstance(pair, tuple) and len(pair) == 2
        two = two and all(isinstance(label, str) for label in pair)
        remedy = 'A key is a predicted and a target label: `("a", "b")`.'
        require(two, f"a key of `{name}`", "be a pair of labels", pair, remedy)
        _check_cost(f"`{name}[{pair!r}]`", cost)
        remedy = "Leave the pair out."
        fine = pair[0] != pair[1] or cost == 0
        require(fine, f"`{name}[{pair!r}]`", "be 0, as the labels are equal", cost, remedy)


def _check_cost(name: str, cost: Any) -> None:
    remedy = "An infinite cost forbids the change."
    known = isinstance(cost, Real) and not isinstance(cost, bool)
    require(known and cost >= 0, name, "be a number, and not negative", cost, remedy)
