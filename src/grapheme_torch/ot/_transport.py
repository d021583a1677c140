"""What a transport solver hands out: plans, with the evidence that they are what they should be."""

from dataclasses import dataclass, replace
from enum import Enum
from math import isfinite
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._inputs import rounding


class Status(Enum):
    """How the alignment of a pair ended; the value says what that means and what to do."""

    CONVERGED = "Every row and column holds its mass within the tolerance."
    STOPPED = (
        "The iterations ran out before every column held its mass. The plan is that of the sweeps "
        "made, and so is its gradient in the modes `exact` and `unrolled`. Raise "
        "`max_iterations`, or the temperature if many stop."
    )
    NOT_FINITE = (
        "The cost holds NaN or minus infinity, or the plan was given so. Look for a logit that is "
        "not finite in the prediction of this pair, or in the weights (lower the learning rate)."
    )
    UNIFORM = (
        "The alignment converged, but it says nothing: every predicted node goes to all target "
        "nodes alike, and the loss draws it to their mean. That is right where the nodes are "
        "alike. Otherwise lower `temperature` or give the node cost its `scale`; where only "
        "edges tell nodes apart, try more `rounds`, or `neighbours` or `noise` of the hints."
    )


def status(
    residual: Float[Tensor, " B"], converged: Bool[Tensor, " B"], uniform: list[bool] | None = None
) -> list[Status]:
    """How each pair ended, from its evidence; `uniform` says whose plan is, if that is known."""
    left, done = residual.tolist(), converged.tolist()
    same = [False] * len(done) if uniform is None else uniform
    return [_ended(*evidence) for evidence in zip(left, done, same, strict=True)]


def _ended(left: float, done: bool, uniform: bool) -> Status:
    if not done:
        return Status.STOPPED if isfinite(left) else Status.NOT_FINITE
    return Status.UNIFORM if uniform else Status.CONVERGED


def is_uniform(plan: Float[Tensor, "n m"]) -> bool:
    """Whether several rows spread over several columns in the same way, to a twentieth."""
    plan = plan.detach()
    row, column, total = plan.sum(1, keepdim=True), plan.sum(0, keepdim=True), plan.sum()
    product = row * column / total
    return (
        all(float(total**2) > 1.5 * float(x.square().sum()) for x in (row, column))
        and bool(((plan - product).abs() <= 0.05 * product).all())
    )  # fmt: skip


E = TypeVar("E", bound="Evidence")


class Evidence:
    """What a plan of any form says of how it was found; for frozen dataclasses."""

    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]

    def then(self: E, later: E) -> E:
        """The later plan, with the evidence of both."""
        evidence: dict[str, Any] = {
            "iterations": self.iterations + later.iterations,
            "residual": torch.maximum(self.residual, later.residual),
            "converged": self.converged & later.converged,
        }
        # To type checkers this class is no dataclass; those that inherit from it are.
        return replace(later, **evidence)  # type: ignore[type-var]


@dataclass(frozen=True)
class Transport(Evidence):
    """A batch of plans with the evidence that they are what they should be.

    Args:
        plan: Mass moved from row to column.
        f, g: Potentials of rows and columns, in units of cost: `plan = a b exp((f + g - cost) /
            temperature)`. Zero where the mass is. Without gradient.
        iterations: Sweeps and Newton steps each pair took.
        residual: Mass in the wrong row or column, whichever is more, as a share of all mass.
        converged: Whether the residual is within the tolerance.
    """

    plan: Float[Tensor, "B N M"]
    f: Float[Tensor, "B N"]
    g: Float[Tensor, "B M"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]

    @classmethod
    def given(
        cls,
        plan: Float[Tensor, "B N M"],
        a: Float[Tensor, "B N"] | None = None,
        b: Float[Tensor, "B M"] | None = None,
    ) -> "Transport":
        """A plan that no solver stands behind, taken as it is.

        Args:
            plan: Mass moved from row to column.
            a, b: Masses of rows and columns: the residual is measured by them. Default: what the
                plan holds.

        Returns:
            The plan without potentials, with its residual: NaN if the plan is not finite. It has
            converged if that is no more than the rounding of its dtype.
        """
        known = plan.detach().double()
        rows, columns = (known.sum(2), known.sum(1)) if a is None or b is None else (a, b)
        residual = _residual(known, rows, columns)
        return cls(
            plan, plan.new_zeros(plan.shape[:2]), plan.new_zeros(plan.shape[::2]),
            torch.zeros_like(residual, dtype=torch.long), residual, residual <= rounding(plan),
        )  # fmt: skip


def _residual(plan: Tensor, a: Tensor, b: Tensor) -> Float[Tensor, " B"]:
    """Mass in the wrong row or column, whichever is more, or below zero, as a share of all."""
    wrong = torch.maximum((plan.sum(2) - a).abs().sum(1), (plan.sum(1) - b).abs().sum(1))
    wrong = torch.maximum(wrong, -plan.clamp(max=0).sum((1, 2)))
    total = a.sum(1)
    # Infinity over infinity is no residual, nor is what is not a number less than any.
    return wrong / torch.where(total > 0, total, 1) + (0 * plan).sum((1, 2))
