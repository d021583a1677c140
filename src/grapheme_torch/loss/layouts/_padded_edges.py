"""The edge term of padded plans: what the soft alignment makes of the edges, (E15)-(E19).

Both criteria are, with `W_uv(r) = sum over target edges (i, j, r) of P_ui P_vj`,

    constant + sum_uv sum_r W_uv(r) K_uv(r),

the pairwise-product form of Gromov and Wasserstein: directed, labelled, bilinear in the plan.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..batch._layout import dense
from ..batch._pairs import Pairs
from ..terms._edge_cost import EdgeCosts, edge_channels


@dataclass(frozen=True)
class PaddedEdges:
    """The edge term as a function of the plan.

    Args:
        constant: Its value when nothing is aligned: every candidate is judged as absent, every
            target edge is inserted; one number a pair.
        gain: `K`, what aligning a target edge of channel `r` with candidate `(u, v)` adds.
        target: Value of each target edge in that channel, see `edge_channels`.
    """

    constant: Float[Tensor, " B"]
    gain: Float[Tensor, "B R N N"]
    target: Float[Tensor, "B R M M"]

    @classmethod
    def of(cls, pairs: Pairs, costs: EdgeCosts) -> "PaddedEdges":
        """The edge term with these costs."""
        t, (gain, target) = pairs.target, edge_channels(pairs, costs)
        graph, source, sink = t.laid
        ends = [(source, sink)] if pairs.directed else [(source, sink), (sink, source)]
        return cls(
            costs.constant(pairs),
            dense(gain, pairs.graph, [(pairs.source, pairs.sink)], pairs.layout),
            dense(target, graph, ends, t.layout, several=t.several),
        )

    def __call__(self, plan: Float[Tensor, "B N M"]) -> Float[Tensor, " B"]:
        """The expected cost of the edges under the plan (real nodes only), (E16)."""
        forward = (self.gain @ plan[:, None] @ self.target.mT).sum(1)
        return self.constant + (plan * forward).sum((1, 2))

    def gradient(self, plan: Float[Tensor, "B N M"]) -> Float[Tensor, "B N M"]:
        """`dE/dP`: both ends of an edge answer, so both sums appear, (E19)."""
        forward = self.gain @ plan[:, None] @ self.target.mT
        backward = self.gain.mT @ plan[:, None] @ self.target
        return (forward + backward).sum(1)
