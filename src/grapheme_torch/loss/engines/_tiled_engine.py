"""The aligned terms of a batch as a differentiable function, pair by pair in tiles, (E42)-(E45)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd import Function

from ...ot import Adjoint, Once, TiledCoupling, TiledTransport, refuse_forward
from .._prices import Prices
from ..batch._pairs import Pairs
from ..layouts._certificate import slope_range
from ..terms._edges import edge_channels, edit_charges
from ._tiled_cost import Nodes, Said, Wanted
from ._tiled_edge import Edges
from ._tiled_pair import Settings, Slopes, TiledPair


@dataclass
class Placed:
    """The plan of a pair, and which nodes of the batch its rows and columns are.

    Args:
        rows, columns: Nodes of the batch.
        plan: Of the last round; None where a cost was not finite.
    """

    rows: Int[Tensor, " n"]
    columns: Int[Tensor, " m"]
    plan: TiledCoupling | None


class Found(NamedTuple):
    """The aligned terms of a batch.

    Args:
        node: The node term of each pair.
        met: What the gain of each candidate in each channel is multiplied with in the edge term.
        plans: Of each pair.
    """

    node: Float[Tensor, " B"]
    met: Float[Tensor, "e channels"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]
    plans: list[Placed]


@dataclass(frozen=True)
class Comparison:
    """What a batch is compared by.

    Args:
        eps: Temperature of each pair.
        weight: Cost of a step between positions.
        likelihood: Whether the node term counts surprises, not edits.
        adjoint: Where to note how well the derivative was solved.
    """

    pairs: Pairs
    settings: Settings
    prices: Prices
    eps: Float[Tensor, " B"]
    weight: float
    likelihood: bool
    adjoint: Adjoint

    def found(self) -> Found:
        """Aligns each pair and sums up what depends on its plan.

        Differentiation: once, in all that a network says and in the targets, (E44).
        """
        pairs = self.pairs
        gain, value = edge_channels(pairs, edit_charges(pairs, self.prices))
        t = pairs.target
        y = t.y.double() if t.y.is_floating_point() else t.y
        said = (pairs.exists, pairs.absent, pairs.outputs, self.position, gain, self.place, value)
        double = (None if x is None else x.double() for x in said)
        plans: list[Placed] = []
        node, met, iterations, residual, converged = _TiledAlignment.apply(self, plans, y, *double)
        return Found(node, met, iterations, residual, converged, plans)

    @property
    def position(self) -> Float[Tensor, "n d"] | None:
        """Predicted places, if both sides have some and they count."""
        counts = self.weight and self.pairs.target.position is not None
        return self.pairs.position if counts else None

    @property
    def place(self) -> Float[Tensor, "m d"] | None:
        """Places of the targets in the precision of the predicted ones, if they count."""
        position, place = self.position, self.pairs.target.position
        return None if position is None or place is None else place.to(position.dtype)

    def split(
        self,
        said: Said,
        gain: Float[Tensor, "e channels"],
        wanted: Wanted,
        value: Float[Tensor, "t channels"],
        learns: bool,
    ) -> Iterator[tuple[TiledPair, Placed, Int[Tensor, " c"]]]:
        """The pairs, where their nodes are, and the numbers of their candidates."""
        pairs, t = self.pairs, self.pairs.target
        drop, rise = slope_range(pairs, edit_charges(pairs, self.prices))
        for k, eps in enumerate(self.eps.tolist()):
            rows = (pairs.layout.batch == k).nonzero()[:, 0]
            columns = (t.layout.batch == k).nonzero()[:, 0]
            place = wanted.place
            one = place is not None and place.shape[1] == 1
            if place is not None and one:
                assert said.position is not None
                rows = rows[said.position[rows, 0].argsort(stable=True)]
                columns = columns[place[columns, 0].argsort(stable=True)]
            candidates = (pairs.graph == k).nonzero()[:, 0]
            edges = self._edges(k, rows, columns, candidates, value)
            nodes = Nodes(
                said.rows(rows), wanted.rows(columns), learns,
                pairs.node_cost, pairs.node_scale or 1.0, self.weight, self.likelihood,
                self.prices,
            )  # fmt: skip
            if pairs.scale_is_found:
                nodes = replace(nodes, scale=nodes.found_scale())
            bounds = drop.index_select(0, rows), rise.index_select(0, rows)
            here = gain.index_select(0, candidates)
            pair = TiledPair(nodes, edges, here, bounds, eps, one, self.settings)
            yield pair, Placed(rows, columns, None), candidates

    def _edges(
        self, k: int, rows: Tensor, columns: Tensor, candidates: Tensor, value: Tensor
    ) -> Edges:
        pairs, t = self.pairs, self.pairs.target
        wanted = (t.graph == k).nonzero()[:, 0]
        place_rows, place_columns = pairs.layout.place[rows], t.layout.place[columns]
        row, column = place_rows.argsort(), place_columns.argsort()
        start, end = column[t.source[wanted]], column[t.sink[wanted]]
        if not pairs.directed:
            other = (start != end).nonzero()[:, 0]  # a loop is the same in both directions
            start, end = torch.cat([start, end[other]]), torch.cat([end, start[other]])
            wanted = torch.cat([wanted, wanted[other]])
        source, sink = row[pairs.source[candidates]], row[pairs.sink[candidates]]
        return Edges(source, sink, start, end, value.index_select(0, wanted), wanted, len(rows))


class _TiledAlignment(Function):
    @staticmethod
    def forward(
        ctx: Any,
        comparison: Comparison,
        plans: list[Placed],
        y: Tensor,
        exists: Tensor,
        absent: Tensor,
        outputs: Tensor,
        position: Tensor | None,
        gain: Tensor,
        place: Tensor | None,
        value: Tensor,
    ) -> tuple[Tensor, ...]:
        size = len(comparison.eps)
        node, met = exists.new_zeros(size), torch.zeros_like(gain)
        residual, converged = torch.zeros_like(node), torch.zeros_like(node, dtype=torch.bool)
        iterations = torch.zeros_like(node, dtype=torch.long)
        ctx.solved = []
        said, wanted = Said(exists, absent, outputs, position), Wanted(y, place)
        learns = any(ctx.needs_input_grad[k] for k in (2, 8, 9))
        parts = comparison.split(said, gain, wanted, value, learns)
        for k, (pair, placed, candidates) in enumerate(parts):
            plans.append(placed)
            found = pair.align() if pair.finite else []
            ctx.solved.append((pair, placed, candidates, found))
            if not found:
                node[k] = residual[k] = torch.nan
                continue
            placed.plan = found[-1].plan
            node[k], met[candidates] = pair.value(placed.plan)
            iterations[k] = sum(one.iterations for one in found)
            residual[k] = max(one.residual for one in found)
            converged[k] = all(one.converged for one in found)
        ctx.adjoint = comparison.adjoint
        ctx.save_for_backward(y, exists, absent, outputs, position, gain, place, value)
        ctx.mark_non_differentiable(iterations, residual, converged)
        return node, met, iterations, residual, converged

    @staticmethod
    def backward(ctx: Any, node: Tensor, met: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        # To unpack them refuses inputs that were changed in place since.
        slopes = _TiledAdjoint.apply(ctx.solved, ctx.adjoint, node, met, *ctx.saved_tensors)
        return None, None, *slopes

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        refuse_forward()


_Solved = tuple[TiledPair, Placed, Tensor, list[TiledTransport]]
"""A pair, which nodes and candidates of the batch are its own, and the plans of its rounds."""


class _TiledAdjoint(Once):
    """The first derivative."""

    @staticmethod
    def forward(
        solved: list[_Solved],
        adjoint: Adjoint,
        node: Tensor,
        met: Tensor,
        *inputs: Tensor | None,
    ) -> tuple[Tensor | None, ...]:
        whole = [None if x is None else torch.zeros_like(x) for x in inputs]
        y, *said, gain, place, value = whole
        residual = torch.zeros_like(node)
        for k, (pair, placed, candidates, found) in enumerate(solved):
            mine, slopes = Adjoint(), _nowhere(pair)
            if found:
                slopes = pair.pull_back(found, float(node[k]), met[candidates], mine)
            if mine.residual is not None:
                residual[k] = mine.residual[0]
            for total, index, one in (
                *((x, placed.rows, one) for x, one in zip(said, slopes.said, strict=True)),
                *(
                    (x, placed.columns, one)
                    for x, one in zip((y, place), slopes.wanted, strict=True)
                ),
                (gain, candidates, slopes.gain),
                (value, pair.edges.number, slopes.value),
            ):
                if total is not None and one is not None:
                    total.index_add_(0, index, one)  # an undirected edge is laid twice
        adjoint.note(residual)
        return tuple(whole)


def _nowhere(pair: TiledPair) -> Slopes:
    """The derivative of a pair whose costs are not finite."""

    def lost(x: Tensor) -> Tensor:
        return torch.full_like(x, torch.nan if x.is_floating_point() else 0)

    nodes, edges = pair.nodes, pair.edges
    return Slopes(
        nodes.said.each(lost), lost(pair.gain), nodes.wanted.each(lost), lost(edges.value)
    )
