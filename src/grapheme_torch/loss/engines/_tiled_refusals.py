"""What tiles cannot do, refused."""

import torch

from ..._check import Received, refusal, require
from .._spec import Spec
from ..batch._pairs import Pairs

_REMEDY = "Use matches=Dense() or a window, or a large finite logit."


def check_tiled(pairs: Pairs, spec: Spec) -> None:
    """Refuses impossible matches (tiles hold no infinite cost) and costs that learn."""
    wanted = "hold no logit of plus or minus infinity"
    never = (pairs.exists.isneginf() | pairs.absent.isneginf()).nonzero()[:, 0]
    if len(never):
        node = Received(f"one at node {int(never[0])}")
        raise refusal("`prediction.existence`", wanted, node, _REMEDY)
    if spec.node_cost.by_class and len(pairs.target.y):
        classes = pairs.target.y.unique()
        never = pairs.outputs[:, classes[classes >= 0]].isneginf().any(1).nonzero()[:, 0]
        if len(never):
            node = Received(f"one at node {int(never[0])}, of a class that a target has")
            raise refusal("`prediction.label`", wanted, node, _REMEDY)
    _check_fixed(pairs, spec)


def _check_fixed(pairs: Pairs, spec: Spec) -> None:
    """Refuses a node cost that learns: tiles are differentiated in nodes alone."""
    outputs, y = pairs.outputs[:1].detach(), pairs.target.y[:1].detach()
    if spec.node_cost.trusted or not torch.is_grad_enabled() or not (len(outputs) and len(y)):
        return
    learns = spec.node_cost.compare(outputs, y).nll.requires_grad
    wanted, got = "have no parameter of its own that learns", Received("one that does")
    remedy = "Freeze it (`requires_grad_(False)`), or use matches=Dense()."
    require(not learns, "`node_cost`", wanted, got, remedy)
