"""What every loss of large graphs asks of the `StructuralLoss` it wraps."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..prediction import Prediction
from ._settings import check_settings, check_size, check_temperature
from ._structural import StructuralLoss
from .batch._pairs import Pairs, pair_up


def check_wrapped(loss: StructuralLoss | None) -> StructuralLoss:
    """The loss to wrap, or the default one; refuses settings that need the whole plan."""
    loss = StructuralLoss() if loss is None else loss
    remedy = 'Second derivatives need the dense loss; take "exact".'
    known = loss.gradient != "implicit"
    require(known, "`loss.gradient`", "not be implicit", loss.gradient, remedy)
    for name in ("neighbour_weight", "tie_noise"):
        value = getattr(loss, name)
        remedy = "They compare all nodes with all: only the dense loss has them."
        require(value == 0, f"`loss.{name}`", "be 0", value, remedy)
    require(loss.temperature > 0, "`loss.temperature`", "be positive", loss.temperature, "0.1?")
    return loss


def read_for(loss: StructuralLoss, prediction: Prediction, target: Data) -> Pairs:
    """A batch, checked and laid out as the wrapped loss compares it, with all its places."""
    check_settings(check_wrapped(loss))
    pairs = pair_up(
        prediction, target, node_cost=loss.node_cost, node_scale=loss.node_scale,
        directed=loss.directed,
    )  # fmt: skip
    check_size(loss, len(pairs.layout.count))
    return pairs


def temperatures(
    loss: StructuralLoss, temperature: float | Tensor | None, pairs: Pairs
) -> Float[Tensor, " B"]:
    """The temperature of each pair: the given one, or the loss's own."""
    given = loss.temperature if temperature is None else temperature
    check_temperature(given)
    eps = torch.as_tensor(given, dtype=torch.float64, device=pairs.exists.device).reshape(-1)
    size = len(pairs.layout.count)
    wanted = f"be one number, or one per pair ({size})"
    require(len(eps) in (1, size), "`temperature`", wanted, len(eps), "Try 0.1.")
    if not bool((eps > 0).all()):
        raise refusal("`temperature`", "be positive", Received(str(eps.tolist())), "Try 0.1.")
    return eps.detach().expand(size)
