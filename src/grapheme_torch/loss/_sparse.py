"""The structural loss of large graphs: aligned along a sparse support, (E29)-(E33)."""

from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import require
from ..ot import Adjoint, SparseTransport, Status, sparse_plan, status
from ..prediction import Prediction
from ._eager import eager
from ._restricted import check_wrapped, read_for, temperatures
from ._result import honest_residual
from ._structural import StructuralLoss
from .batch._arguments import check_kinds
from .batch._masks import in_words_of_graphs, masked
from .batch._pairs import Pairs
from .layouts._certificate import Floor, Truncation, loss_range, outside_mass, slope_drop
from .layouts._support import (
    Entries,
    check_covered,
    check_feasible,
    compare,
    entry_edits,
    entry_steps,
    entry_surprise,
    impossible,
    masses,
    window,
)
from .layouts._support_edges import Meetings, SparseEdgeCost, meetings
from .terms._clique import clique_cost
from .terms._edges import Charges, edit_charges, surprise_charges
from .terms._node_cost import Likeness


@dataclass(frozen=True)
class SparseLossResult:
    """A structural loss along a support, with its parts and its evidence.

    Args:
        total: `alpha * node + beta * edge + gamma * clique`; a number, or one per pair.
        node, edge, clique: The three terms, reduced as `total`.
        support: The matches, as pairs of a predicted and a target node of the batch, sorted.
        matched: Mass of each match.
        deleted, inserted: Mass of each predicted node that goes to the void, and of each target
            node that comes from it.
        iterations: Sweeps and Newton steps each pair took, in all rounds together.
        residual: Largest share of mass in the wrong row or column, over the rounds of each pair.
        converged: Whether every round of each pair met the tolerance.
        truncation: What the matches that were left out can change, at most.
        adjoint: How well the derivative was solved; filled in by `backward`.
    """

    total: Tensor
    node: Tensor
    edge: Tensor
    clique: Tensor
    support: Int[Tensor, "2 s"]
    matched: Float[Tensor, " s"]
    deleted: Float[Tensor, " n"]
    inserted: Float[Tensor, " m"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]
    truncation: Truncation
    adjoint: Adjoint

    @property
    def status(self) -> list[Status]:
        """How the alignment of each pair ended; `status[k].value` says what to do about it."""
        return status(self.residual, self.converged)


class SparseStructuralLoss(nn.Module):
    """A `StructuralLoss` in which only some nodes may be matched with each other.

    The same loss, but the plan is zero outside a *support*: pairs of a predicted and a target
    node, few for each node. Deletion and insertion are always open. Time of a sweep and memory
    are of the order of the support, so graphs may have 100,000 nodes. With all pairs in the
    support it is the same number. `truncation` of the result bounds what was left out.

    Args:
        loss: The loss to restrict; all its settings but `gradient="implicit"`.
        window: Largest distance in steps between the positions (of one coordinate) of a
            predicted node and a target node that may be matched, where no support is given.

    Raises:
        InputError: If a setting of `loss` has no meaning here.

    Differentiation: once, in every logit, weight and position, and in `y`, `edge_weight` and
    `position` of the targets; more is refused. The linear system of a converged pair is solved by
    conjugate gradients, and `adjoint` says how well.
    """

    def __init__(self, loss: StructuralLoss | None = None, *, window: float = 8.0) -> None:
        super().__init__()
        require(window >= 0, "`window`", "not be negative", window, "Try 8 steps.")
        self.loss, self.window = check_wrapped(loss), window

    @eager
    def forward(
        self,
        prediction: Prediction,
        target: Data,
        *,
        support: Int[Tensor, "2 s"] | None = None,
        temperature: float | Float[Tensor, " #B"] | None = None,
    ) -> SparseLossResult:
        """The loss of a batch of predictions against a batch of targets.

        Args:
            prediction, target: As `StructuralLoss` takes them.
            support: Which nodes may be matched, as pairs of a predicted and a target node in the
                numbering of the batch, each pair once, in any order.
            temperature: One per pair, or one in all, instead of the loss's own.

        Raises:
            InputError: If prediction and target cannot be compared, or the masses cannot be
                placed on the support.
        """
        check_kinds(prediction, target)
        with torch.autocast(prediction.existence.device.type, enabled=False):
            loss = self.loss
            pairs = masked(read_for(loss, prediction, target), prediction)
            matches = window(pairs, self.window) if support is None else support
            entries = Entries.of(pairs, matches)
            check_covered(pairs, entries, loss.slack)
            eps = temperatures(loss, temperature, pairs)
            comparison = _Comparison(loss, pairs, entries, eps)
            result = comparison.result()
            # A plan that was found proves that there is one.
            never = impossible(pairs, entries, comparison.found)
            check_feasible(pairs, entries, loss.slack, ~result.converged, never)
            return result

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"window={self.window}"


class _Comparison:
    """One batch on one support: what the steps of the comparison share."""

    def __init__(
        self, loss: StructuralLoss, pairs: Pairs, entries: Entries, eps: Float[Tensor, " B"]
    ) -> None:
        self.loss, self.pairs, self.entries, self.eps = loss, pairs, entries, eps
        self.found: Likeness = compare(pairs, entries)
        self.met: Meetings = meetings(pairs, entries)
        self.adjoint = Adjoint()

    def result(self) -> SparseLossResult:
        """Aligns, and sums up the terms."""
        loss, pairs, entries, edit = self.loss, self.pairs, self.entries, self.edit
        transport, floor = self.align()
        plan = transport.plan
        node_cost = entry_edits if edit else entry_surprise
        node = entries.total(plan * node_cost(pairs, entries, self.found, loss.prices))
        charges = (edit_charges if edit else surprise_charges)(pairs, loss.prices)
        matched, deleted, inserted = entries.split(plan)
        edge = SparseEdgeCost.of(pairs, charges, self.met)(matched)
        clique = clique_cost(pairs)
        total = loss.alpha * node + loss.beta * edge + loss.gamma * clique
        residual = honest_residual(total, transport.residual)
        total, node, edge, clique = (loss.reduce(x) for x in (total, node, edge, clique))
        return SparseLossResult(
            total, node, edge, clique, torch.stack([entries.predicted, entries.target]),
            matched, deleted, inserted,
            transport.iterations, residual, transport.converged & residual.isfinite(),
            self.truncation(transport, floor, charges), self.adjoint,
        )  # fmt: skip

    @property
    def edit(self) -> bool:
        """Whether edits are counted, not surprises."""
        return self.loss.criterion == "edit"

    @property
    def weight(self) -> float:
        """Cost of a step between positions, zero if either side has none."""
        placed = self.pairs.position is not None and self.pairs.target.position is not None
        return self.loss.position_weight if placed else 0.0

    @property
    def rounds(self) -> int:
        """Rounds that are made."""
        return self.loss.rounds if self.loss.beta else 0

    def align(self) -> tuple[SparseTransport, Floor]:
        """Transport by matching cost, then again with the edges at the last plan, (E19)."""
        loss, pairs, entries = self.loss, self.pairs, self.entries
        cost = entry_edits(pairs, entries, self.found, loss.prices)
        cost = cost.masked_fill(impossible(pairs, entries, self.found), inf)
        if self.weight:
            cost = cost + self.weight * entry_steps(pairs, entries)
        transport = self.solve(cost)
        none = torch.zeros_like(pairs.exists, dtype=torch.float64)
        if not self.rounds:
            return transport, Floor(1, self.weight, none)
        charges = edit_charges(pairs, loss.prices)
        edges, scale = SparseEdgeCost.of(pairs, charges, self.met), loss.beta / loss.alpha
        s, sum_of_steps, proximal = len(entries.predicted), cost, loss.update == "proximal"
        for _ in range(self.rounds):
            slope = scale * edges.slope(transport.plan[:s])
            step = cost + nn.functional.pad(slope, (0, len(cost) - s))
            sum_of_steps = sum_of_steps + step
            transport = transport.then(self.solve(sum_of_steps if proximal else step))
        slopes = self.rounds if proximal else 1
        drop = scale * slopes * slope_drop(pairs, charges)
        return transport, Floor(1 + self.rounds if proximal else 1, self.weight, drop)

    def solve(self, cost: Float[Tensor, " all"]) -> SparseTransport:
        """The plan for a cost."""
        loss = self.loss
        a, b = masses(self.pairs, self.entries, loss.slack)
        assert loss.gradient != "implicit"
        with in_words_of_graphs():
            return sparse_plan(
                self.entries.support, cost, a, b, temperature=self.eps, tolerance=loss.tolerance,
                max_iterations=loss.max_iterations, gradient=loss.gradient, adjoint=self.adjoint,
            )  # fmt: skip

    @torch.no_grad()
    def truncation(self, transport: SparseTransport, floor: Floor, charges: Charges) -> Truncation:
        """The certificate, (E32)."""
        loss, pairs = self.loss, self.pairs
        mass = outside_mass(pairs, self.entries, self.found, transport, self.eps, floor)
        n, m = pairs.layout.count, pairs.target.layout.count
        whole = torch.maximum(n, m) + loss.slack * torch.minimum(n, m)
        plan = torch.minimum((2 * whole * mass).sqrt(), 2.0 * whole)
        prices = loss.node_insertion, loss.node_deletion
        node, edge = loss_range(pairs, loss.criterion, charges, prices)
        change = plan / 2 * (loss.alpha * node + loss.beta * edge)
        change = torch.where(mass == 0, 0.0, change)
        unknown = torch.full_like(change, torch.inf)
        return Truncation(mass, self.eps * mass, plan, unknown if self.rounds else change)
