"""A vector for the numbers of a node."""

import math
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..graphs import Moments, feature_width

WAVES = 16
"""Wavelengths at which each number is read."""

LONGEST, SHORTEST = 10.0, 1e-3
"""Wavelengths, in standard deviations. Masses of spectra spread over some 200 units and tell by
hundredths of one: they need the short ones, and whole ranges the long ones."""


class FeatureEmbedding(nn.Module):
    """Embeds the numbers of a node: `LayerNorm(W_2 silu(W_1 [z, sin(w z), cos(w z)]))`.

    `z` are the numbers less their mean over the training inputs, in standard deviations. The
    angular frequencies `w` belong to wavelengths from ten deviations to a thousandth of one, in a
    geometric sequence, as of positions in [vaswani17]. So values that differ by little can be told
    apart, and values that are far apart are still unlike.

    Args:
        dim: Size of the vector.
        count: Numbers of a node.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("deviation", torch.ones(count))
        self.read = nn.Sequential(
            nn.Linear(count * (1 + 2 * WAVES), dim), nn.SiLU(), nn.Linear(dim, dim),
            nn.LayerNorm(dim),  # beside the vector of a label, neither drowns the other
        )  # fmt: skip

    @property
    def is_measured(self) -> bool:
        """Whether mean and deviation are those of some data."""
        return bool(self.mean.any() or (self.deviation != 1).any())

    @torch.no_grad()
    def standardise(self, moments: Moments) -> None:
        """Takes mean and standard deviation over.

        Raises:
            InputError: If they are of no node, or of another count of numbers.
        """
        got, wanted = len(moments.mean), len(self.mean)
        remedy = "Give the inputs that the network is trained on."
        require(got == wanted, "the graphs", f"have {wanted} numbers a node", got, remedy)
        self.mean.copy_(moments.mean)
        self.deviation.copy_(moments.deviation)

    def forward(self, features: Float[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """The vectors of nodes with these numbers."""
        z = (features.to(self.mean.dtype) - self.mean) / self.deviation
        step = torch.arange(WAVES, device=z.device, dtype=z.dtype) / (WAVES - 1)
        rate = 2 * math.pi / LONGEST * (LONGEST / SHORTEST) ** step
        angle = (z[:, :, None] * rate).flatten(1)
        embedded: Tensor = self.read(torch.cat([z, angle.sin(), angle.cos()], 1))
        return embedded


def moments_of(graphs: Iterable[Data]) -> Moments:
    """Mean and standard deviation of the numbers of all nodes.

    Raises:
        InputError: If the numbers of a graph are none, or as many as no other graph has.
    """
    moments = Moments()
    for k, graph in enumerate(graphs):
        if graph.num_nodes:
            check_width(graph, len(moments.mean) if moments.count else None, f"`graphs[{k}]`")
        moments.add(graph)
    return moments


def check_width(graph: Data, wanted: int | None, name: str = "the graph") -> None:
    """Refuses a graph with more numbers a node than a network reads, or fewer; None: any.

    A graph without nodes has as many as is wanted.
    """
    got = feature_width(graph)
    if wanted is None or got == wanted or not (graph.num_nodes or got):
        return
    has = Received(f"{got}" if got else "none")
    if wanted:
        remedy = 'Give them to every node: "x": [...] in a file, `graph.features` in Python.'
        raise refusal(name, f"have {wanted} numbers a node, as the network reads", has, remedy)
    remedy = f"Make the network for them, `features={got}`, or remove them."
    raise refusal(name, "have no numbers on its nodes, as the network reads none", has, remedy)
