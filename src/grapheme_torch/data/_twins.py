"""Nodes of one label and the words that tell it: which node is which word.

Words and labels cannot tell "cat" from "cat". What can is how the two nodes hang together. The rest
of the file says in which order two words stand whose nodes are joined by the same path of edges. It
also says whether two nodes of one label that are joined so are told by one word.
"""

import itertools
import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

Triple = tuple[int, int, str]
Path = tuple[tuple[str, bool], ...] | None
"""The labels of the edges on the way, each with whether it is walked along; None: no way."""

_MOST = 10_000
"""Assignments tried for the nodes of a label, at most; beyond it the order given decides."""


class Paths:
    """The shortest ways between the nodes of a graph, against edges or along them."""

    def __init__(self, edges: Iterable[Triple]) -> None:
        self._steps: defaultdict[int, list[tuple[int, str, bool]]] = defaultdict(list)
        for source, target, label in edges:
            self._steps[source].append((target, label, True))
            self._steps[target].append((source, label, False))

    def from_node(self, node: int) -> dict[int, Path]:
        """The way to each node that can be reached; of several shortest, the first found."""
        found: dict[int, Path] = {node: ()}
        queue = deque([node])
        while queue:
            at = queue.popleft()
            for to, label, along in self._steps[at]:
                if to not in found:
                    found[to] = (*(found[at] or ()), (label, along))
                    queue.append(to)
        return found


class Orders:
    """What a file tells of the places of two nodes, by the path from the first to the second.

    The first of two nodes is that which is given first. So the order in which a target names its
    nodes counts where the file shows that it means something.
    """

    def __init__(self) -> None:
        self._same: defaultdict[Path, list[int]] = defaultdict(lambda: [0, 0])
        self._before: defaultdict[Path, list[int]] = defaultdict(lambda: [0, 0])

    def see_twins(self, path: Path, same: bool) -> None:
        """Counts two nodes of one label whose places are known to be the same, or not."""
        self._same[path][not same] += 1

    def see(self, path: Path, first: int, second: int) -> None:
        """Counts two nodes of different labels whose places are known."""
        if first != second:
            self._before[path][first > second] += 1

    def log_chance(self, path: Path, first: int, second: int) -> float:
        """The logarithm of the probability of two places, of nodes of one label."""
        same = _share(self._same.get(path, (0, 0)))
        if first == second:
            return math.log(same)
        before = _share(self._before.get(path, (0, 0)), more=0.01)
        return math.log(1 - same) + math.log(before if first < second else 1 - before)


def _share(counts: Sequence[int], more: float = 0.0) -> float:
    yes, no = counts
    return (yes + 0.5 + more) / (yes + no + 1 + 2 * more)


def best_places(
    nodes: Sequence[int], words: Sequence[int], paths: Paths, orders: Orders
) -> list[int]:
    """The word of each node of a label, such that every word has a node."""
    count = len(nodes)
    if len(words) ** count > _MOST:
        return [words[min(k * len(words) // count, len(words) - 1)] for k in range(count)]
    pairs = list(itertools.combinations(range(count), 2))
    ways = [paths.from_node(node) for node in nodes]
    way = {(a, b): ways[a].get(nodes[b]) for a, b in pairs}

    def chance(places: tuple[int, ...]) -> float:
        return sum(orders.log_chance(way[a, b], places[a], places[b]) for a, b in pairs)

    best = max(_surjections(words, count), key=chance)
    return list(best)


def _surjections(words: Sequence[int], count: int) -> Iterator[tuple[int, ...]]:
    if len(words) == count:
        return itertools.permutations(words)
    return (p for p in itertools.product(words, repeat=count) if len(set(p)) == len(words))
