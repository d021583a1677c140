"""Where in the input each label of a target is read, for data that do not tell it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from jaxtyping import Float

from .._check import Received, require
from ._cooccurrence import link_scores
from ._twins import Orders, Path, Paths, Triple, best_places

_LEAST = 1e-3
"""The least score of a word that tells a label."""
_SHARE = 0.1
"""The least score of a further word that tells a label, of that of the best one."""


@dataclass(frozen=True)
class Unaligned:
    """A text and a graph of which nothing tells which word each node is read at.

    Args:
        words: The symbols of the input, in order.
        labels: The labels of the nodes of the target. Their order counts only between nodes of
            one label, and only where the file shows that it means something.
        edges: Source, target and label of the edges of the target.
    """

    words: Sequence[str]
    labels: Sequence[str]
    edges: Sequence[Triple] = field(default=())


def align_labels(pairs: Iterable[Unaligned]) -> list[list[int | None]]:
    """The word at which each node of each target is read, learned from all pairs together.

    What occurs together is counted (model 1 of IBM, both ways, by agreement). Then each pair gets
    the best assignment of words to nodes:

    - No word is given to nodes of two labels.
    - Nodes of one label share a word where there are fewer words than nodes.
    - Which of them is which word is decided by the paths of edges between them. What counts is the
      order that nodes joined by such a path have in the rest of the file.

    There is no lexicon and no rule about a language. Spelling counts where counts cannot tell, as
    in files of a few pairs. Memory is 100 bytes for each word times label, summed over the pairs.

    Args:
        pairs: Words, labels and edges of each pair.

    Returns:
        For each pair, for each label the number of its word, from 0; None where no word tells it.

    Raises:
        InputError: If an edge leads to a node that is not there.
    """
    pairs = list(pairs)
    for number, pair in enumerate(pairs):
        _check_edges(number, pair)
    labels = [list(dict.fromkeys(pair.labels)) for pair in pairs]
    scores = link_scores([pair.words for pair in pairs], labels)
    found = [_groups(pair, score) for pair, score in zip(pairs, scores, strict=True)]
    orders = _orders(pairs, found) if any(_open(groups) for groups in found) else Orders()
    return [_places(pair, groups, orders) for pair, groups in zip(pairs, found, strict=True)]


@dataclass
class _Group:
    """The nodes of one label in a pair, and the words that tell them, both in order."""

    nodes: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)

    @property
    def alone(self) -> bool:
        return len(self.nodes) == len(self.words) == 1

    @property
    def undecided(self) -> bool:
        return len(self.nodes) > 1 < len(self.words)


def _check_edges(number: int, pair: Unaligned) -> None:
    count = len(pair.labels)
    for source, target, _ in pair.edges:
        ok = 0 <= source < count and 0 <= target < count
        found = Received(f"({source}, {target})")
        name, remedy = f"an edge of `pairs[{number}]`", "Number the nodes from 0."
        require(ok, name, f"join two of the {count} nodes", found, remedy)


def _groups(pair: Unaligned, score: Float[np.ndarray, "words kinds"]) -> list[_Group]:
    """The nodes by label, each label with the words of the best assignment."""
    from scipy.optimize import linear_sum_assignment

    groups: defaultdict[str, _Group] = defaultdict(_Group)
    for node, label in enumerate(pair.labels):
        groups[label].nodes.append(node)
    found = list(groups.values())
    of = np.repeat(np.arange(len(found)), [len(group.nodes) for group in found])
    least = np.maximum(_LEAST, _SHARE * score.max(0, initial=0))
    rows, columns = linear_sum_assignment(-np.log(score + _LEAST**2)[:, of])
    for word, kind in zip(rows.tolist(), of[columns].tolist(), strict=True):
        if score[word, kind] > least[kind]:
            found[kind].words.append(word)
    return found


def _open(groups: Iterable[_Group]) -> bool:
    return any(group.undecided for group in groups)


def _orders(pairs: Sequence[Unaligned], found: Sequence[Sequence[_Group]]) -> Orders:
    """What the nodes whose words are known tell of those whose words are not."""
    orders = Orders()
    for pair, groups in zip(pairs, found, strict=True):
        ways = {group.nodes[0]: group.words[0] for group in groups if group.alone}
        paths = Paths(pair.edges)
        for first, second, path in _ways(paths, sorted(ways)):
            orders.see(path, ways[first], ways[second])
        for group in groups:
            if len(group.nodes) > 1 and len(group.words) in (1, len(group.nodes)):
                for _, _, path in _ways(paths, group.nodes):
                    orders.see_twins(path, same=len(group.words) == 1)
    return orders


def _ways(paths: Paths, nodes: Sequence[int]) -> Iterator[tuple[int, int, Path]]:
    ways = {node: paths.from_node(node) for node in nodes}
    return ((a, b, ways[a].get(b)) for a, b in combinations(nodes, 2))


def _places(pair: Unaligned, groups: Iterable[_Group], orders: Orders) -> list[int | None]:
    places: list[int | None] = [None] * len(pair.labels)
    for group in groups:
        words = [group.words[0]] * len(group.nodes) if len(group.words) == 1 else group.words
        if group.undecided:
            words = best_places(group.nodes, group.words, Paths(pair.edges), orders)
        for node, word in zip(group.nodes, words, strict=False):  # no word: no place
            places[node] = word
    return places
