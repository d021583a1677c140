"""Which class the label of an input node is."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor, nn

from ..graphs import hash_labels
from ._embedding import label_keys


class OwnLabel(nn.Module):
    """Looks hashed labels up among known ones.

    Args:
        labels: The labels that have a class, their place in the sequence.
    """

    keys: Tensor
    classes: Tensor

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        if torch.get_default_device().type == "meta":  # only shapes are asked: no label is hashed
            keys = classes = torch.empty(len(labels), dtype=torch.long)
        else:
            keys, classes = label_keys(hash_labels(labels)).sort()
        self.register_buffer("keys", keys, persistent=False)
        self.register_buffer("classes", classes, persistent=False)

    def forward(self, x: Int[Tensor, "n h"]) -> Int[Tensor, " n"]:
        """The class of each label given by its hashes; where it is unknown, their number."""
        unknown = torch.full_like(x[:, 0], len(self.keys))
        if not len(self.keys):
            return unknown
        key = label_keys(x)
        place = torch.searchsorted(self.keys, key).clamp(max=len(self.keys) - 1)
        return torch.where(self.keys[place] == key, self.classes[place], unknown)
