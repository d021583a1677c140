"""What a network made of an input, told node by node and edge by edge."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from ..data import Alphabet
from ..decoding import Bounds, Constraint, Decoded, decode_parts
from ..edits import edit_report
from ..graphs import alike, edge_triples, node_labels
from ..loss import LossShares, StructuralLoss, StructuralLossResult, loss_shares
from ..page import Explanation, LossParts, Origin, OutputEdge, OutputNode
from ..prediction import Prediction
from ._measure import same_noise, weights_of
from ._predict import alphabet_of, own_labels, read, room_of

_OTHERS = 2
"""Further labels that are told of each node."""

_MATCHES = 3
"""Matches that are told of each node."""

_LEAST = 0.005
"""Mass, or probability, below which none is told."""


@torch.no_grad()
def explain(
    network: nn.Module,
    graph: Data,
    target: Data | None = None,
    *,
    loss: StructuralLoss | None = None,
    constraint: Constraint | Bounds | None = None,
    alphabet: Alphabet | None = None,
) -> Explanation:
    """What a network answers to an input, why, and how that differs from a target.

    Args:
        network: As `predict` takes it.
        graph: What it reads.
        target: What it should answer. Default: only input and prediction are told of.
        loss: What the prediction is charged by. Default: `StructuralLoss()`.
        constraint: What the output graph has to be, see `decode`.
        alphabet: The strings of the predicted classes. Default: what the network has as `labels`
            and `relations`.

    Raises:
        InputError: If the constraint is unknown, the network names no classes, or graph and
            target cannot be compared.
    """
    alphabet = alphabet or alphabet_of(network)
    room = room_of(network)
    own = own_labels(network, [graph])
    with _gates(network) as gates:
        prediction = network(read(network, [graph])).to("cpu")
    answer = decode_parts(
        prediction, alphabet.labels, alphabet.relations, constraint, own=own
    )[0]  # fmt: skip
    loss = loss or StructuralLoss()
    parts, shares, unknown = None, None, _unknown(alphabet, target)
    if target is not None and not unknown:
        encoded = alphabet.encode(_as_predicted(target, answer.graph))
        with same_noise(loss):
            result = loss(prediction, encoded)
        shares = loss_shares(loss, prediction, encoded, result.plan[0])
        parts = _parts(loss, result, shares, answer)
    # A network of another kind may have output nodes that stand nowhere.
    count = room.of(len(node_labels(graph)))
    placed = hasattr(network, "num_slots") and len(prediction.existence) == count
    placed = placed and not room.queries
    standing = room.per_node if own is not None or placed else None
    said = _Said(prediction, alphabet, own, standing, gates[0] if gates else None)
    return Explanation(
        input=graph,
        predicted=answer.graph,
        target=target,
        nodes=tuple(said.nodes(answer, parts, shares)),
        edges=tuple(said.edges(answer, shares)),
        loss=parts,
        edits=None if target is None else edit_report(answer.graph, target),
        unknown=unknown,
    )


@contextmanager
def _gates(network: nn.Module) -> Iterator[list[Tensor]]:
    """Within it the logits of copying a label are noted, of a network that has such."""
    found: list[Tensor] = []
    copy = getattr(getattr(network, "heads", None), "copy", None)
    if not isinstance(copy, nn.Module):
        yield found
        return
    hook = copy.register_forward_hook(lambda _, __, output: found.append(output[:, 0].cpu()))
    try:
        yield found
    finally:
        hook.remove()


def _unknown(alphabet: Alphabet, target: Data | None) -> tuple[str, ...]:
    """Labels and relations of the target that have no class."""
    if target is None:
        return ()
    relations = {name for _, _, name in edge_triples(target)} - {*alphabet.relations}
    return tuple(sorted({*node_labels(target)} - {*alphabet.labels}) + sorted(relations))


def _as_predicted(target: Data, predicted: Data) -> Data:
    return alike(predicted, target)[1]


def _parts(
    loss: StructuralLoss, result: StructuralLossResult, shares: LossShares, answer: Decoded
) -> LossParts:
    weights = weights_of(loss)
    kept = torch.zeros(len(shares.candidates), dtype=torch.bool)
    kept[answer.edges] = True
    return LossParts(
        total=float(result.total.sum()),
        terms={name: (weights[name], float(x.sum())) for name, x in result.terms.items()},
        converged=bool(result.converged.all()),
        plan=result.plan[0].detach().double(),
        target_nodes=tuple(shares.target.tolist()),
        target_edges=tuple(shares.edges.tolist()),
        other_edges=float(shares.candidates[~kept].sum()),
    )


class _Said:
    """What a network said of one graph, in numbers and strings."""

    def __init__(
        self,
        prediction: Prediction,
        alphabet: Alphabet,
        own: Sequence[str] | None,
        slots: int | None,
        gate: Float[Tensor, " n"] | None,
    ) -> None:
        self.alphabet, self.own, self.slots = alphabet, own, slots
        classes = len(alphabet.labels) + (own is not None)
        self.label = prediction.label[:, :classes].double().softmax(1)
        self.relation = prediction.relation.double().softmax(1)
        self.existence = prediction.existence.double().sigmoid().tolist()
        self.copying = None if gate is None else gate.double().sigmoid().tolist()

    def nodes(
        self, answer: Decoded, parts: LossParts | None, shares: LossShares | None
    ) -> Iterator[OutputNode]:
        place = {number: k for k, number in enumerate(answer.nodes)}
        for k, exists in enumerate(self.existence):
            (label, share), *others = self._labels(k)
            yield OutputNode(
                node=place.get(k),
                label=label,
                probability=share,
                existence=exists,
                others=tuple(pair for pair in others if pair[1] >= _LEAST),
                input=None if self.slots is None else k // self.slots,
                origin=self._origin(k, label, share),
                matches=() if parts is None else tuple(_heaviest(parts.plan[k, :-1])),
                cost=None if shares is None else float(shares.predicted[k]),
            )

    def edges(self, answer: Decoded, shares: LossShares | None) -> Iterator[OutputEdge]:
        ends = answer.graph.edge_index.T.tolist()
        for (u, v), label, k in zip(ends, answer.graph.edge_label, answer.edges, strict=True):
            share = float(self.relation[k, 1 + self.alphabet.relations.index(label)])
            cost = None if shares is None else float(shares.candidates[k])
            yield OutputEdge(u, v, label, share, cost)

    def _labels(self, node: int) -> list[tuple[str, float]]:
        """The most probable labels of a node, the most probable one first."""
        share, index = self.label[node].topk(min(1 + _OTHERS, self.label.shape[1]))
        return [
            (self._name(c, node), p) for c, p in zip(index.tolist(), share.tolist(), strict=True)
        ]

    def _name(self, kind: int, node: int) -> str:
        known = self.alphabet.labels
        return known[kind] if self.own is None or kind < len(known) else self.own[node]

    def _origin(self, node: int, label: str, share: float) -> Origin:
        """Whether more of the probability of a label comes from copying than from choosing."""
        if self.own is None or self.copying is None or label != self.own[node]:
            return "generated"
        return "copied" if self.copying[node] > share / 2 else "generated"


def _heaviest(row: Float[Tensor, " m"]) -> Iterator[tuple[int, float]]:
    mass, index = row.topk(min(_MATCHES, len(row)))
    for j, x in zip(index.tolist(), mass.tolist(), strict=True):
        if x >= _LEAST:
            yield j, x
