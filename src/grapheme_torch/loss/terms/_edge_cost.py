"""What edges cost before anything is aligned, (E17)-(E18) and (E26): relations, or a user's own."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import log_softmax, logsigmoid

from ..._check import refusal
from .._options import Prices
from ..batch._pairs import Pairs
from ._shaping import check_shaping, checked_weight, focused, smoothed, weighed


class Channels(NamedTuple):
    """A cost of aligning a candidate with a target edge: a sum of products, one a channel.

    Args:
        candidate: A factor of each candidate.
        target: A factor of each target edge.
    """

    candidate: Float[Tensor, "e channels"]
    target: Float[Tensor, "t channels"]


@dataclass(frozen=True)
class EdgeCosts:
    """What edges cost, before anything is aligned.

    Args:
        unaligned: Cost of each candidate that nothing is aligned with.
        aligned: Cost of each candidate aligned with relation `r`, from 1.
        unmatched: Cost of a target edge that no candidate takes; one number, or one a relation.
        certainty: Share of the squared error of its weight that a candidate answers for, (E26).
        products: What aligning a candidate with a target edge costs besides.
    """

    unaligned: Float[Tensor, " e"]
    aligned: Float[Tensor, "e relations"]
    unmatched: Float[Tensor, " relations"] | float
    certainty: Float[Tensor, " e"]
    products: Channels | None = None

    @property
    def gain(self) -> Float[Tensor, "e relations"]:
        """`K`, what aligning a target edge of relation `r` with a candidate adds."""
        return self.aligned - self.unaligned[:, None] - self.unmatched

    def constant(self, pairs: Pairs) -> Float[Tensor, " B"]:
        """The edge term of each pair when nothing is aligned."""
        t = pairs.target
        sums = self.unaligned.new_zeros(len(t.layout.count))
        sums = sums.index_add(0, pairs.graph, self.unaligned)
        if isinstance(self.unmatched, Tensor):
            each = self.unmatched.to(sums.dtype).index_select(0, t.relation - 1)
            return sums.index_add(0, t.graph, each)
        # A price times whole numbers would be single precision.
        return sums + self.unmatched * t.num_edges.to(sums.dtype)


class EdgeCost(nn.Module):
    """Edge costs of relations that exclude each other, and the base class of a user's own.

    A user's own defines `log_probability` (another distribution), `nll` (another cost of it),
    `changes` (another cost in edits) or `products` (features of edges). It may have parameters:
    they are the loss's, and learn with it.

    Args:
        weight: What a target edge of each relation counts, `[relations]`, relation 1 first: a
            factor of what its match and its absence cost.
        label_smoothing: Share of the cost that is the mean over "absent" and all relations.
        focal: Exponent of the focal loss [lin17]: the cost is multiplied by `(1 - q)^focal`.

    Raises:
        InputError: If a value is out of range.
    """

    attributes = False
    """Whether `products` reads `target.edge_attr`, a row for each edge."""

    several = False
    """Whether two nodes may be joined by several edges, of different relations."""

    weights: Tensor | None

    def __init__(
        self,
        weight: Float[Tensor, " relations"] | None = None,
        *,
        label_smoothing: float = 0.0,
        focal: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weights", checked_weight(weight, "relation"))
        check_shaping(label_smoothing, focal)
        self.label_smoothing, self.focal = label_smoothing, focal

    @property
    def plain(self) -> bool:
        """Whether this is the cost that the native kernel makes itself."""
        changed = self.weights is not None or self.label_smoothing or self.focal
        return type(self) is EdgeCost and not changed

    def num_relations(self, columns: int) -> int:
        """Relations, "absent" among them, that so many columns of `prediction.relation` tell."""
        return columns

    def log_probability(self, outputs: Float[Tensor, "e columns"]) -> Float[Tensor, "e relations"]:
        """Logarithms of the probability of "absent" (column 0) and of each relation."""
        return log_softmax(outputs, dim=1)

    def nll(self, log_q: Float[Tensor, "e relations"]) -> Float[Tensor, "e relations"]:
        """Cost in nats of "absent" (column 0) and of each relation; infinity where impossible."""
        return focused(smoothed(-log_q, self.label_smoothing), log_q, self.focal)

    def changes(
        self, absent: Float[Tensor, "e 1"], present: Float[Tensor, "e relations"], insertion: float
    ) -> Float[Tensor, "e relations"]:
        """Expected edits of a candidate that is aligned with each relation.

        Args:
            absent: Probability that the candidate is no edge.
            present: Probability of each relation.
            insertion: What inserting an edge costs.
        """
        return insertion * absent + (1 - absent - present)

    def products(self, pairs: Pairs) -> Channels | None:
        """What aligning a candidate with a target edge costs besides. Default: None."""
        del pairs
        return None

    def presence(self, pairs: Pairs) -> Float[Tensor, " e"]:
        """Probability that a candidate is an edge of any relation."""
        return -torch.expm1(pairs.relation[:, 0])

    def surprise(self, pairs: Pairs, prices: Prices) -> EdgeCosts:
        """`-log q` of the aligned relation, one for each edge left unmatched, (E17).

        What is impossible has no surprise, and is charged as an edit. A candidate takes no target
        edge of an impossible relation, which then counts as unmatched. A candidate that cannot be
        absent is deleted.
        """
        nats = self.nll(pairs.relation)
        impossible = nats.isposinf()
        unaligned = prices.edge_deletion * nats[:, 0].masked_fill(impossible[:, 0], 1)
        unmatched = self._unmatched(nats.shape[1] - 1, prices.edge_insertion)
        lost = unaligned[:, None] + unmatched
        aligned = torch.where(impossible[:, 1:], lost, weighed(nats[:, 1:], self.weights))
        certainty = 1 - impossible[:, 1:].all(1).to(nats.dtype)
        return EdgeCosts(unaligned, aligned, unmatched, certainty, self.products(pairs))

    def edits(self, pairs: Pairs, prices: Prices) -> EdgeCosts:
        """Expected insertions, deletions and changes of relation, (E18)."""
        absent, present = pairs.relation[:, :1].exp(), pairs.relation[:, 1:].exp()
        changes = self.changes(absent, present, prices.edge_insertion)
        aligned = weighed(changes, self.weights)
        there = 1 - absent[:, 0]
        unmatched = self._unmatched(aligned.shape[1], prices.edge_insertion)
        unaligned = prices.edge_deletion * there
        return EdgeCosts(unaligned, aligned, unmatched, there, self.products(pairs))

    def _unmatched(self, relations: int, insertion: float) -> Float[Tensor, " relations"] | float:
        """Cost of a target edge that no candidate takes."""
        if self.weights is None:
            return insertion
        if len(self.weights) != relations:
            remedy = 'Give one weight per relation, without "absent".'
            raise refusal("`weight`", f"hold {relations} numbers", len(self.weights), remedy)
        return self.weights * insertion


class SeveralRelations(EdgeCost):
    """Edge costs of relations that do not exclude each other: two nodes may have several.

    Column `r` of `prediction.relation`, minus column 0, is the logit of relation `r`: with one
    relation it is the same as `EdgeCost`. Targets may hold several edges of different types
    between two nodes.

    Args:
        weight, label_smoothing, focal: See `EdgeCost`; smoothing mixes "present" and "absent" of
            each relation.
    """

    several = True

    def log_probability(self, outputs: Float[Tensor, "e columns"]) -> Float[Tensor, "e relations"]:
        """Of no relation at all (column 0), and of each relation."""
        logit = outputs[:, 1:] - outputs[:, :1]
        return torch.cat([logsigmoid(-logit).sum(1, keepdim=True), logsigmoid(logit)], 1)

    def surprise(self, pairs: Pairs, prices: Prices) -> EdgeCosts:
        """Binary cross-entropy of each relation."""
        present, absent = self._nats(pairs)
        unmatched = self._unmatched(present.shape[1], prices.edge_insertion)
        deletion = prices.edge_deletion * absent
        unaligned = deletion.sum(1)
        # A candidate aligned with one relation still answers for the absence of the others.
        aligned = unaligned[:, None] - deletion + weighed(present, self.weights)
        certainty = torch.ones_like(unaligned)
        return EdgeCosts(unaligned, aligned, unmatched, certainty, self.products(pairs))

    def edits(self, pairs: Pairs, prices: Prices) -> EdgeCosts:
        """Expected insertions and deletions of each relation."""
        q = pairs.relation[:, 1:].exp()
        unmatched = self._unmatched(q.shape[1], prices.edge_insertion)
        deletion = prices.edge_deletion * q
        unaligned = deletion.sum(1)
        inserted = prices.edge_insertion * (1 - q)
        aligned = unaligned[:, None] - deletion + weighed(inserted, self.weights)
        there = self.presence(pairs)
        return EdgeCosts(unaligned, aligned, unmatched, there, self.products(pairs))

    def _nats(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Cost of each relation that is present, and that is absent."""
        outputs = pairs.edge_outputs
        logit = outputs[:, 1:] - outputs[:, :1]
        present, absent = -logsigmoid(logit), -logsigmoid(-logit)
        share, focal = self.label_smoothing, self.focal
        if share:
            present, absent = (
                (1 - share / 2) * present + share / 2 * absent,
                (1 - share / 2) * absent + share / 2 * present,
            )
        if focal:
            q = logit.sigmoid()
            present, absent = (1 - q) ** focal * present, q**focal * absent
        return present, absent


def squared_difference(candidate: Float[Tensor, "e d"], target: Float[Tensor, "t d"]) -> Channels:
    """Half the squared distance of the features of candidates and target edges, for `products`."""
    v, w = candidate, target.to(candidate.dtype)
    half = torch.full_like(v[:, :1], 0.5)
    left = torch.cat([v.square().sum(1, keepdim=True) / 2, -v, half], 1)
    right = [torch.ones_like(w[:, :1]), w, w.square().sum(1, keepdim=True)]
    return Channels(left, torch.cat(right, 1))


def gains(pairs: Pairs, costs: EdgeCosts) -> Float[Tensor, "e channels"]:
    """What aligning a candidate adds: with each relation, and with a pair that is ignored.

    The latter takes off what the candidate costs.
    """
    if pairs.target.ignored_edges is None:
        return costs.gain
    return torch.cat([costs.gain, -costs.unaligned[:, None]], 1)


def channel_of(pairs: Pairs, costs: EdgeCosts) -> Int[Tensor, " l"]:
    """The channel of `gains` of each edge of `target.laid`."""
    t = pairs.target
    if t.ignored_edges is None:
        return t.relation - 1
    ignored = torch.full_like(t.ignored_edges[0], costs.aligned.shape[1])
    return torch.cat([t.relation - 1, ignored])


def edge_channels(pairs: Pairs, costs: EdgeCosts) -> Channels:
    """What aligning adds: gains of candidates, and values of the edges of `target.laid`.

    A channel for each relation, and one for pairs that are ignored, if any. If edges have weights,
    three for `(v - w)^2 / 2`, (E26), a sum of products so that the term stays bilinear. Then those
    of the edge cost's own.
    """
    gain = gains(pairs, costs)
    kinds = torch.arange(gain.shape[1], device=gain.device)
    target = (channel_of(pairs, costs)[:, None] == kinds).to(gain.dtype)
    for more in (_weights(pairs, costs), costs.products):
        if more is not None:
            left, right = (x.to(gain.dtype) for x in more)
            # What is ignored has neither weight nor features.
            right = nn.functional.pad(right, (0, 0, 0, len(target) - len(right)))
            gain, target = torch.cat([gain, left], 1), torch.cat([target, right], 1)
    return Channels(gain, target)


def _weights(pairs: Pairs, costs: EdgeCosts) -> Channels | None:
    if pairs.weight is None or pairs.target.weight is None:
        return None
    v, w = pairs.weight, pairs.target.weight.to(costs.certainty.dtype)
    error = torch.stack([v.square() / 2, -v, torch.full_like(v, 0.5)], dim=1)
    right = torch.stack([torch.ones_like(w), w, w.square()], 1)
    return Channels(costs.certainty[:, None] * error, right)
