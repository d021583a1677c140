"""The structural loss, (E1)-(E25) of docs/math.md."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import require
from ..ot import GradientMode, Transport, exact_plan, transport_plan
from ..prediction import Prediction
from ._eager import eager
from ._given import NOTHING, Given, taken
from ._prices import Prices
from ._result import StructuralLossResult, honest_residual, with_gradients
from ._settings import check_settings, check_size, check_temperature
from .batch._arguments import check_kinds
from .batch._masks import in_words_of_graphs, masked
from .batch._pairs import Pairs, pair_up
from .engines import _native_engine as _fused
from .layouts._padded import expected_edits, masses, matching_cost, surprise
from .terms._clique import clique_cost
from .terms._edges import edge_edits, edge_surprise
from .terms._neighbours import neighbour_edits
from .terms._node_cost import NodeCost, NodeKind

Criterion = Literal["likelihood", "edit"]
Reduction = Literal["mean", "sum", "none"]
Update = Literal["linear", "proximal"]


class StructuralLoss(nn.Module):
    """Compares predicted soft graphs with target graphs, without knowing which node is which.

    Per pair, `alpha * node + beta * edge + gamma * clique`: nodes are aligned by entropic
    optimal transport with insertion and deletion, (E3); the node and edge terms are expected
    costs under that alignment, (E13)-(E18); the clique term compares density statistics, (E24).

    Args:
        alpha: Weight of the node term; positive, for it is also the scale of the alignment.
        beta: Weight of the edge term.
        gamma: Weight of the clique term.
        criterion: "likelihood": negative log-probabilities, the one to train with.
            "edit": expected number of edits, bounded; an edit cost once the prediction is certain.
            The alignment minimises expected edits in both.
        temperature: Of the alignment, in edits. 0 aligns exactly (SciPy), for evaluation.
        position_weight: What a step between the positions of two nodes adds to their matching
            cost, in edits. It steers the alignment and is not part of the loss.
        slack: Share of the smaller graph, in [0, 1], that may be deleted and inserted anew. 0
            matches as many nodes as possible; 1 is the edit-distance reading.
        rounds: How often the alignment is repeated with the edge cost linearised at the last one.
        update: What a round does. "linear": aligns by the linearised cost alone; enough where
            labels or positions tell most nodes apart. "proximal": stays close to the last plan,
            the proximal-point method for fused Gromov-Wasserstein; for nodes that only the edges
            tell apart. Each round sharpens the plan: after `k` its temperature is `1 / (k + 1)`.
        neighbour_weight: What a neighbour more or less adds to the matching cost of the first
            alignment, in edits: it then tells nodes apart by what stands around them, (E40), where
            labels and positions do not. The rounds that follow go by the edges alone.
        tie_noise: Standard deviation of random costs in the first alignment, in edits, drawn anew
            at every call from PyTorch's generator. A symmetric target is otherwise aligned
            with all its mirror images at once, and no round parts them; 0.01 is enough.
        restarts: How many draws of the noise to align with; each pair keeps the one with which its
            loss is least.
        max_iterations: Bound on Sinkhorn sweeps plus Newton steps of a round.
        tolerance: Share of mass that may stand in the wrong column when a pair counts as converged.
            Below zero no pair ever does. With 1e-5 or more, float32 predictions are compared in
            float32 by the native kernel; otherwise the alignment is computed in float64.
        gradient: How the alignment differentiates: "exact" (of what was computed, converged or
            not), "implicit" (to any order, but right only where it converged), "unrolled" (plain
            Sinkhorn) or "cut" (treated as constant: an approximation).
        reduction: "mean" or "sum" over pairs, or "none".
        node_cost: What node outputs and targets are. "labels": logits and classes. "features":
            vectors, half their squared distance. "gaussian": means, then log-variances, and
            vectors. "multilabel": logits and zeros or ones. Or a function from outputs
            `[B, N, outputs]` and targets `[B, M, ...]` to costs `[B, N, M]`, not negative; infinity
            forbids a match. Padding repeats a node, and what is returned there is not read.
        node_scale: The cost, in units of `node_cost`, at which two nodes agree to 1/e. It steers
            the alignment; a likelihood charges the cost itself. Default: found for each pair
            from its costs, (E46), and constant in the derivative. Give it for an "edit" that is
            comparable between predictions. Not for "labels" and "multilabel".
        directed: Whether an edge has a direction. If not, candidates are given in one direction
            each, target edges in one or both. Default: as `prediction.directed` and
            `target.directed` say; a silent target that stores both directions is undirected.
        node_insertion, node_deletion, edge_insertion, edge_deletion: Prices, in edits (in nats
            of a likelihood for what is inserted; a factor of it for what is deleted).

    Raises:
        InputError: If an argument is out of range.

    A logit of minus infinity makes a class, a relation, a node or an edge impossible: the plan has
    no mass there, and loss and gradient are finite. What cannot be satisfied then is refused.

    Differentiation: total and terms are differentiable once in every logit of the prediction
    and in its positions; a second derivative is refused but for "implicit" and "cut".
    """

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 0.5,
        gamma: float = 2.0,
        *,
        criterion: Criterion = "likelihood",
        temperature: float = 0.1,
        position_weight: float = 0.5,
        slack: float = 0.0,
        rounds: int = 1,
        max_iterations: int = 100,
        tolerance: float = 1e-12,
        gradient: GradientMode = "exact",
        reduction: Reduction = "mean",
        node_cost: NodeKind | NodeCost = "labels",
        node_scale: float | None = None,
        directed: bool | None = None,
        node_insertion: float = 1.0,
        node_deletion: float = 1.0,
        edge_insertion: float = 1.0,
        edge_deletion: float = 1.0,
        update: Update = "linear",
        neighbour_weight: float = 0.0,
        tie_noise: float = 0.0,
        restarts: int = 1,
    ) -> None:
        super().__init__()
        self.node_cost, self.node_scale = node_cost, node_scale
        self.directed, self.update = directed, update
        self.node_insertion, self.node_deletion = node_insertion, node_deletion
        self.edge_insertion, self.edge_deletion = edge_insertion, edge_deletion
        self.alpha, self.beta, self.gamma = alpha, beta, gamma
        self.criterion, self.temperature, self.gradient = criterion, temperature, gradient
        self.position_weight, self.slack, self.rounds = position_weight, slack, rounds
        self.neighbour_weight, self.tie_noise = neighbour_weight, tie_noise
        self.restarts = restarts
        self.max_iterations, self.tolerance, self.reduction = max_iterations, tolerance, reduction
        check_settings(self)

    @property
    def prices(self) -> Prices:
        """What insertions and deletions cost."""
        check_settings(self)
        prices: Prices = self.__dict__["_prices"]
        return prices

    @eager
    def forward(
        self,
        prediction: Prediction,
        target: Data,
        *,
        return_gradients: bool = False,
        temperature: float | Float[Tensor, " #B"] | None = None,
        start: Float[Tensor, "B N1 M1"] | None = None,
        alignment: Float[Tensor, "B N1 M1"] | None = None,
        match_cost: Float[Tensor, "B N1 M1"] | None = None,
    ) -> StructuralLossResult:
        """The loss of a batch of predictions against a batch of targets.

        Args:
            prediction: What a network says, in logits.
            target: A `Data` or `Batch` with `y [m]` (class of each node; `y [m, d]` for other
                node costs), `edge_index [2, t]`,
                and, if there are several, `edge_type [t]` (relation of each edge, from 1),
                `edge_weight [t]` (for a prediction with weights), `position [m]` or `[m, d]`,
                `batch [m]`. Read as directed, at most one edge per ordered pair.
            return_gradients: Also gives `node_gradients` and `edge_gradients`.
            temperature: One per pair, or one in all, instead of the loss's own: to anneal it.
            start: A plan to linearise the edges at in the first round (as `padded_plan`), instead
                of the node-only plan: breaks the ties of symmetric targets, or goes on from before.
            alignment: The plan to use, as it is (as `padded_plan`); nothing is aligned. `residual`
                says how far its row and column sums are from the masses.
            match_cost: Added to the matching cost in every round, in edits (as `padded_plan`), to
                steer the alignment. Infinity forbids a match, a deletion (last column) or an
                insertion (last row): the plan has no mass there.

        Raises:
            InputError: If prediction and target cannot be compared.
        """
        check_kinds(prediction, target)
        # Under autocast products of plans would be rounded to half precision.
        with torch.autocast(prediction.existence.device.type, enabled=False):
            given = Given(start, alignment, match_cost)
            result = self._compare(prediction, target, temperature, given)
            return with_gradients(result, prediction) if return_gradients else result

    def _compare(
        self,
        prediction: Prediction,
        target: Data,
        temperature: float | Tensor | None,
        given: Given,
    ) -> StructuralLossResult:
        check_settings(self)
        pairs = self.read(prediction, target)
        check_size(self, len(pairs.layout.count))
        temperature = self.temperature if temperature is None else temperature
        check_temperature(temperature)
        given = given.checked(pairs)
        found: tuple[Any, Transport | _fused.Alignment] | None = None
        if given.nothing:
            found = self._native(pairs, temperature)
        if found is None:
            pairs = masked(pairs, prediction)
            align = partial(self._compose, given=given)
            head = self._head(pairs, temperature, align) if given.to_align else None
            found = align(pairs, temperature, head)
        terms, transport = found
        total, node, edge, clique = (self.reduce(x) for x in terms)
        return StructuralLossResult(
            total, node, edge, clique, transport.plan, pairs.layout.count,
            pairs.target.layout.count, transport.iterations, transport.residual,
            transport.converged,
        )  # fmt: skip

    def read(self, prediction: Prediction, target: Data) -> Pairs:
        """A batch, checked and laid out as this loss compares it."""
        return pair_up(
            prediction, target, node_cost=self.node_cost, node_scale=self.node_scale,
            directed=self.directed, placed=self.position_weight > 0,
        )  # fmt: skip

    def _native(
        self, pairs: Pairs, temperature: float | Tensor
    ) -> tuple[tuple[Tensor, ...], _fused.Alignment] | None:
        """Terms and alignment by the native kernel; None where it does not serve."""
        if not _fused.serves(pairs, temperature):
            return None
        try:
            head = self._head(pairs, temperature, self._fuse)
            return self._fuse(pairs, temperature, head)
        except OverflowError:  # a number is not finite: the program below says what that means
            return None

    def _fuse(
        self, pairs: Pairs, temperature: float | Tensor, head: Tensor | None
    ) -> tuple[tuple[Tensor, ...], _fused.Alignment]:
        """Terms and alignment by the native kernel."""
        compose = partial(self._composed, pairs, temperature)
        return _fused.terms(pairs, self._settings(), temperature, head, compose)

    def _compose(
        self,
        pairs: Pairs,
        temperature: float | Tensor,
        head: Tensor | None = None,
        given: Given = NOTHING,
    ) -> tuple[Float[Tensor, "4 B"], Transport]:
        """Total, node, edge and clique term of each pair, and the alignment."""
        edit = self.criterion == "edit"
        # Before the alignment: what both read of the nodes is computed once, with its record.
        node_cost = (expected_edits if edit else surprise)(pairs, self.prices)
        if given.alignment is None:
            # Nothing of a plan that is cut off needs to be remembered.
            with torch.set_grad_enabled(torch.is_grad_enabled() and self.gradient != "cut"):
                transport = self._align(pairs, temperature, head, given)
        else:
            transport = taken(pairs, given.alignment, self.slack)
        plan = transport.plan
        node = (plan * node_cost).sum((1, 2))
        edge = (edge_edits if edit else edge_surprise)(pairs, self.prices)(plan[:, :-1, :-1])
        clique = clique_cost(pairs)
        total = self.alpha * node + self.beta * edge + self.gamma * clique
        residual = honest_residual(total, transport.residual)
        converged = transport.converged & residual.isfinite()
        transport = replace(transport, residual=residual, converged=converged)
        return torch.stack([total, node, edge, clique]), transport

    def _composed(
        self, pairs: Pairs, temperature: float | Tensor, values: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Terms and plan of the same pairs with other values, differentiable as PyTorch is."""
        other = _fused.with_values(pairs, values)
        terms, transport = self._compose(other, temperature, head=values.get("first_cost"))
        return terms, transport.plan

    def _settings(self) -> _fused.Settings:
        return _fused.Settings(
            weights=(self.alpha, self.beta, self.gamma),
            position_weight=self.position_weight,
            slack=self.slack,
            prices=self.prices,
            tolerance=self.tolerance,
            rounds=self.rounds if self.beta else 0,
            max_iterations=self.max_iterations,
            edit=self.criterion == "edit",
            proximal=self.update == "proximal",
            gradient=self.gradient,
        )

    def extra_repr(self) -> str:
        """The settings that are not the default, for `repr`."""
        settings = inspect.signature(StructuralLoss).parameters.values()
        given = ((p.name, getattr(self, p.name), p.default) for p in settings)
        return ", ".join(f"{name}={value!r}" for name, value, usual in given if value != usual)

    def _align(
        self,
        pairs: Pairs,
        temperature: float | Tensor,
        head: Tensor | None,
        given: Given,
    ) -> Transport:
        """Transport by matching cost, then again with the edges at the last plan, (E19)."""
        a, b = masses(pairs, self.slack)
        cost, start = matching_cost(pairs, self.position_weight, self.prices), given.start
        if given.match_cost is not None:
            cost = cost + given.match_cost
        solve = partial(self._transport, a=a, b=b, temperature=temperature)
        rounds = self.rounds if self.beta else 0
        if start is not None:
            remedy = "Use at least one round and an edge weight, or give it as `alignment`."
            require(rounds > 0, "`start`", "be left out without rounds", rounds, remedy)
        first = cost if head is None else cost + head
        transport = solve(first) if start is None else taken(pairs, start, self.slack)
        if rounds == 0:
            return transport
        edges = edge_edits(pairs, self.prices)
        sum_of_steps = first if start is None else torch.zeros_like(cost)
        for _ in range(rounds):
            slope = edges.slope(transport.plan[:, :-1, :-1]) * (self.beta / self.alpha)
            step = cost + nn.functional.pad(slope, (0, 1, 0, 1))
            # A plan is exp(potentials - cost / eps): to stay close to it is to add up the costs.
            sum_of_steps = sum_of_steps + step
            transport = transport.then(solve(sum_of_steps if self.update == "proximal" else step))
        return transport

    def _head(
        self,
        pairs: Pairs,
        temperature: float | Tensor,
        align: Callable[..., tuple[Any, Transport | _fused.Alignment]],
    ) -> Tensor | None:
        """What the first cost has besides, where nodes are alike: (E40) and (E41), padded."""
        if not (self.neighbour_weight or self.tie_noise):
            return None
        size = (len(pairs.layout.count), pairs.layout.width, pairs.target.layout.width)
        inner = pairs.exists.new_zeros(size)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.gradient != "cut"):
            if self.neighbour_weight:
                twice = self.gradient == "implicit"
                inner = inner + self.neighbour_weight * neighbour_edits(pairs, twice=twice)
            heads = nn.functional.pad(inner[None], (0, 1, 0, 1))
            if self.tie_noise:
                noise = self.tie_noise * torch.randn(self.restarts, *size).to(inner)
                heads = heads + nn.functional.pad(noise, (0, 1, 0, 1))
        if self.restarts == 1:
            return heads[0]
        with torch.no_grad():
            found = [align(pairs, temperature, head)[0][0] for head in heads]
        best = torch.stack(found).nan_to_num(inf, inf).argmin(0)
        return heads[best, torch.arange(len(best), device=best.device)]

    def _transport(
        self, cost: Tensor, *, a: Tensor, b: Tensor, temperature: float | Tensor
    ) -> Transport:
        with in_words_of_graphs():
            if not isinstance(temperature, Tensor) and temperature == 0:
                return Transport.given(exact_plan(cost, a, b))
            return transport_plan(
                cost, a, b, temperature=temperature, tolerance=self.tolerance,
                max_iterations=self.max_iterations, gradient=self.gradient,
            )  # fmt: skip

    def reduce(self, terms: Float[Tensor, "*terms B"]) -> Tensor:
        """Terms of each pair, reduced over pairs as `reduction` says."""
        if self.reduction == "none":
            return terms
        return terms.mean(-1) if self.reduction == "mean" else terms.sum(-1)
