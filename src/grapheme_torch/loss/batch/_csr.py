"""Lists of consecutive numbers, one for each key."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class Csr:
    """Lists of consecutive numbers, one for each key of a sorted tensor."""

    start: Int[Tensor, " keys"]
    count: Int[Tensor, " keys"]

    @classmethod
    def of(cls, keys: Int[Tensor, " k"], size: int) -> "Csr":
        """The places of each key, once they are sorted."""
        count = torch.bincount(keys, minlength=size)
        return cls(count.cumsum(0) - count, count)

    def spread(self, keys: Int[Tensor, " k"]) -> tuple[Int[Tensor, " l"], Int[Tensor, " l"]]:
        """The lists of some keys, one after the other: whose (as place in `keys`), and what."""
        count = self.count[keys]
        whose = torch.arange(len(keys), device=keys.device).repeat_interleave(count)
        offset = (self.start[keys] - (count.cumsum(0) - count))[whose]
        return whose, offset + torch.arange(len(whose), device=keys.device)
