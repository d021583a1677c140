"""The benchmark of new structure: what it asks is right, and is what it says."""

from _structure import questions
from structure import asked, depth, modified

from grapheme_torch.convert import node_link
from grapheme_torch.data import make_pair
from grapheme_torch.graphs import edge_triples, node_labels

TOLD = [
    ("Emma gave a cake to Liam .", "give ( agent = Emma , theme = cake , recipient = Liam )"),
    ("The girl gave Liam a cake .", "give ( agent = * girl , recipient = Liam , theme = cake )"),
    ("A cake was eaten by Emma .", "eat ( theme = cake , agent = Emma )"),
    (
        "Emma ate a cake on the table .",
        "eat ( agent = Emma , theme = cake ( nmod . on = * table ) )",
    ),
    (
        "Emma said that a dog saw Liam .",
        "say ( agent = Emma , ccomp = see ( agent = dog , theme = Liam ) )",
    ),
]  # fmt: skip
LINES = [(*line, "in_distribution") for line in TOLD]


def test_what_is_asked_of_told_sentences() -> None:
    made = questions.made([*LINES, ("Emma ran .", "run ( agent = Emma )", "exposure")], 9)
    assert {name: sorted(sentence for sentence, _ in each) for name, each in made.items()} == {
        "object of a clause": ["What did Emma say that a dog saw ?"],
        "object, ditransitive": [
            "What did Emma give to Liam ?", "What did the girl give Liam ?",
        ],
        "object, modified subject": ["What did a cake on the table eat ?"],
        "recipient": ["Who did Emma give a cake to ?"],
        "relative clause, recipient": ["Emma liked a boy that Emma gave a cake to ."],
        "subject, ditransitive": ["Who gave Liam a cake ?", "Who gave a cake to Liam ?"],
        "subject, modified object": ["Who ate a cake on the table ?"],
        "subject, passive": ["What was eaten by Emma ?"],
    }  # fmt: skip


def test_forms_of_questions_come_back_from_their_graphs() -> None:
    """The converter refuses a form that its graph does not tell."""
    found = asked(LINES * 3)
    assert sum(map(len, found.values())) == 3 * 10
    (pair, *_) = found["recipient"]
    labels = node_labels(pair.target)
    edges = {(labels[s], relation, labels[t]) for s, t, relation in edge_triples(pair.target)}
    assert edges == {
        ("give", "agent", "Emma"),
        ("give", "theme", "cake"),
        ("give", "recipient", "?"),
    }


def test_depth_is_that_of_chains_of_edges() -> None:
    labels = ["say", "Emma", "hope", "dog", "mat", "eat", "Liam"]
    edges = [
        (0, 1, "agent"), (0, 2, "ccomp"), (2, 3, "agent"), (3, 4, "nmod . on"), (2, 5, "ccomp"),
        (5, 6, "agent"),
    ]  # fmt: skip
    pair = make_pair({"input": "a", "target": node_link(labels, edges)}, "here", 1)
    assert [depth(pair, relation) for relation in ("ccomp", "nmod", "theme")] == [2, 1, 0]
    assert (modified(pair, "agent"), modified(pair, "theme")) == (True, False)
