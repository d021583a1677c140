"""The compared losses, each a module with the weights that it adds to the network's."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

import grapheme_torch as gt

from .pmfgw import PMFGW

HINTS = gt.Hints(position=0.0, neighbours=0.5, noise=0.003, restarts=2)
ROUNDS = gt.Sinkhorn(
    temperature=0.2, rounds=20, update="proximal", tolerance=1e-5, gradient="detach"
)
"""Enough of both for alignments to settle. `grapheme train` takes cheaper ones, and more steps."""

BETA = 0.5
"""Weight of the edges, the default."""

SCORED = gt.Sinkhorn(temperature=0.2, tolerance=1e-5)

Loss = Callable[[gt.Prediction, Batch], Tensor]


class Ours(nn.Module):
    """The total of a `StructuralLoss` without the clique term; as in PMFGW, slots that are to be
    empty may say anything of their edges.

    Args:
        alignment, hints, terms: Those of the loss.
        by_size: Whether each pair counts by a node of its target, as in PMFGW, and not by all.
    """

    def __init__(
        self,
        alignment: gt.Sinkhorn | gt.Learned,
        hints: gt.Hints,
        terms: Mapping[str, tuple[float, gt.Term]] | None = None,
        *,
        by_size: bool = False,
    ) -> None:
        super().__init__()
        self.by_size = by_size
        self.loss = gt.StructuralLoss(
            beta=BETA, gamma=0, directed=False, alignment=alignment, hints=hints,
            prices=gt.Prices(unmatched_edges=0), terms=terms, reduction="none",
        )  # fmt: skip

    def forward(self, prediction: gt.Prediction, target: Batch) -> Tensor:
        total: Tensor = self.loss(prediction, target).total
        if self.by_size:
            total = total / target.ptr.diff().clamp(min=1)
        return total.mean()


class Canonical(nn.Module):
    """The cross-entropy with slot `i` as node `i` of the target."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = gt.StructuralLoss(gamma=0, directed=False, hints=gt.Hints(position=0.0))

    def forward(self, prediction: gt.Prediction, target: Batch) -> Tensor:
        slots = len(prediction.existence) // prediction.num_graphs
        plan = identity(target.ptr.diff(), slots).to(prediction.existence)
        total: Tensor = self.loss(prediction, target, alignment=gt.Given(plan)).total
        return total


def identity(size: Tensor, slots: int) -> Float[Tensor, "B N1 M1"]:
    """Slot `i` is node `i` of a target of so many nodes; slots beyond are deleted."""
    most = int(size.max()) if len(size) else 0
    kept = torch.eye(slots, most)[None] * (torch.arange(most) < size[:, None])[:, None]
    plan = torch.zeros(len(size), slots + 1, most + 1)
    plan[:, :-1, :-1] = kept
    plan[:, :-1, -1] = 1 - kept.sum(2)
    return plan


def _rounds(alphabet: gt.Alphabet, dim: int) -> nn.Module:
    return Ours(ROUNDS, HINTS)


def _neighbours(alphabet: gt.Alphabet, dim: int) -> nn.Module:
    term = gt.NeighbourLabels(dim, len(alphabet.labels))
    return Ours(ROUNDS, HINTS, {"neighbours": (0.5, term)})


def _by_size(alphabet: gt.Alphabet, dim: int) -> nn.Module:
    term = gt.NeighbourLabels(dim, len(alphabet.labels))
    return Ours(ROUNDS, HINTS, {"neighbours": (1.0, term)}, by_size=True)


def _learned(alphabet: gt.Alphabet, dim: int) -> nn.Module:
    matcher = gt.GraphMatcher(len(alphabet.labels), max(len(alphabet.relations), 1), embedding=dim)
    return Ours(gt.Learned(matcher, SCORED), gt.Hints(position=0.0))


def _pmfgw(alphabet: gt.Alphabet, dim: int) -> nn.Module:
    return PMFGW(len(alphabet.labels), dim)


def _canonical(alphabet: gt.Alphabet, dim: int) -> nn.Module:
    return Canonical()


LOSSES: dict[str, Callable[[gt.Alphabet, int], nn.Module]] = {
    "StructuralLoss, rounds": _rounds,
    "StructuralLoss, neighbours": _neighbours,
    "StructuralLoss, learned": _learned,
    "PMFGW": _pmfgw,
    "canonical order": _canonical,
    # In no table: the weights of PMFGW, to see what they are worth.
    "StructuralLoss, by size": _by_size,
}
"""Each makes its module for the classes of a task and the size of a node's vector."""

COMPARED = tuple(name for name, make in LOSSES.items() if make is not _by_size)
"""Those of the tables."""
