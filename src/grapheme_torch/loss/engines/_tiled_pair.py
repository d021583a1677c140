"""One pair of graphs compared tile by tile: alignment, terms and derivative, (E42)-(E45)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ...ot import (
    Adjoint,
    Cotangent,
    Matrix,
    Screening,
    Tile,
    TiledCoupling,
    TiledProblem,
    TiledTransport,
    tiled_adjoint,
    tiled_plan,
)
from .._options import Sinkhorn
from .._program import step_scale
from .._spec import Spec
from ._tiled_cost import NodeMatching, Nodes, NodeTerm, PredictedNodes, Sum, TargetNodes
from ._tiled_edge import EdgeGradient, Edges, edge_pairings, pairings


class Slopes(NamedTuple):
    """Derivatives in all that a pair is made of; those in the targets zero unless wanted.

    Args:
        predicted, wanted: In what is known of predicted and of target nodes.
        gain: In the gains of the candidates.
        value: In the values of the target edges.
    """

    predicted: PredictedNodes
    gain: Float[Tensor, "e channels"]
    wanted: TargetNodes
    value: Float[Tensor, "t channels"]


@dataclass(frozen=True)
class TiledPair:
    """What is known of one pair, rows and columns in the order of their positions.

    Args:
        nodes, edges: The two graphs.
        gain: `K` of the edge term in edits, of each candidate and channel.
        bounds: What all edges at a row take off a cost at most, and add to it.
        eps: Temperature.
        sorted: Whether rows and columns are in the order of positions of one coordinate.
        spec: How the pair is compared.
        voids: Mass of the void among the rows and among the columns, (E2).
    """

    nodes: Nodes
    edges: Edges
    gain: Float[Tensor, "e channels"]
    bounds: tuple[Float[Tensor, " n"], Float[Tensor, " n"]]
    eps: float
    sorted: bool
    spec: Spec
    voids: tuple[float, float]

    @property
    def solver(self) -> Sinkhorn:
        """How plans are found."""
        assert isinstance(self.spec.alignment, Sinkhorn)  # see `check_layout`
        return self.spec.alignment

    @property
    def finite(self) -> bool:
        """Whether all costs are numbers; a class may be impossible."""
        predicted = [x for x in (*self.nodes.predicted, self.gain) if x is not None]
        return not any(bool((x.isnan() | (x == torch.inf)).any()) for x in predicted)

    def align(self) -> list[TiledTransport]:
        """Transport by matching cost, then again with the edges at the last plan, (E19)."""
        found: list[TiledTransport] = []
        for _ in range(1 + self.spec.rounds):
            slopes = self._linearised(len(found))
            cost = Sum(
                [(self._times(len(found)), NodeMatching(self.nodes))]
                + [
                    (step_scale(self.spec), EdgeGradient(self.edges, self.gain, found[k].plan))
                    for k in slopes
                ]
            )
            problem = self._problem(cost, self._times(len(found)), len(slopes))
            s = self.solver
            found.append(
                tiled_plan(
                    problem, tolerance=s.tolerance, max_iterations=s.max_iterations,
                    newton=s.gradient != "unrolled",
                )
            )  # fmt: skip
        return found

    def _times(self, level: int) -> int:
        """How often the matching cost is part of the cost of a round."""
        return level + 1 if self.spec.proximal else 1

    def _linearised(self, level: int) -> range:
        """The rounds at whose plans the edges are linearised in a round."""
        return range(0 if self.spec.proximal else max(level - 1, 0), level)

    def _problem(self, cost: Matrix, times: int, slopes: int) -> TiledProblem:
        n, m = len(self.nodes.predicted.exists), len(self.nodes.wanted.y)
        ones = torch.ones(max(n, m) + 1, dtype=torch.float64, device=self.gain.device)
        a, b = ones[: n + 1].clone(), ones[: m + 1].clone()
        a[n], b[m] = self.voids
        screening, position, place = None, self.nodes.predicted.position, self.nodes.wanted.place
        if self.sorted and n and m and position is not None and place is not None:
            # A bound may be infinite: nothing is known of weights of edges.
            each = step_scale(self.spec) * slopes
            drop, rise = (each * x if slopes else torch.zeros_like(x) for x in self.bounds)
            pull = times * self.nodes.weight
            screening = Screening(
                position[:, 0], place[:, 0].contiguous(), pull, drop, times + rise
            )
        return TiledProblem(cost, self.eps, a, b, screening, self.nodes.depth)

    def value(self, plan: TiledCoupling) -> tuple[Tensor, Float[Tensor, "e channels"]]:
        """The node term, and where edges meet: what their gains are multiplied with, (E45)."""
        term = NodeTerm(self.nodes, 1.0)
        node = self.gain.new_zeros(())
        for at, part in plan.tiles():
            node += part.mul_(term.tile(at)).sum()
        tiles = plan.problem.tiles(plan.spans)
        return node, pairings(self.edges, plan, plan, tiles)

    def pull_back(
        self, found: list[TiledTransport], node: float, edge_products: Float[Tensor, "e channels"],
        adjoint: Adjoint,
    ) -> Slopes:  # fmt: skip
        """Derivatives of `node * node term + sum(edge_products * meetings)`."""
        slope, gain = _Slope(self), torch.zeros_like(self.gain)
        plan = found[-1].plan
        for at, part in plan.tiles():
            slope.add(at, self.nodes.term, part.mul_(node))
        value = self._in_value(edge_products, plan, plan)
        if self.spec.detached:
            return Slopes(slope.predicted, gain, slope.wanted, value)
        w: Matrix = Sum(
            [
                (1.0, NodeTerm(self.nodes, node)),
                (1.0, EdgeGradient(self.edges, edge_products, plan)),
            ]
        )
        later: list[Cotangent] = []
        for level in reversed(range(len(found))):
            implicit = found[level].converged and self.solver.gradient == "exact"
            here = tiled_adjoint(found[level], w, implicit=implicit, adjoint=adjoint)
            problem = found[level].plan.problem
            for at in problem.tiles(here.spans):
                slope.add(at, self.nodes.matching, here.tile(at).mul_(self._times(level)))
            for k in self._linearised(level):
                gain += step_scale(self.spec) * self._in_gain(here, found[k].plan)
                for x, y in ((here, found[k].plan), (found[k].plan, here)):
                    value += step_scale(self.spec) * self._in_value(self.gain, x, y)
            later = [here, *later] if self.spec.proximal else [here]
            both = Sum([(step_scale(self.spec), matrix) for matrix in later])
            w = EdgeGradient(self.edges, self.gain, both)
        return Slopes(slope.predicted, gain, slope.wanted, value)

    def _in_gain(self, x: Cotangent, plan: TiledCoupling) -> Float[Tensor, "e channels"]:
        """The derivative of `sum(x * slope at plan)` in the gains."""
        tiles = x.plan.problem.tiles
        forward = pairings(self.edges, x, plan, tiles(x.spans))
        return forward + pairings(self.edges, plan, x, tiles(plan.spans))

    def _in_value(
        self, gain: Tensor, x: Cotangent | TiledCoupling, y: Matrix
    ) -> Float[Tensor, "t channels"]:
        """The derivative of `sum(gain * pairings(x, y))` in what target edges are, if wanted."""
        if not self.nodes.learns:
            return torch.zeros_like(self.edges.value)
        plan = x.plan if isinstance(x, Cotangent) else x
        return edge_pairings(self.edges, gain, x, y, plan.problem.tiles(x.spans))


_Cost = Callable[[PredictedNodes, TargetNodes], Tensor]


class _Slope:
    """The derivative in what is known of the nodes, summed up over tiles.

    That of target nodes stays zero unless it is wanted.
    """

    def __init__(self, pair: TiledPair) -> None:
        self.nodes = pair.nodes
        self.predicted = pair.nodes.predicted.each(torch.zeros_like)
        self.wanted = pair.nodes.wanted.each(torch.zeros_like)

    def add(self, at: Tile, cost: _Cost, w: Float[Tensor, "k w"]) -> None:
        """Adds the derivative of `sum(w * cost)` over a tile."""
        if self.nodes.is_void(at):
            return
        predicted = self.nodes.predicted.rows(at.rows).each(Tensor.requires_grad_)
        wanted = self.nodes.wanted.run(at.low, at.high)
        if self.nodes.learns:
            wanted = wanted.each(lambda x: x.clone().requires_grad_(x.is_floating_point()))
        with torch.enable_grad():
            value = cost(predicted, wanted)
        run = torch.arange(at.low, at.high, device=w.device)
        leaves = [
            (total, index, leaf)
            for index, totals, parts in (
                (at.rows, self.predicted, predicted),
                (run, self.wanted, wanted),
            )
            for total, leaf in zip(totals, parts, strict=True)
            if total is not None and leaf is not None and leaf.requires_grad
        ]
        grads = torch.autograd.grad(value, [leaf for *_, leaf in leaves], w, allow_unused=True)
        for (total, index, _), grad in zip(leaves, grads, strict=True):
            if grad is not None:
                total[index] += grad
