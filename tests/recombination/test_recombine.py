"""New pairs from the parts of others: they mean what their words mean."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch import InputError, recombine
from grapheme_torch.data import Pair, make_pair
from grapheme_torch.graphs import edge_triples, node_labels
from grapheme_torch.recombination._aligned import Aligned, read_aligned
from grapheme_torch.recombination._bag import Bag
from grapheme_torch.recombination._environment import Neighbours
from grapheme_torch.recombination._exchange import exchanged
from grapheme_torch.recombination._subgraph_parts import parts

from .expressions import SENTENCES, expression_record, meaning, record, sentence_pair

SENTENCES_OF_DEPTH_TWO = ["neg one", "not two", "sum one two", "mul two neg one", "sum not one two"]


def corpus(sentences: list[str] = SENTENCES_OF_DEPTH_TWO) -> list[Pair]:
    return [sentence_pair(each.split(), k) for k, each in enumerate(sentences, 1)]


@pytest.mark.repeats
@given(st.lists(SENTENCES, min_size=1, max_size=8), st.integers(0, 2**63 - 1))
def test_a_new_pair_means_what_its_words_mean(sentences: list[list[str]], seed: int) -> None:
    pairs = [sentence_pair(words) for words in sentences]
    if not any(len(words) > 1 for words in sentences):
        return
    for new in recombine(pairs, 5, seed=seed, max_nodes=30):
        words = node_labels(new.input)
        labels, edges = meaning(words)
        assert node_labels(new.target) == labels
        assert sorted(edge_triples(new.target)) == edges
        assert new.extra["alignment"] == list(range(len(words)))


def test_new_pairs_are_deeper_than_any_given_and_each_is_new() -> None:
    given_pairs = corpus()
    made = recombine(given_pairs, 50, max_nodes=20)
    texts = [" ".join(node_labels(pair.input)) for pair in made]
    assert len(texts) == len(set(texts)) == 50
    assert not set(texts) & set(SENTENCES_OF_DEPTH_TWO)
    lengths = [len(text.split()) for text in texts]
    assert max(lengths) <= 20
    assert max(lengths) >= 10  # the longest given has four words


def test_the_seed_decides() -> None:
    texts = [
        [" ".join(node_labels(pair.input)) for pair in recombine(corpus(), 20, seed=seed)]
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.repeats
def test_default_length_is_three_times_the_longest() -> None:
    made = recombine(corpus(), 300)
    assert max(pair.input.num_nodes for pair in made) in range(9, 13)


def test_there_are_fewer_where_no_more_are_found() -> None:
    assert [node_labels(p.input) for p in recombine(corpus(["neg one", "neg two"]), 9)] == []


def test_a_seam_is_seen_by_each_word_beside_the_kind_of_the_other() -> None:
    """In "sum one two" the kinds are root, arg0 and arg1."""
    sentences = ["sum one two", "mul neg one two", "sum neg two one"]
    neighbours = Neighbours([aligned(pair) for pair in corpus(sentences * 9)])

    def fits(sentence: str, seam: int) -> bool:
        return neighbours.fit(aligned(sentence_pair(sentence.split())), [seam])

    assert fits("sum one two", 1)  # seen as it stands
    assert fits("mul one two", 1)  # "mul" has an arg0 after it, and "one" a root before it
    assert not fits("mul two one", 1)  # no root stands before "two"
    assert not fits("sum one neg two", 2)  # nor an arg0 before "neg"
    assert not fits("two", 0)  # "two" begins no sentence


def test_a_rare_word_is_let_off_and_a_frequent_one_is_not() -> None:
    neighbours = Neighbours([aligned(p) for p in corpus(["sum one two"] * 50 + ["not one"])])

    def fits(sentence: str, seam: int) -> bool:
        return neighbours.fit(aligned(sentence_pair(sentence.split())), [seam])

    assert fits("mul one two", 0)  # "mul" is not seen at all
    assert fits("sum one not two", 2)  # "not" is seen once, but never after "one"
    assert not fits("sum two one", 1)  # "two" never follows a root in fifty sentences


def test_what_is_rare_is_drawn_more_often_than_by_its_number() -> None:
    bag = Bag[str](1)
    for _ in range(900):
        bag.add("often", "a")
    for _ in range(100):
        bag.add("rarely", "b")
    chance = random.Random(0)
    drawn = [bag.draw(chance) for _ in range(4000)]
    assert len(bag) == 1000
    assert 0.22 < drawn.count("rarely") / 4000 < 0.28  # the root of 1/9 to 1
    assert {bag.draw(chance, lambda key: float(key == "b")) for _ in range(20)} == {"rarely"}
    assert bag.draw(chance, lambda _: 0.0) is None
    assert Bag[str](1).draw(chance) is None


def test_a_cycle_at_the_head_is_in_the_part() -> None:
    """A relative clause: "cake" is the theme of "eat", and modified by it."""
    edges = [(0, 1, "theme"), (1, 2, "nmod"), (2, 1, "theme")]
    pair = aligned_of(["saw", "cake", "eaten"], ["see", "cake", "eat"], edges, [0, 1, 2])
    found = {part.head: part for part in parts(pair)}
    assert found.keys() == {0, 1}
    assert found[1].nodes == {1, 2}
    assert (found[1].role, found[1].frame) == (("theme",), ("nmod",))


def test_exchange_within_one_pair() -> None:
    pair = aligned(sentence_pair(["sum", "neg", "one", "neg", "two"]))
    first, second = [part for part in parts(pair) if pair.labels[part.head] == "NEG"]
    new = exchanged(pair, first, pair, second)
    assert " ".join(new.symbols) == "sum neg two neg two"
    assert (list(new.labels), sorted(new.edges)) == meaning(list(new.symbols))


def aligned_of(words: list[str], labels: list[str], edges: Any, places: Any) -> Aligned:
    return aligned(make_pair(record(words, labels, edges, places), "here", 1))


def aligned(pair: Pair) -> Aligned:
    found = read_aligned(pair)
    assert found is not None
    return found


def test_a_node_that_another_part_leads_to_is_in_no_part_but_the_whole() -> None:
    """A control verb: "cat" is the agent of both verbs."""
    edges = [(0, 1, "agent"), (0, 2, "xcomp"), (2, 1, "agent")]
    pair = aligned_of(["wants", "cat", "sleep"], ["want", "cat", "sleep"], edges, [0, 1, 2])
    assert {part.head: set(part.nodes) for part in parts(pair)} == {0: {0, 1, 2}, 1: {1}}


@pytest.mark.parametrize(
    ("edges", "places"),
    [
        ([(0, 1, "a"), (1, 2, "a")], [1, 0, 2]),  # the place of another node lies between
        ([(0, 1, "a"), (1, 2, "a")], [0, 1, None]),  # a node without a place
        ([(0, 1, "a"), (1, 2, "a"), (0, 2, "a")], [0, 1, 2]),  # an edge past the head
    ],
)
def test_what_is_no_part(edges: Any, places: Any) -> None:
    pair = aligned_of(["uh", "oh", "ah"], ["X", "Y", "Z"], edges, places)
    assert 1 not in {part.head for part in parts(pair)}


def test_places_of_several_words() -> None:
    pair = aligned_of(["as", "if", "so", "on"], ["AB", "D"], [(0, 1, "x")], [[1, 0], 3])
    assert pair.places == ((0, 1), (3,))
    assert [(part.first, part.last) for part in parts(pair)] == [(0, 3), (3, 3)]


def test_positions_follow_the_words() -> None:
    records = [expression_record(each) for each in SENTENCES_OF_DEPTH_TWO]
    for each in records:
        for node in each["target"]["nodes"]:
            node["position"] = node["id"]
    made = recombine([make_pair(each, "here", 1) for each in records], 20)
    assert len(made) == 20
    for pair in made:
        assert pair.target.position.tolist() == pair.extra["alignment"]
    records[0]["target"]["nodes"][0]["position"] = 7  # elsewhere than its word
    assert read_aligned(make_pair(records[0], "here", 1)) is None


@st.composite
def any_records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of words and any directed graphs, with cycles, crossing places and unknown ones."""
    found = []
    for _ in range(draw(st.integers(1, 7))):
        words = draw(st.lists(st.sampled_from(["aa", "bb", "cc"]), min_size=1, max_size=6))
        places = draw(st.permutations(range(len(words))))[: draw(st.integers(1, len(words)))]
        known = [place if draw(st.integers(0, 9)) else None for place in places]
        labels = draw(st.lists(st.sampled_from("XYZ"), min_size=len(known), max_size=len(known)))
        node = st.integers(0, len(known) - 1)
        ends = draw(st.dictionaries(st.tuples(node, node), st.sampled_from("pq"), max_size=9))
        edges = [(s, t, r) for (s, t), r in ends.items() if s != t]
        found.append(record(words, labels, edges, known))
    return found


@pytest.mark.repeats
@given(any_records(), st.integers(0, 99))
def test_any_graphs_are_recombined(records: list[dict[str, Any]], seed: int) -> None:
    pairs = [make_pair(each, "any", line) for line, each in enumerate(records, 1)]
    known = {" ".join(node_labels(pair.input)) for pair in pairs}
    # A pair of which each part is a stretch of words beside another.
    sure = sentence_pair(["sum", "one", "two"])
    for pair in recombine([sure, *pairs], 5, seed=seed, max_nodes=12):
        places = pair.extra["alignment"]
        assert len(places) == pair.target.num_nodes
        assert all(place is None or place < pair.input.num_nodes for place in places)
        assert " ".join(node_labels(pair.input)) not in known


def test_texts_and_pairs_without_alignment_are_passed_over() -> None:
    text = make_pair({"input": "ab", "target": "ab", "alignment": [0, 1]}, "here", 1)
    bare = sentence_pair(["neg", "one"])
    del bare.extra["alignment"]
    assert len(recombine([text, bare, *corpus()], 5)) == 5
    with pytest.raises(InputError, match=r"`pairs` must hold pairs .*, got none in 0 aligned"):
        recombine([text, bare], 5)


def test_refusals() -> None:
    with pytest.raises(InputError, match="`number` must not be negative, got -1"):
        recombine(corpus(), -1)
    with pytest.raises(InputError, match="`max_nodes` must be at least 1, got 0"):
        recombine(corpus(), 1, max_nodes=0)
    with pytest.raises(InputError, match="`seed`"):
        recombine(corpus(), 1, seed=-1)
    wrong = make_pair(record(["as", "if"], ["A"], [], [5]), "here", 7)
    with pytest.raises(InputError, match='here:7: "alignment" must hold numbers of input nodes'):
        recombine([wrong], 1)


def test_what_modifies_objects_comes_to_modify_subjects() -> None:
    """Nothing that modifies stands before a verb; the words are neighbours all the same."""
    subject = record(["mats", "shine"], ["MAT", "SHINE"], [(1, 0, "agent")], [0, 1])
    other = record(["cats", "shine"], ["CAT", "SHINE"], [(1, 0, "agent")], [0, 1])
    edges = [(1, 0, "agent"), (1, 2, "theme"), (2, 4, "on")]
    words = ["men", "see", "cats", "on", "mats"]
    modified = record(
        words,
        ["MAN", "SEE", "CAT", "MAT"],
        [(s - (s > 3), t - (t > 3), r) for s, t, r in edges],
        [0, 1, 2, 4],
    )
    pairs = [make_pair(each, "here", 1) for each in [subject, other, modified] * 5]
    texts = [" ".join(node_labels(pair.input)) for pair in recombine(pairs, 3)]
    assert "cats on mats shine" in texts
