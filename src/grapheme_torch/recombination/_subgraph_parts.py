"""Parts of a pair: a node of the target with all below it, and the words that it comes from."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ._aligned import Aligned, Edge


@dataclass(frozen=True)
class Part:
    """A part of a target, and the stretch of the input that it covers.

    Args:
        head: Its topmost node.
        nodes: All its nodes.
        first, last: The first and the last of the input nodes.
        role: Relations of the edges to the head from outside, sorted.
        frame: Relations of the edges from the head, sorted.
    """

    head: int
    nodes: frozenset[int]
    first: int
    last: int
    role: tuple[str, ...]
    frame: tuple[str, ...]


def parts(pair: Aligned) -> Iterator[Part]:
    """The parts of a pair that others can take the place of.

    A part is a node and all that edges lead to from it. No edge from outside leads into it but to
    its head. Each of its nodes has a place, and no node outside has a place between theirs.
    """
    for head, nodes in enumerate(_below(len(pair.labels), pair.edges)):
        if not all(pair.places[node] for node in nodes) or not _is_closed(head, nodes, pair.edges):
            continue
        first = min(pair.places[node][0] for node in nodes)
        last = max(pair.places[node][-1] for node in nodes)
        if _is_apart(pair, nodes, first, last):
            role = tuple(sorted(r for s, t, r in pair.edges if t == head and s not in nodes))
            frame = tuple(sorted(r for source, _, r in pair.edges if source == head))
            yield Part(head, nodes, first, last, role, frame)


def _below(count: int, edges: Sequence[Edge]) -> list[frozenset[int]]:
    """For each node, itself and all nodes that edges lead to from it."""
    after: dict[int, list[int]] = defaultdict(list)
    for source, target, _ in edges:
        after[source].append(target)
    found = []
    for node in range(count):
        seen, waiting = {node}, [node]
        while waiting:
            fresh = set(after[waiting.pop()]) - seen
            seen |= fresh
            waiting.extend(fresh)
        found.append(frozenset(seen))
    return found


def _is_closed(head: int, nodes: frozenset[int], edges: Sequence[Edge]) -> bool:
    """Whether edges from outside lead to the head only."""
    return all(target == head or source in nodes for source, target, _ in edges if target in nodes)


def _is_apart(pair: Aligned, nodes: frozenset[int], first: int, last: int) -> bool:
    """Whether no other node has a place in a stretch of the input."""
    outside = (pair.places[node] for node in range(len(pair.labels)) if node not in nodes)
    return not any(first <= place <= last for places in outside for place in places)
