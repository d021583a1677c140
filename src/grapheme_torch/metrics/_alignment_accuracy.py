"""Whether a loss aligns target nodes with the places they come from."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data
from torchmetrics import Metric

from .._check import require
from .._tensors import described, has_numbers
from ..edits import Places, check_places, input_nodes, stable_colours
from ..graphs import check_data, count_nodes


class AlignmentAccuracy(Metric):
    """The share of target nodes whose predicted node stands at an input node they come from.

    The predicted node of a target node is the one that the plan of the loss gives most of its mass;
    it is wrong if most is inserted. Where a target node comes from several input nodes, as the atom
    `[NH4+]` from six characters, it may stand at any of them. Target nodes that an automorphism
    exchanges can stand for one another: a node is also right at the place of any node of the same
    colour (label and neighbourhood, refined until stable). Colours can be coarser than the orbits
    of the automorphisms, in graphs nearly as regular as a ring beside two smaller ones, and are
    then lenient. Nodes whose place is not known do not count.

    Args:
        slots: Output nodes per input node: output node `k` stands at input node `k // slots`.
        options: Those of every torchmetrics `Metric`, such as `dist_sync_on_step`.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    sums: Tensor

    def __init__(self, *, slots: int = 1, **options: Any) -> None:
        super().__init__(**options)
        whole = isinstance(slots, int) and not isinstance(slots, bool) and slots >= 1
        require(whole, "`slots`", "be a whole number from 1 on", slots, "Take the network's.")
        self.slots = slots
        self.add_state("sums", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(
        self,
        plans: Sequence[Float[Tensor, "_ _"]],
        alignments: Sequence[Places],
        targets: Sequence[Data],
    ) -> None:
        """Adds pairs of a prediction and a target.

        Args:
            plans: The plan of each pair, as `StructuralLossResult.plan`; the void is last.
            alignments: The places of the nodes of each target.
            targets: The target graphs, with labels.

        Raises:
            InputError: If a plan or an alignment is not one of its target.
        """
        _check_lists(plans, alignments, targets)
        for plan, places, target in zip(plans, alignments, targets, strict=True):
            check_data(target)
            size = count_nodes(target)
            fits = has_numbers(plan) and plan.is_floating_point() and plan.ndim == 2
            fits = fits and len(plan) > 0 and plan.shape[1] == size + 1
            remedy = "Take it from `StructuralLossResult.plan`."
            wanted = f"be a matrix of {size + 1} columns"
            require(fits, "a plan", wanted, described(plan), remedy)
            check_places("an alignment", places, size)
            right = _right(plan, places, target, self.slots)
            self.sums += self.sums.new_tensor([sum(right), len(right)])

    def compute(self) -> Tensor:
        """The share over all pairs so far; a share of nothing is 1."""
        right, known = self.sums
        return right / known if known else torch.ones_like(right)


def _check_lists(plans: Any, alignments: Any, targets: Any) -> None:
    """Refuses what is not three lists of one length."""
    given = {"plans": plans, "alignments": alignments, "targets": targets}
    for name, value in given.items():
        listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        require(listed, f"`{name}`", "be a list", value, "Give one entry per pair.")
    sizes = {name: len(value) for name, value in given.items()}
    same = len(set(sizes.values())) == 1
    require(same, "the lists", "have one entry per pair", sizes, "Give lists of equal length.")


def _right(plan: Tensor, places: Places, target: Data, slots: int) -> list[bool]:
    """Whether each node with a known place is right."""
    (colour,) = stable_colours([target])
    standing: dict[int, set[int]] = {}
    for node, place in enumerate(places):
        standing.setdefault(colour[node], set()).update(input_nodes(place))
    likely = plan.argmax(0).tolist()
    return [
        likely[node] < len(plan) - 1 and likely[node] // slots in standing[colour[node]]
        for node, place in enumerate(places)
        if place is not None
    ]
