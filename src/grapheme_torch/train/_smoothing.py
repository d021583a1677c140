"""Label smoothing of the steps of a run, which its loss has none of."""

from .._check import refusal
from ..loss import Classes, StructuralLoss


def smoothed(loss: StructuralLoss, label_smoothing: float) -> StructuralLoss:
    """The loss with this share of label smoothing in the classes of its nodes.

    Raises:
        InputError: If its nodes are not compared by `Classes`.
    """
    cost = loss.node_cost
    if type(cost) is not Classes:
        wanted = "be 0 where nodes are not compared by `Classes`"
        remedy = "Leave it at 0, and smooth in a node cost of your own."
        raise refusal("`label_smoothing`", wanted, label_smoothing, remedy)
    found = Classes(
        cost.weights, label_smoothing=label_smoothing, focal=cost.focal,
        ignore_index=cost.ignore_index,
    )  # fmt: skip
    return loss.replace(node_cost=found)
