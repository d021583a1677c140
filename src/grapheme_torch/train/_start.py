"""Where a run started, and how long it has run: what its summary tells of all of it."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn


class Start(pl.Callback):
    """The weights before the first step, kept along the checkpoints.

    Args:
        network: What is trained, as it is now.
    """

    def __init__(self, network: nn.Module) -> None:
        self._weights = _copied(network)
        self.earlier, self.seconds = 0.0, 0.0

    def distance(self, network: nn.Module) -> float:
        """L2 distance of the weights of a network from those before the first step."""
        pairs = zip(_copied(network), self._weights, strict=True)
        moved = [(now.double() - was.double()).flatten() for now, was in pairs]
        return float(torch.cat(moved).norm())

    def state_dict(self) -> dict[str, Any]:
        """The weights, and the seconds until now."""
        return {"weights": self._weights, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes those of the run that goes on."""
        self._weights, self.earlier = state_dict["weights"], state_dict["seconds"]


def _copied(network: nn.Module) -> list[Tensor]:
    return [p.detach().to("cpu", copy=True) for p in network.parameters()]
