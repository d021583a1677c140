"""The structural loss of large graphs: the dense one, in memory of the nodes, (E42)-(E45)."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..ot import Adjoint, Status, Tile, is_uniform, status
from ..prediction import Prediction
from ._eager import eager
from ._restricted import check_wrapped, read_for, temperatures
from ._result import honest_residual
from ._structural import StructuralLoss
from .batch._arguments import check_kinds
from .batch._masks import masked
from .batch._pairs import Pairs
from .engines._tiled_engine import Comparison, Placed
from .engines._tiled_pair import Settings
from .terms._clique import clique_cost
from .terms._edges import edge_channels, edit_charges, surprise_charges


@dataclass(frozen=True)
class TiledLossResult:
    """A structural loss whose plan was never stored, with its parts and its evidence.

    Args:
        total: `alpha * node + beta * edge + gamma * clique`; a number, or one per pair.
        node, edge, clique: The three terms, reduced as `total`.
        iterations: Sweeps and Newton steps each pair took, in all rounds together.
        residual: Largest share of mass in the wrong row or column, over the rounds of each pair.
        converged: Whether every round of each pair met the tolerance.
        adjoint: How well the derivative was solved; filled in by `backward`.
    """

    total: Tensor
    node: Tensor
    edge: Tensor
    clique: Tensor
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]
    adjoint: Adjoint
    _plans: list[Placed] = field(repr=False)

    @property
    def status(self) -> list[Status]:
        """How the alignment of each pair ended; `status[k].value` says what to do about it."""
        with torch.no_grad():
            uniform = [_is_uniform(placed) for placed in self._plans]
        return status(self.residual, self.converged, uniform)

    @torch.no_grad()
    def plan_entries(
        self, predicted: Int[Tensor, " k"], target: Int[Tensor, " k"]
    ) -> Float[Tensor, " k"]:
        """The mass that goes from each predicted to each target node, without gradient.

        Args:
            predicted, target: Nodes in the numbering of the batch; nodes of different pairs
                exchange nothing.

        Raises:
            InputError: If there is no such node.
        """
        count = (
            sum(len(pair.rows) for pair in self._plans),
            sum(len(pair.columns) for pair in self._plans),
        )
        for name, index, size in zip(
            ("predicted", "target"), (predicted, target), count, strict=True
        ):
            inside = not len(index) or (int(index.min()) >= 0 and int(index.max()) < size)
            remedy = "Number the nodes of the whole batch from 0."
            require(inside, f"`{name}`", f"lie in [0, {size})", index, remedy)
        out = torch.zeros(len(predicted), dtype=torch.float64, device=predicted.device)
        for placed in self._plans:
            row, column = _ranks(placed.rows, count[0]), _ranks(placed.columns, count[1])
            mine = ((row[predicted] >= 0) & (column[target] >= 0)).nonzero()[:, 0]
            out[mine] = _entries(placed, row[predicted[mine]], column[target[mine]])
        return out

    @torch.no_grad()
    def best_match(self) -> Int[Tensor, " n"]:
        """The target node that most mass of each predicted node goes to; -1 if it is deleted."""
        whole = [pair.rows for pair in self._plans]
        out = torch.cat(whole) if whole else torch.zeros(0, dtype=torch.long)
        out = torch.full_like(out, -1)
        for placed in self._plans:
            if placed.plan is None:
                continue
            columns = torch.cat([placed.columns, placed.columns.new_full((1,), -1)])
            for at, part in placed.plan.tiles():
                if int(at.rows[0]) < len(placed.rows):
                    found = torch.arange(len(columns), device=out.device)
                    best = at.columns(found)[part.argmax(1)]
                    out[placed.rows[at.rows]] = columns[best]
        return out


class TiledStructuralLoss(nn.Module):
    """A `StructuralLoss` that stores nothing of the size of predicted times target nodes.

    The same numbers, to rounding: costs and plan are made tile by tile wherever they are needed,
    forward and backward, so that memory is of the order of nodes and edges. Time is that of
    the products of the sizes, over and over; but where positions (of one coordinate) count, tiles
    that hold no mass are known beforehand and skipped, and time is nearly linear. Pairs are
    compared one after the other: it is meant for a few large graphs, not for many small ones.

    Args:
        loss: The loss to compute; all its settings but `gradient="implicit"` and `temperature=0`.

    Raises:
        InputError: If a setting of `loss` has no meaning here.

    Differentiation: once, in every logit, weight and position, and in `y`, `edge_weight` and
    `position` of the targets; more is refused. The linear system of a converged pair is solved by
    conjugate gradients, and `adjoint` says how well.
    """

    def __init__(self, loss: StructuralLoss | None = None) -> None:
        super().__init__()
        self.loss = check_wrapped(loss)

    @eager
    def forward(
        self,
        prediction: Prediction,
        target: Data,
        *,
        temperature: float | Float[Tensor, " #B"] | None = None,
    ) -> TiledLossResult:
        """The loss of a batch of predictions against a batch of targets.

        Args:
            prediction, target: As `StructuralLoss` takes them.
            temperature: One per pair, or one in all, instead of the loss's own.

        Raises:
            InputError: If prediction and target cannot be compared.
        """
        check_kinds(prediction, target)
        with torch.autocast(prediction.existence.device.type, enabled=False):
            loss = self.loss
            pairs = masked(read_for(loss, prediction, target), prediction)
            _check_possible(pairs)
            _check_fixed(pairs)
            return _compared(loss, pairs, temperatures(loss, temperature, pairs))


def _check_possible(pairs: Pairs) -> None:
    """Refuses matches that are impossible: tiles hold no infinite cost."""
    remedy = "Use StructuralLoss or SparseStructuralLoss, or a large finite logit."
    wanted = "hold no logit of plus or minus infinity"
    never = (pairs.exists.isneginf() | pairs.absent.isneginf()).nonzero()[:, 0]
    if len(never):
        node = Received(f"one at node {int(never[0])}")
        raise refusal("`prediction.existence`", wanted, node, remedy)
    if pairs.node_cost == "labels" and len(pairs.target.y):
        classes = pairs.target.y.unique()
        never = pairs.outputs[:, classes].isneginf().any(1).nonzero()[:, 0]
        if len(never):
            node = Received(f"one at node {int(never[0])}, of a class that a target has")
            raise refusal("`prediction.label`", wanted, node, remedy)


def _check_fixed(pairs: Pairs) -> None:
    """Refuses a node cost that learns: tiles are differentiated in nodes alone."""
    outputs, y = pairs.outputs[:1].detach(), pairs.target.y[:1].detach()
    if callable(pairs.node_cost) and torch.is_grad_enabled() and len(outputs) and len(y):
        learns = pairs.node_cost(outputs[None], y[None]).requires_grad
        wanted, got = "have no parameter of its own that learns", Received("one that does")
        remedy = "Freeze it (`requires_grad_(False)`), or use StructuralLoss."
        require(not learns, "`node_cost`", wanted, got, remedy)


def _compared(loss: StructuralLoss, pairs: Pairs, eps: Float[Tensor, " B"]) -> TiledLossResult:
    edit, adjoint = loss.criterion == "edit", Adjoint()
    settings = Settings(
        loss.rounds if loss.beta else 0, loss.update == "proximal", loss.beta / loss.alpha,
        loss.slack, loss.tolerance, loss.max_iterations, loss.gradient,
    )  # fmt: skip
    found = Comparison(
        pairs, settings, loss.prices, eps, loss.position_weight, not edit, adjoint
    ).found()
    charges = (edit_charges if edit else surprise_charges)(pairs, loss.prices)
    met = (edge_channels(pairs, charges)[0] * found.met).sum(1)
    edge = charges.constant(pairs).double().index_add(0, pairs.graph, met)
    clique = clique_cost(pairs)
    node, edge = found.node.to(clique.dtype), edge.to(clique.dtype)
    total = loss.alpha * node + loss.beta * edge + loss.gamma * clique
    residual = honest_residual(total, found.residual)
    total, node, edge, clique = (loss.reduce(x) for x in (total, node, edge, clique))
    return TiledLossResult(
        total, node, edge, clique, found.iterations, residual,
        found.converged & residual.isfinite(), adjoint, found.plans,
    )  # fmt: skip


def _is_uniform(placed: Placed) -> bool:
    """Whether all rows spread in the same way; as a rule the first tile tells."""
    if placed.plan is None or len(placed.rows) < 2:
        return False
    first = None
    for at, part in placed.plan.tiles():
        if int(at.rows[0]) == len(placed.rows):
            continue
        if at.high - at.low < len(placed.columns):
            return False
        first = part[:1, :-1] if first is None else first
        if not is_uniform(torch.cat([first, part[:, :-1]])):  # a row beside itself is
            return False
    return True


def _ranks(nodes: Int[Tensor, " n"], size: int) -> Int[Tensor, " size"]:
    """The place of each node of the batch among some of them, or -1."""
    out = torch.full((size,), -1, device=nodes.device)
    out[nodes] = torch.arange(len(nodes), device=nodes.device)
    return out


def _entries(
    placed: Placed, row: Int[Tensor, " k"], column: Int[Tensor, " k"]
) -> Float[Tensor, " k"]:
    out = torch.full(row.shape, torch.nan, dtype=torch.float64, device=row.device)
    if placed.plan is None:
        return out
    for at in placed.plan.problem.tiles(placed.plan.spans):
        mine = ((row >= at.rows[0]) & (row <= at.rows[-1])).nonzero()[:, 0]
        if len(mine):
            low, high = int(column[mine].min()), int(column[mine].max()) + 1
            part = placed.plan.tile(Tile(at.rows, low, high))
            out[mine] = part[row[mine] - at.rows[0], column[mine] - low]
    return out
