"""What the nodes of one pair cost each other, tile by tile, (E1) and (E13); and its derivative."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from ..._check import refusal
from ...ot import ENTRIES, Matrix, Tile
from .._options import Prices
from ..terms._node_cost import Classes, Compared, NodeCost
from ..terms._nodes import expected_edits, steps, surprise
from ..terms._own_cost import judged
from ..terms._scale import combined, mean_of_finite, two_least


class PredictedNodes(NamedTuple):
    """What a network says about predicted nodes, as costs read it; float64.

    Args:
        exists, absent: `log h` and `log (1 - h)`.
        outputs: Node outputs.
        position: Places, if positions count.
    """

    exists: Float[Tensor, " n"]
    absent: Float[Tensor, " n"]
    outputs: Float[Tensor, "n outputs"]
    position: Float[Tensor, "n d"] | None

    def rows(self, index: Int[Tensor, " k"]) -> "PredictedNodes":
        """The same of some nodes."""
        return self.each(lambda x: x.index_select(0, index))

    def each(self, change: Callable[[Tensor], Tensor]) -> "PredictedNodes":
        """The same, each tensor changed."""
        position = None if self.position is None else change(self.position)
        return PredictedNodes(
            change(self.exists), change(self.absent), change(self.outputs), position
        )


class TargetNodes(NamedTuple):
    """What is known of target nodes.

    Args:
        y: Classes, or vectors in float64.
        place: Places, if positions count; float64.
        ignored: Which are neither rewarded nor punished, if any.
    """

    y: Shaped[Tensor, "m *y"]
    place: Float[Tensor, "m d"] | None
    ignored: Bool[Tensor, " m"] | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> "TargetNodes":
        """The same, each tensor changed."""
        place, ignored = (None if x is None else change(x) for x in self[1:])
        return TargetNodes(change(self.y), place, ignored)

    def rows(self, index: Int[Tensor, " k"]) -> "TargetNodes":
        """The same of some nodes."""
        return self.each(lambda x: x.index_select(0, index))

    def run(self, low: int, high: int) -> "TargetNodes":
        """The same of a run of nodes."""
        return self.each(lambda x: x[low:high])


@dataclass(frozen=True)
class Nodes:
    """The nodes of one pair, predicted and target.

    Args:
        predicted: Of the predicted nodes; constant.
        wanted: Of the target nodes.
        learns: Whether anything of the targets is to be differentiated in.
        cost: How the two are compared.
        scale: The cost at which two of them agree to 1/e.
        weight: Cost of a step between positions.
        likelihood: Whether the node term counts surprises, not edits.
        prices: What insertion and deletion cost.
        insertion: What inserting each target costs, or each alike.
    """

    predicted: PredictedNodes
    wanted: TargetNodes
    learns: bool
    cost: NodeCost
    scale: float
    weight: float
    likelihood: bool
    prices: Prices
    insertion: Float[Tensor, " m"] | float

    @property
    def depth(self) -> int:
        """Numbers that comparing two nodes takes."""
        return 1 if self.cost.by_class else max(1, self.predicted.outputs.shape[1])

    def matching(self, predicted: PredictedNodes, wanted: TargetNodes) -> Float[Tensor, "k w"]:
        """Matching cost of some predicted nodes with some targets and the void, (E1)."""
        match = self._match(predicted.outputs, wanted.y)
        cost = expected_edits(TileSpace(predicted, wanted), match, self.prices, 0.0)
        if predicted.position is not None and wanted.place is not None:
            moved = steps(predicted.position[:, None], wanted.place[None])
            cost[:, :-1] += self.weight * moved
        return cost

    def term(self, predicted: PredictedNodes, wanted: TargetNodes) -> Float[Tensor, "k w"]:
        """What each unit of mass adds to the node term, (E13) or (E14)."""
        space = TileSpace(predicted, wanted)
        if self.likelihood:
            return surprise(space, self._nll(predicted.outputs, wanted.y), self.prices, 0.0)
        match = self._match(predicted.outputs, wanted.y)
        return expected_edits(space, match, self.prices, 0.0)

    def void(self, at: Tile) -> Float[Tensor, "1 w"]:
        """Inserting a run of targets; both costs."""
        if isinstance(self.insertion, Tensor):
            insertion = self.insertion[None, at.low : at.high].clone()
        else:
            insertion = self.predicted.exists.new_full((1, at.high - at.low), self.insertion)
        return torch.cat([insertion, insertion.new_zeros(1, 1)], 1)

    def is_void(self, at: Tile) -> bool:
        """Whether a tile is of the last row."""
        return len(at.rows) == 1 and int(at.rows[0]) == len(self.predicted.exists)

    def _match(self, outputs: Tensor, y: Tensor) -> Float[Tensor, "k w"]:
        if isinstance(self.cost, Classes) and self.cost.tabled:
            # Exponentials of classes, not of nodes.
            return self.cost.look_up(self.cost.table(outputs).agreement(1.0), y, 1.0)
        return self._compared(outputs, y).agreement(self.scale)

    def _nll(self, outputs: Tensor, y: Tensor) -> Float[Tensor, "k w"]:
        if isinstance(self.cost, Classes) and self.cost.tabled:
            return self.cost.look_up(self.cost.table(outputs).nll, y, 0.0)
        return self._compared(outputs, y).nll

    def _compared(self, outputs: Tensor, y: Tensor) -> Compared:
        cost = self.cost
        if cost.trusted:
            return cost.compare(outputs[:, None], y[None])
        shape = (len(outputs), len(y))
        found = judged(cost, outputs[:, None], y[None], shape, lambda _: "some match")
        forbidden = found.misfit is not None and bool(found.misfit.isposinf().any())
        if forbidden:
            remedy = "Use matches=Dense() or a window, or a large finite cost."
            raise refusal("`node_cost`", "return finite costs for tiles", inf, remedy)
        return found

    @torch.no_grad()
    def found_scale(self) -> float:
        """The cost at which nodes agree to 1/e, (E46), from one pass over all matches."""
        outputs, y, ignored = self.predicted.outputs, self.wanted.y, self.wanted.ignored
        y = y if ignored is None else y[~ignored]
        wide = self.depth * (len(y) + 1)
        columns, rows = outputs.new_full((2, len(y)), inf), [outputs.new_empty(2, 0)]
        total = outputs.new_zeros(())
        for part in outputs.split(max(1, ENTRIES // wide)):
            cost = self._compared(part, y).misfit
            if cost is None:  # the agreement is known: it has no scale
                return 1.0
            rows.append(two_least(cost, 1))
            columns = two_least(torch.cat([columns, cost]), 0)
            total += cost.sum()
        least = torch.stack([mean_of_finite(x) for x in (torch.cat(rows, 1), columns)])
        sizes = torch.tensor([len(outputs), len(y)], device=outputs.device)
        mean = total / sizes.prod()
        return float(combined(least[..., None], sizes[:, None], mean[None])[0])


class TileSpace:
    """Matches of some predicted nodes with some targets, and their deletion as last column.

    Args:
        pairs: The predicted nodes.
        target: The targets.
    """

    def __init__(self, pairs: PredictedNodes, target: TargetNodes) -> None:
        self.pairs = pairs
        self.ignored = None if target.ignored is None else target.ignored[None]

    def nodes(self, x: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
        """One number for each predicted node."""
        return x

    def rows(self, nodes: Float[Tensor, " k"]) -> Float[Tensor, "k 1"]:
        """The same beside every target node."""
        return nodes[:, None]

    def joined(
        self, matches: Float[Tensor, "k w"], deletion: Float[Tensor, " k"], insertion: object
    ) -> Float[Tensor, "k w1"]:
        """Matches and deletions; insertions are a tile of their own."""
        del insertion
        return torch.cat([matches, deletion[:, None]], 1)


@dataclass(frozen=True)
class NodeMatching:
    """The matching cost (E1) as a matrix made in parts."""

    nodes: Nodes

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it."""
        if self.nodes.is_void(at):
            return self.nodes.void(at)
        predicted, wanted = (
            self.nodes.predicted.rows(at.rows),
            self.nodes.wanted.run(at.low, at.high),
        )
        return self.nodes.matching(predicted, wanted)


@dataclass(frozen=True)
class NodeTerm:
    """`scale` times the costs of the node term as a matrix made in parts."""

    nodes: Nodes
    scale: float

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it."""
        if self.nodes.is_void(at):
            return self.nodes.void(at).mul_(self.scale)
        predicted, wanted = (
            self.nodes.predicted.rows(at.rows),
            self.nodes.wanted.run(at.low, at.high),
        )
        return self.nodes.term(predicted, wanted).mul_(self.scale)


@dataclass(frozen=True)
class Sum:
    """A weighted sum of matrices."""

    terms: list[tuple[float, Matrix]]

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it."""
        (first, matrix), *others = self.terms
        out = matrix.tile(at).mul_(first)
        for weight, other in others:
            out.add_(other.tile(at), alpha=weight)
        return out
