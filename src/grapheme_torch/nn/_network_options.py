"""Options of the network, in groups: frozen settings, checked when they are made."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from .._check import Received, refusal, require
from ..graphs import check_flag

MAX_LAYERS = 1000
"""Of any kind; making a network takes time for each, so a stranger's number has a bound."""


@dataclass(frozen=True, kw_only=True)
class CandidateEdges:
    """Between which output nodes edges may be predicted.

    Args:
        pairs: "forward": from an output node to later ones, acyclic by construction. "all": all
            ordered pairs. "auto": chosen by `train` from the training data, and within a window
            if they show one.
        window: Largest distance of the two ends in the order of the output nodes. Default: any.
        locality: How fast an edge gets less likely with that distance, before training. Between
            neighbours the odds are about even. Elsewhere they are divided by the distance to this
            power. Where only edges tell nodes of one label apart, targets are
            then read along their inputs from the start. 0: not at all; no more where the input
            has no positions.
        copy: Whether an edge of the input is likely between the output nodes at its ends, if its
            label is one of `relations`. For targets that change a part of their inputs.
        loops: Whether an output node may have an edge to itself.

    Raises:
        InputError: If a value is out of range.
    """

    pairs: Literal["forward", "all", "auto"] = "forward"
    window: int | None = None
    locality: float = 0.0
    copy: bool = False
    loops: bool = False

    def __post_init__(self) -> None:
        """Refuses a value out of range."""
        check_flag("`copy`", self.copy, "True where targets change their inputs.")
        check_flag("`loops`", self.loops, "True where nodes of targets have edges to themselves.")
        remedy = 'Use "forward" for acyclic targets.'
        known = self.pairs in ("forward", "all", "auto")
        require(known, "`pairs`", "be forward, all or auto", self.pairs, remedy)
        remedy = "Leave it out to allow any distance."
        fits = self.window is None or self.window >= 1
        require(fits, "`window`", "be at least 1", self.window, remedy)
        fits = self.window is None or (self.window < 2**31 and self.window == int(self.window))
        require(fits, "`window`", "be a whole number below 2^31", self.window, remedy)
        remedy = "2 makes an edge over two steps four times less likely."
        fits = 0 <= self.locality < math.inf
        require(fits, "`locality`", "be at least 0", self.locality, remedy)


@dataclass(frozen=True, kw_only=True)
class OutputSlots:
    """How many output nodes an input node has, for targets that are larger than their inputs.

    Args:
        per_node: Output nodes per input node.
        num_layers: Message-passing steps and attention among the slots, if there are several.
        in_turn: Whether the first slots of a node are likely to exist before training and the
            others are not, see `GraphTransformNet.expect`. Default: all are alike.

    Raises:
        InputError: If a value is out of range.
    """

    per_node: int = 1
    num_layers: int = 1
    in_turn: bool = False

    def __post_init__(self) -> None:
        """Refuses a value out of range."""
        check_flag("`in_turn`", self.in_turn, "True where most need the first alone.")
        require(self.per_node >= 1, "`per_node`", "be at least 1", self.per_node, "Try 2.")
        check_layers(self.num_layers)


@dataclass(frozen=True, kw_only=True)
class OutputQueries:
    """Output nodes that stand at no input node, for inputs whose nodes are not those of the target.

    Such are sets of bits, peaks of a spectrum, points of a picture. Every graph has as many, and
    those that are not needed do not exist. They have no order, copy no label, and stand nowhere.

    Args:
        number: Output nodes of each graph. 0: there are none, and outputs stand at input nodes.
        num_layers: Layers of attention, among the output nodes and to the input.

    Raises:
        InputError: If a value is out of range.
    """

    number: int = 0
    num_layers: int = 3

    def __post_init__(self) -> None:
        """Refuses a value out of range."""
        remedy = "Take the nodes of the largest target; 0 has outputs stand at inputs."
        fits = 0 <= self.number < 2**31 and self.number == int(self.number)
        require(fits, "`number`", "be a whole number from 0, below 2^31", self.number, remedy)
        check_layers(self.num_layers)
        some = self.num_layers >= 1 or not self.number
        remedy = "Without a layer outputs would not depend on the input: try 3."
        require(
            some, "`num_layers`", "be at least 1 where there are queries", self.num_layers, remedy
        )


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """What is left out at random in training.

    Args:
        layers: Share of what every layer adds to a node's vector.
        labels: Share of the input nodes whose labels are made unknown, so that the network learns
            to copy unknown labels.

    Raises:
        InputError: If a share is not in [0, 1).
    """

    layers: float = 0.0
    labels: float = 0.0

    def __post_init__(self) -> None:
        """Refuses what is no share."""
        for name, share in vars(self).items():
            require(0 <= share < 1, f"`{name}`", "lie in [0, 1)", share, "Try 0.1.")


def check_layers(count: int) -> None:
    """Refuses a number of layers that no network has.

    Raises:
        InputError: If it is negative, or above `MAX_LAYERS`.
    """
    require(count >= 0, "`num_layers`", "not be negative", count, "Try 1.")
    require(count <= MAX_LAYERS, "`num_layers`", f"be at most {MAX_LAYERS}", count, "Try 4.")


def check_sizes(num_layers: int, ngrams: int, features: int) -> None:
    """Refuses sizes that no network has.

    Raises:
        InputError: Naming the first.
    """
    check_layers(num_layers)
    require(ngrams >= 1, "`ngrams`", "be at least 1", ngrams, "Try 2.")
    require(features >= 0, "`features`", "not be negative", features, "0: nodes have none.")


DECIDED = ("labels", "relations", "uncopied", "directed", "symmetric", "features")
"""Arguments of a network that no option of training sets."""

GROUPS: dict[str, type] = {
    "candidates": CandidateEdges, "slots": OutputSlots, "queries": OutputQueries,
    "dropout": Dropout,
}  # fmt: skip


def grouped(options: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `GraphTransformNet`, with mappings in place of groups made into groups.

    Raises:
        InputError: If a group has no such option, or a value is out of range.
    """
    made = dict(options)
    for name, kind in GROUPS.items():
        given = made.get(name)
        if not isinstance(given, Mapping):
            continue
        known = [entry.name for entry in fields(kind)]
        for key in given:
            if key not in known:
                remedy = f"It has {', '.join(known)}."
                raise refusal(f"`{name}`", "have known options only", Received(str(key)), remedy)
        made[name] = kind(**given)
    return made


def whole_groups(**given: Any) -> dict[str, Any]:
    """The groups of `GROUPS` by name, with the defaults of those that are None.

    Raises:
        InputError: If one is of another kind.
    """
    groups = {name: GROUPS[name]() if group is None else group for name, group in given.items()}
    for name, group in groups.items():
        kind, got = GROUPS[name], Received(type(group).__name__)
        ours = isinstance(group, kind)
        require(ours, f"`{name}`", f"be `{kind.__name__}`", got, "It is in grapheme_torch.nn.")
    return groups


def check_outputs(
    queries: OutputQueries, slots: OutputSlots, edges: CandidateEdges, places: str
) -> None:
    """Refuses candidates and places that no network has, or that do not go with its outputs.

    Queries have nothing that only output nodes which stand at inputs can have.

    Raises:
        InputError: Naming the option.
    """
    decided, remedy = edges.pairs != "auto", "`train` decides by the data; say all."
    require(decided, "`pairs`", "be forward or all", edges.pairs, remedy)
    remedy = 'Use "count" where targets are texts.'
    require(places in ("input", "count"), "`places`", 'be "input" or "count"', places, remedy)
    tied = {
        "slots.per_node": (slots.per_node, 1), "candidates.window": (edges.window, None),
        "candidates.locality": (edges.locality, 0.0), "candidates.copy": (edges.copy, False),
        "places": (places, "input"),
    }  # fmt: skip
    for name, (value, usual) in tied.items():
        remedy = (
            "Leave it out: queries have no order and stand at no input node. Or have none of them "
            "(--network.queries.number 0)."
        )
        fits = not queries.number or value == usual
        require(fits, f"`{name}`", f"be {usual!r} with `queries`", value, remedy)
