"""How many pairs are few, and how long to train on more."""

import math

from ._data_facts import Facts

FEW = 200
"""Pairs below which a run takes seconds, and the plain defaults learn them by heart."""

_EPOCHS = 1700
"""Divided by the square root of the number of pairs: the epochs of a run."""

_FOREIGN = 0.05
"""Share of copied labels below which inputs and targets are written in other letters."""

MOST_ALIKE = 0.8
"""Share of nodes that share their label, from which on only edges tell them apart."""

MOST_SLOTS = 8
"""Output nodes per input node that are chosen, at most: work grows with the square."""

_OUTPUTS = 128
"""Output nodes of a usual input, up to which few pairs get as many slots as they need."""


def most_slots(pairs: int, inputs: float) -> int:
    """Output nodes per input node that are chosen at most.

    Args:
        pairs: Number of pairs.
        inputs: Nodes of an input, on average.
    """
    return max(MOST_SLOTS, int(_OUTPUTS / max(inputs, 1))) if pairs < FEW else MOST_SLOTS


def has_few(facts: Facts) -> bool:
    """Whether there are so few pairs that a run is to learn them by heart."""
    return facts.pairs < FEW


def learns_by_labels(facts: Facts) -> bool:
    """Whether labels tell most nodes of a target apart, where places do not."""
    return not facts.placed and not facts.is_path and facts.repeats < MOST_ALIKE


def is_foreign(facts: Facts) -> bool:
    """Whether targets are written in other letters than inputs, so that words are learned."""
    return facts.is_path and facts.copied < _FOREIGN and not facts.sets


def epochs(facts: Facts) -> int:
    """Fewer for more pairs, but so that more of them are seen; half of it where that is enough."""
    soon = not has_few(facts) and (learns_by_labels(facts) or is_foreign(facts))
    share = 0.5 if soon else 1.0
    most = 200 if facts.sets else 100  # outputs that stand at no input are told apart slowly
    return max(2, min(most, round(share * _EPOCHS / math.sqrt(facts.pairs))))
