"""What a structural loss returns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .._check import require
from .._displayed import Displayed
from ..ot import Adjoint, Status, status
from ..prediction import Prediction
from ._alignment_plan import Plan
from ._spec import Spec
from .batch._pairs import Pairs
from .layouts._certificate import Truncation


@dataclass(frozen=True)
class StructuralLossResult(Displayed):
    """A structural loss with its parts and its evidence.

    Args:
        total: `alpha * node + beta * edge + gamma * clique`, and further terms as they weigh; a
            number, or one per pair.
        terms: The terms by name, reduced as `total`: "node", "edge", "clique" and further ones.
        plan: The alignment, see `Plan`.
        iterations: Sweeps and Newton steps each pair took, in all rounds together.
        residual: Largest share of mass in the wrong row or column, over the rounds of each pair.
        converged: Whether every round of each pair met the tolerance.
        truncation: What matches that were left out can change, at most; None if none were.
        adjoint: How well the derivative was solved, filled in by `backward`; None where it is
            solved directly.
        node_gradients: Derivative of `total` (of its sum) in the predicted nodes; axes: node;
            existence logit, then the label logits. None unless asked for.
        edge_gradients: The same in the relation logits; axes: candidate edge, relation.
    """

    total: Tensor
    terms: Mapping[str, Tensor]
    plan: Plan
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]
    truncation: Truncation | None = None
    adjoint: Adjoint | None = None
    node_gradients: Float[Tensor, "n outputs"] | None = None
    edge_gradients: Float[Tensor, "e relations"] | None = None

    @property
    def node(self) -> Tensor:
        """The node term."""
        return self.terms["node"]

    @property
    def edge(self) -> Tensor:
        """The edge term."""
        return self.terms["edge"]

    @property
    def clique(self) -> Tensor:
        """The clique term."""
        return self.terms["clique"]

    @property
    def status(self) -> list[Status]:
        """How the alignment of each pair ended; `status[k].value` says what to do about it."""
        return status(self.residual, self.converged, self.plan.uniform())


def result_of(
    spec: Spec, pairs: Pairs, terms: Mapping[str, Tensor], plan: Any, found: Any
) -> StructuralLossResult:
    """The result, its terms reduced; `total` may be known already."""
    own = {name: term(pairs, plan) for name, (_, term) in spec.terms.items()}
    every = {**terms, **own}
    total = every.pop("total", None)
    if total is None or own:
        total = spec.weighted(every)
    residual, converged = found.residual, found.converged
    if "total" not in terms:  # the kernel looks itself
        residual = honest_residual(total, residual)
        converged = converged & residual.isfinite()
    reduce = _REDUCED[spec.reduction]
    return StructuralLossResult(
        reduce(total), Terms(every, reduce), plan, found.iterations, residual, converged
    )


class Terms(Mapping[str, Tensor]):
    """Terms by name, each reduced over the pairs when it is asked for.

    Args:
        each: Terms of each pair.
        reduce: Reduces one of them.
    """

    def __init__(self, each: Mapping[str, Tensor], reduce: Callable[[Tensor], Tensor]) -> None:
        self._each, self._reduce = each, reduce

    def __getitem__(self, name: str) -> Tensor:
        return self._reduce(self._each[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._each)

    def __len__(self) -> int:
        return len(self._each)

    def __repr__(self) -> str:
        return repr(dict(self))


def _mean(x: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """The mean over pairs; that of one pair is its number, found in a sixth of the time."""
    return x.squeeze(0) if len(x) == 1 else x.mean()


def _as_it_is(x: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    return x


_REDUCED: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": _mean,
    "sum": torch.sum,
    "none": _as_it_is,
}


def honest_residual(
    total: Float[Tensor, " B"], residual: Float[Tensor, " B"]
) -> Float[Tensor, " B"]:
    """The residual of each pair; NaN where its loss is no number, though there is a plan."""
    return torch.where(total.detach().isfinite(), residual, torch.nan)


def check_gradients_suffice(spec: Spec, *, asked: bool) -> None:
    """Refuses to tell the derivative in nodes and edges as if it were all of it."""
    wanted = "be left out where a matcher or a term reads `prediction.embedding`"
    remedy = "Call `result.total.backward()`."
    require(not (asked and spec.reads_embedding), "`return_gradients`", wanted, asked, remedy)


def with_gradients(result: StructuralLossResult, prediction: Prediction) -> StructuralLossResult:
    """The result with the derivative of its summed total in the node and edge outputs.

    The graph of the derivative is kept.
    """
    outputs = (prediction.existence, prediction.label, prediction.relation)
    require(
        all(output.requires_grad for output in outputs),
        "`prediction`",
        "require gradients for `return_gradients`",
        [output.requires_grad for output in outputs],
        "Predict outside `torch.no_grad()`, or call `requires_grad_()` on its tensors.",
    )
    existence, label, relation = torch.autograd.grad(
        result.total.sum(), outputs, retain_graph=True, materialize_grads=True
    )
    with torch.autocast(existence.device.type, enabled=False):  # which casts what is joined
        nodes = torch.cat([existence[:, None], label], dim=1)
    return replace(result, node_gradients=nodes, edge_gradients=relation)
