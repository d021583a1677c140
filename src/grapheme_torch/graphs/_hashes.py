"""Labels as numbers that a network without a vocabulary can read."""

import functools
import hashlib
import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

NUM_HASHES = 8
"""Hashes kept of each label as a whole; a `HashEmbedding` may use fewer."""

NUM_CODE_POINTS = 4
"""Code points of each label that are hashed on their own; a Hangul syllable has up to three."""


def hash_labels(labels: Sequence[str]) -> Tensor:
    """Hashes of each label in [0, 2^31), equal on every machine: `[n, 12]`.

    Eight independent ones of the label. Then one of each of its first four code points together
    with its place, after canonical decomposition (NFD); -1 where it has fewer.
    """
    rows = [_hash(label) for label in labels]
    return torch.tensor(rows, dtype=torch.long).reshape(-1, NUM_HASHES + NUM_CODE_POINTS)


@functools.lru_cache(maxsize=65_536)
def _hash(label: str) -> tuple[int, ...]:
    points = unicodedata.normalize("NFD", label)[:NUM_CODE_POINTS]
    placed = [_digest(f"{place}{point}", 1)[0] for place, point in enumerate(points)]
    absent = [-1] * (NUM_CODE_POINTS - len(placed))
    return (*_digest(label, NUM_HASHES), *placed, *absent)


def _digest(text: str, count: int) -> list[int]:
    digest = hashlib.blake2b(text.encode(), digest_size=4 * count).digest()
    return [int.from_bytes(digest[k : k + 4], "little") >> 1 for k in range(0, len(digest), 4)]
