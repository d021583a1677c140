"""How large the network is and how long it learns, by the number of pairs and their nodes."""

import math

from ._choice import Asked, Choice, Choices, together
from ._data_facts import Facts
from ._few_pairs import epochs, has_few, is_foreign
from ._outputs import queries_of

MINUTES = 24.0
"""Bound on a run whose epochs nobody set."""

_MEASURED = 1000
"""Pairs that a validation answers, at most."""

_STEPS = 1000
"""Steps that a run has at least: batches get smaller for it."""

_SMALLEST = 16
"""Pairs of the smallest batch."""

_NGRAMS = 7
"""Letters of the longest run."""

_DROPOUT = {
    "path": ((60_000, 0.35), (150_000, 0.1)),
    "graph": ((10_000, 0.2), (60_000, 0.1)),
}
"""Below how many target nodes in all how much is dropped: the fewer, the sooner known by heart."""


def effort_choices(facts: Facts, asked: Asked) -> Choices:
    """Epochs, steps, learning rate, size and dropout."""
    count = f"{facts.pairs:,} pairs"
    chosen = {"epochs": Choice(epochs(facts), count)}
    if has_few(facts):
        few = f"only {count}, to be learned by heart"
        return chosen | together(few, lr=3e-3, batch_size=32, bucket=1)
    if "epochs" not in asked:
        chosen |= together("a bound on what nobody set the epochs of", stopping__minutes=MINUTES)
    chosen |= together(
        count, lr=2e-3, batch_size=_batch(facts), bucket=20, optimization__schedule="cosine",
        optimization__warmup=0.02, optimization__weight_decay=0.01, optimization__clip=1.0,
        network__dim=96, network__num_layers=3 if facts.is_path else 4,
    )  # fmt: skip
    if queries_of(facts, asked):
        why = "the work is done at the output nodes"
        chosen |= together(why, network__num_layers=2, network__queries__num_layers=4)
    chosen |= together("the learning rate ends at zero", stopping__keep="last")
    return chosen | _ngrams(facts) | _dropout(facts, asked) | _validation(facts)


def _batch(facts: Facts) -> int:
    """Smaller for larger graphs, and where there would be few steps."""
    size = 64 if facts.is_path and facts.slots * facts.inputs <= 20 else 32
    while size > _SMALLEST and epochs(facts) * facts.pairs < _STEPS * size:
        size //= 2
    return size


def _steps(facts: Facts, asked: Asked) -> float:
    """Of the whole run."""
    rounds, size = asked.get("epochs", epochs(facts)), asked.get("batch_size", _batch(facts))
    return max(rounds, 1) * facts.pairs / size


def _ngrams(facts: Facts) -> Choices:
    """Runs of letters have vectors of their own where words have to be known by heart."""
    if not is_foreign(facts):
        return {}
    return together("targets are written in other letters than inputs", network__ngrams=_NGRAMS)


def _dropout(facts: Facts, asked: Asked) -> Choices:
    nodes = facts.pairs * facts.targets
    rows = _DROPOUT["path" if facts.is_path else "graph"]
    share = next((share for bound, share in rows if nodes < bound), 0.0)
    chosen = together(f"{nodes:,.0f} target nodes in all", network__dropout__layers=share)
    if share >= 0.2:
        # Over a fifth of the steps at most, or it would keep the first weights.
        decay = round(min(0.998, max(0.0, 1 - 5 / _steps(facts, asked))), 3)
        chosen |= together(
            "a mean of the weights, as so much is dropped", optimization__ema_decay=decay
        )
    return chosen


def _validation(facts: Facts) -> Choices:
    """So seldom that it takes about a tenth of the time."""
    measured = min(facts.val_pairs, _MEASURED)
    every = max(1, math.ceil(10 * measured / facts.pairs))
    return together(f"{measured:,} pairs are answered each time", stopping__val_every=every)
