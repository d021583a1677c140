"""The loss with every match allowed: the engine is chosen, and the first cost found, here."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from ..prediction import Prediction
from ._first_cost import first_cost
from ._given import steering
from ._learned_cost import with_scores
from ._spec import Spec
from .batch._masks import masked
from .batch._pairs import Pairs
from .engines import _composed_engine, _native_engine
from .layouts._padded import Padded

Aligned = tuple[Mapping[str, Tensor], Any]
"""Terms of each pair, and the alignment with its evidence."""


def dense(
    pairs: Pairs,
    prediction: Prediction,
    spec: Spec,
    temperature: float | Tensor,
    start: Tensor | None,
    match_cost: Tensor | None,
) -> tuple[Pairs, Aligned]:
    """Terms and alignment of a batch; and the batch as it was compared.

    Args:
        pairs: The batch.
        prediction: The logits it was made of.
        spec: How it is compared.
        temperature: One number, or one per pair.
        start, match_cost: See `StructuralLoss.forward`.

    Raises:
        InputError: If no plan can be.
    """
    if start is None and match_cost is None:
        found = _native(Padded(pairs, spec), temperature)
        if found is not None:
            return pairs, found
    space = Padded(masked(pairs, prediction, spec), spec)
    given = steering(space, start, match_cost)
    if spec.learned is not None:
        given = with_scores(space, spec.learned, given)
    compose = partial(_composed_engine.run, space, temperature)
    if start is None and spec.solver is not None:
        extra = first_cost(space, lambda x: spec.weighted(compose(given.beside(first_cost=x))[0]))
        given = given.beside(first_cost=extra)
    return space.pairs, compose(given)


def _native(space: Padded, temperature: float | Tensor) -> Aligned | None:
    """Terms and alignment by the native kernel; None where it does not serve."""
    spec = space.spec
    if not _native_engine.serves(space.pairs, spec, temperature):
        return None

    def compose(other: Padded, extra: Tensor | None) -> tuple[Mapping[str, Tensor], Tensor]:
        given = steering(other)
        terms, found = _composed_engine.run(other, temperature, replace(given, first_cost=extra))
        return terms, found.plan

    try:
        extra = first_cost(
            space, lambda x: _native_engine.run(space, temperature, x, compose)[0]["total"]
        )
        return _native_engine.run(space, temperature, extra, compose)
    except OverflowError:  # a number is not finite: the program says what that means
        return None
