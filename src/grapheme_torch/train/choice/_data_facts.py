"""What a run knows of its pairs when it chooses options."""

from dataclasses import dataclass
from typing import Literal

Shape = Literal["path", "tree", "acyclic", "graph"]
"""What a directed target is; each is one of the next, too. Undirected ones are graphs."""

SHAPES: tuple[Shape, ...] = ("path", "tree", "acyclic", "graph")
"""From the strictest to the widest."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the pairs of a run are like; counts are of the pairs to train on.

    Args:
        pairs: Number of pairs.
        val_pairs: Number of pairs to validate on.
        inputs, targets: Nodes of an input and of a target, on average.
        slots: Output nodes per input node that every target fits into.
        usual_slots: Those that all targets but one in two hundred fit into.
        larger: Number of pairs that need more than `usual_slots`.
        shorter: Whether every target has fewer nodes than its input.
        shape: What every target is.
        directed: Whether edges have a direction.
        placed_inputs, placed_targets: Whether all inputs, and all targets, have positions.
        behind: Number of pairs of which it is not known that every edge leads ahead in the input,
            by their "alignment" or by positions.
        repeats: Share of the target nodes whose label another node of the same target has.
        copied: Share of the target nodes whose labels the input has, too, in the same order.
        moved: How many steps further the first of these stands in one of the two than in the
            other, on average. None where no label is copied.
        loops: Number of pairs whose target has an edge from a node to itself.
        kept: Share of the target edges that the input has, too, by their label and those of the
            ends.
        labels: Number of labels of target nodes.
        sets: Whether inputs are sets: no edges, and no places (but for nodes that have numbers).
        features: Numbers of an input node.
        largest: Nodes of the largest target.
        alike: Number of pairs, of the first few, whose input nodes look too much alike: no network
            puts out their targets at them.
    """

    pairs: int
    val_pairs: int
    inputs: float
    targets: float
    slots: int
    usual_slots: int
    larger: int
    shorter: bool
    shape: Shape
    directed: bool
    placed_inputs: bool
    placed_targets: bool
    behind: int
    repeats: float
    copied: float
    moved: float | None
    labels: int
    loops: int = 0
    kept: float = 0.0
    sets: bool = False
    features: int = 0
    largest: int = 0
    alike: int = 0

    @property
    def placed(self) -> bool:
        """Whether the places of outputs can be compared with those of targets."""
        return self.placed_inputs and self.placed_targets

    @property
    def is_path(self) -> bool:
        """Whether every target is a path, as texts are."""
        return self.directed and self.shape == "path"
