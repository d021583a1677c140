"""Training pairs made of parts of others, as a run asks for them."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from .._check import require
from ..data import PairFile
from ..recombination import recombined

_SLOW = 2.0
"""Seconds before a bar is shown, on a terminal."""


@dataclass(frozen=True, kw_only=True)
class Recombination:
    """Training pairs that are made of parts of the given ones, and trained on beside them.

    They help answers that are built as no training target is. See `recombine`.

    Args:
        number: How many to make. They need an "alignment", and sequences of words as inputs.
        max_nodes: Most input nodes of one. Default: three times those of the longest input.

    Raises:
        InputError: If a number is out of range.
    """

    number: int = 0
    max_nodes: int | None = None

    def __post_init__(self) -> None:
        remedy = "Try as many as there are training pairs."
        require(self.number >= 0, "`number`", "not be negative", self.number, remedy)
        fits = self.max_nodes is None or self.max_nodes >= 1
        remedy = "Leave it out for three times the longest input."
        require(fits, "`max_nodes`", "be at least 1", self.max_nodes, remedy)

    def records(self, pairs: PairFile, seed: int) -> Iterator[Mapping[str, Any]]:
        """New pairs made of those of a file, which are read into memory; a terminal sees a bar.

        Raises:
            InputError: If none of the pairs has a part that could be exchanged.
        """
        bar: Any = tqdm(
            total=self.number, desc="recombining", unit="pairs", dynamic_ncols=True, delay=_SLOW,
            disable=None, leave=False, file=sys.stderr,
        )  # fmt: skip
        with bar:
            for record in recombined(
                pairs, self.number, seed=seed, max_nodes=self.max_nodes, name=pairs.source
            ):
                bar.update()
                yield record
