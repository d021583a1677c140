"""A sparse support of a batch of pairs, void included, and what its entries cost."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from torch import Tensor
from torch.nn.functional import log_softmax

from ..._check import Received, refusal, require
from ...ot import Support
from .._prices import Prices
from ..batch._pairs import Pairs
from ..terms._node_cost import Likeness, compared
from ..terms._scale import entry_scale

_LARGEST = 20_000
_WIDEN = "Widen it, or set `slack`: then the void takes more."


@dataclass(frozen=True)
class Entries:
    """The entries of a support: `s` matches, a deletion and an insertion for each node, corners.

    Args:
        predicted, target: Ends of each match, in the numbering of the batch; sorted by
            `predicted`, then by `target`.
        support: All entries as transport takes them. Rows are the predicted nodes and then the
            void of each pair, columns the target nodes and then the void of each pair.
    """

    predicted: Int[Tensor, " s"]
    target: Int[Tensor, " s"]
    support: Support

    @classmethod
    def of(cls, pairs: Pairs, matches: Tensor) -> "Entries":
        """The support with these matches, each at most once, of nodes of one pair."""
        n, m = len(pairs.layout.batch), len(pairs.target.layout.batch)
        _check_matches(pairs, matches, n, m)
        key = (matches[0] * m + matches[1]).sort().values
        remedy = "Remove duplicates: `support.unique(dim=1)`."
        twice = Received("the same pair twice")
        require(bool((key.diff() > 0).all()), "`support`", "hold each pair once", twice, remedy)
        predicted, target = key // max(m, 1), key % max(m, 1)
        left, right, size = pairs.layout.batch, pairs.target.layout.batch, len(pairs.layout.count)
        nodes = torch.arange(max(n, m), device=key.device)
        void = torch.arange(size, device=key.device)
        support = Support(
            row=torch.cat([predicted, nodes[:n], n + right, n + void]),
            column=torch.cat([target, m + left, nodes[:m], m + void]),
            row_pair=torch.cat([left, void]),
            column_pair=torch.cat([right, void]),
            num_pairs=size,
        )
        return cls(predicted, target, support)

    def split(self, x: Float[Tensor, " all"]) -> tuple[Tensor, Tensor, Tensor]:
        """Values of all entries as those of matches, deletions and insertions."""
        s, size = len(self.predicted), self.support.num_pairs
        n, m = len(self.support.row_pair) - size, len(self.support.column_pair) - size
        return x[:s], x[s : s + n], x[s + n : s + n + m]

    def total(self, x: Float[Tensor, " all"]) -> Float[Tensor, " B"]:
        """The sum over the entries of each pair."""
        return x.new_zeros(self.support.num_pairs).index_add(0, self.support.pair, x)


def window(pairs: Pairs, steps: float) -> Int[Tensor, "2 s"]:
    """All matches of nodes at most so many steps apart, (E29); positions of one coordinate."""
    t, s = pairs.position, pairs.target.position
    remedy = "Give positions on both sides, or a `support` of index pairs."
    if t is None or s is None:
        raise refusal("a window", "be one of positions", Received("no positions"), remedy)
    require(t.shape[1] == 1, "positions", "have one coordinate for a window", t.shape[1], remedy)
    order = in_order(pairs.target.layout.batch, s)
    lows, highs = windows(pairs, order, steps)
    count = highs - lows
    predicted = torch.arange(len(t), device=t.device).repeat_interleave(count)
    first = (lows - (count.cumsum(0) - count)).index_select(0, predicted)
    rank = first + torch.arange(len(predicted), device=t.device)
    return torch.stack([predicted, order.index_select(0, rank)])


def windows(
    pairs: Pairs, order: Int[Tensor, " m"], steps: float
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """First rank of the window of each predicted node, and the rank after its last."""
    assert pairs.position is not None
    assert pairs.target.position is not None
    t, s = pairs.position[:, 0].detach().double(), pairs.target.position[:, 0].double()
    # One number that orders by pair and then by position, exact: ranks among all values.
    ends = torch.cat([s, t - steps, t + steps])
    values, rank = ends.unique(return_inverse=True)
    m, n, many = len(s), len(t), len(values)
    left, right = pairs.layout.batch, pairs.target.layout.batch
    key = (right * many + rank[:m])[order]
    low = torch.searchsorted(key, left * many + rank[m : m + n])
    return low, torch.searchsorted(key, left * many + rank[m + n :], right=True)


def in_order(batch: Int[Tensor, " m"], position: Float[Tensor, "m 1"]) -> Int[Tensor, " m"]:
    """The nodes by pair, then by position."""
    order = position[:, 0].detach().argsort(stable=True)
    return order[batch[order].argsort(stable=True)]


def compare(pairs: Pairs, entries: Entries) -> Likeness:
    """Surprise and agreement of each match; axes: match."""
    i, j = entries.predicted, entries.target
    if pairs.node_cost == "labels":
        classes = pairs.outputs.shape[1]
        at = i * classes + pairs.target.y.index_select(0, j)
        log_p = log_softmax(pairs.outputs, dim=1).flatten().index_select(0, at)
        return Likeness(-log_p, log_p.exp())
    outputs, y = pairs.outputs.index_select(0, i), pairs.target.y.index_select(0, j)

    def place(k: int, *_: int) -> str:
        return f"predicted node {int(i[k])}, target node {int(j[k])} of the batch"

    each = compared(pairs.node_cost, outputs[:, None], y[:, None], place)
    surprise, misfit = each.surprise[:, 0, 0], each.misfit[:, 0, 0]
    sides = pairs.layout.batch, pairs.target.layout.batch
    if pairs.scale_is_found:  # from the support: nothing else is ever compared
        scale = entry_scale(misfit, (i, j), sides, entries.support.num_pairs)
    else:
        scale = pairs.scale
    return Likeness(surprise, (-misfit / scale[sides[0][i]]).exp())


def entry_edits(
    pairs: Pairs, entries: Entries, found: Likeness, prices: Prices
) -> Float[Tensor, " all"]:
    """Expected edits of each entry, (E1) without places."""
    exists = pairs.exists.exp()
    mismatch = 1 - exists.index_select(0, entries.predicted) * found.agreement
    return _joined(entries, mismatch, prices.node_deletion * exists, prices.node_insertion)


def entry_surprise(
    pairs: Pairs, entries: Entries, found: Likeness, prices: Prices
) -> Float[Tensor, " all"]:
    """Negative log-probability of each entry, (E13); what is impossible costs nothing."""
    cost, deletion = _unlikely(pairs, entries, found)
    cost = cost.masked_fill(cost.isposinf(), 0)
    deletion = prices.node_deletion * deletion.masked_fill(deletion.isposinf(), 0)
    return _joined(entries, cost, deletion, prices.node_insertion)


@torch.no_grad()
def impossible(pairs: Pairs, entries: Entries, found: Likeness) -> Bool[Tensor, " all"]:
    """Which entries have probability zero, not by rounding but by their logits."""
    return _joined(entries, *_unlikely(pairs, entries, found), 0.0).isposinf()


def _unlikely(
    pairs: Pairs, entries: Entries, found: Likeness
) -> tuple[Float[Tensor, " s"], Float[Tensor, " n"]]:
    """Negative log-probability of each match, and of each deletion."""
    return found.surprise - pairs.exists.index_select(0, entries.predicted), -pairs.absent


def entry_steps(pairs: Pairs, entries: Entries) -> Float[Tensor, " all"]:
    """Steps between the places of the nodes of each entry; the void has no place."""
    t, s = pairs.position, pairs.target.position
    assert t is not None
    assert s is not None
    there = s.to(t.dtype).index_select(0, entries.target)
    steps = (t.index_select(0, entries.predicted) - there).abs().sum(1)
    return _joined(entries, steps, steps.new_zeros(len(t)), 0.0)


def masses(
    pairs: Pairs, entries: Entries, slack: float
) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
    """One for each node; the void takes what is left over, plus the slack, (E2)."""
    n, m = pairs.layout.count, pairs.target.layout.count
    spare = torch.minimum(n, m).double() * slack
    ones = torch.ones(len(entries.support.row), dtype=torch.float64, device=n.device)
    a = torch.cat([ones[: int(n.sum())], (m - n).clamp(min=0) + spare])
    return a, torch.cat([ones[: int(m.sum())], (n - m).clamp(min=0) + spare])


def check_covered(pairs: Pairs, entries: Entries, slack: float) -> None:
    """Refuses a support that leaves more nodes alone than the void takes, (E29)."""
    n, m = pairs.layout.count, pairs.target.layout.count
    spare = slack * torch.minimum(n, m).double()
    sides = (
        ("predicted", pairs.layout, entries.predicted, (n - m).clamp(min=0) + spare),
        ("target", pairs.target.layout, entries.target, (m - n).clamp(min=0) + spare),
    )
    for side, layout, ends, void in sides:
        alone = torch.bincount(ends, minlength=len(layout.batch)) == 0
        count = torch.bincount(layout.batch[alone], minlength=len(n))
        short = (count > void + 1e-9).nonzero()[:, 0]
        if len(short):
            k = int(short[0])
            wanted = f"leave at most {float(void[k]):g} {side} nodes of pair {k} without a match"
            raise refusal("`support`", wanted, int(count[k]), _WIDEN)


def check_feasible(
    pairs: Pairs,
    entries: Entries,
    slack: float,
    doubtful: Bool[Tensor, " B"],
    never: Bool[Tensor, " all"],
) -> None:
    """Refuses a support on which the masses cannot be placed, (E29); looks at doubtful pairs.

    `never` are the entries that are impossible.

    Masses fit if enough nodes can be matched at once. The search for that many takes long where
    they cannot, so pairs of more than `_LARGEST` nodes are left to their residual.
    """
    n, m = pairs.layout.count, pairs.target.layout.count
    pair = entries.support.pair[: len(entries.predicted)]
    looked = (doubtful & (torch.maximum(n, m) <= _LARGEST)).nonzero()[:, 0].tolist()
    for k in looked:
        mine = (pair == k) & ~never[: len(pair)]
        row = pairs.layout.place[entries.predicted[mine]].cpu().numpy()
        column = pairs.target.layout.place[entries.target[mine]].cpu().numpy()
        graph = coo_array((row >= 0, (row, column)), shape=(int(n[k]), int(m[k]))).tocsr()
        matched = int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())
        least = min(int(n[k]), int(m[k])) * (1 - slack)
        wanted = f"let {least:g} nodes of pair {k} be matched at once"
        most = Received(f"at most {matched}")
        require(matched >= least - 1e-9, "`support`", wanted, most, _WIDEN)


def _check_matches(pairs: Pairs, matches: Tensor, n: int, m: int) -> None:
    ok = matches.ndim == 2 and len(matches) == 2 and not matches.is_floating_point()
    remedy = "Row 0 numbers predicted nodes of the batch, row 1 target nodes."
    wanted = "be integers of shape (2, entries)"
    require(ok, "`support`", wanted, Received(str(tuple(matches.shape))), remedy)
    if not matches.numel():
        return
    for side, size, values in (("predicted", n, matches[0]), ("target", m, matches[1])):
        inside = int(values.min()) >= 0 and int(values.max()) < size
        require(inside, "`support`", f"name {side} nodes in [0, {size})", values, remedy)
    same = pairs.layout.batch[matches[0]] == pairs.target.layout.batch[matches[1]]
    other = Received("an entry between two pairs")
    require(bool(same.all()), "`support`", "join nodes of the same pair", other, remedy)


def _joined(entries: Entries, matches: Tensor, deletion: Tensor, insertion: float) -> Tensor:
    size, n = entries.support.num_pairs, len(deletion)
    rest = matches.new_full((len(entries.support.row) - len(matches) - n - size,), insertion)
    return torch.cat([matches, deletion, rest, matches.new_zeros(size)])
