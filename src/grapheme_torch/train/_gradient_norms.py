"""How long the gradient is, part by part of the network."""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn.utils import get_total_norm

_GROUPS = (
    (r"loss\.", "loss"),
    (r"network\.(embedding|edge_embedding|ngrams|features)\.", "embedding"),
    (r"network\.(slot_)?layers\.\d+\.message_passing\.", "message"),
    (r"network\.(slot_)?layers\.\d+\.attention\.", "attention"),
    (r"network\.(heads|slots|own)\.", "heads"),
)

Groups = Mapping[str, Sequence[nn.Parameter]]


def layer_group(name: str) -> str:
    """The part of a training module that a parameter belongs to.

    "embedding", "message", "attention" and "heads" of a `GraphTransformNet`, "loss", and else the
    name of the network's module that holds it.
    """
    for pattern, group in _GROUPS:
        if re.match(pattern, name):
            return group
    return name.removeprefix("network.").split(".")[0]


def layer_groups(module: nn.Module) -> Groups:
    """The trained parameters of a training module by part."""
    groups: dict[str, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(layer_group(name), []).append(parameter)
    return groups


def gradient_norms(groups: Groups) -> dict[str, Tensor]:
    """The L2 norm of the gradient of each part that has one."""
    slopes = {
        name: [parameter.grad for parameter in group if parameter.grad is not None]
        for name, group in groups.items()
    }
    return {name: get_total_norm(of_group) for name, of_group in slopes.items() if of_group}
