"""The order of the training pairs, which a run that goes on takes up where it was."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch.utils.data import Sampler


class Order(Sampler[list[int]]):
    """Batches as another sampler draws them, which can begin within a pass.

    Not the state of Lightning's loaders: it asks each loader how far it is, which one that reads
    ahead does not know.

    Args:
        drawn: Draws the batches of a pass before it gives the first of them.
        generator: What it draws with.
    """

    def __init__(self, drawn: Any, generator: torch.Generator) -> None:
        self._drawn, self._generator = drawn, generator
        self._began, self._skip = generator.get_state(), 0

    def __len__(self) -> int:
        """Number of batches in a pass."""
        return len(self._drawn)

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of a pass; of the first one, those that are left."""
        skip, self._skip = self._skip, 0
        self._began = self._generator.get_state()
        yield from islice(iter(self._drawn), skip, None)

    def state_dict(self, taken: int) -> dict[str, Any]:
        """Where the order stands after so many batches of a pass."""
        if taken >= len(self):
            return {"generator": self._generator.get_state(), "taken": 0}
        return {"generator": self._began, "taken": taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Begins the next pass where the state says."""
        self._generator.set_state(state["generator"])
        self._skip = int(state["taken"])
