"""Places of labels: a planted alignment is found, whatever words, nodes and pairs are called."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.data import Unaligned, align_labels

SEEDS = st.integers(0, 2**32 - 1)
Places = list[list[int | None]]


def _planted(seed: int, count: int = 300) -> tuple[list[Unaligned], Places]:
    """Sentences over an invented lexicon: each noun and verb has words unlike its label.

    A verb stands last and its two nouns before it, each behind one of two empty words. In some
    the object comes first, behind a word that says so. The labels are in an order of chance.
    """
    rng = random.Random(seed)
    nouns = {f"n{k}": f"{chr(97 + k)}{chr(110 + k)}" for k in range(8)}
    verbs = {f"v{k}": [f"{chr(98 + k)}#", f"{chr(103 + k)}%"] for k in range(4)}
    pairs: list[Unaligned] = []
    places: Places = []
    for _ in range(count):
        first, second = rng.sample(sorted(nouns), 2)
        verb = rng.choice(sorted(verbs))
        words = [rng.choice("+-"), nouns[first], rng.choice("+-"), nouns[second]]
        words.append(rng.choice(verbs[verb]))
        nodes = [(first, 1), (second, 3), (verb, 4)]
        turned = rng.random() < 0.3
        roles = ["object", "subject"] if turned else ["subject", "object"]
        words += ["!"] * turned
        order = rng.sample(range(3), 3)
        edges = [(order.index(2), order.index(k), roles[k]) for k in (0, 1)]
        pairs.append(Unaligned(words, [nodes[k][0] for k in order], edges))
        places.append([nodes[k][1] for k in order])
    return pairs, places


@settings(max_examples=15)
@given(SEEDS)
def test_a_planted_alignment_is_found(seed: int) -> None:
    pairs, places = _planted(seed)
    assert align_labels(pairs) == places


@settings(max_examples=15)
@given(SEEDS)
def test_it_follows_the_order_of_nodes_and_pairs(seed: int) -> None:
    pairs, places = _planted(seed, 150)
    rng = random.Random(seed)
    order = rng.sample(range(len(pairs)), len(pairs))
    turned = [
        Unaligned(p.words, p.labels[::-1], [(2 - s, 2 - t, role) for s, t, role in p.edges])
        for p in (pairs[k] for k in order)
    ]
    assert align_labels(turned) == [places[k][::-1] for k in order]


def test_names_say_nothing_where_counts_do() -> None:
    pairs, places = _planted(1)
    misleading = {"an": "n1", "bo": "n0", "+": "v0"}
    renamed = [replace(p, words=[misleading.get(w, w) for w in p.words]) for p in pairs]
    assert align_labels(renamed) == places


def test_the_order_of_twins_is_that_of_other_nodes_joined_alike() -> None:
    """`like` above `like`: as other verbs, the upper one stands first, in any order of nodes."""
    pairs, _ = _planted(0, 20)
    known = [
        Unaligned(["ann", "said", "bob", "ran"], ["say", "run"], [(0, 1, "that")]),
        Unaligned(["cid", "saw", "bob", "slept"], ["sleep", "see"], [(1, 0, "that")]),
        Unaligned(["ann", "slept"], ["sleep"]),
        Unaligned(["cid", "liked"], ["like"]),
    ] * 5  # fmt: skip
    words = ["ann", "liked", "bob", "liked"]
    for edge, places in (((0, 1, "that"), [1, 3]), ((1, 0, "that"), [3, 1])):
        assert align_labels([*known, *pairs, Unaligned(words, ["like"] * 2, [edge])])[-1] == places


def test_fewer_words_than_twins_are_shared() -> None:
    """Whoever wants to run runs: two nodes joined by that path are one word; others are not."""
    pair = Unaligned
    known = [
        pair([name, "wants", verb], ["want", name, verb, name],
             [(0, 1, "who"), (0, 2, "what"), (2, 3, "who")])
        for name in ("ann", "bob") for verb in ("run", "sit", "swim")
    ] + [pair([a, "says", b, "sits"], ["say", a, "sit", b],
              [(0, 1, "who"), (0, 2, "that"), (2, 3, "who")])
         for a, b in (("ann", "bob"), ("bob", "ann"), ("ann", "ann"))]  # fmt: skip
    edges = [(0, 1, "who"), (0, 2, "that"), (2, 3, "who"), (2, 4, "what"), (4, 5, "who")]
    words = ["bob", "says", "bob", "wants", "run"]
    last = pair(words, ["say", "bob", "want", "bob", "run", "bob"], edges)
    assert align_labels([*known, last])[-1] == [1, 0, 3, 2, 4, 2]


def test_a_pair_alone_is_aligned_by_spelling() -> None:
    (found,) = align_labels([Unaligned(["The", "girls", "slept", "."], ["sleep", "girl"])])
    assert found == [2, 1]


def test_what_no_word_tells_has_no_place() -> None:
    assert align_labels([]) == []
    assert align_labels([Unaligned([], ["a"]), Unaligned(["a"], [])]) == [[None], []]
    assert align_labels([Unaligned(["a"], ["a", "b"])]) == [[0, None]]


def test_many_twins_keep_their_order() -> None:
    found = align_labels([Unaligned(["a"] * 12, ["a"] * 12), Unaligned(["b"], ["b"])])
    assert found == [list(range(12)), [0]]


def test_an_edge_to_nowhere_is_refused() -> None:
    reason = r"`pairs\[1\]` must join two of the 1 nodes, got \(0, 1\)"
    with pytest.raises(InputError, match=reason):
        align_labels([Unaligned(["a"], ["a"]), Unaligned(["a"], ["a"], [(0, 1, "of")])])
