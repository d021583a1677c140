"""Parts with a gap: what is asked for may be of any relation, though training asks for one."""

import itertools
import random

import pytest

from grapheme_torch import recombine
from grapheme_torch.data import Pair, make_pair
from grapheme_torch.graphs import edge_triples, node_labels
from grapheme_torch.recombination._aligned import Aligned, read_aligned
from grapheme_torch.recombination._environment import head_of, like_roles
from grapheme_torch.recombination._exchange import exchanged
from grapheme_torch.recombination._gap_parts import pattern
from grapheme_torch.recombination._gaps import Gaps
from grapheme_torch.recombination._subgraph_parts import Gap, Part, parts

from .expressions import record, sentence_pair

NAMES = ["Ann", "Bo", "Cy", "Di", "Ed"]
VERBS = ["saw", "met", "heard"]
GIVING = ["gave", "sold"]


def clause(words: str) -> Pair:
    """A pair by its words: who did what to whom, maybe with "a" before a name.

    With "whom" in front it asks for the relation that is missing.
    """
    tokens = words.split()
    nodes = [k for k, token in enumerate(tokens) if token not in ("a", "to", ".")]
    verb = next(k for k in nodes if tokens[k] in VERBS + GIVING)
    to = tokens.index("to") if "to" in tokens else len(tokens)
    relation = {
        k: "agent" if k < verb else "theme" if k < to else "recipient"
        for k in nodes
        if tokens[k] in NAMES
    }
    if tokens[0] == "whom":
        wanted = {"agent", "theme"} | ({"recipient"} if tokens[verb] in GIVING else set())
        (relation[0],) = wanted - set(relation.values())
    index = {k: n for n, k in enumerate(nodes)}
    edges = [(index[verb], index[k], one) for k, one in relation.items()]
    return make_pair(record(tokens, [tokens[k] for k in nodes], edges, nodes), "here", 1)


def told() -> list[str]:
    """Clauses in which nothing is missing."""
    two = [
        f"{a}{x} {verb} {b}{y} ."
        for x, y in itertools.permutations(NAMES, 2)
        for verb in VERBS
        for a, b in (("", "a "), ("a ", ""))
    ]
    three = [
        f"{a}{x} {verb} {b}{y} to {c}{z} ."
        for x, y, z in itertools.permutations(NAMES, 3)
        for verb in GIVING
        for a, b, c in (("", "a ", ""), ("a ", "", "a "))
    ]
    return two + random.Random(0).sample(three, 150)


ASKED = [f"whom {x} {verb} ." for x in NAMES for verb in VERBS] * 2


def aligned(words: str) -> Aligned:
    found = read_aligned(clause(words))
    assert found is not None
    return found


def gaps(sentences: list[str]) -> Gaps:
    pairs = [aligned(words) for words in sentences]
    heads = [(part.role, head_of(pair, part)) for pair in pairs for part in parts(pair)]
    return Gaps(pairs, like_roles(heads))


def words_of(pair: Aligned, part: Part) -> str:
    assert part.gap is not None
    kept = [k for k in range(part.first, part.last + 1) if k not in part.gap.hole]
    return " ".join(pair.symbols[k] for k in kept)


def test_what_stands_elsewhere_leaves_a_gap() -> None:
    found, pair = gaps(told() + ASKED), aligned("whom Bo met .")
    (part,) = found.of(pair)
    assert part.gap == Gap(filler=0, source=2, relation="theme")
    assert words_of(pair, part) == "Bo met"
    assert pattern(pair, part) == (0, 1)
    assert found.of(aligned("Ann met Bo .")) == []


def test_parts_are_made_as_if_one_of_theirs_stood_elsewhere() -> None:
    """An article goes with its noun, a preposition stays."""
    found, pair = gaps(told() + ASKED), aligned("Ann gave a Bo to a Cy .")
    made = {part.gap.relation: words_of(pair, part) for part in found.made(pair) if part.gap}
    assert made == {
        "agent": "gave a Bo to a Cy", "theme": "Ann gave to a Cy", "recipient": "Ann gave a Bo to",
    }  # fmt: skip


def test_where_nothing_stands_elsewhere_there_are_no_gaps() -> None:
    found, pair = gaps(told()), aligned("Ann gave a Bo to a Cy .")
    assert (found.of(pair), found.made(pair)) == ([], [])


@pytest.mark.repeats
def test_questions_ask_for_what_no_given_one_asks_for() -> None:
    made = recombine([clause(words) for words in told() + ASKED], 400, max_nodes=9)
    asked = [pair for pair in made if node_labels(pair.input)[0] == "whom"]
    relations = set()
    for pair in asked:
        right = clause(" ".join(node_labels(pair.input)))
        assert node_labels(pair.target) == node_labels(right.target)
        assert sorted(edge_triples(pair.target)) == sorted(edge_triples(right.target))
        assert pair.extra["alignment"] == right.extra["alignment"]
        relations |= {r for _, target, r in edge_triples(pair.target) if target == 0}
    assert relations == {"theme", "recipient"}


def test_the_filler_of_the_old_gap_fills_the_new_one() -> None:
    host, donor = aligned("whom Bo met ."), aligned("Ann gave a Di to Cy .")
    (old,) = gaps(told() + ASKED).of(host)
    hole = Gap(filler=2, source=1, relation="theme", hole=range(2, 4))
    new = Part(1, frozenset({0, 1, 3}), 0, 5, (), ("agent", "recipient", "theme"), hole)
    assert new.size == 4
    made, right = exchanged(host, old, donor, new), aligned("whom Ann gave to Cy .")
    assert (made.symbols, made.labels) == (right.symbols, right.labels)
    assert sorted(made.edges) == sorted(right.edges)
    assert made.places == right.places


def test_a_language_without_movement_is_recombined_as_before() -> None:
    pairs = [sentence_pair(words.split()) for words in ["neg one", "sum one neg two"] * 20]
    read = [one for pair in pairs if (one := read_aligned(pair)) is not None]
    heads = [(part.role, head_of(pair, part)) for pair in read for part in parts(pair)]
    found = Gaps(read, like_roles(heads))
    assert not any(found.of(pair) or found.made(pair) for pair in read)
