"""Parts of which one node stands elsewhere, and what they look like."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ._aligned import Aligned
from ._subgraph_parts import Gap, Part, after, is_apart, reached

Pattern = tuple[object, ...]
"""A part with a gap: 1 for each node down to the gap, 0 for parts of these, and other words."""

Kind = tuple[bool, tuple[str, ...]]
"""Of a filler: whether the gap lies in what modifies it; then relations to the head, else words."""


class Outside(NamedTuple):
    """A part with a gap, what fills it, and whether that stands before the part."""

    part: Part
    kind: Kind
    before: bool


def outside(pair: Aligned, kinds: Collection[Kind] | None = None) -> Iterator[Outside]:
    """Parts of which just one node stands outside of their stretch, and is theirs alone.

    Args:
        pair: Where to look.
        kinds: Of the fillers that are looked for. Default: any.
    """
    follow = after(pair.edges)
    lead = after([(t, s, r) for s, t, r in pair.edges])
    for filler, places in enumerate(pair.places):
        for head, kind in _heads(pair, filler, lead) if places else ():
            if kinds is not None and kind not in kinds:
                continue
            nodes = reached(head, follow, but=filler)
            outward = [(s, r) for s, t, r in pair.edges if t == filler and s in nodes]
            part = None
            if len(outward) == 1:
                part = _gapped(pair, head, nodes, Gap(filler, *outward[0]))
            if part is not None:
                yield Outside(part, kind, places[0] < part.first)


def _heads(
    pair: Aligned, filler: int, lead: Mapping[int, Sequence[int]]
) -> Iterator[tuple[int, Kind]]:
    """The nodes that a part with this filler could have as its head, and the kind of it then."""
    ours: dict[int, list[str]] = {}
    for source, target, relation in pair.edges:
        if source == filler:
            ours.setdefault(target, []).append(relation)
    symbols = tuple(pair.symbols[place] for place in pair.places[filler])
    above = reached(filler, lead) - {filler}
    for head in sorted(above):
        if head in ours:
            yield head, (True, tuple(ours[head]))
        elif len(lead.get(filler, ())) == 1:
            yield head, (False, symbols)


def _gapped(pair: Aligned, head: int, nodes: frozenset[int], gap: Gap) -> Part | None:
    """The part of these nodes, if they are one but for the gap."""
    if not all(pair.places[node] for node in nodes):
        return None
    entered = any(t in nodes and t != head and s not in nodes for s, t, _ in pair.edges)
    first = min(pair.places[node][0] for node in nodes)
    last = max(pair.places[node][-1] for node in nodes)
    if entered or not is_apart(pair, nodes, first, last):
        return None
    role = tuple(sorted(r for s, t, r in pair.edges if t == head and s not in nodes))
    frame = tuple(sorted(r for s, _, r in pair.edges if s == head))
    return Part(head, nodes, first, last, role, frame, gap)


def without(pair: Aligned, part: Part, inner: Part, belongs: Collection[str]) -> Part:
    """A part without one of its own parts, and without the words that belong to that.

    A word that is no node, precedes it and does not belong to it stays, such as a preposition.
    """
    first = inner.first
    noded = {place for places in pair.places for place in places}
    while first - 1 not in noded and first and pair.symbols[first - 1] in belongs:
        first -= 1
    (source,) = (s for s, t, _ in pair.edges if t == inner.head and s not in inner.nodes)
    gap = Gap(inner.head, source, inner.role[0])
    rest = replace(part, nodes=part.nodes - inner.nodes, gap=gap)
    if first <= part.first:
        return replace(rest, first=inner.last + 1)
    if inner.last == part.last:
        return replace(rest, last=first - 1, gap=replace(gap, at_end=True))
    return replace(rest, gap=replace(gap, hole=range(first, inner.last + 1)))


def pattern(pair: Aligned, part: Part) -> Pattern:
    """What a part looks like, down to the node that has the gap."""
    assert part.gap is not None
    spine = _way(part.head, part.gap.source, after(pair.edges))
    mark = {place: int(node in spine) for node in part.nodes for place in pair.places[node]}
    found: list[object] = []
    for place in range(part.first, part.last + 1):
        if place not in part.gap.hole:
            one: object = mark.get(place, pair.symbols[place])
            if one != 0 or not found or found[-1] != 0:
                found.append(one)
    return tuple(found)


def _way(start: int, end: int, follow: Mapping[int, Sequence[int]]) -> set[int]:
    """The nodes of a shortest way from one node to another."""
    came: dict[int, int] = {start: start}
    waiting = deque([start])
    while end not in came:
        node = waiting.popleft()
        for other in follow.get(node, ()):
            if other not in came:
                came[other] = node
                waiting.append(other)
    way = {start, end}
    while end != start:
        end = came[end]
        way.add(end)
    return way
