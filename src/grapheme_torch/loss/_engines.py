"""The loss with every match allowed: the engine is chosen, and the first cost found, here."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor

from ..prediction import Prediction
from ._first_cost import first_cost
from ._given import steering
from ._learned_cost import with_scores
from ._program import Steering
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
    compose = partial(_composed_engine.run, space, temperature)
    if start is None:
        given = _first(space, given, lambda x: spec.weighted(compose(x)[0]))
    elif spec.learned is not None:
        given = with_scores(space, spec.learned, given)
    return space.pairs, compose(given)


def _native(space: Padded, temperature: float | Tensor) -> Aligned | None:
    """Terms and alignment by the native kernel; None where it does not serve."""
    spec = space.spec
    if not _native_engine.serves(space.pairs, spec, temperature):
        return None

    def compose(other: Padded, extra: Tensor | None) -> tuple[Mapping[str, Tensor], Tensor]:
        terms, found = _composed_engine.run(other, temperature, Steering(first_cost=extra))
        return terms, found.plan

    inputs = _native_engine.read(space, temperature)

    def run(extra: Tensor | None) -> Aligned:
        return _native_engine.run(space, inputs, extra, compose)

    try:
        return run(_first(space, Steering(), lambda x: run(x.first_cost)[0]["total"]).first_cost)
    except OverflowError:  # a number is not finite: the program says what that means
        return None


def _first(space: Padded, given: Steering, total: Callable[[Steering], Tensor]) -> Steering:
    """The steering with learnt scores, and with the hints for the first alignment.

    Args:
        space: The batch.
        given: What a call gives besides.
        total: The loss of each pair with a steering.
    """
    spec = space.spec
    if spec.solver is None:
        return given
    if spec.learned is not None:
        given = with_scores(space, spec.learned, given)
    extra = first_cost(space, lambda x: total(given.beside(first_cost=x)))
    return given.beside(first_cost=extra)
