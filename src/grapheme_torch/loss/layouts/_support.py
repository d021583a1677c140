"""Matches along a support: some nodes beside some others, (E29)-(E30)."""

from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ...ot import Adjoint, SparseTransport, sparse_plan
from .._options import Sinkhorn
from .._spec import Spec
from ..batch._masks import in_words_of_graphs
from ..batch._pairs import Pairs
from ..terms._edge_cost import EdgeCosts
from ..terms._node_cost import Classes, Compared
from ..terms._nodes import NodeTerms, steps, voids
from ..terms._own_cost import judged
from ..terms._scale import entry_scale
from ._entries import Entries
from ._support_edges import EdgePairs, SupportEdges, edge_pairs


class SupportSpace:
    """The matches of a batch as lists of entries: matches, deletions, insertions, corners.

    Args:
        pairs: The batch.
        spec: How it is compared.
        matches: Pairs of a predicted and a target node.
        adjoint: Where `backward` notes how well it solved its linear systems.
    """

    def __init__(self, pairs: Pairs, spec: Spec, matches: Tensor, adjoint: Adjoint) -> None:
        self.pairs, self.spec, self.adjoint = pairs, spec, adjoint
        self.entries = Entries.of(pairs, matches)

    def node_terms(self) -> NodeTerms:
        """How well nodes go together."""
        return self._terms

    @cached_property
    def _terms(self) -> NodeTerms:
        found, cost, pairs = self._compared(), self.spec.node_cost, self.pairs
        scale: Tensor | float = cost.scale or 1.0
        if cost.finds_scale and cost.scale is None and found.misfit is not None:
            # From the support: nothing else is ever compared.
            sides = pairs.layout.batch, pairs.target.layout.batch
            ends = self.entries.predicted, self.entries.target
            ignored = pairs.target.ignored
            each = entry_scale(found.misfit, ends, sides, pairs.num_pairs, ignored)
            scale = each[sides[0][ends[0]]]
        return NodeTerms(found.nll, found.agreement(scale))

    def _compared(self) -> Compared:
        cost, pairs, i, j = self.spec.node_cost, self.pairs, *self._ends
        if isinstance(cost, Classes) and cost.tabled:
            table, y = cost.table(pairs.outputs), pairs.target.y.index_select(0, j)
            known = y >= 0 if len(y) and int(y.min()) < 0 else None
            at = i * pairs.outputs.shape[1] + (y if known is None else y.clamp(min=0))
            nll = table.nll.flatten().index_select(0, at)
            assert table.misfit is not None
            same = table.misfit is table.nll
            misfit = nll if same else table.misfit.flatten().index_select(0, at)
            if known is not None:
                nll, misfit = nll.where(known, 0), misfit.where(known, 0)
            return Compared(nll, misfit)
        outputs, y = pairs.outputs.index_select(0, i), pairs.target.y.index_select(0, j)
        if cost.trusted:
            return cost.compare(outputs, y)

        def place(k: int) -> str:
            return f"predicted node {int(i[k])}, target node {int(j[k])} of the batch"

        return judged(cost, outputs, y, (len(i),), place)

    @property
    def _ends(self) -> tuple[Tensor, Tensor]:
        return self.entries.predicted, self.entries.target

    def nodes(self, x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """One number for each predicted node."""
        return x

    def rows(self, nodes: Float[Tensor, " n"]) -> Float[Tensor, " s"]:
        """The same of each match."""
        return nodes.index_select(0, self.entries.predicted)

    @cached_property
    def ignored(self) -> Bool[Tensor, " s"] | None:
        """Which matches are with a target node that is ignored, if any."""
        ignored = self.pairs.target.ignored
        return None if ignored is None else ignored[self.entries.target]

    def joined(
        self,
        matches: Float[Tensor, " s"],
        deletion: Float[Tensor, " n"],
        insertion: Float[Tensor, " m"] | float,
    ) -> Float[Tensor, " all"]:
        """Numbers of all entries; the corners are zero."""
        size, n = self.pairs.num_pairs, len(deletion)
        count = len(self.entries.support.row) - len(matches) - n - size
        if isinstance(insertion, Tensor):
            last = insertion.to(matches.dtype)
        else:
            last = matches.new_full((count,), insertion)
        return torch.cat([matches, deletion, last, matches.new_zeros(size)])

    def steps(self) -> Float[Tensor, " all"]:
        """Steps between the places of the nodes of each entry; the void has no place."""
        t, s, (i, j) = self.pairs.position, self.pairs.target.position, self._ends
        assert t is not None
        assert s is not None
        there = s.to(t.dtype).index_select(0, j)
        inner = steps(t.index_select(0, i), there)
        return self.joined(inner, inner.new_zeros(len(t)), 0.0)

    def inner(self, plan: Float[Tensor, " all"]) -> Float[Tensor, " s"]:
        """The part of a plan that matches nodes."""
        return plan[: len(self.entries.predicted)]

    def lifted(self, matches: Float[Tensor, " s"]) -> Float[Tensor, " all"]:
        """Numbers of matches, with zeros for the void."""
        return nn.functional.pad(matches, (0, len(self.entries.support.row) - len(matches)))

    def total(self, x: Float[Tensor, " all"]) -> Float[Tensor, " B"]:
        """The sum over the entries of each pair."""
        return self.entries.total(x)

    def edges(self, costs: EdgeCosts) -> SupportEdges:
        """The edge term as a function of the plan."""
        return SupportEdges.of(self.pairs, costs, self._edge_pairs)

    @cached_property
    def _edge_pairs(self) -> EdgePairs:
        return edge_pairs(self.pairs, self.entries)

    @cached_property
    def masses(self) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        """One for each node; the void takes what is left over, plus the slack, (E2)."""
        row, column = voids(self.pairs, self.spec.alignment.slack)
        n, m = len(self.pairs.layout.batch), len(self.pairs.target.layout.batch)
        ones = torch.ones(max(n, m), dtype=torch.float64, device=row.device)
        return torch.cat([ones[:n], row]), torch.cat([ones[:m], column])

    def transport(
        self, cost: Float[Tensor, " all"], temperature: float | Tensor
    ) -> SparseTransport:
        """The plan for a cost."""
        s, (a, b) = self.spec.alignment, self.masses
        assert isinstance(s, Sinkhorn)
        assert s.gradient != "implicit"
        with in_words_of_graphs():
            return sparse_plan(
                self.entries.support, cost, a, b, temperature=temperature, tolerance=s.tolerance,
                max_iterations=s.max_iterations, gradient=s.gradient, adjoint=self.adjoint,
            )  # fmt: skip
