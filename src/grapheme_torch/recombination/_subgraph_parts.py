"""Parts of a pair: a node of the target with all below it, and the words that it comes from."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ._aligned import Aligned, Edge


@dataclass(frozen=True)
class Gap:
    """Where a node that belongs to a part is missing.

    Args:
        filler: The node, which is not of the part.
        source, relation: The one edge from the part to it.
        hole: The input nodes within the part that are left out with it; none where the filler
            stands elsewhere.
        at_end: Whether the part ends where its words have been left out.
    """

    filler: int
    source: int
    relation: str
    hole: range = range(0)
    at_end: bool = False


@dataclass(frozen=True)
class Part:
    """A part of a target, and the stretch of the input that it covers.

    Args:
        head: Its topmost node.
        nodes: All its nodes.
        first, last: The first and the last of the input nodes.
        role: Relations of the edges to the head from outside, sorted.
        frame: Relations of the edges from the head, sorted.
        gap: Where one of its nodes is missing. Default: none is.
    """

    head: int
    nodes: frozenset[int]
    first: int
    last: int
    role: tuple[str, ...]
    frame: tuple[str, ...]
    gap: Gap | None = None

    @property
    def size(self) -> int:
        """How many input nodes it covers."""
        hole = self.gap.hole if self.gap is not None else range(0)
        return self.last - self.first + 1 - len(hole)


def parts(pair: Aligned) -> Iterator[Part]:
    """The parts of a pair that others can take the place of.

    A part is a node and all that edges lead to from it. No edge from outside leads into it but to
    its head. Each of its nodes has a place, and no node outside has a place between theirs.
    """
    follow = after(pair.edges)
    for head in range(len(pair.labels)):
        nodes = reached(head, follow)
        if not all(pair.places[node] for node in nodes) or not _is_closed(head, nodes, pair.edges):
            continue
        first = min(pair.places[node][0] for node in nodes)
        last = max(pair.places[node][-1] for node in nodes)
        if is_apart(pair, nodes, first, last):
            role = tuple(sorted(r for s, t, r in pair.edges if t == head and s not in nodes))
            frame = tuple(sorted(r for source, _, r in pair.edges if source == head))
            yield Part(head, nodes, first, last, role, frame)


def after(edges: Sequence[Edge]) -> dict[int, list[int]]:
    """The nodes that edges lead to from each."""
    found: dict[int, list[int]] = defaultdict(list)
    for source, target, _ in edges:
        found[source].append(target)
    return found


def reached(
    node: int, follow: Mapping[int, Sequence[int]], but: int | None = None
) -> frozenset[int]:
    """A node and all nodes that edges lead to from it, though not by way of one."""
    seen, waiting = {node}, [node]
    while waiting:
        fresh = set(follow.get(waiting.pop(), ())) - seen - {but}
        seen |= fresh
        waiting.extend(fresh)
    return frozenset(seen)


def _is_closed(head: int, nodes: frozenset[int], edges: Sequence[Edge]) -> bool:
    """Whether edges from outside lead to the head only."""
    return all(target == head or source in nodes for source, target, _ in edges if target in nodes)


def is_apart(pair: Aligned, nodes: frozenset[int], first: int, last: int) -> bool:
    """Whether no other node has a place in a stretch of the input."""
    outside = (pair.places[node] for node in range(len(pair.labels)) if node not in nodes)
    return not any(first <= place <= last for places in outside for place in places)
