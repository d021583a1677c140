"""The rows of the gradient table: what each library offers."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import _ott
import _ours
import _peers
from _instances import Draw, Instance, Outputs, fused, linear, logits, points
from torch import Tensor


@dataclass(frozen=True)
class Method:
    """A way to compute a plan, and the ways to differentiate it; these all compute the same.

    Args:
        package: Name of the library on the package index.
        draw: Makes the instances.
        evaluate: Takes an instance, the point, and one of `modes`.
    """

    package: str
    name: str
    draw: Draw
    evaluate: Callable[[Instance, Tensor, Any], Outputs]
    modes: tuple[str, ...] = ("",)


METHODS = (
    Method("grapheme-torch", "transport_plan", linear, _ours.transport,
           ("exact", "implicit", "cut (an approximation)")),
    Method("grapheme-torch", "transport_plan", linear, _ours.transport, ("unrolled",)),
    Method("grapheme-torch", "transport_cost", linear, _ours.cost, ("envelope",)),
    *(
        Method("grapheme-torch", f"StructuralLoss, {criterion}, {rounds} {update}rounds", logits,
               functools.partial(_ours.structural, criterion=criterion, rounds=rounds,
                                 update=update.strip() or "linear"),
               modes)
        for criterion in ("likelihood", "edit")
        for rounds, update in ((0, ""), (2, ""), (2, "proximal "))
        for modes in (("exact", "implicit"), ("unrolled",))
    ),
    Method("POT", "ot.solve", linear, _peers.pot_single, ("autodiff", "envelope")),
    Method("POT", "ot.solve", linear, _peers.pot_single, ("last_step",)),
    Method("POT", "ot.batch.solve_batch", linear, _peers.pot_batch,
           ("autodiff", "envelope", "last_step")),
    Method("POT", "ot.batch.solve_gromov_batch", fused, _peers.pot_gromov_batch,
           ("autodiff", "envelope")),
    Method("POT", "ot.gromov.fused_gromov_wasserstein2", fused,
           functools.partial(_peers.pot_fused, partial=False)),
    Method("POT", "ot.gromov.partial_fused_gromov_wasserstein2", fused,
           functools.partial(_peers.pot_fused, partial=True)),
    Method("geomloss", "SamplesLoss", points, _peers.geomloss_points),
    Method("geomloss", "ot.solve_batch", linear, _peers.geomloss_matrix),
    Method("pygmtools", "sinkhorn", linear, _peers.pygmtools_sinkhorn, ("loop", "batched")),
    Method("ott-jax", "Sinkhorn", linear, _ott.linear, ("implicit", "unrolled", "unrolled, fixed")),
    Method("ott-jax", "GromovWasserstein, fused", fused, _ott.fused, ("implicit", "unrolled")),
)  # fmt: skip
