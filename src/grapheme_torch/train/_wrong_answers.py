"""Why a network does not reproduce a pair, and which option to try."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from ..data import Alphabet, Pair
from ..graphs import edge_triples, is_directed, node_labels
from ..loss import StructuralLoss
from ..nn import GraphTransformNet
from ..ot import Status
from ._alike_nodes import slots_to_differ, unlike_nodes
from ._contradictions import contradictions
from ._measure import same_noise
from ._predict import read, room_of

Kind = Literal["input", "slots", "labels", "alignment", "candidates", "falling", "network"]

MOST_TOLD = 100
"""Pairs that are looked at, at most: each takes a prediction and a loss of its own."""

_SETTLED = 0.9
"""Mass that a target node has at one output node at least, where its match is settled."""


@dataclass(frozen=True)
class Cause:
    """Why a pair is not reproduced; `str(cause)` is one line.

    Args:
        place: The pair, "FILE:LINE".
        kind: "input": another pair has the same one and another target, or too many of its nodes
            look alike. "slots": the network has too few output nodes. "labels": it has no class for
            a label or relation. "alignment": nodes are not matched for good. "candidates": an edge
            is no candidate. "falling": none of these, and the loss was still falling. "network":
            none of these; network and loss could reproduce it.
        found: What was found.
        remedy: What to try.
    """

    place: str
    kind: Kind
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.found}. {self.remedy}"


def summed_up(causes: Iterable[Cause]) -> dict[str, Any]:
    """How often each kind came, the commonest first, and every cause, as JSON can hold it."""
    listed = list(causes)
    counts = dict(Counter(cause.kind for cause in listed).most_common())
    return {"counts": counts, "pairs": [asdict(cause) for cause in listed]}


def causes_in_words(causes: Sequence[Cause], most: int = 3) -> list[str]:
    """Lines that tell how often each kind of cause came, and the first few of them."""
    if not causes:
        return []
    counts = Counter(cause.kind for cause in causes).most_common()
    told = ", ".join(f"{often} {kind}" for kind, often in counts)
    rest = [f"  and {len(causes) - most} more"] if len(causes) > most else []
    return [f"why not exact: {told}", *(f"  {cause}" for cause in causes[:most]), *rest]


@torch.no_grad()
def causes(
    network: nn.Module,
    loss: StructuralLoss,
    pairs: Sequence[Pair],
    alphabet: Alphabet,
    *,
    known: Iterable[Pair] = (),
    falling: bool = False,
) -> list[Cause]:
    """Why each of these pairs is not reproduced; of the first `MOST_TOLD`.

    Args:
        network: What answered them otherwise, in evaluation mode.
        loss: What it was trained by.
        pairs: The pairs, with targets as the network gives them.
        alphabet: The strings of its classes.
        known: All pairs that it was to reproduce.
        falling: Whether the loss was still falling when training ended.
    """
    told, listed = pairs[:MOST_TOLD], []
    elsewhere = contradictions(told, known)
    for k, pair in enumerate(told):
        if k in elsewhere:
            found = f"{elsewhere[k]} has the same input and another target"
            remedy = "Keep one of the two, or tell them apart in the input."
            listed.append(Cause(pair.place, "input", found, remedy))
        else:
            listed.append(_cause(network, loss, pair, alphabet, falling))
    return listed


def _cause(
    network: nn.Module, loss: StructuralLoss, pair: Pair, alphabet: Alphabet, falling: bool
) -> Cause:
    given, wanted = pair.input.num_nodes or 0, pair.target.num_nodes or 0
    room = room_of(network)
    if not room.fits(pair):
        found = f"the target has {wanted} nodes, the network gives {room.of(given)}"
        more = room.option(given, wanted)
        return Cause(pair.place, "slots", found, f"Try {more}." if more else "Lengthen the input.")
    if missing := _unknown(pair, alphabet):
        return Cause(pair.place, "labels", f"the network has no class for {missing}",
                     "Train on pairs whose targets have it.")  # fmt: skip
    if alike := _alike(network, pair):
        remedy = "Give them numbers or places, or try --network.queries.number, "
        remedy += "as many as the largest target has nodes."
        return Cause(pair.place, "input", alike, remedy)
    with same_noise(loss):
        prediction = network(read(network, [pair.input]))
        encoded = Batch.from_data_list([alphabet.encode(pair.target)])
        result = loss(prediction, encoded.to(prediction.label.device))
    plan = result.plan[0]
    unsettled = int((plan[:, :-1].amax(0) < _SETTLED).sum())
    if result.status[0] is Status.STOPPED:
        remedy = "Try --alignment.max-iterations 300, or a higher --alignment.temperature."
        return Cause(pair.place, "alignment", "the alignment did not converge", remedy)
    if unsettled:
        found = f"{unsettled} of {wanted} target nodes are matched with several output nodes"
        return Cause(pair.place, "alignment", found, _to_settle(loss))
    if lost := _lost_edge(pair, plan, prediction.edge_index):
        label = node_labels(pair.target)
        found = f"the edge {label[lost[0]]!r} -> {label[lost[1]]!r} is no candidate"
        remedy = "Try --network.candidates.pairs all, or a wider --network.candidates.window."
        if lost[0] == lost[1]:
            remedy = "Try --network.candidates.loops true."
        return Cause(pair.place, "candidates", found, remedy)
    if falling:
        return Cause(pair.place, "falling", "the loss was still falling", "Try more --epochs.")
    return Cause(pair.place, "network", "matched, and possible, but answered otherwise",
                 "Try more --epochs, a larger --network.dim, or less dropout.")  # fmt: skip


def _alike(network: nn.Module, pair: Pair) -> str:
    """Input nodes that a network with outputs at them cannot tell apart, though it has to."""
    if not isinstance(network, GraphTransformNet) or network.num_queries or network.ngrams:
        return ""  # runs of nodes, too, know their order
    by_edges = network.candidates == "all" if network.directed else network.heads.symmetric
    if slots_to_differ(pair, by_edges=by_edges) <= network.num_slots:
        return ""
    alike = (pair.input.num_nodes or 0) - unlike_nodes(pair, by_edges=by_edges)[0]
    return f"{alike} input nodes look alike to the network, and so do the output nodes at them"


def _to_settle(loss: StructuralLoss) -> str:
    """What of that which tells nodes apart is not set yet."""
    if loss.spec.learned is not None:
        edges = "--matcher.use start, " if loss.spec.learned.use == "plan" else ""
        return f"Try {edges}more --epochs, or a lower --alignment.temperature."
    if not loss.hints.neighbours:
        return (
            "Try --hints.neighbours 0.5 --hints.noise 0.01 --alignment.rounds 10 "
            "--alignment.update proximal."
        )
    return "Try more --epochs, or a lower --alignment.temperature."


def _unknown(pair: Pair, alphabet: Alphabet) -> str:
    """A label or relation of the target that has no class, and is no label to copy; else ""."""
    known = {*alphabet.labels, *node_labels(pair.input)}
    lacking = [f"the label {name!r}" for name in node_labels(pair.target) if name not in known]
    relations = {name for _, _, name in edge_triples(pair.target)} - {*alphabet.relations}
    lacking += [f"the relation {name!r}" for name in sorted(relations)]
    covered = alphabet.covers(pair.target)
    if not lacking and not covered:  # to be copied, which no loss can be taken of
        lacking = ["a label that it could only copy"]
    return lacking[0] if lacking else ""


def _lost_edge(pair: Pair, plan: Tensor, candidates: Tensor) -> tuple[int, int] | None:
    """An edge of the target whose ends are matched with output nodes that no candidate joins."""
    placed = plan[:-1, :-1].argmax(0).tolist()
    known = {(source, target) for source, target in candidates.T.tolist()}
    directed = is_directed(pair.target)
    for source, target, _ in edge_triples(pair.target):
        ends = placed[source], placed[target]
        if ends not in known and (directed or ends[::-1] not in known):
            return source, target
    return None
