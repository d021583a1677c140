"""The structural loss, (E1)-(E25) of docs/math."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..prediction import Prediction
from ._call import Call, compare, compare_eagerly
from ._options import (
    Dense,
    Hints,
    Matches,
    Prices,
    Sinkhorn,
)
from ._result import StructuralLossResult, check_gradients_suffice, with_gradients
from ._spec import Alignment, Criterion, Reduction, Spec
from .terms._edge_cost import EdgeCost
from .terms._node_cost import NodeCost, NodeKind, as_node_cost
from .terms._term import Term


class StructuralLoss(nn.Module):
    """Compares predicted soft graphs with target graphs, without knowing which node is which.

    Per pair, `alpha * node + beta * edge + gamma * clique`. Nodes are aligned by entropic
    optimal transport with insertion and deletion, (E3). The node and edge terms are expected
    costs under that alignment, (E13)-(E18). The clique term compares density statistics, (E24).

    Args:
        alpha: Weight of the node term; positive, for it is also the scale of the alignment.
        beta: Weight of the edge term.
        gamma: Weight of the clique term.
        criterion: "likelihood": negative log-probabilities, the one to train with.
            "edit": expected number of edits, bounded; an edit cost once the prediction is certain.
            The alignment minimises expected edits in both.
        node_cost: What node outputs and targets are: a `NodeCost`, a name or a function. "labels":
            logits and classes. "features": vectors. "gaussian": means, then log-variances, and
            vectors. "multilabel": logits, and zeros or ones. A function takes outputs and targets
            whose shapes broadcast, see `NodeCost.nll`.
        edge_cost: What edges cost, an `EdgeCost`. Default: relations that exclude each other.
        prices: What insertions and deletions cost.
        alignment: How nodes are aligned: `Sinkhorn`, `Exact`, `Given`, or an `Aligner`, such as
            `Learned`.
        hints: Further costs that guide the alignment and are not part of the loss.
        matches: Which nodes may be matched, and how the plan is stored: `Dense`, `Window`,
            `Support` or `Tiled`.
        directed: Whether edges have a direction. If not, candidates are given in one direction
            each, target edges in one or both. Default: `prediction.directed` and
            `target.directed`. A target without it is undirected if it stores edges both ways.
        reduction: "mean" or "sum" over pairs, or "none".
        terms: Further terms, `{name: (weight, term)}`, see `Term`.

    Raises:
        InputError: If an argument is out of range.

    Settings are frozen: `loss.replace(beta=1.0)` is a loss with another one. Node cost, edge cost,
    aligner and terms are modules; their parameters are parameters of the loss.

    A logit of minus infinity makes a class, a relation, a node or an edge impossible. The plan has
    no mass there, and loss and gradient are finite. A target that is then impossible is refused.

    Differentiation: total and terms are differentiable once in every logit of the prediction
    and in its positions. A second derivative raises an error unless `gradient` is "implicit" or
    "detach" and `matches` is `Dense`. With `Window`, `Support` and `Tiled` the linear system of a
    converged pair is solved by conjugate gradients; `adjoint` of the result has its residual.
    """

    spec: Spec

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 0.5,
        gamma: float = 2.0,
        *,
        criterion: Criterion = "likelihood",
        node_cost: NodeCost | NodeKind | Callable[[Tensor, Tensor], Tensor] = "labels",
        edge_cost: EdgeCost | None = None,
        prices: Prices | None = None,
        alignment: Alignment | None = None,
        hints: Hints | None = None,
        matches: Matches | None = None,
        directed: bool | None = None,
        reduction: Reduction = "mean",
        terms: Mapping[str, tuple[float, Term]] | None = None,
    ) -> None:
        super().__init__()
        spec = Spec(
            alpha, beta, gamma, criterion=criterion,
            node_cost=as_node_cost(node_cost),
            edge_cost=EdgeCost() if edge_cost is None else edge_cost,
            prices=Prices() if prices is None else prices,
            alignment=Sinkhorn() if alignment is None else alignment,
            hints=Hints() if hints is None else hints,
            matches=Dense() if matches is None else matches,
            directed=directed, reduction=reduction, terms={} if terms is None else terms,
        )  # fmt: skip
        self._take(spec)

    def _take(self, spec: Spec) -> None:
        self.node_cost, self.edge_cost = spec.node_cost, spec.edge_cost
        self.aligner = spec.alignment if isinstance(spec.alignment, nn.Module) else None
        self.further = nn.ModuleDict({name: term for name, (_, term) in spec.terms.items()})
        self.__dict__["spec"] = spec

    def __getattr__(self, name: str) -> Any:
        if name in _SETTINGS and "spec" in self.__dict__:
            return getattr(self.__dict__["spec"], name)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if "spec" in self.__dict__ and (name in _SETTINGS or name == "spec"):
            remedy = f"Make another loss: loss.replace({name}=...)."
            raise refusal(f"`{name}`", "not be changed", Received("a new value"), remedy)
        super().__setattr__(name, value)

    def replace(self, **changes: Any) -> "StructuralLoss":
        """A loss with other settings; node cost, edge cost, aligner and terms are shared.

        Args:
            changes: Arguments of `StructuralLoss` by name.

        Raises:
            InputError: If there is no such setting, or it is out of range.
        """
        for name in changes:
            known = name in _SETTINGS
            require(known, f"`{name}`", "be a setting of the loss", name, f"One of {_NAMES}.")
        return type(self)(**{**self.settings(), **changes})

    def settings(self) -> dict[str, Any]:
        """The arguments that make this loss again."""
        return {name: getattr(self.spec, name) for name in _SETTINGS}

    def forward(
        self,
        prediction: Prediction,
        target: Data | Sequence[Data],
        *,
        return_gradients: bool = False,
        alignment: Alignment | None = None,
        matches: Matches | None = None,
        temperature: float | Float[Tensor, " #B"] | None = None,
        start: Float[Tensor, "B N1 M1"] | None = None,
        match_cost: Float[Tensor, "B N1 M1"] | None = None,
        groups: int = 1,
    ) -> StructuralLossResult:
        """The loss of a batch of predictions against a batch of targets.

        Args:
            prediction: The output of a network, in logits.
            target: A `Data`, a `Batch`, or a list of these. It has `y [m]`, the class of each node
                (`y [m, d]` for other node costs), and `edge_index [2, t]`. It may have
                `edge_type [t]` (relation of each edge, from 1), `position [m]` or `[m, d]`,
                `batch [m]`, and `edge_weight [t]` for a prediction with weights. At most one edge
                per pair of nodes, unless the edge cost allows several.
                `ignore [m]` (boolean) marks nodes, `ignore_edge_index [2, k]` pairs of nodes that
                do not count; the clique term of their graph is left out.
            return_gradients: Also gives `node_gradients` and `edge_gradients`.
            alignment, matches: Instead of the loss's own, for this call.
            temperature: One per pair, or one in all, instead of the `Sinkhorn`'s own.
            start: A plan to linearise the edges at in the first round (as `plan.padded`), instead
                of the node-only plan. It breaks the ties of symmetric targets, or is a warm start.
            match_cost: Added to the matching cost in every round, in edits (as `plan.padded`), to
                guide the alignment. Infinity forbids a match, a deletion (last column) or an
                insertion (last row): the plan has no mass there.
            groups: Number of groups, of equal size and in order, that the nodes of each predicted
                graph form. Each group is compared with the same target, as a pair of its own.

        Raises:
            InputError: If prediction and target cannot be compared.
        """
        spec = self.spec
        if alignment is not None:
            spec = replace(spec, alignment=alignment)
        if matches is not None:
            spec = replace(spec, matches=matches)
        check_gradients_suffice(spec, asked=return_gradients)
        compared = compare_eagerly if torch.compiler.is_compiling() else compare
        given = Call(temperature, start, match_cost, groups)
        result = compared(spec, prediction, target, given)
        return with_gradients(result, prediction) if return_gradients else result

    def extra_repr(self) -> str:
        """The settings that are not the default, for `repr`; modules are told below."""
        shown = {name: getattr(self.spec, name) for name in _SETTINGS if name not in _MODULES}
        usual = _usual()
        other = {name: x for name, x in shown.items() if not isinstance(x, nn.Module)}
        given = [f"{name}={x!r}" for name, x in other.items() if x != usual[name]]
        return ", ".join(given)


_SETTINGS = tuple(field.name for field in fields(Spec))
_NAMES = ", ".join(_SETTINGS)
_MODULES = ("node_cost", "edge_cost", "terms")


def _usual() -> dict[str, Any]:
    usual = Spec()
    return {name: getattr(usual, name) for name in _SETTINGS}
