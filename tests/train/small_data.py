"""Data sets as newcomers bring them: a few pairs that are to be learned by heart."""

from typing import Any

Record = dict[str, Any]


def tree(labels: str | list[str], edges: list[tuple[int, int, str]]) -> dict[str, Any]:
    """A node-link graph."""
    return {
        "nodes": [{"id": k, "label": label} for k, label in enumerate(labels)],
        "edges": [{"source": s, "target": t, "label": label} for s, t, label in edges],
    }


def sides(head: int, left: int, right: int) -> list[tuple[int, int, str]]:
    return [(head, left, "left"), (head, right, "right")]


def pairs_of(words: dict[str, str]) -> list[Record]:
    return [{"input": one, "target": other} for one, other in words.items()]


README: list[Record] = [{"input": "2+3*4", "target": tree("+2*", sides(0, 1, 2))}]

SUM: list[Record] = [
    {"input": "a + b * c", "target": tree("+a*bc", [*sides(0, 1, 2), *sides(2, 3, 4)])}
]

SUMS = [
    {"input": text, "target": tree([text[1], text[0], text[2]], sides(0, 1, 2))}
    for text in ("2+3", "4*5", "7-1", "8+6", "3*9", "5-2", "1+7", "6*4", "9-8", "3+5")
]
"""Those of the tutorial."""

_PHRASES = tree(
    ["S", "NP", "VP", "D", "N", "V", "NP", "D", "N"],
    [(s, t, "part") for s, t in ((0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6), (6, 7), (6, 8))],
)
SENTENCES = (
    "the cat sees a dog", "the dog sees a cat", "a bird hears the fox", "the fox hears a bird",
    "a boy likes the girl", "the girl likes a boy", "the cow eats a leaf", "a goat eats the leaf",
    "the man reads a book", "a woman reads the book",
)  # fmt: skip
ONE_TREE: list[Record] = [{"input": text, "target": _PHRASES} for text in SENTENCES]
"""Ten sentences that share one tree, whose labels come twice."""

WORDS_IN_ONE_TREE: list[Record] = [
    {
        "input": {
            "nodes": [{"id": k, "label": word} for k, word in enumerate(text.split())],
            "edges": [{"source": k, "target": k + 1} for k in range(4)],
        },
        "target": _PHRASES,
    }
    for text in SENTENCES
]
"""The same, read word by word, and without places."""

PLURALS = pairs_of(
    {
        "cat": "cats", "dog": "dogs", "bus": "buses", "box": "boxes", "baby": "babies",
        "city": "cities", "leaf": "leaves", "man": "men", "child": "children", "foot": "feet",
    }
)  # fmt: skip
"""Targets that are longer than their inputs."""

REVERSED = pairs_of({word: word[::-1] for word in ("cat", "dog", "bus", "box", "baby", "city")})

_RING = [(k, (k + 1) % 6, "bond") for k in range(6)]
RINGS: list[Record] = [
    {"input": f"c1ccccc1{end}", "target": {**tree(ring, bonds), "directed": False}}
    for end, ring, bonds in (
        ("", "cccccc", _RING),
        ("N", "ccccccN", [*_RING, (5, 6, "bond")]),
        ("CO", "ccccccCO", [*_RING, (5, 6, "bond"), (6, 7, "bond")]),
    )
]
"""Molecules: no edge has a direction, and hardly a label tells nodes apart."""

KINDS_OF: list[Record] = [
    {
        "input": f"{a} is a kind of {b}, which is a kind of {c}.",
        "target": tree([a, b, c], [(0, 1, "is a"), (1, 2, "is a")]),
    }
    for a, b, c in (
        ("dog", "mammal", "animal"), ("oak", "tree", "plant"), ("rose", "flower", "plant"),
        ("eagle", "bird", "animal"), ("trout", "fish", "animal"), ("car", "vehicle", "thing"),
    )
]  # fmt: skip
"""Paths that are no texts: nobody knows where in the input their nodes are read off."""


def _twice(word: str) -> Record:
    letters = [letter for letter in word for _ in range(2)]
    return {
        "input": word,
        "target": tree(letters, [(k, k + 1, "") for k in range(len(letters) - 1)]),
    }


TWICE = [
    _twice(word)
    for word in ("house", "tree", "apple", "garden", "window", "teacher", "orange", "bottle")
]
"""Each letter twice, as a graph: all nodes share their label with another."""

AUTOMATA: list[Record] = [
    {"input": text, "target": tree(labels, edges)}
    for text, labels, edges in (
        ("a*", ["end"], [(0, 0, "a")]),
        ("b*", ["end"], [(0, 0, "b")]),
        ("ab", ["state", "state", "end"], [(0, 1, "a"), (1, 2, "b")]),
        ("a*b", ["state", "end"], [(0, 0, "a"), (0, 1, "b")]),
        ("ab*", ["state", "end"], [(0, 1, "a"), (1, 1, "b")]),
        ("(ab)*", ["end", "state"], [(0, 1, "a"), (1, 0, "b")]),
        ("a*b*", ["end", "end"], [(0, 0, "a"), (0, 1, "b"), (1, 1, "b")]),
    )
]
"""Regular expressions and their automata: edges lead from a state to itself, and back."""

_CYCLES = {size: [(k, (k + 1) % size, "bond") for k in range(size)] for size in (3, 4, 5, 6)}
CHLORINATED: list[Record] = [
    {
        "input": {"directed": False, **tree("C" * size, bonds)},
        "target": {"directed": False, **tree(["C"] * size + ["Cl"], [*bonds, (0, size, "bond")])},
    }
    for size, bonds in _CYCLES.items()
]
"""Nothing tells the nodes of an input apart, and one of those of the target is to be another."""

TWINS: list[Record] = [
    {
        "input": {"directed": False, **tree(f"{twin}{middle}{twin}", [(0, 1, "-"), (1, 2, "-")])},
        "target": {"directed": False, **tree(f"{twin}{middle}{twin}", [(0, 1, "-")])},
    }
    for twin, middle in ("ab", "ba", "cd", "ef", "gc", "bf")
]
"""Two nodes of an input are alike, and one of them is to lose its edge, whichever it is."""

SMALL_DATA: dict[str, list[Record]] = {
    "readme": README, "sum": SUM, "sums": SUMS, "one_tree": ONE_TREE,
    "words_in_one_tree": WORDS_IN_ONE_TREE, "plurals": PLURALS, "reversed": REVERSED,
    "rings": RINGS, "kinds_of": KINDS_OF, "twice": TWICE, "automata": AUTOMATA,
    "chlorinated": CHLORINATED, "twins": TWINS,
}  # fmt: skip
