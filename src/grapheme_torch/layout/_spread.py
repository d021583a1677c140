"""Nodes that stand too close are moved apart."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

_LARGEST = 2.2
"""Length of an edge, at most, to which a drawing is enlarged so that no two nodes touch."""

_ROUNDS = 60


def spread(
    places: Float[np.ndarray, "n 2"], edges: Sequence[tuple[int, int]]
) -> Float[np.ndarray, "n 2"]:
    """The drawing enlarged until no two nodes are closer than 1; what still is, is pushed apart.

    Args:
        places: Of at least two nodes.
        edges: Numbers of the nodes that are joined.
    """
    n = len(places)
    places = places + 1e-6 * np.stack([np.arange(n), np.arange(n) ** 2 % 7], 1)  # none the same
    ends = np.array(edges, dtype=int).reshape(-1, 2)
    lengths = np.linalg.norm(places[ends[:, 0]] - places[ends[:, 1]], axis=1)
    usual = float(np.median(lengths)) if len(lengths) else 1.0
    gaps = _gaps(places)
    scale = min(1 / float(gaps.min()), _LARGEST / max(usual, 1e-9))
    places = places * max(scale, 1.2 / max(usual, 1e-9))
    for _ in range(_ROUNDS):
        gaps = _gaps(places)
        if gaps.min() >= 0.999:
            break
        lack = np.where(gaps < 1, (1 - gaps) / 2 + 0.01, 0.0)
        away = (places[:, None] - places[None]) / gaps.clip(1e-9)[:, :, None]
        away[~np.isfinite(away)] = 0
        places = places + (lack[:, :, None] * away).sum(1)
    return places


def _gaps(places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n n"]:
    """Distances of all nodes; infinite from itself."""
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    return gaps
