"""Which class the label of an input node is."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor, nn

from .._check import require
from ..graphs import hash_labels
from ._embedding import label_keys

UNCOPIED = -1
"""In place of the class of a label that is never copied."""


class OwnLabel(nn.Module):
    """Looks hashed labels up among known ones.

    Args:
        labels: The labels that have a class, their place in the sequence.
        uncopied: Labels that are never copied, none of `labels`.

    Raises:
        InputError: If one of these is among `labels`.
    """

    keys: Tensor
    classes: Tensor

    def __init__(self, labels: Sequence[str], uncopied: Sequence[str] = ()) -> None:
        super().__init__()
        shared = sorted(set(uncopied) & set(labels))
        require(not shared, "`uncopied`", "be none of `labels`", shared, "Leave them out.")
        self.unknown = len(labels)
        names = [*labels, *uncopied]
        if torch.get_default_device().type == "meta":  # only shapes are asked: no label is hashed
            keys = classes = torch.empty(len(names), dtype=torch.long)
        else:
            keys, place = label_keys(hash_labels(names)).sort()
            classes = torch.where(place < len(labels), place, UNCOPIED)
        self.register_buffer("keys", keys, persistent=False)
        self.register_buffer("classes", classes, persistent=False)

    def forward(self, x: Int[Tensor, "n h"]) -> Int[Tensor, " n"]:
        """The class of each label given by its hashes; for unknown ones the number of classes.

        Those that are never copied have the class `UNCOPIED`.
        """
        unknown = torch.full_like(x[:, 0], self.unknown)
        if not len(self.keys):
            return unknown
        key = label_keys(x)
        place = torch.searchsorted(self.keys, key).clamp(max=len(self.keys) - 1)
        return torch.where(self.keys[place] == key, self.classes[place], unknown)
