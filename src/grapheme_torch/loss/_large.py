"""The loss of large graphs: along a support, or in tiles."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from .._check import Received, refusal, require
from ..ot import Adjoint
from ._options import Support, Tiled, Window
from ._program import structural
from ._result import StructuralLossResult, result_of
from ._spec import Spec
from .batch._pairs import Pairs
from .engines import _tiled_engine
from .engines._tiled_refusals import check_tiled
from .layouts._certificate import certificate
from .layouts._entries import check_covered, check_feasible
from .layouts._support import SupportSpace
from .layouts._support_plan import SupportPlan
from .layouts._window import window
from .terms._nodes import impossible


def large(spec: Spec, pairs: Pairs, temperature: float | Tensor) -> StructuralLossResult:
    """The loss of large graphs, along a support or in tiles."""
    eps = _each(temperature, pairs)
    if isinstance(spec.matches, Tiled):
        check_tiled(pairs, spec)
        each, tiled = _tiled_engine.run(pairs, spec, eps)
        return replace(result_of(spec, pairs, each, tiled.plan, tiled), adjoint=tiled.adjoint)
    chosen, adjoint = spec.matches, Adjoint()
    assert isinstance(chosen, Window | Support)
    index = window(pairs, chosen.steps) if isinstance(chosen, Window) else chosen.index
    space = SupportSpace(pairs, spec, index, adjoint)
    check_covered(pairs, space.entries, spec.alignment.slack)
    terms, found = structural(space, eps)
    entries, counts = space.entries, (pairs.layout.count, pairs.target.layout.count)
    support = torch.stack([entries.predicted, entries.target])
    plan = SupportPlan(support, *entries.split(found.plan), *counts)
    truncation = certificate(space, found, eps)
    result = result_of(spec, pairs, terms, plan, found)
    # A plan that was found proves that there is one.
    never = impossible(space, space.node_terms().nll)
    check_feasible(pairs, entries, spec.alignment.slack, ~result.converged, never)
    return replace(result, truncation=truncation, adjoint=adjoint)


def _each(temperature: float | Tensor, pairs: Pairs) -> Float[Tensor, " B"]:
    """The temperature of each pair."""
    eps = torch.as_tensor(temperature, dtype=torch.float64, device=pairs.exists.device).reshape(-1)
    size = pairs.num_pairs
    wanted = f"be one number, or one per pair ({size})"
    require(len(eps) in (1, size), "`temperature`", wanted, len(eps), "Try 0.1.")
    if not bool((eps > 0).all()):
        raise refusal("`temperature`", "be positive", Received(str(eps.tolist())), "Try 0.1.")
    return eps.detach().expand(size)
