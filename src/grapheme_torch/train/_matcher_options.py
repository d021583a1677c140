"""Learnt scores of matches as options of a run: `--matcher.use` and what goes with it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import nn

from .._check import Received, refusal, require
from .._safe_files import read_regular
from ..loss import GraphMatcher, Learned, Sinkhorn
from ..nn import GraphTransformNet

LARGEST_CONFIG = 2**26
"""Bytes of the description of a network."""

_BOUNDS = {"dim": (1, 4096), "num_layers": (0, 64), "num_coordinates": (0, 1024)}


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Scores of matches that are learnt along with the network, by a `GraphMatcher`.

    Args:
        use: "none": nodes are aligned by what is predicted of them. "plan": learnt scores make the
            plan, in one alignment. "start": they make the first plan of the rounds. "prior": they
            are part of the cost of every round.
        edits: Weight of the expected edits of a match beside its score; 0 goes by scores alone.
        margins: Weight of what is off in rows and columns of a plan that was stopped early.
        dim: Size of the vectors that are compared.
        num_layers: Steps of messages among the nodes of a target.
        num_coordinates: Eigenvectors of the Laplacian that tell the nodes of a target apart.

    Raises:
        InputError: If a value is out of range.
    """

    use: Literal["none", "plan", "start", "prior"] = "none"
    edits: float = 1.0
    margins: float = 0.0
    dim: int = 64
    num_layers: int = 3
    num_coordinates: int = 8

    def __post_init__(self) -> None:
        """Refuses a value out of range; the other ones `Learned` looks at."""
        known = get_args(Matching.__annotations__["use"])
        wanted = f"be one of {', '.join(known)}"
        require(self.use in known, "`use`", wanted, self.use, "Choose one.")
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            require(fits, f"`{name}`", f"be from {least} to {most}", value, "Leave it out.")


Sizes = Mapping[str, int | None]
"""Arguments of a `GraphMatcher` that are those of the network and its classes."""


def sizes_of(
    labels: Sequence[str], relations: Sequence[str], network: nn.Module | Mapping[str, Any]
) -> Sizes:
    """The sizes of a matcher for a network.

    Args:
        labels, relations: What its classes mean.
        network: It, or its description. A `GraphTransformNet` says what it knows of each node;
            of another what it predicts is read.
    """
    config = network.config if isinstance(network, GraphTransformNet) else network
    dim = config.get("dim") if isinstance(config, Mapping) else None
    return {
        "num_labels": max(len(labels), 1),
        "num_relations": max(len(relations), 1),
        "embedding": dim if isinstance(dim, int) else None,
    }


def saved_sizes(folder: Path) -> Sizes:
    """The sizes of a matcher for the network of a run.

    Raises:
        InputError: "FILE: ..." if its description does not tell.
    """
    path = folder / "config.json"
    try:
        text = read_regular(path, at_most=LARGEST_CONFIG, within=folder).decode()
        network = json.loads(text)["network"]
        return sizes_of(network["labels"], network["relations"], network)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        remedy = "Restore it, or train again."
        cause = Received(str(error).replace("\n", " "))
        raise refusal(str(path), "describe the network of a run", cause, remedy) from None


def learned(options: Matching, solver: Sinkhorn, sizes: Sizes | None) -> Sinkhorn | Learned:
    """The alignment by learnt scores; the solver itself where none are learnt.

    Args:
        options: What was asked.
        solver: How plans are found.
        sizes: Those of the network. None: they are not known yet; options are checked all the same.
    """
    if options.use == "none":
        return solver
    known = {"num_labels": 1, "num_relations": 1, "embedding": None} if sizes is None else sizes
    own = {name: getattr(options, name) for name in _BOUNDS}
    found: dict[str, Any] = {**known, **own}
    with torch.device("meta") if sizes is None else nullcontext():
        matcher = GraphMatcher(**found)
    ours = {"use": options.use, "edits": options.edits, "margins": options.margins}
    return Learned(matcher, solver, **ours)  # type: ignore[arg-type]


def matching_of(alignment: Learned, sizes: Sizes | None) -> Matching | None:
    """The options that make this alignment again; None if there are none."""
    matcher = alignment.matcher
    if type(alignment) is not Learned or type(matcher) is not GraphMatcher or sizes is None:
        return None
    config = matcher.config
    own = {name: config[name] for name in _BOUNDS}
    with torch.device("meta"):
        usual: dict[str, Any] = {**sizes, **own}
        if GraphMatcher(**usual).config != config:
            return None
    return Matching(use=alignment.use, edits=alignment.edits, margins=alignment.margins, **own)
