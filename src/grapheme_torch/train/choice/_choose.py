"""The options of a run that nobody set, by the facts of its data: a pure function."""

from ._choice import Asked, Choices
from ._data_facts import Facts
from ._effort import effort_choices
from ._matching import matching_choices
from ._outputs import output_choices

TOPICS = (output_choices, matching_choices, effort_choices)
"""Each says what it would choose; no two speak of the same option."""


def choose(facts: Facts, asked: Asked) -> Choices:
    """What to set the options to that the user left open.

    Args:
        facts: What the data are like.
        asked: What the user set, by full name; left out of the result, and minded by the others.
    """
    chosen: Choices = {}
    for topic in TOPICS:
        chosen |= topic(facts, asked)
    return {name: choice for name, choice in chosen.items() if name not in asked}


CHOSEN = frozenset({
    "epochs", "batch_size", "bucket", "lr", "skip_larger", "gamma",
    "alignment.temperature", "alignment.rounds", "alignment.update", "alignment.gradient",
    "alignment.tolerance", "prices.unmatched_edges", "hints.position", "hints.neighbours",
    "hints.noise", "hints.restarts",
    "optimization.schedule", "optimization.warmup", "optimization.weight_decay",
    "optimization.clip", "optimization.ema_decay", "optimization.temperature_start",
    "optimization.position_start", "stopping.minutes", "stopping.keep", "stopping.val_every",
    "network.dim", "network.num_layers", "network.places", "network.ngrams",
    "network.slots.per_node", "network.slots.num_layers", "network.queries.number",
    "network.candidates.pairs", "network.candidates.window", "network.candidates.locality",
    "network.candidates.copy", "network.candidates.loops", "network.dropout.layers",
})  # fmt: skip
"""What may be chosen, by full name."""
