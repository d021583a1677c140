"""The similarity of two spectra, by its definition."""

import math
from collections.abc import Sequence

Peaks = Sequence[tuple[float, float]]
TOLERANCE = 0.02


def entropy(shares: Sequence[float]) -> float:
    return -sum(share * math.log(share) for share in shares if share > 0)


def weighted(peaks: Peaks) -> dict[float, float]:
    """Shares of the intensities; those of a spectrum of low entropy are made more even."""
    total = sum(intensity for _, intensity in peaks)
    shares = {mz: intensity / total for mz, intensity in peaks}
    bits = entropy([*shares.values()])
    if bits < 3:
        raised = {mz: share ** (0.25 + 0.25 * bits) for mz, share in shares.items()}
        shares = {mz: share / sum(raised.values()) for mz, share in raised.items()}
    return shares


def similarity(one: Peaks, other: Peaks) -> float:
    """By the definition: the entropy of the mixture against those of its halves."""
    left, right = weighted(one), weighted(other)
    mixture, unmatched = [], dict(right)
    for mz, share in left.items():
        match = next((key for key in unmatched if abs(key - mz) <= TOLERANCE), None)
        mixture.append((share + (0.0 if match is None else unmatched.pop(match))) / 2)
    mixture += [share / 2 for share in unmatched.values()]
    halves = entropy([*left.values()]) + entropy([*right.values()])
    return 1 - (2 * entropy(mixture) - halves) / math.log(4)
