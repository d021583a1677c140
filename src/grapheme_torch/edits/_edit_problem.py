"""The edit cost of a batch of pairs of hard graphs, as matrices and as a function of the plan."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isinf

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch_geometric.data import Data

from ..graphs import Triple, is_directed, node_labels, positions_of, sorted_edges
from ._edit_costs import EditCosts


@dataclass(frozen=True)
class GraphPair:
    """Two hard graphs to be aligned; both are directed, or neither is.

    Args:
        first, second: The graphs.
        turned: Whether `first` is the target, so that costs are those of the way back.
    """

    first: Data
    second: Data
    turned: bool


@dataclass(frozen=True)
class EditProblem:
    """The edit cost of a batch of pairs, up to a constant, as a function of the plan.

    With a plan `P` of zeros and ones the cost of a pair is

        constant + sum_ij P_ij node_ij + sum over relations r of sum_uv,ij P_ui P_vj gain_ruv
        target_rij.

    Args:
        node: What matching two nodes costs beyond deleting the one and inserting the other.
        gain: The cost of matching an edge `(u, v)` of the first graph with an edge of relation `r`
            of the second. What deleting the one and inserting the other costs is taken off.
        target: 1 where the second graph has an edge `(i, j)` of relation `r`; both ways if it is
            undirected.
        mask: Where both nodes exist.
        distance: Steps between the positions of two nodes; 0 if a graph has none.
    """

    node: Float[Tensor, "B N M"]
    gain: Float[Tensor, "B R N N"]
    target: Float[Tensor, "B R M M"]
    mask: Bool[Tensor, "B N M"]
    distance: Float[Tensor, "B N M"]

    @classmethod
    def of(cls, pairs: Sequence[GraphPair], costs: EditCosts) -> "EditProblem":
        """The problem of these pairs, padded to the largest of them."""
        sizes = [(len(node_labels(pair.first)), len(node_labels(pair.second))) for pair in pairs]
        n, m = (max(side) for side in zip(*sizes, strict=True))
        node, distance = (torch.zeros(len(pairs), n, m, dtype=torch.float64) for _ in range(2))
        mask = torch.zeros(len(pairs), n, m, dtype=torch.bool)
        for k, (pair, (i, j)) in enumerate(zip(pairs, sizes, strict=True)):
            node[k, :i, :j] = _node_costs(pair, costs)
            distance[k, :i, :j] = _steps(pair)
            mask[k, :i, :j] = True
        return cls(node, *_edge_matrices(pairs, n, m, costs), mask, distance)

    def edge_gradient(self, plan: Float[Tensor, "B N M"]) -> Float[Tensor, "B N M"]:
        """Derivative of the edge part by the plan; it is linear, as that part is quadratic."""
        forward = self.gain @ plan[:, None] @ self.target.mT
        backward = self.gain.mT @ plan[:, None] @ self.target
        return (forward + backward).sum(1)


def _node_costs(pair: GraphPair, costs: EditCosts) -> Float[Tensor, "n m"]:
    first, second = node_labels(pair.first), node_labels(pair.second)
    relabel = _both_ways(costs.relabel_node, first, second, pair.turned)
    matching = torch.tensor([[relabel[a, b] for b in second] for a in first], dtype=torch.float64)
    matching = matching.reshape(len(first), len(second))
    if any(isinf(cost) for cost in relabel.values()):
        # More than the graphs can cost in all: such a match is never worth it.
        edges = len(sorted_edges(pair.first)) + len(sorted_edges(pair.second))
        most = 1 + costs.node * (len(first) + len(second)) + costs.edge * edges
        matching[matching.isinf()] = 2 * most
    return matching - 2 * costs.node


def _both_ways(
    cost: Callable[[str, str], float], first: Iterable[str], second: Iterable[str], turned: bool
) -> dict[tuple[str, str], float]:
    """The cost of every label of the first graph beside every one of the second."""
    right = set(second)
    return {(a, b): cost(b, a) if turned else cost(a, b) for a in set(first) for b in right}


def _steps(pair: GraphPair) -> Float[Tensor, "n m"]:
    places = positions_of(pair.first), positions_of(pair.second)
    if places[0] is None or places[1] is None:
        shape = len(node_labels(pair.first)), len(node_labels(pair.second))
        return torch.zeros(shape, dtype=torch.float64)
    first, second = (torch.tensor(place, dtype=torch.float64) for place in places)
    return (first[:, None] - second).abs()


def _edge_matrices(
    pairs: Sequence[GraphPair], n: int, m: int, costs: EditCosts
) -> tuple[Float[Tensor, "B R N N"], Float[Tensor, "B R M M"]]:
    """`gain` and `target`, see `EditProblem`.

    Edges lead as in `sorted_edges`, so that nothing depends on how they are stored.
    """
    edges = [(sorted_edges(pair.first), sorted_edges(pair.second)) for pair in pairs]
    relations = _numbers(name for sides in edges for side in sides for _, _, name in side)
    channels = max(len(relations), 1)
    gain = torch.zeros(len(pairs), n, n, channels, dtype=torch.float64)
    target = torch.zeros(len(pairs), m, m, channels, dtype=torch.float64)
    for k, (pair, (first, second)) in enumerate(zip(pairs, edges, strict=True)):
        _put_gain(gain[k], pair, first, second, relations, costs)
        for i, j, name in second:
            target[k, i, j, relations[name]] = 1
            if not is_directed(pair.second):
                target[k, j, i, relations[name]] = 1
    return gain.permute(0, 3, 1, 2), target.permute(0, 3, 1, 2)


def _put_gain(
    gain: Float[Tensor, "N N R"],
    pair: GraphPair,
    first: list[Triple],
    second: list[Triple],
    relations: dict[str, int],
    costs: EditCosts,
) -> None:
    left, right = ({name for _, _, name in side} for side in (first, second))
    apart = 2 * costs.edge
    relabel = _both_ways(costs.relabel_edge, left, right, pair.turned)
    rows = {name: torch.zeros(gain.shape[2], dtype=torch.float64) for name in left}
    for (a, b), cost in relabel.items():
        # An edge is deleted, and another inserted, where that is cheaper.
        rows[a][relations[b]] = min(cost, apart) - apart
    for u, v, name in first:
        gain[u, v] = rows[name]


def _numbers(names: Iterable[str]) -> dict[str, int]:
    return {name: k for k, name in enumerate(sorted(set(names)))}
