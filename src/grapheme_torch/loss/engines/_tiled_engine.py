"""The aligned terms of a batch as a differentiable function, pair by pair in tiles, (E42)-(E45)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd import Function

from ...ot import Adjoint, Once, TiledTransport, refuse_forward
from .._program import edge_costs, node_insertion
from .._spec import Spec
from ..batch._pairs import Pairs
from ..layouts._certificate import slope_range
from ..terms._clique import clique_cost
from ..terms._edge_cost import edge_channels
from ..terms._nodes import voids
from ._tiled_cost import Nodes, PredictedNodes, TargetNodes
from ._tiled_edge import Edges
from ._tiled_matching import PairPlan, TiledPlan
from ._tiled_pair import Slopes, TiledPair


class TiledAlignment(NamedTuple):
    """Plans with their evidence.

    Args:
        plan: Of each pair, made when it is read.
        adjoint: How well the derivative was solved, noted by `backward`.
    """

    plan: TiledPlan
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]
    adjoint: Adjoint


def run(
    pairs: Pairs, spec: Spec, temperature: Float[Tensor, " B"]
) -> tuple[dict[str, Tensor], TiledAlignment]:
    """Node, edge and clique term of each pair, and the alignment.

    Differentiation: once, in all that a network says and in the targets, (E44).
    """
    adjoint, plans = Adjoint(), list[PairPlan]()
    problem = TiledBatch(pairs, spec, temperature, adjoint)
    node, products, iterations, residual, converged = _TiledAlignment.apply(
        problem, plans, *problem.inputs()
    )
    costs = edge_costs(spec, pairs, edits=spec.edit)
    aligned = (edge_channels(pairs, costs).candidate * products).sum(1)
    edge = costs.constant(pairs).double().index_add(0, pairs.graph, aligned)
    clique = clique_cost(pairs, spec.edge_cost.presence(pairs))
    terms = {"node": node.to(clique.dtype), "edge": edge.to(clique.dtype), "clique": clique}
    plan = TiledPlan(plans, pairs.layout.count, pairs.target.layout.count)
    return terms, TiledAlignment(plan, iterations, residual, converged, adjoint)


@dataclass(frozen=True)
class TiledBatch:
    """What a batch is compared by.

    Args:
        pairs: The batch.
        spec: How it is compared.
        temperature: Of each pair.
        adjoint: Where to note how well the derivative was solved.
    """

    pairs: Pairs
    spec: Spec
    temperature: Float[Tensor, " B"]
    adjoint: Adjoint

    def inputs(self) -> list[Tensor | None]:
        """What the aligned terms are differentiated in, in float64; classes are not."""
        pairs, y = self.pairs, self.pairs.target.y
        gain, value = edge_channels(pairs, edge_costs(self.spec, pairs, edits=True))
        predicted = (
            pairs.exists,
            pairs.absent,
            pairs.outputs,
            self.position,
            gain,
            self.place,
            value,
        )
        double = [None if x is None else x.double() for x in predicted]
        return [y.double() if y.is_floating_point() else y, *double]

    @property
    def position(self) -> Float[Tensor, "n d"] | None:
        """Predicted places, if both sides have some and they count."""
        counts = self.spec.hints.position and self.pairs.target.position is not None
        return self.pairs.position if counts else None

    @property
    def place(self) -> Float[Tensor, "m d"] | None:
        """Places of the targets in the precision of the predicted ones, if they count."""
        position, place = self.position, self.pairs.target.position
        return None if position is None or place is None else place.to(position.dtype)

    def split(
        self,
        predicted: PredictedNodes,
        gain: Float[Tensor, "e channels"],
        wanted: TargetNodes,
        value: Float[Tensor, "t channels"],
        learns: bool,
    ) -> Iterator[tuple[TiledPair, PairPlan, Int[Tensor, " c"]]]:
        """The pairs, where their nodes are, and the numbers of their candidates."""
        pairs, spec, t = self.pairs, self.spec, self.pairs.target
        drop, rise = slope_range(pairs, edge_costs(spec, pairs, edits=True))
        row_void, column_void = (x.tolist() for x in voids(pairs, spec.alignment.slack))
        insertion = node_insertion(spec, pairs)
        for k, eps in enumerate(self.temperature.tolist()):
            rows = (pairs.layout.batch == k).nonzero()[:, 0]
            columns = (t.layout.batch == k).nonzero()[:, 0]
            place = wanted.place
            one = place is not None and place.shape[1] == 1
            if place is not None and one:
                assert predicted.position is not None
                rows = rows[predicted.position[rows, 0].argsort(stable=True)]
                columns = columns[place[columns, 0].argsort(stable=True)]
            candidates = (pairs.graph == k).nonzero()[:, 0]
            edges = self._edges(k, rows, columns, candidates, value)
            priced = insertion[columns].double() if isinstance(insertion, Tensor) else insertion
            nodes = Nodes(
                predicted.rows(rows), wanted.rows(columns), learns, spec.node_cost,
                spec.node_cost.scale or 1.0, spec.hints.position if place is not None else 0.0,
                not spec.edit, spec.prices, priced,
            )  # fmt: skip
            if spec.node_cost.finds_scale and spec.node_cost.scale is None:
                nodes = replace(nodes, scale=nodes.found_scale())
            bounds = drop.index_select(0, rows), rise.index_select(0, rows)
            here = gain.index_select(0, candidates)
            void = row_void[k], column_void[k]
            pair = TiledPair(nodes, edges, here, bounds, eps, one, spec, void)
            yield pair, PairPlan(rows, columns, None), candidates

    def _edges(
        self, k: int, rows: Tensor, columns: Tensor, candidates: Tensor, value: Tensor
    ) -> Edges:
        pairs, t = self.pairs, self.pairs.target
        graph, first, last = t.laid
        wanted = (graph == k).nonzero()[:, 0]
        place_rows, place_columns = pairs.layout.place[rows], t.layout.place[columns]
        row, column = place_rows.argsort(), place_columns.argsort()
        start, end = column[first[wanted]], column[last[wanted]]
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
        problem: TiledBatch,
        plans: list[PairPlan],
        y: Tensor,
        exists: Tensor,
        absent: Tensor,
        outputs: Tensor,
        position: Tensor | None,
        gain: Tensor,
        place: Tensor | None,
        value: Tensor,
    ) -> tuple[Tensor, ...]:
        size = len(problem.temperature)
        node, edge_products = exists.new_zeros(size), torch.zeros_like(gain)
        residual, converged = torch.zeros_like(node), torch.zeros_like(node, dtype=torch.bool)
        iterations = torch.zeros_like(node, dtype=torch.long)
        ctx.solved = []
        predicted, wanted = (
            PredictedNodes(exists, absent, outputs, position),
            TargetNodes(y, place, problem.pairs.target.ignored),
        )
        learns = any(ctx.needs_input_grad[k] for k in (2, 8, 9))
        parts = problem.split(predicted, gain, wanted, value, learns)
        for k, (pair, placed, candidates) in enumerate(parts):
            plans.append(placed)
            found = pair.align() if pair.finite else []
            ctx.solved.append((pair, placed, candidates, found))
            if not found:
                node[k] = residual[k] = torch.nan
                continue
            placed.plan = found[-1].plan
            node[k], edge_products[candidates] = pair.value(placed.plan)
            iterations[k] = sum(one.iterations for one in found)
            residual[k] = max(one.residual for one in found)
            converged[k] = all(one.converged for one in found)
        ctx.adjoint = problem.adjoint
        ctx.save_for_backward(y, exists, absent, outputs, position, gain, place, value)
        ctx.mark_non_differentiable(iterations, residual, converged)
        return node, edge_products, iterations, residual, converged

    @staticmethod
    def backward(
        ctx: Any, node: Tensor, edge_products: Tensor, *_: Tensor
    ) -> tuple[Tensor | None, ...]:
        # To unpack them refuses inputs that were changed in place since.
        slopes = _TiledAdjoint.apply(
            ctx.solved, ctx.adjoint, node, edge_products, *ctx.saved_tensors
        )
        return None, None, *slopes

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        refuse_forward()


_Solved = tuple[TiledPair, PairPlan, Tensor, list[TiledTransport]]
"""A pair, which nodes and candidates of the batch are its own, and the plans of its rounds."""


class _TiledAdjoint(Once):
    """The first derivative."""

    @staticmethod
    def forward(
        solved: list[_Solved],
        adjoint: Adjoint,
        node: Tensor,
        edge_products: Tensor,
        *inputs: Tensor | None,
    ) -> tuple[Tensor | None, ...]:
        whole = [None if x is None else torch.zeros_like(x) for x in inputs]
        y, *predicted, gain, place, value = whole
        residual = torch.zeros_like(node)
        for k, (pair, placed, candidates, found) in enumerate(solved):
            mine, slopes = Adjoint(), _nowhere(pair)
            if found:
                slopes = pair.pull_back(found, float(node[k]), edge_products[candidates], mine)
            if mine.residual is not None:
                residual[k] = mine.residual[0]
            for total, index, one in (
                *(
                    (x, placed.rows, one)
                    for x, one in zip(predicted, slopes.predicted, strict=True)
                ),
                *(
                    (x, placed.columns, one)
                    for x, one in zip((y, place), slopes.wanted[:2], strict=True)
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
        nodes.predicted.each(lost), lost(pair.gain), nodes.wanted.each(lost), lost(edges.value)
    )
