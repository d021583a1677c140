"""What the nodes of one pair cost each other, tile by tile, (E1) and (E13); and its derivative."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.nn.functional import log_softmax

from ..._check import refusal
from ...ot import ENTRIES, Matrix, Tile
from .._prices import Prices
from ..terms._node_cost import Compared, NodeCost, NodeKind, compared
from ..terms._scale import combined, mean_of_finite, two_least


class Said(NamedTuple):
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

    def rows(self, index: Int[Tensor, " k"]) -> "Said":
        """The same of some nodes."""
        return self.each(lambda x: x.index_select(0, index))

    def each(self, change: Callable[[Tensor], Tensor]) -> "Said":
        """The same, each tensor changed."""
        position = None if self.position is None else change(self.position)
        return Said(change(self.exists), change(self.absent), change(self.outputs), position)


class Wanted(NamedTuple):
    """What is known of target nodes.

    Args:
        y: Classes, or vectors in float64.
        place: Places, if positions count; float64.
    """

    y: Shaped[Tensor, "m *y"]
    place: Float[Tensor, "m d"] | None

    def each(self, change: Callable[[Tensor], Tensor]) -> "Wanted":
        """The same, each tensor changed."""
        return Wanted(change(self.y), None if self.place is None else change(self.place))

    def rows(self, index: Int[Tensor, " k"]) -> "Wanted":
        """The same of some nodes."""
        return self.each(lambda x: x.index_select(0, index))

    def run(self, low: int, high: int) -> "Wanted":
        """The same of a run of nodes."""
        return self.each(lambda x: x[low:high])


@dataclass(frozen=True)
class Nodes:
    """The nodes of one pair, predicted and target.

    Args:
        said: Of the predicted nodes; constant.
        wanted: Of the target nodes.
        learns: Whether anything of the targets is to be differentiated in.
        kind: How the two are compared.
        scale: The cost at which two of them agree to 1/e.
        weight: Cost of a step between positions.
        likelihood: Whether the node term counts surprises, not edits.
        prices: What insertion and deletion cost.
    """

    said: Said
    wanted: Wanted
    learns: bool
    kind: NodeKind | NodeCost
    scale: float
    weight: float
    likelihood: bool
    prices: Prices

    @property
    def depth(self) -> int:
        """Numbers that comparing two nodes takes."""
        return 1 if self.kind == "labels" else max(1, self.said.outputs.shape[1])

    def matching(self, said: Said, wanted: Wanted) -> Float[Tensor, "k w"]:
        """Matching cost of some predicted nodes with some targets and the void, (E1)."""
        h = said.exists.exp()
        cost = 1 - h[:, None] * self._agreement(said.outputs, wanted.y)
        if said.position is not None and wanted.place is not None:
            t, s = said.position[:, None], wanted.place[None]
            cost = cost + self.weight * _steps(t, s)
        return torch.cat([cost, self.prices.node_deletion * h[:, None]], 1)

    def term(self, said: Said, wanted: Wanted) -> Float[Tensor, "k w"]:
        """What each unit of mass adds to the node term, (E13) or (E14)."""
        if self.likelihood:
            cost = self._surprise(said.outputs, wanted.y) - said.exists[:, None]
            deletion = -self.prices.node_deletion * said.absent
        else:
            h = said.exists.exp()
            cost = 1 - h[:, None] * self._agreement(said.outputs, wanted.y)
            deletion = self.prices.node_deletion * h
        return torch.cat([cost, deletion[:, None]], 1)

    def void(self, at: Tile) -> Float[Tensor, "1 w"]:
        """Inserting a run of targets; both costs."""
        insertion = self.said.exists.new_full((1, at.high - at.low), self.prices.node_insertion)
        return torch.cat([insertion, insertion.new_zeros(1, 1)], 1)

    def is_void(self, at: Tile) -> bool:
        """Whether a tile is of the last row."""
        return len(at.rows) == 1 and int(at.rows[0]) == len(self.said.exists)

    def _agreement(self, outputs: Tensor, y: Tensor) -> Float[Tensor, "k w"]:
        if self.kind == "labels":  # exponentials of classes, not of nodes
            return log_softmax(outputs, dim=1).exp().gather(1, y.expand(len(outputs), -1))
        return self._compared(outputs, y).likeness(self.scale).agreement[0]

    def _surprise(self, outputs: Tensor, y: Tensor) -> Float[Tensor, "k w"]:
        if self.kind == "labels":
            return -log_softmax(outputs, dim=1).gather(1, y.expand(len(outputs), -1))
        return self._compared(outputs, y).surprise[0]

    def _compared(self, outputs: Tensor, y: Tensor) -> Compared:
        found = compared(self.kind, outputs[None], y[None])
        if callable(self.kind) and bool(found.misfit.isposinf().any()):
            remedy = "Use StructuralLoss or SparseStructuralLoss, or a large finite cost."
            raise refusal("`node_cost`", "return finite costs for tiles", inf, remedy)
        return found

    @torch.no_grad()
    def found_scale(self) -> float:
        """The cost at which nodes agree to 1/e, (E46), from one pass over all matches."""
        outputs, wide = self.said.outputs, self.depth * (len(self.wanted.y) + 1)
        columns, rows = outputs.new_full((2, len(self.wanted.y)), inf), [outputs.new_empty(2, 0)]
        total = outputs.new_zeros(())
        for part in outputs.split(max(1, ENTRIES // wide)):
            cost = self._compared(part, self.wanted.y).misfit[0]
            rows.append(two_least(cost, 1))
            columns = two_least(torch.cat([columns, cost]), 0)
            total += cost.sum()
        least = torch.stack([mean_of_finite(x) for x in (torch.cat(rows, 1), columns)])
        sizes = torch.tensor([len(outputs), len(self.wanted.y)], device=outputs.device)
        mean = total / sizes.prod()
        return float(combined(least[..., None], sizes[:, None], mean[None])[0])


def _steps(t: Float[Tensor, "k 1 d"], s: Float[Tensor, "1 w d"]) -> Float[Tensor, "k w"]:
    if t.shape[2] == 1:
        return (t[:, :, 0] - s[:, :, 0]).abs()
    return (t - s).abs().sum(2)


@dataclass(frozen=True)
class NodeMatching:
    """The matching cost (E1) as a matrix made in parts."""

    nodes: Nodes

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it."""
        if self.nodes.is_void(at):
            return self.nodes.void(at)
        said, wanted = self.nodes.said.rows(at.rows), self.nodes.wanted.run(at.low, at.high)
        return self.nodes.matching(said, wanted)


@dataclass(frozen=True)
class NodeTerm:
    """`scale` times the costs of the node term as a matrix made in parts."""

    nodes: Nodes
    scale: float

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it."""
        if self.nodes.is_void(at):
            return self.nodes.void(at).mul_(self.scale)
        said, wanted = self.nodes.said.rows(at.rows), self.nodes.wanted.run(at.low, at.high)
        return self.nodes.term(said, wanted).mul_(self.scale)


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
