"""The entries of a sparse plan of a batch: matches, deletions and insertions."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..._check import Received, refusal, require
from ...ot import Support
from ..batch._pairs import Pairs

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
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

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
