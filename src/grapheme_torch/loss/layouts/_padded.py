"""Matches as padded matrices: every predicted node beside every target node of its pair."""

from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ...ot import Transport, exact_plan, transport_plan
from .._spec import Spec
from ..batch._layout import Layout
from ..batch._masks import in_words_of_graphs
from ..batch._pairs import Pairs
from ..terms._edge_cost import EdgeCosts
from ..terms._node_cost import Classes, Compared, NodeCost
from ..terms._nodes import NodeTerms, steps, voids
from ..terms._own_cost import judged
from ..terms._scale import found_scale
from ._padded_edges import PaddedEdges


class Padded:
    """The matches of a batch as `[B, N + 1, M + 1]`, the void last.

    Args:
        pairs: The batch.
        spec: How it is compared.
        known: What is known of the matches, if it is known before it is asked for.
    """

    def __init__(self, pairs: Pairs, spec: Spec, known: NodeTerms | None = None) -> None:
        self.pairs, self.spec = pairs, spec
        if known is not None:
            self._terms = known

    def node_terms(self) -> NodeTerms:
        """How well nodes go together."""
        return self._terms

    @cached_property
    def _terms(self) -> NodeTerms:
        found = self.compared
        return NodeTerms(found.nll, found.agreement(self.scale[:, None, None]))

    @cached_property
    def compared(self) -> Compared:
        """What nodes cost each other."""
        return compared(self.spec.node_cost, self.pairs)

    @cached_property
    def scale(self) -> Float[Tensor, " B"]:
        """The cost at which nodes of each pair agree to 1/e; constant."""
        cost, pairs = self.spec.node_cost, self.pairs
        if cost.scale is not None or not cost.finds_scale or not self._misfits:
            return pairs.outputs.new_full((pairs.num_pairs,), cost.scale or 1.0)
        real = pairs.layout.mask[:, :, None] & pairs.target.layout.mask[:, None]
        if self.ignored is not None:
            real = real & ~self.ignored
        with torch.no_grad():
            return found_scale(self._misfit(), real)

    @property
    def _misfits(self) -> bool:
        return self.spec.node_cost.native == "features" or self.compared.misfit is not None

    def _misfit(self) -> Float[Tensor, "B N M"]:
        pairs = self.pairs
        if self.spec.node_cost.native != "features":
            assert self.compared.misfit is not None
            return self.compared.misfit
        # The native kernel needs nothing else of them: not `B N M d` numbers.
        outputs, y = pairs.layout.pad(pairs.outputs), pairs.target.layout.pad(pairs.target.y)
        way = "donot_use_mm_for_euclid_dist"  # which loses what is close
        return torch.cdist(outputs, y.to(outputs.dtype), compute_mode=way).square() / 2

    def nodes(self, x: Float[Tensor, " n"]) -> Float[Tensor, "B N"]:
        """One number for each predicted node, padded."""
        return self.pairs.layout.pad(x)

    def rows(self, nodes: Float[Tensor, "B N"]) -> Float[Tensor, "B N 1"]:
        """The same beside every target node."""
        return nodes[:, :, None]

    @cached_property
    def ignored(self) -> Bool[Tensor, "B 1 M"] | None:
        """Which target nodes are ignored, if any."""
        target = self.pairs.target
        return None if target.ignored is None else target.layout.pad(target.ignored)[:, None]

    def joined(
        self,
        matches: Float[Tensor, "B N M"],
        deletion: Float[Tensor, "B N"],
        insertion: Float[Tensor, " m"] | float,
    ) -> Float[Tensor, "B N1 M1"]:
        """A matrix of matches with the void appended on both sides; the corner is zero."""
        wide = torch.cat([matches, deletion[:, :, None]], dim=2)
        if isinstance(insertion, Tensor):
            last = self.pairs.target.layout.pad(insertion.to(matches.dtype))
            last = torch.cat([last, last.new_zeros(len(last), 1)], 1)[:, None]
            return torch.cat([wide, last], dim=1)
        last = torch.cat([matches.new_full((matches.shape[2],), insertion), matches.new_zeros(1)])
        return torch.cat([wide, last.expand(len(matches), 1, -1)], dim=1)

    def steps(self) -> Float[Tensor, "B N1 M1"]:
        """Steps between the positions of two nodes; the void has none."""
        pairs = self.pairs
        assert pairs.position is not None
        assert pairs.target.position is not None
        t = pairs.layout.pad(pairs.position)
        s = pairs.target.layout.pad(pairs.target.position.to(t.dtype))
        inner = steps(t[:, :, None], s[:, None, :])
        return self.joined(inner, inner.new_zeros(inner.shape[:2]), 0.0)

    def inner(self, plan: Float[Tensor, "B N1 M1"]) -> Float[Tensor, "B N M"]:
        """The part of a plan that matches nodes."""
        return plan[:, :-1, :-1]

    def lifted(self, matches: Float[Tensor, "*k N M"]) -> Float[Tensor, "*k N1 M1"]:
        """Numbers of matches, with zeros for the void."""
        return nn.functional.pad(matches, (0, 1, 0, 1))

    def total(self, x: Float[Tensor, "B N1 M1"]) -> Float[Tensor, " B"]:
        """The sum over the entries of each pair."""
        return x.sum((1, 2))

    def edges(self, costs: EdgeCosts) -> PaddedEdges:
        """The edge term as a function of the plan."""
        return PaddedEdges.of(self.pairs, costs)

    @cached_property
    def masses(self) -> tuple[Float[Tensor, "B N1"], Float[Tensor, "B M1"]]:
        """One for each node; the void takes what is left over, plus the slack, (E2)."""
        pairs, (row, column) = self.pairs, voids(self.pairs, self.spec.alignment.slack)
        a = torch.cat([pairs.layout.mask, row[:, None]], dim=1)
        b = torch.cat([pairs.target.layout.mask, column[:, None]], dim=1)
        return a.double(), b.double()

    def transport(self, cost: Float[Tensor, "B N1 M1"], temperature: float | Tensor) -> Transport:
        """The plan for a cost."""
        s, (a, b) = self.spec.solver, self.masses
        assert s is not None
        with in_words_of_graphs():
            if not isinstance(temperature, Tensor) and temperature == 0:
                return Transport.given(exact_plan(cost, a, b))
            return transport_plan(
                cost, a, b, temperature=temperature, tolerance=s.tolerance,
                max_iterations=s.max_iterations, gradient=s.gradient,
            )  # fmt: skip


def compared(cost: NodeCost, pairs: Pairs) -> Compared:
    """What all predicted and target nodes cost each other, `[B, N, M]`."""
    left, right = pairs.layout, pairs.target.layout
    if isinstance(cost, Classes) and cost.tabled:
        table = cost.table(left.pad(pairs.outputs))
        return by_class(cost, table, right.pad(pairs.target.y))
    if cost.trusted:
        outputs, y = left.pad(pairs.outputs)[:, :, None], right.pad(pairs.target.y)[:, None]
        return cost.compare(outputs, y)
    return _own(cost, pairs)


def by_class(cost: Classes, table: Compared, y: Int[Tensor, "B M"]) -> Compared:
    """Costs of classes from those of every class."""
    nll = cost.look_up(table.nll, y, 0.0)
    assert table.misfit is not None  # classes agree by their probability
    same = table.misfit is table.nll
    return Compared(nll, nll if same else cost.look_up(table.misfit, y, 0.0))


def _own(cost: NodeCost, pairs: Pairs) -> Compared:
    """The costs of a user's own; zero in the padding.

    It sees the pairs that have nodes on both sides. Padding repeats the last node of the side, so
    that whatever is fine for all nodes is fine there.
    """
    left, right = pairs.layout, pairs.target.layout
    some = ((left.count > 0) & (right.count > 0)).nonzero()[:, 0]
    out = pairs.outputs.new_zeros(pairs.num_pairs, left.width, right.width)
    if not len(some):
        return Compared(out, out)
    outputs, y = _repeated(left, pairs.outputs, some), _repeated(right, pairs.target.y, some)
    real: Bool[Tensor, "b N M"] = left.mask[some][:, :, None] & right.mask[some][:, None]

    def place(k: int) -> str:
        b, rest = divmod(k, left.width * right.width)
        i, j = divmod(rest, right.width)
        return f"pair {int(some[b])}, predicted node {i}, target node {j}"

    shape = (len(some), left.width, right.width)
    found = judged(cost, outputs[:, :, None], y[:, None], shape, place, real)

    def whole(value: Tensor) -> Tensor:
        return out.to(value.dtype).index_put((some,), value)

    nll, misfit, match = whole(found.nll), found.misfit, found.match
    if misfit is not None:
        misfit = nll if misfit is found.nll else whole(misfit)
    return Compared(nll, misfit, None if match is None else whole(match))


def _repeated(layout: Layout, values: Tensor, pairs: Tensor) -> Tensor:
    """The values of the nodes of some pairs in padded form, the last repeated."""
    count = layout.count[pairs]
    first = (layout.count.cumsum(0) - layout.count)[pairs]
    place = torch.arange(layout.width, device=count.device)
    return values[first[:, None] + torch.minimum(place, count[:, None] - 1)]
