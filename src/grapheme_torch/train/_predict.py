"""What a trained network answers."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import nn
from torch_geometric.data import Batch, Data

from .._check import Received, require
from ..data import INPUT, Alphabet, OutputRoom, only, widened
from ..decoding import Answers, Bounds, Constraint, check_scoring, decode, decode_nbest
from ..graphs import feature_width, node_labels
from ..prediction import Prediction
from ._measure import device_of

Given = TypeVar("Given")


@torch.no_grad()
def predict(
    network: nn.Module,
    graphs: Sequence[Data],
    *,
    constraint: Constraint | Bounds | None = None,
    directed: bool | None = None,
    alphabet: Alphabet | None = None,
) -> list[Data]:
    """The most probable output graph for each input graph, computed as one batch.

    Graphs with and without position make a batch each: an answer does not depend on the others.

    Args:
        network: Maps a batch of graphs to a `Prediction`, in the mode it is to predict in. Where
            it copies labels (its attribute `own` is not None), it has `num_slots` output nodes
            per input node.
        graphs: What it reads.
        constraint, directed: What the output graphs have to be, see `decode`; `saved_bounds` are
            those that a run has learned.
        alphabet: The strings of the predicted classes. Default: what the network has as `labels`
            and `relations`.

    Raises:
        InputError: If the constraint is unknown, or the network names no classes.
    """
    if not graphs:
        return []
    alphabet = alphabet or alphabet_of(network)
    if not placed_alike(graphs):
        shape = {"constraint": constraint, "directed": directed, "alphabet": alphabet}
        return apart(graphs, lambda alike: predict(network, alike, **shape))  # type: ignore[arg-type]
    prediction, own = asked(network, graphs)
    names = alphabet.labels, alphabet.relations
    return decode(prediction, *names, constraint, directed=directed, own=own)


@torch.no_grad()
def predict_nbest(
    network: nn.Module,
    graphs: Sequence[Data],
    nbest: int = 5,
    *,
    constraint: Constraint | None = None,
    temperature: float = 1.0,
    directed: bool | None = None,
    alphabet: Alphabet | None = None,
) -> list[Answers]:
    """The most probable output graphs for each input graph, the best first, with probabilities.

    Args:
        network, graphs, directed, alphabet: As for `predict`.
        nbest, constraint, temperature: How many, of which shape, and what divides the logits: see
            `decode_nbest`.

    Raises:
        InputError: As `predict` and `decode_nbest`.
    """
    check_scoring(nbest, temperature)
    if not graphs:
        return []
    alphabet = alphabet or alphabet_of(network)
    if not placed_alike(graphs):
        shape = {"constraint": constraint, "temperature": temperature, "directed": directed}
        return apart(
            graphs,
            lambda alike: predict_nbest(network, alike, nbest, alphabet=alphabet, **shape),  # type: ignore[arg-type]
        )
    prediction, own = asked(network, graphs)
    names = alphabet.labels, alphabet.relations
    return decode_nbest(
        prediction, *names, nbest, constraint, temperature=temperature, directed=directed, own=own
    )


def asked(network: nn.Module, graphs: Sequence[Data]) -> tuple[Prediction, list[str] | None]:
    """What a network predicts, and the labels that it may copy."""
    own = own_labels(network, graphs)
    return network(read(network, graphs)), own


def own_labels(network: nn.Module, graphs: Sequence[Data]) -> list[str] | None:
    """The label that each output node may copy; None of a network that copies none."""
    if getattr(network, "own", None) is None:
        return None
    slots = room_of(network).per_node
    return [name for g in graphs for name in node_labels(g) for _ in range(slots)]


def alphabet_of(network: nn.Module) -> Alphabet:
    """The strings of the classes that a network predicts: its `labels` and `relations`.

    Raises:
        InputError: If it has none.
    """
    named = hasattr(network, "labels") and hasattr(network, "relations")
    remedy = "Set them, or give an `alphabet`."
    got = Received(f"a {type(network).__name__} without")
    require(named, "`network`", "have `labels` and `relations`", got, remedy)
    return Alphabet(tuple(network.labels), tuple(network.relations))  # type: ignore[arg-type]


def room_of(network: nn.Module) -> OutputRoom:
    """Output nodes for an input: the attributes `num_slots` and `num_queries` of a network.

    One without them has an output node per input node.
    """
    return OutputRoom(
        int(getattr(network, "num_slots", 1)), int(getattr(network, "num_queries", 0))
    )


def placed_alike(graphs: Sequence[Data]) -> bool:
    """Whether all graphs have a position, or none has one: only then they are one batch."""
    return len({"position" in graph for graph in graphs}) <= 1


def apart(
    graphs: Sequence[Data], answer: Callable[[Sequence[Data]], Sequence[Given]]
) -> list[Given]:
    """The answers to graphs with a position and to those without, in the order of the graphs."""
    kinds: tuple[list[Data], list[Data]] = ([], [])
    for graph in graphs:
        kinds["position" in graph].append(graph)
    answers = [iter(answer(alike)) for alike in kinds]
    return [next(answers["position" in graph]) for graph in graphs]


def read(network: nn.Module, graphs: Sequence[Data]) -> Batch:
    """Graphs as a network reads them, one batch on its device.

    Raises:
        InputError: Naming the first graph that has numbers on its nodes where another has none.
    """
    width = max(map(feature_width, graphs), default=0)
    each = [widened(only(INPUT, graph), width) for graph in graphs]
    for k, graph in enumerate(each):
        remedy = "Give every node as many numbers, `graph.features`, or none."
        wanted = f"have {width} numbers a node, as another"
        got = feature_width(graph)
        require(got == width, f"`graphs[{k}]`", wanted, Received(f"{got}"), remedy)
    return Batch.from_data_list(each).to(device_of(network))
