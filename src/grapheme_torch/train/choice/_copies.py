"""Which labels of a target its input has as well, in the same order."""

from collections.abc import Sequence
from typing import NamedTuple

LONGEST = 200
"""Nodes of a side that are looked at, at most: the work grows with the product."""


class Copies(NamedTuple):
    """What a target may have copied.

    Args:
        copied: Number of labels.
        moved: How far apart the first of them stands in the two; None if there is none.
    """

    copied: int
    moved: int | None


def copies(given: Sequence[str], wanted: Sequence[str]) -> Copies:
    """The longest common subsequence of labels, by dynamic programming."""
    given, wanted = given[:LONGEST], wanted[:LONGEST]
    longest = _lengths(given, wanted)
    i = j = 0
    while i < len(given) and j < len(wanted) and longest[i][j]:
        if given[i] == wanted[j]:
            return Copies(longest[0][0], abs(i - j))
        if longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return Copies(0, None)


def _lengths(given: Sequence[str], wanted: Sequence[str]) -> list[list[int]]:
    """Of the labels from `i` and from `j` on, the length of the longest common subsequence."""
    rows = [[0] * (len(wanted) + 1)]
    for label in reversed(given):
        below, row = rows[-1], [0]
        for j in range(len(wanted) - 1, -1, -1):
            same = label == wanted[j]
            row.append(below[j + 1] + 1 if same else max(below[j], row[-1]))
        rows.append(row[::-1])
    return rows[::-1]
